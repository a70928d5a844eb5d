"""Presets: what a server is set to in one press, as data from TOML, and the changes that this is for a server.

Law: a preset is checked whole when it is read; what it makes of a server is a plain function of all that holds there.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import Any

from bot.rules.limits.amounts import MAX_COUNT, MAX_JOBS, MAX_SECONDS, BadAmount, read_count, read_dollars
from bot.rules.limits.limit import Cooldown, Limit, Measure, Period, Quota, Scope, slot_of
from bot.rules.servers.access import Layout, ServerSettings
from bot.rules.servers.changes import LimitChanged, PresetTaken, changes_between
from bot.rules.servers.edits import Held, Overhaul, Rework

COUNTS: Mapping[str, tuple[Measure, Period, int]] = {
    "images_per_hour": (Measure.IMAGES, Period.HOUR, MAX_COUNT),
    "images_per_day": (Measure.IMAGES, Period.DAY, MAX_COUNT),
    "images_per_month": (Measure.IMAGES, Period.MONTH, MAX_COUNT),
    "jobs": (Measure.JOBS, Period.NOW, MAX_JOBS),
}
DOLLARS: Mapping[str, Period] = {"usd_per_day": Period.DAY, "usd_per_month": Period.MONTH}
SWITCHES = ("show_cost", "spoiler", "age_restricted_only", "previews")
DEFAULTS = ("model", "size", "quality", "format", "private")
SCOPES = {"limits": Scope.EVERYONE, "role": Scope.ROLE, "budget": Scope.SERVER}
MOST_PRESETS = 20


class BadPresets(ValueError):
    """A file of presets that cannot be used; the message says where and what, in a sentence."""


@dataclass(frozen=True, slots=True)
class Preset:
    """``titles`` and ``abouts`` by language; ``en`` is always there. Limits of a role name no role yet."""

    name: str
    titles: Mapping[str, str]
    abouts: Mapping[str, str]
    limits: tuple[Limit, ...] = ()
    only_role: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def needs_role(self) -> bool:
        return self.only_role or any(one.scope is Scope.ROLE for one in self.limits)


def builtin_presets() -> str:
    return files("bot.rules.servers").joinpath("presets.toml").read_text(encoding="utf-8")


def load_presets(text: str, models: Collection[str]) -> tuple[Preset, ...]:
    """The presets of a file, in its order. ``models`` are those of the catalogue. Raises ``BadPresets``."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadPresets(f"it is not TOML: {error}") from None
    entries = document.get("preset")
    if set(document) != {"preset"} or not isinstance(entries, list) or not 0 < len(entries) <= MOST_PRESETS:
        raise BadPresets(f"it must hold 1 to {MOST_PRESETS} [[preset]] and nothing else")
    presets = tuple(_preset(entry, models) for entry in entries)
    if len({one.name for one in presets}) < len(presets):
        raise BadPresets("two presets have the same name")
    return presets


def together(first: tuple[Preset, ...], others: tuple[Preset, ...]) -> tuple[Preset, ...]:
    """The operator's after ours; of the same name, theirs."""
    theirs = {one.name: one for one in others}
    return (*(theirs.pop(one.name, one) for one in first), *theirs.values())


def _preset(entry: Any, models: Collection[str]) -> Preset:
    name = entry.get("name") if isinstance(entry, dict) else None
    if not isinstance(name, str) or not name.isascii() or not name.isalnum() or not name.islower() or len(name) > 20:
        raise BadPresets("a preset needs a name of small letters and digits, at most 20")
    if unknown := set(entry) - {"name", "title", "about", "only_role", "settings", *SCOPES}:
        raise BadPresets(f"{name}: nobody knows {', '.join(sorted(unknown))}")
    limits = tuple(
        _limit(f"{name}.{part}.{key}", key, value, scope)
        for part, scope in SCOPES.items()
        for key, value in _table(f"{name}.{part}", entry.get(part, {})).items()
    )
    only_role = entry.get("only_role", False)
    if not isinstance(only_role, bool):
        raise BadPresets(f"{name}.only_role: must be true or false")
    settings = _settings(f"{name}.settings", _table(f"{name}.settings", entry.get("settings", {})), models)
    titles, abouts = (_texts(f"{name}.{part}", entry.get(part, "")) for part in ("title", "about"))
    return Preset(name, titles, abouts, limits, only_role, settings)


