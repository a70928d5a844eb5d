"""Commands and choices as a client set to one language shows them; what is sent keeps its name. Law: pure."""

from __future__ import annotations

from sandbox.discord.model import Json


def commands(found: list[Json], locale: str) -> list[Json]:
    """Commands with a ``label`` beside each name, and descriptions in that language where the bot gave them."""
    return [_shown(one, locale) for one in found]


def choices(found: list[Json], locale: str) -> list[Json]:
    """Completions, named in that language where the bot did."""
    return [{"name": _in(one, "name", locale), "value": one["value"]} for one in found]


def _shown(one: Json, locale: str) -> Json:
    shown = one | {"label": _in(one, "name", locale)}
    if "description" in one:
        shown["description"] = _in(one, "description", locale)
    if one.get("options"):
        shown["options"] = [_shown(option, locale) for option in one["options"]]
    if one.get("choices"):
        shown["choices"] = choices(one["choices"], locale)
    return shown


def _in(one: Json, key: str, locale: str) -> str:
    return str((one.get(f"{key}_localizations") or {}).get(locale) or one[key])
