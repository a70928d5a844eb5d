"""Every option of a picture, one row each: what people type, what a model allows, what is sent, told and kept.

Law: whoever carries options walks ``OPTIONS``; only a rule about one option names it. A row's name is the field of
``RawOptions``, what ``ImageRequest`` calls it, and the option of the commands.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any

from bot.rules.requests import DRAWING, Endpoint, ImageRequest, Kind

MAKING = frozenset({Endpoint.GENERATIONS, Endpoint.EDITS})
EVERYWHERE = DRAWING
NO_ENDPOINT: frozenset[Endpoint] = frozenset()


@dataclass(frozen=True, slots=True)
class RawOptions:
    """What a person typed or chose, untouched. None: nothing was chosen. ``look`` names the saved look, if one made the
    prompt what it is: no option, it is only told."""

    prompt: str
    size: str | None = None
    quality: str | None = None
    style: str | None = None
    background: str | None = None
    format: str | None = None
    compression: int | None = None
    count: int | None = None
    moderation: str | None = None
    complexity: str | None = None
    frames: int | None = None
    frame_ms: int | None = None
    fidelity: str | None = None
    preview: bool | None = None
    private: bool | None = None
    look: str = ""


class OptionKind(Enum):
    """What one types."""

    SIZE = "size"
    WORD = "word"
    WHOLE = "whole number"
    SWITCH = "switch"


class Shown(StrEnum):
    """Where people are told what was chosen; a result's options stand in Details too."""

    NOWHERE = "nowhere"
    DETAILS = "details"
    RESULT = "result"


@dataclass(frozen=True, slots=True)
class Option:
    """One option.

    ``model_field`` is the field of ``Model`` with the words it may be, or the bounds of a whole number; empty: it
    is checked by a rule of its own. ``has_own_check``: by such a rule although the model has words for it.
    ``wire_name`` is its parameter, sent to ``endpoints``; for ``beyond_sdk`` the SDK has no argument and it is added
    to the body. ``sent`` is the attribute of the request that is sent, where it is not the option's own.
    ``is_dispensable``: a service that does not know it may do without; that is said under the result.
    ``unchosen`` is what a request holds when nobody chose. ``is_carried``: *Again* asks for it once more.
    """

    name: str
    kind: OptionKind
    model_field: str = ""
    wire_name: str = ""
    endpoints: frozenset[Endpoint] = MAKING
    beyond_sdk: frozenset[Endpoint] = NO_ENDPOINT
    sent: str = ""
    has_own_check: bool = False
    is_dispensable: bool = True
    unchosen: object = None
    is_carried: bool = True
    shown: Shown = Shown.DETAILS

    def chosen(self, request: ImageRequest) -> object:
        """What the request holds of it; None where that is what it holds when nobody chose."""
        value: object = getattr(request, self.name)
        return None if value == self.unchosen else value

    def to_send(self, request: ImageRequest) -> object:
        return getattr(request, self.sent or self.name)


SIZE, WORD, WHOLE, SWITCH = OptionKind
GENERATIONS, EDITS = frozenset({Endpoint.GENERATIONS}), frozenset({Endpoint.EDITS})

OPTIONS = (
    Option("size", SIZE, "", "size", EVERYWHERE, shown=Shown.RESULT),
    Option("quality", WORD, "qualities", "quality", has_own_check=True, shown=Shown.RESULT),
    Option("style", WORD, "styles", "style", GENERATIONS, shown=Shown.RESULT),
    Option("background", WORD, "backgrounds", "background"),
    Option("format", WORD, "formats", "output_format", has_own_check=True),
    Option("compression", WHOLE, "", "output_compression"),
    Option("count", WHOLE, "", "n", EVERYWHERE, sent="pictures_per_call", is_dispensable=False, unchosen=1),
    Option("moderation", WORD, "moderations", "moderation", beyond_sdk=EDITS, has_own_check=True),
    Option("complexity", WORD, "complexities", "complexity"),
    Option("frames", WHOLE, "", "frame_count", is_dispensable=False),
    Option("frame_ms", WHOLE, "", "frame_duration_ms", is_dispensable=False),
    Option("fidelity", WORD, "fidelities", "input_fidelity", EDITS),
    Option("preview", SWITCH, "", "partial_images", sent="partial_images", unchosen=False, shown=Shown.NOWHERE),
    Option("private", SWITCH, unchosen=False, is_carried=False),
)

NAMED = {option.name: option for option in OPTIONS}


def raw_of(request: ImageRequest) -> RawOptions:
    """The options a request was made from, to be checked again by today's rules."""
    prompt = request.shown_prompt if request.kind is Kind.VARY else request.shown_prompt or request.prompt
    carried: dict[str, Any] = {option.name: option.chosen(request) for option in OPTIONS if option.is_carried}
    return RawOptions(prompt, look=request.look, **carried)
