"""One model as data: what it can do, what it takes, what it costs, how long it may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from bot.rules.money import MicroUSD, TokenPrices
from bot.rules.options.sizes import Size, Sizes, parse_size
from bot.rules.requests import Endpoint, ImageRequest

FALLBACK_DEADLINE_S = 240
LARGE_PIXELS = 2560 * 1440
LARGE_DEADLINE_S = 420
EDIT_EXTRA_S = 60

USUAL_QUALITIES = ("medium", "standard")
"""What nobody chose, where the model has it: good enough for most, and not the dearest."""

DEFAULT_SERVICE = "default"
"""The service at ``OPENAI_BASE_URL``, with the key in ``OPENAI_API_KEY``; a server's own key is one of its keys."""


@dataclass(frozen=True, slots=True)
class InputRule:
    """Uploads an endpoint takes: how many, which true formats, how many bytes each; square where it must be."""

    max_images: int
    formats: frozenset[str]
    max_bytes: int
    square: bool = False


@dataclass(frozen=True, slots=True)
class Pricing:
    """Either tokens (``tokens`` with ``quality_g`` for the formula or ``output_tokens`` as a table), or per picture.

    ``quality_g``: the side of the token grid per quality (OpenAI's calculator); ``output_tokens``: (quality, size) to
    tokens; ``per_image``: (quality, size) to micro-dollars; quality ``*`` matches any.
    """

    tokens: TokenPrices | None = None
    quality_g: Mapping[str, int] = field(default_factory=dict)
    output_tokens: Mapping[tuple[str, Size], int] = field(default_factory=dict)
    per_image: Mapping[tuple[str, Size], MicroUSD] = field(default_factory=dict)
    free: bool = False


@dataclass(frozen=True, slots=True)
class Chat:
    """What a model of words may take: tokens of its answer, which are asked for as ``limit``, and of a picture."""

    output_tokens: int
    image_tokens: int
    limit: str


@dataclass(frozen=True, slots=True)
class Model:
    """One model. Empty tuples and None mean: the model does not have the parameter, so it is never sent.

    ``max_prompt`` is in characters per endpoint. ``retired_on`` and ``ends_on`` speak of OpenAI's own service only;
    both are the first day without the model. ``user_field``: the
    parameter of OpenAI's own service that carries the member's tag.
    ``deadline_s``: seconds by quality, ``*`` matches any. ``default_size`` and ``default_quality`` are sent when
    nobody chose (None: the size is left to the service, the quality is the usual one); ``default_frames`` likewise,
    for GIF. ``short_name`` stands for it where there is little room. ``service`` is where it lives, ``name`` what it is
    called there (empty: by its id). ``instead``: models that may draw where this one did not.
    ``overnight_percent``: what a picture costs in a batch, in percent of its price; 0: it is in none.
    ``chat``: it makes words.
    """

    id: str
    endpoints: frozenset[Endpoint]
    max_prompt: Mapping[Endpoint, int]
    max_count: int
    sizes: Sizes
    one_per_call: bool = False
    qualities: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    backgrounds: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    default_format: str = "png"
    compressible: frozenset[str] = frozenset()
    transparent_formats: frozenset[str] = frozenset({"png", "webp"})
    moderations: tuple[str, ...] = ()
    complexities: tuple[str, ...] = ()
    fidelities: tuple[str, ...] = ()
    frames: tuple[int, int] | None = None
    default_frames: int | None = None
    default_size: str | None = None
    default_quality: str | None = None
    user_field: str = "user"
    max_partials: int = 0
    inputs: Mapping[Endpoint, InputRule] = field(default_factory=dict)
    mask_max_bytes: int | None = None
    has_markup: bool = False
    takes_response_format: bool = False
    pricing: Pricing | None = None
    deadline_s: Mapping[str, int] = field(default_factory=dict)
    alias_of: str | None = None
    retired_on: date | None = None
    ends_on: date | None = None
    successors: tuple[str, ...] = ()
    short_name: str = ""
    service: str = DEFAULT_SERVICE
    name: str = ""
    instead: tuple[str, ...] = ()
    overnight_percent: int = 0
    chat: Chat | None = None

    @property
    def wire_name(self) -> str:
        """What its service calls it."""
        return self.name or self.id


def usual_quality(model: Model) -> str | None:
    """The quality Easel asks for where nobody chose, so that what is reserved is close to what it costs.

    The model's own default, else *medium* or what stands in for it, else the middle one. None: there is nothing to
    choose, or nothing to save (a free model is left to its service).
    """
    levels = [level for level in model.qualities if level != "auto"]
    if model.default_quality is not None or len(levels) < 2 or (model.pricing is not None and model.pricing.free):
        return model.default_quality
    return next((level for level in USUAL_QUALITIES if level in levels), levels[(len(levels) - 1) // 2])


def gone_since(model: Model, today: date) -> date | None:
    """The day from which OpenAI no longer serves the model, if that has come."""
    days = [day for day in (model.retired_on, model.ends_on) if day is not None and day <= today]
    return min(days, default=None)


def deadline_of(model: Model, request: ImageRequest) -> int:
    """Seconds until a call of this request is given up: by quality, more for large pictures and for uploads.

    Where the service chooses the quality, the longest holds; GIF and SVG get as much as a large picture.
    """
    table = model.deadline_s
    longest = max(table.values(), default=FALLBACK_DEADLINE_S)
    seconds = table.get(request.quality or "", table.get("*", longest))
    size = parse_size(request.size or "")
    if (isinstance(size, Size) and size.pixels > LARGE_PIXELS) or request.format in ("gif", "svg"):
        seconds = max(seconds, LARGE_DEADLINE_S)
    return seconds + (EDIT_EXTRA_S if request.inputs else 0)
