"""What the catalogue means: every model as data. ``catalogue.toml`` holds the facts, each with its source.

``IMAGE_MODELS`` is a second file of the same shape, read over the first:

    [models."gpt-image-2.5-flare"]      # known: only what is named here changes
    max_count = 4

    [models."my-sdxl"]                  # new: starts from another model
    like = "dall-e-2"
    free = true

    [models."dall-e-3"]                 # gone
    hidden = true
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from importlib.resources import files
from typing import Any

from bot.rules.catalogue import fields as read
from bot.rules.catalogue.checks import misfits, price_misfits
from bot.rules.catalogue.pricing import MicroUSD, TokenPrices
from bot.rules.errors import UserError
from bot.rules.options.sizes import Size, Sizes, parse_size
from bot.rules.requests import Endpoint, ImageRequest


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
class Model:
    """One model. Empty tuples and None mean: the model does not have the parameter, so it is never sent.

    ``max_prompt`` is in characters per endpoint. ``retired_on`` and ``ends_on`` speak of OpenAI's own service only;
    both are the first day without the model. ``user_field``: the parameter that carries the member's tag.
    ``deadline_s``: seconds by quality, ``*`` matches any. ``default_size`` and ``default_quality`` are sent when
    nobody chose (None: left to the service); ``default_frames`` likewise, for GIF.
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
    user_field: str | None = None
    max_partials: int = 0
    inputs: Mapping[Endpoint, InputRule] = field(default_factory=dict)
    mask_max_bytes: int | None = None
    has_markup: bool = False
    takes_response_format: bool = False
    revises_prompts: bool = False
    reports_usage: bool = False
    pricing: Pricing | None = None
    deadline_s: Mapping[str, int] = field(default_factory=dict)
    alias_of: str | None = None
    released_on: date | None = None
    retired_on: date | None = None
    ends_on: date | None = None
    successors: tuple[str, ...] = ()


class NoSuchModel(UserError):
    """No model of that name here; ``nearest`` are the closest ids on offer."""

    def __init__(self, asked: str, nearest: tuple[str, ...]) -> None:
        super().__init__(asked)
        self.asked = asked
        self.nearest = nearest


class ModelRetired(UserError):
    """OpenAI no longer serves the model; ``successor`` is on offer here."""

    def __init__(self, model: str, retired_on: date, successor: str | None) -> None:
        super().__init__(model)
        self.model = model
        self.retired_on = retired_on
        self.successor = successor


class ModelWithheld(UserError):
    """OpenAI has the model, but not for this bot's key; ``nearest`` are on offer here."""

    def __init__(self, model: str, nearest: tuple[str, ...]) -> None:
        super().__init__(model)
        self.model = model
        self.nearest = nearest


class CatalogueError(ValueError):
    """The catalogue or the operator's file cannot be used; ``faults`` are all of them, each with model and field."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


class Catalogue:
    """Every model Easel knows, in the order of the file. Immutable."""

    def __init__(self, models: Mapping[str, Model], withheld: frozenset[str] = frozenset()) -> None:
        self._models = dict(models)
        self._withheld = withheld

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models.values())

    def __len__(self) -> int:
        return len(self._models)

    def get(self, model_id: str) -> Model | None:
        return self._models.get(model_id)

    def offered(self, *, official: bool, today: date) -> tuple[Model, ...]:
        """The models that can be asked for: all on a compatible server, on OpenAI's own what this key has."""
        return tuple(
            model
            for model in self
            if not official or (gone_since(model, today) is None and model.id not in self._withheld)
        )

    def choose(self, model_id: str, *, official: bool, today: date) -> Model:
        """The model of that id. Raises ``NoSuchModel``, ``ModelRetired`` or ``ModelWithheld``."""
        offered = {model.id: model for model in self.offered(official=official, today=today)}
        wanted = model_id.strip()
        model = self._models.get(wanted) or self._models.get(wanted.lower())
        if model is None:
            raise NoSuchModel(wanted[:100], tuple(get_close_matches(wanted.lower()[:100], offered, n=3, cutoff=0.4)))
        since = gone_since(model, today)
        if not official or model.id in offered:
            return model
        if since is None:
            raise ModelWithheld(model.id, tuple(get_close_matches(model.id, offered, n=3, cutoff=0.4)))
        raise ModelRetired(model.id, since, next((name for name in model.successors if name in offered), None))

    def with_service_facts(self, known: Mapping[str, date | None], *, complete: bool = False) -> Catalogue:
        """The same models with the days on which the service itself says they end; a day given there replaces ours.

        ``complete``: the list is OpenAI's own, so what is not in it is withheld from this key. A list that has none of
        our models says nothing about them.
        """
        told = {name: ends_on for name, ends_on in known.items() if ends_on is not None}
        ours = frozenset(self._models)
        return Catalogue(
            {
                model.id: replace(model, retired_on=None, ends_on=told[model.id]) if model.id in told else model
                for model in self
            },
            withheld=ours - frozenset(known) if complete and ours & frozenset(known) else frozenset(),
        )


