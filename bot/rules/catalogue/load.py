"""From TOML to models: every entry read and checked, the operator's over Easel's own; all faults at once.

``IMAGE_MODELS`` is a second file of the same shape, read over the first:

    [models."gpt-image-2.5-flare"]      # known: only what is named here changes
    max_count = 4

    [models."my-sdxl"]                  # new: starts from another model
    like = "dall-e-2"
    free = true

    [models."dall-e-3"]                 # gone
    hidden = true

    [models."gpt-image-2@school"]       # the same model at another of the services
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from typing import Any

from bot.rules.catalogue.catalogue import Catalogue, CatalogueError
from bot.rules.catalogue.chat import chat_models
from bot.rules.catalogue.checks import misfits, price_misfits
from bot.rules.catalogue.fields import FIELDS, GONE, KNOWN, NEEDED, PRICE_FIELDS, Wrong
from bot.rules.catalogue.model import Model, Pricing
from bot.rules.catalogue.places import at_services, circles, with_instead
from bot.rules.catalogue.services import read_services

LIFECYCLE = frozenset({"retired_on", "ends_on", "successors", "alias_of", "like", "hidden", "sources"}) | {
    *("short_name", "service", "name", "instead")
}
"""What no model takes over from the one it is like."""

DROPS: Mapping[str, frozenset[str]] = {
    "free": frozenset({"prices", "quality_g", "output_tokens", "per_image"}),
    "per_image": frozenset({"prices", "quality_g", "output_tokens", "free"}),
    "prices": frozenset({"per_image", "free"}),
    "quality_g": frozenset({"output_tokens", "per_image", "free"}),
    "output_tokens": frozenset({"quality_g", "per_image", "free"}),
    "qualities": frozenset({"default_quality"}),
    "sizes": frozenset({"default_size"}),
    "frames": frozenset({"default_frames"}),
}
"""What an entry's own field replaces of what it took over: another way of pricing, a default that may no longer fit."""

MAX_ID = 100
"""Characters of a choice in Discord."""

Entry = Mapping[str, Any]


class _CannotTakeOver(Exception):
    """``like`` or ``alias_of`` of the model ``name`` leads nowhere; the message begins with the field."""

    def __init__(self, name: str, fault: str) -> None:
        super().__init__(fault)
        self.name = name


def builtin_catalogue() -> str:
    """The text of the ``catalogue.toml`` that Easel brings along."""
    return files("bot.rules.catalogue").joinpath("catalogue.toml").read_text(encoding="utf-8")


@lru_cache(maxsize=8)
def load_catalogue(text: str, overrides: str | None = None) -> Catalogue:
    """Reads the catalogue (TOML text), then the operator's ``IMAGE_MODELS`` over it.

    In overrides a known id changes only the fields it names, ``hidden = true`` removes it, a new id may say
    ``like = "<id>"`` to start from another model. Raises ``CatalogueError`` naming model and field, all faults at once.
    """
    faults: list[str] = []
    base = _whole_entries(_models_in(_parsed(text, "catalogue", faults), faults), {}, faults)
    file = _parsed(overrides or "", "IMAGE_MODELS", faults)
    services = read_services(file.get("services", {}), faults)
    own = _whole_entries(at_services(_models_in(file, faults), base, services, faults), base, faults)
    entries = own if file.get("hide") == "all" else base | own
    models: dict[str, Model] = {}
    for name, entry in entries.items():
        found = _faults_in(name, entry)
        if entry.get("hidden") is not True and not found:
            model = _model(name, entry)
            found = [*misfits(model), *price_misfits(model)]
            found += [f"successors: there is no model {one!r}" for one in model.successors if one not in base | own]
            models[name] = model
        faults += [f"models.{name}.{fault}" for fault in found]
    models = {name: with_instead(model, models, faults) for name, model in models.items()}
    faults += circles(models)
    faults += [
        f"services.{one.service}.chat_model: {one.id} is a model that draws"
        for one in chat_models(services).values()
        if one.id in models
    ]
    if faults:
        raise CatalogueError(list(dict.fromkeys(faults)))
    return Catalogue(models, services=services)


def _whole_entries(entries: Mapping[str, Entry], base: Mapping[str, Entry], faults: list[str]) -> dict[str, Entry]:
    whole: dict[str, Entry] = {}
    for name in entries:
        try:
            whole[name] = _whole_entry(name, entries, base)
        except _CannotTakeOver as fault:
            faults.append(f"models.{fault.name}.{fault}")
    return whole


def _over(under: Entry, own: Entry) -> dict[str, Any]:
    """The fields of ``own``, and those of ``under`` that they do not replace."""
    dropped = {key for name in own for key in DROPS.get(name, ())}
    return {key: value for key, value in under.items() if key not in dropped} | dict(own)


def _whole_entry(
    name: str, entries: Mapping[str, Entry], base: Mapping[str, Entry], seen: tuple[str, ...] = ()
) -> Entry:
    """The entry with everything it takes over: from ``base`` under its own name, or from the model it is like."""
    if name not in entries:
        return base[name]
    entry = entries[name]
    key = "like" if "like" in entry or name in base else "alias_of"
    parent = entry.get(key)
    if parent is None:
        return _over(base.get(name, {}), entry)
    if not isinstance(parent, str) or (parent not in entries and parent not in base):
        raise _CannotTakeOver(name, f"{key}: there is no model {parent!r}")
    if parent in (*seen, name):
        raise _CannotTakeOver(name, f"{key}: {' -> '.join([*seen, name, parent])} goes round in a circle")
    inherited = _whole_entry(parent, entries, base, (*seen, name))
    return _over({key: value for key, value in inherited.items() if key not in LIFECYCLE}, entry)


def _parsed(text: str, what: str, faults: list[str]) -> dict[str, Any]:
    try:
        parsed = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as fault:
        faults.append(f"{what}: not TOML: {fault}")
        return {}
    known = ("models", "sources") if what == "catalogue" else ("models", "services", "hide", "sources")
    faults += [f"{what}.{key}: unknown; there are {', '.join(known)}" for key in parsed if key not in known]
    if parsed.get("hide", "all") != "all":
        faults.append(f'{what}.hide: expected "all", which hides every model that is not named here')
    return parsed


def _models_in(parsed: Mapping[str, Any], faults: list[str]) -> dict[str, dict[str, Any]]:
    models = parsed.get("models", {})
    if not isinstance(models, dict):
        faults.append('IMAGE_MODELS.models: expected tables like [models."my-model"]')
        return {}
    faults += [f"models.{name}: expected a table" for name, entry in models.items() if not isinstance(entry, dict)]
    return {name: entry for name, entry in models.items() if isinstance(entry, dict)}


def _faults_in(name: str, entry: Entry) -> list[str]:
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
        except Wrong as wrong:
            faults.append(f"{key}{'.' + wrong.where if wrong.where else ''}: {wrong}")
    needed = () if entry.get("hidden") is True else NEEDED
    return faults + [f"{key}: is missing" for key in needed if key not in entry]


def _model(name: str, entry: Entry) -> Model:
    values = {key: reader(entry[key]) for key, reader in FIELDS.items() if key in entry}
    prices = {
        "tokens" if key == "prices" else key: reader(entry[key]) for key, reader in PRICE_FIELDS.items() if key in entry
    }
    return Model(id=name, pricing=Pricing(**prices) if prices else None, **values)
