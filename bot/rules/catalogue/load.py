"""From TOML to models: every entry read and checked, the operator's over Easel's own; all faults at once.

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
from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from importlib.resources import files
from typing import Any

from bot.rules.catalogue import fields as read
from bot.rules.catalogue.catalogue import Catalogue, CatalogueError
from bot.rules.catalogue.checks import misfits, price_misfits
from bot.rules.catalogue.model import InputRule, Model, Pricing


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
    "user_field": read.one_of("user", "safety_identifier"),
    "deadline_s": read.table(read.word, read.whole(1, 3600)),
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


GONE = frozenset({"released_on", "reports_usage", "revises_prompts"})
"""Fields of earlier versions that nothing depends on: still taken from an operator's file, and not read."""


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
        if key in GONE:
            continue
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