def gone_since(model: Model, today: date) -> date | None:
    """The day from which OpenAI no longer serves the model, if that has come."""
    days = [day for day in (model.retired_on, model.ends_on) if day is not None and day <= today]
    return min(days, default=None)


FALLBACK_DEADLINE_S = 240
LARGE_PIXELS = 2560 * 1440
LARGE_DEADLINE_S = 420
EDIT_EXTRA_S = 60


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


# --- reading -----------------------------------------------------------------------------------------------------


def builtin_catalogue() -> str:
    """The text of the ``catalogue.toml`` that Easel brings along."""
    return files("bot.rules.catalogue").joinpath("catalogue.toml").read_text(encoding="utf-8")


def load_catalogue(text: str, overrides: str | None = None) -> Catalogue:
    """Reads the catalogue (TOML text), then the operator's ``IMAGE_MODELS`` over it.

    In overrides a known id changes only the fields it names, ``hidden = true`` removes it, a new id may say
    ``like = "<id>"`` to start from another model. Raises ``CatalogueError`` naming model and field, all faults at once.
    """
    faults: list[str] = []
    own = _whole_entries(_models_in(text, "catalogue", faults), {}, faults)
    entries = own | _whole_entries(_models_in(overrides or "", "IMAGE_MODELS", faults), own, faults)
    models: dict[str, Model] = {}
    for name, entry in entries.items():
        found = _faults_in(name, entry)
        if entry.get("hidden") is not True and not found:
            model = _model(name, entry)
            found = [*misfits(model), *price_misfits(model)]
            found += [f"successors: there is no model {other!r}" for other in model.successors if other not in entries]
            models[name] = model
        faults += [f"models.{name}.{fault}" for fault in found]
    if faults:
        raise CatalogueError(list(dict.fromkeys(faults)))
    return Catalogue(models)


def _whole_entries(
    entries: Mapping[str, read.Entry], base: Mapping[str, read.Entry], faults: list[str]
) -> dict[str, read.Entry]:
    whole: dict[str, read.Entry] = {}
    for name in entries:
        try:
            whole[name] = read.whole_entry(name, entries, base)
        except read.CannotTakeOver as fault:
            faults.append(f"models.{fault.name}.{fault}")
    return whole


def _input_rule(value: Any) -> InputRule:
    return InputRule(**_READ_INPUT(value))


_READ_INPUT = read.record(
    {"max_images": read.whole(1, 16), "formats": read.word_set, "max_bytes": read.whole(1), "square": read.flag},
    frozenset({"max_images", "formats", "max_bytes"}),
)