def _table(where: str, found: Any) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise BadPresets(f"{where}: must be a table")
    return found


def _texts(where: str, found: Any) -> Mapping[str, str]:
    texts = {"en": found} if isinstance(found, str) else found
    if not isinstance(texts, dict) or not texts.get("en") or not all(isinstance(one, str) for one in texts.values()):
        raise BadPresets(f"{where}: must be text, or text by language with en among them")
    return {language: text[:100] for language, text in texts.items()}


def _limit(where: str, key: str, value: Any, scope: Scope) -> Limit:
    try:
        if key in DOLLARS and isinstance(value, str):
            return Quota(scope, Measure.DOLLARS, DOLLARS[key], read_dollars(key, value))
        if scope is not Scope.SERVER and type(value) is int:
            if key == "cooldown_s":
                return Cooldown(scope, read_count(key, value, MAX_SECONDS))
            if key in COUNTS:
                measure, period, most = COUNTS[key]
                return Quota(scope, measure, period, read_count(key, value, most))
    except BadAmount as bad:
        raise BadPresets(f"{where}: {bad.asked} is not from 0 to {bad.most}") from None
    raise BadPresets(f'{where}: is no limit (whole numbers, and dollars as text such as "12.50")')


def _settings(where: str, found: Mapping[str, Any], models: Collection[str]) -> Mapping[str, Any]:
    read: dict[str, Any] = {}
    for key, value in found.items():
        if (key in SWITCHES and isinstance(value, bool)) or (key == "moderation" and value in ("auto", "low")):
            read[key] = value
        elif key == "layout" and value in set(Layout):
            read[key] = Layout(value)
        elif key == "models" and isinstance(value, list) and value:
            read["allowed_models"] = frozenset(_model(f"{where}.models", one, models) for one in value)
        elif key in DEFAULTS and isinstance(value, bool if key == "private" else str):
            read[key] = _model(f"{where}.model", value, models) if key == "model" else value
        else:
            raise BadPresets(f"{where}.{key}: is no setting of a preset, or not such a value")
    return read


def _model(where: str, name: Any, models: Collection[str]) -> str:
    if name not in models:
        raise BadPresets(f"{where}: there is no model {str(name)[:60]!r}")
    return str(name)


# --- what it makes of a server -----------------------------------------------------------------------------------


def taking(preset: Preset, role_id: int | None) -> Rework:
    """What the preset makes of all that holds. ``role_id`` is the role that it asks for, where it asks for one."""

    def rework(held: Held) -> Overhaul:
        settings = _settled(preset, held.settings, role_id)
        wanted = [replace(one, subject_id=role_id) if one.scope is Scope.ROLE else one for one in preset.limits]
        here, defaults = ({slot_of(one): one for one in some} for some in (held.limits, held.defaults))
        named = {slot_of(one) for one in wanted}
        limits = tuple(one for one in wanted if here.get(slot_of(one)) != one)
        whole = (one for slot, one in here.items() if one.scope in (Scope.EVERYONE, Scope.SERVER) and slot not in named)
        removed = tuple(one for one in whole if one != defaults.get(slot_of(one)))
        changes = (
            *changes_between(held.settings, settings),
            *(LimitChanged(slot_of(one), here.get(slot_of(one)), one) for one in limits),
            *(LimitChanged(slot_of(one), one, defaults.get(slot_of(one))) for one in removed),
        )
        return Overhaul(settings, limits, removed, changes, PresetTaken(preset.titles["en"]))

    return rework


def _settled(preset: Preset, held: ServerSettings, role_id: int | None) -> ServerSettings:
    own = {key: value for key, value in preset.settings.items() if key not in DEFAULTS}
    defaults = {key: value for key, value in preset.settings.items() if key in DEFAULTS}
    if preset.only_role and role_id is not None:
        own |= {"allowed_roles": frozenset({role_id}), "denied_roles": held.denied_roles - {role_id}}
    if "allowed_models" in own:
        own["denied_models"] = held.denied_models - own["allowed_models"]
    return replace(held, **own, defaults=replace(held.defaults, **defaults) if defaults else held.defaults)
