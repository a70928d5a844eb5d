"""At which service each model lives, and which may draw in its place: read from entries, checked over all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from bot.rules.catalogue.fields import PRICE_FIELDS
from bot.rules.catalogue.model import DEFAULT_SERVICE, Model
from bot.rules.catalogue.services import Service, read_services

Entry = Mapping[str, Any]

ENDS = frozenset({"retired_on", "ends_on", "successors"})
"""What holds of a model at OpenAI's own service, whichever key asks."""


def at_services(
    entries: Mapping[str, Entry], base: Mapping[str, Entry], services: Mapping[str, Service], faults: list[str]
) -> dict[str, Entry]:
    """The entries with what their service says of them.

    ``name@service`` lives there, is called so there, and is like the model of that name. At a service that is free,
    what has no price of its own costs nothing.
    """
    placed = {}
    for name, entry in entries.items():
        bare, _, at = name.rpartition("@")
        if bare and at in services:
            known = bare in entries or bare in base
            ends = {key: base[bare][key] for key in ENDS & base.get(bare, {}).keys() if services[at].is_official}
            entry = {"service": at, "name": bare, **({"like": bare} if known else {}), **ends, **entry}
        elif bare and "service" not in entry and (near := get_close_matches(at, services, n=1, cutoff=0.7)):
            faults.append(f"models.{name}: there is no service {at!r}; is {near[0]} meant?")
        service = services.get(str(entry.get("service", DEFAULT_SERVICE)))
        if service is None:
            faults.append(f"models.{name}.service: there is no service {entry['service']!r}")
        elif bare and at in services and service.name != at:
            faults.append(f"models.{name}.service: its name says {at}")
        elif service.free and not entry.keys() & PRICE_FIELDS.keys():
            entry = {"free": True, **entry}
        placed[name] = entry
    return placed


def uses_default(file: Mapping[str, Any]) -> bool:
    """Whether by the operator's file (as TOML gave it) any model may live at the default service."""
    models = file.get("models", {})
    if file.get("hide") != "all" or not isinstance(models, dict):
        return True
    entries = {name: entry for name, entry in models.items() if isinstance(entry, dict)}
    placed = at_services(entries, {}, read_services(file.get("services", {}), []), [])
    return any(
        entry.get("service", DEFAULT_SERVICE) == DEFAULT_SERVICE and entry.get("hidden") is not True
        for entry in placed.values()
    )


def with_instead(model: Model, models: Mapping[str, Model], faults: list[str]) -> Model:
    """The model with the ids of those that may draw in its place, which are named ``id`` or ``id@service``."""
    found = []
    for named in model.instead:
        bare, _, at = named.rpartition("@")
        other = models.get(named) or models.get(bare)
        if other is None or (other.id != named and other.service != at):
            faults.append(f"models.{model.id}.instead: there is no model {named!r}")
        else:
            found.append(other.id)
    return replace(model, instead=tuple(dict.fromkeys(found))) if model.instead else model


def circles(models: Mapping[str, Model]) -> list[str]:
    """Models that stand in for each other in a circle, each circle told once."""
    faults = []
    done: set[str] = set()
    for start in models:
        path, stack = [], [(start, iter(models[start].instead))]
        while stack:
            name, others = stack[-1]
            path = [one for one, _ in stack]
            following = next((other for other in others if other not in done), None)
            if following is None:
                done.add(name)
                stack.pop()
            elif following in path:
                round_ = [*path[path.index(following) :], following]
                faults.append(f"models.{round_[0]}.instead: {' -> '.join(round_)} goes round in a circle")
            else:
                stack.append((following, iter(models[following].instead)))
    return faults