FIELDS: Mapping[str, read.Reader] = {
    "endpoints": read.endpoints,
    "max_prompt": read.table(read.endpoint, read.whole(1)),
    "max_count": read.whole(1, 10),  # ten attachments fit a Discord message
    "one_per_call": read.flag,
    "sizes": read.sizes,
    "default_size": read.word,
    "qualities": read.words,
    "default_quality": read.word,
    "styles": read.words,
    "backgrounds": read.words,
    "formats": read.words,
    "default_format": read.word,
    "compressible": read.word_set,
    "transparent_formats": read.word_set,
    "moderations": read.words,
    "complexities": read.words,
    "fidelities": read.words,
    "frames": read.frames,
    "default_frames": read.whole(1, 1000),
    "max_partials": read.whole(0, 3),
    "inputs": read.table(read.endpoint, _input_rule),
    "mask_max_bytes": read.whole(1),
    "has_markup": read.flag,
    "takes_response_format": read.flag,
    "revises_prompts": read.flag,
    "reports_usage": read.flag,
    "user_field": read.word,
    "deadline_s": read.table(read.word, read.whole(1, 3600)),
    "released_on": read.day,
    "retired_on": read.day,
    "ends_on": read.day,
    "successors": read.words,
    "alias_of": read.word,
}
"""Fields of ``Model`` and how each is read."""

PRICE_FIELDS: Mapping[str, read.Reader] = {
    "prices": read.token_prices,
    "quality_g": read.table(read.word, read.whole(1, 1000)),
    "output_tokens": read.by_quality_and_size(read.whole(0)),
    "per_image": read.by_quality_and_size(read.dollars),
    "free": read.flag,
}
"""Fields that become its ``Pricing``."""

KNOWN: Mapping[str, read.Reader] = {
    **FIELDS,
    **PRICE_FIELDS,
    "like": read.word,
    "hidden": read.flag,
    "sources": read.table(read.word, read.words),
}
"""Every field an entry may have: the last few steer reading, or only explain."""

MAX_ID = 100
"""Characters of a choice in Discord."""

NEEDED = ("endpoints", "max_prompt", "max_count", "sizes")


def _models_in(text: str, what: str, faults: list[str]) -> dict[str, dict[str, Any]]:
    try:
        parsed = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as fault:
        faults.append(f"{what}: not TOML: {fault}")
        return {}
    faults += [
        f"{what}.{key}: unknown; there are models, sources" for key in parsed if key not in ("models", "sources")
    ]
    models = parsed.get("models", {})
    if not isinstance(models, dict):
        faults.append(f'{what}.models: expected tables like [models."my-model"]')
        return {}
    faults += [f"models.{name}: expected a table" for name, entry in models.items() if not isinstance(entry, dict)]
    return {name: entry for name, entry in models.items() if isinstance(entry, dict)}


def _faults_in(name: str, entry: read.Entry) -> list[str]:
    """What cannot be read in an entry, field by field."""
    faults = [] if name.isprintable() and 0 < len(name) <= MAX_ID else [f"its id needs 1 to {MAX_ID} characters"]
    for key, value in entry.items():
        reader = KNOWN.get(key)
        if reader is None:
            near = get_close_matches(key, KNOWN, n=1)
            faults.append(f"{key}: no such field" + (f"; is {near[0]} meant?" if near else ""))
            continue
        try:
            reader(value)
        except read.Wrong as wrong:
            faults.append(f"{key}{'.' + wrong.where if wrong.where else ''}: {wrong}")
    needed = () if entry.get("hidden") is True else NEEDED
    return faults + [f"{key}: is missing" for key in needed if key not in entry]


def _model(name: str, entry: read.Entry) -> Model:
    values = {key: reader(entry[key]) for key, reader in FIELDS.items() if key in entry}
    prices = {key: reader(entry[key]) for key, reader in PRICE_FIELDS.items() if key in entry}
    return Model(id=name, pricing=_pricing(prices) if prices else None, **values)


def _pricing(values: Mapping[str, Any]) -> Pricing:
    return Pricing(
        tokens=values.get("prices"),
        quality_g=values.get("quality_g", {}),
        output_tokens=values.get("output_tokens", {}),
        per_image=values.get("per_image", {}),
        free=values.get("free", False),
    )
