"""What is asked of the image service, after every check: the one type between a command and the wire."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a job does; also the command it came from. The last three make no picture: words, and a look at where one is
    from (``CHECK``)."""

    IMAGINE = "imagine"
    EDIT = "edit"
    VARY = "vary"
    DESCRIBE = "describe"
    IMPROVE = "improve"
    CHECK = "check"


PICTURES = (Kind.IMAGINE, Kind.EDIT, Kind.VARY)
"""The kinds that make pictures."""


class Endpoint(StrEnum):
    GENERATIONS = "generations"
    EDITS = "edits"
    VARIATIONS = "variations"
    CHAT = "chat"


DRAWING = frozenset({Endpoint.GENERATIONS, Endpoint.EDITS, Endpoint.VARIATIONS})
"""Where pictures come from."""


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """A request that is legal for its model: work, mostly for pictures. ``None`` means: do not send the parameter.

    For words (``is_words``) ``count`` is 0; ``size`` and ``look`` are then for the picture that may be made of them.

    ``count`` is the number of pictures in all; ``calls`` how many calls make them (dall-e-3: one each, so
    ``count == calls``; otherwise 1). ``size`` is ``WxH`` or ``auto``. ``compression`` is 0..100 percent,
    ``frame_ms`` milliseconds. ``inputs`` counts the uploaded pictures, whose bytes travel beside the request.
    ``prompt`` is what is sent; ``shown_prompt`` what people see (for ``/vary`` the hint, else the same).
    ``reviewed``: moderators look at the pictures first.
    ``look`` names the saved look that the prompt was finished with.
    ``based_on`` are the words behind the picture that is varied, where Easel made it. ``way`` is where an edit adds to
    the scene (``options.canvases.Way``).
    """

    kind: Kind
    endpoint: Endpoint
    model: str
    prompt: str
    shown_prompt: str = ""
    based_on: str = ""
    way: str = ""
    count: int = 1
    calls: int = 1
    size: str | None = None
    quality: str | None = None
    style: str | None = None
    background: str | None = None
    format: str | None = None
    compression: int | None = None
    moderation: str | None = None
    complexity: str | None = None
    frames: int | None = None
    frame_ms: int | None = None
    fidelity: str | None = None
    partial_images: int = 0
    inputs: int = 0
    input_sizes: tuple[tuple[int, int], ...] = ()
    has_mask: bool = False
    has_markup: bool = False
    private: bool = False
    look: str = ""
    reviewed: bool = False

    @property
    def is_words(self) -> bool:
        """Whether words are asked for, and no picture."""
        return self.endpoint is Endpoint.CHAT

    @property
    def own_words(self) -> str:
        """What people said of this picture, to go on from; empty where nobody said anything."""
        if self.kind is Kind.DESCRIBE:
            return ""
        if self.kind is Kind.VARY:
            return ", ".join(words for words in (self.based_on, self.shown_prompt) if words)
        return self.shown_prompt or self.prompt

    @property
    def preview(self) -> bool:
        """Whether the picture is shown while it is drawn."""
        return self.partial_images > 0

    @property
    def pictures_per_call(self) -> int:
        return self.count if self.calls == 1 else 1


@dataclass(frozen=True, slots=True)
class InputImage:
    """An uploaded picture, made ready for the service: ``data`` is a whole file of type ``mime``."""

    name: str
    mime: str
    data: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything uploaded with a request: 1 to 16 pictures, and at most one of ``mask`` and ``markup`` (PNG)."""

    images: tuple[InputImage, ...] = ()
    mask: InputImage | None = None
    markup: InputImage | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What the service said it used, in tokens; all zero is treated as not said."""

    input_text_tokens: int = 0
    input_image_tokens: int = 0
    output_tokens: int = 0
    cached_text_tokens: int = 0
    cached_image_tokens: int = 0

    @property
    def is_known(self) -> bool:
        return self.output_tokens > 0 or self.input_text_tokens > 0 or self.input_image_tokens > 0


@dataclass(frozen=True, slots=True)
class MadeImage:
    """One picture as it came: checked to be whole, ``format`` is the true one (png, jpeg, webp, gif, svg)."""

    data: bytes
    format: str
    width: int
    height: int
    revised_prompt: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """The answer to one call: one picture or more, perhaps too few, or words. Size, quality and background as used.

    ``left_out``: the options of the request that the service does not know and drew without.
    """

    images: tuple[MadeImage, ...]
    usage: Usage | None = None
    request_id: str | None = None
    size: str | None = None
    quality: str | None = None
    background: str | None = None
    left_out: tuple[str, ...] = ()
    words: str = ""


@dataclass(frozen=True, slots=True)
class Partial:
    """A picture on its way: ``index`` counts from 0, ``data`` is a whole PNG, JPEG or WebP."""

    index: int
    data: bytes
    format: str
