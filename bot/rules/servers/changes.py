"""What admins do to a server's settings, as plain functions: each returns new settings, or the old ones untouched.

``told`` describe a part of the settings for the audit trail: short plain English with ids as ``channel 7``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from bot.rules.catalogue.model import Model
from bot.rules.errors import UserError
from bot.rules.options.build import build_request
from bot.rules.options.problems import InvalidOptions, Problem
from bot.rules.options.table import RawOptions
from bot.rules.requests import Endpoint, Kind
from bot.rules.servers.access import Block, Defaults, ServerSettings

Listed = Literal["models", "channels", "roles"]
Transform = Callable[[ServerSettings], ServerSettings]

MOST_LISTED = 100
ALL = "all"
REASON_CHARS = 200
AUTOMATIC = "automatic"


class ListFull(UserError):
    """An allow- or deny-list holds as many entries as it can. Nothing was changed."""


class Contradiction(UserError):
    """The same thing was to be allowed and denied at once. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class ListChange:
    """What ``models``, ``channels`` and ``roles`` ask for. None: nothing of that kind."""

    allow: str | int | None = None
    deny: str | int | None = None
    clear: bool = False

    @property
    def is_empty(self) -> bool:
        return self.allow is None and self.deny is None and not self.clear


def listed(which: Listed, change: ListChange) -> Transform:
    """Puts one on the allow-list and another on the deny-list. What is allowed leaves the deny-list, and the other
    way round. For models ``all`` empties that list.
    """
    if change.allow is not None and change.allow == change.deny and change.allow != ALL:
        raise Contradiction

    def apply(settings: ServerSettings) -> ServerSettings:
        allowed: frozenset[str | int] = frozenset(getattr(settings, f"allowed_{which}"))
        denied: frozenset[str | int] = frozenset(getattr(settings, f"denied_{which}"))
        if change.clear:
            allowed = denied = frozenset()
        allowed, denied = _put(change.allow, allowed, denied)
        denied, allowed = _put(change.deny, denied, allowed)
        if max(len(allowed), len(denied)) > MOST_LISTED:
            raise ListFull
        changed: dict[str, Any] = {f"allowed_{which}": allowed, f"denied_{which}": denied}
        return replace(settings, **changed)

    return apply


def _put(
    one: str | int | None, into: frozenset[str | int], out_of: frozenset[str | int]
) -> tuple[frozenset[str | int], frozenset[str | int]]:
    if one is None:
        return into, out_of
    if one == ALL:
        return frozenset(), out_of
    return into | {one}, out_of - {one}


def told_list(which: Listed) -> Callable[[ServerSettings], str]:
    """``allow: role 1, role 2; deny: role 3``, or ``all``."""
    noun = {"models": "", "channels": "channel ", "roles": "role "}[which]

    def words(settings: ServerSettings) -> str:
        parts = []
        for name in ("allow", "deny"):
            members = sorted(getattr(settings, f"{name}ed_{which}" if name == "allow" else f"denied_{which}"))
            if members:
                parts.append(f"{name}: " + ", ".join(f"{noun}{member}" for member in members))
        return "; ".join(parts) or "all"

    return words


# --- defaults ----------------------------------------------------------------------------------------------------


def defaulted(changes: Defaults) -> Transform:
    """Sets what ``changes`` names and leaves the rest."""
    given = {field.name: value for field in fields(changes) if (value := getattr(changes, field.name)) is not None}
    return lambda settings: replace(settings, defaults=replace(settings.defaults, **given))


def undefaulted(settings: ServerSettings) -> ServerSettings:
    """No defaults: the operator's and the models' own hold again."""
    return replace(settings, defaults=Defaults())


def told_defaults(settings: ServerSettings) -> str:
    parts = [
        f"{field.name} {value if not isinstance(value, bool) else 'on' if value else 'off'}"
        for field in fields(settings.defaults)
        if (value := getattr(settings.defaults, field.name)) is not None
    ]
    return ", ".join(parts) or "none"


def checked_defaults(changes: Defaults, model: Model) -> Defaults:
    """The defaults as the model spells them. Raises ``InvalidOptions`` with everything it cannot do."""
    kind = Kind.IMAGINE if Endpoint.GENERATIONS in model.endpoints else Kind.EDIT
    raw = RawOptions("a", size=changes.size, quality=changes.quality, format=changes.format)
    try:
        request = build_request(raw, model, kind)
    except InvalidOptions as invalid:
        ours: list[Problem] = [one for one in invalid.problems if one.option in ("size", "quality", "format")]
        if ours:
            raise InvalidOptions(model.id, ours) from None
        return changes
    return replace(
        changes,
        size=_ratio_kept(changes.size, request.size),
        quality=request.quality if changes.quality else None,
        format=request.format if changes.format else None,
    )


def _ratio_kept(asked: str | None, resolved: str | None) -> str | None:
    """A ratio stays one (each model makes of it what it can); a size is stored as the model spells it."""
    if asked is None:
        return None
    return resolved or asked if asked.strip()[:1].isdigit() and ":" not in asked else asked.strip().lower()


# --- switches ----------------------------------------------------------------------------------------------------


def moderated(level: str | None, spoiler: bool | None, age_restricted_only: bool | None) -> Transform:
    """Sets what is given; ``level`` ``low`` asks nothing of members, ``auto`` is the least they may choose."""

    def apply(settings: ServerSettings) -> ServerSettings:
        return replace(
            settings,
            moderation=settings.moderation if level is None else level,
            spoiler=settings.spoiler if spoiler is None else spoiler,
            age_restricted_only=settings.age_restricted_only if age_restricted_only is None else age_restricted_only,
        )

    return apply


def told_moderation(settings: ServerSettings) -> str:
    switches = (("spoiler", settings.spoiler), ("age-restricted only", settings.age_restricted_only))
    parts = [f"level {settings.moderation or 'as asked'}", *(f"{name} {_on(value)}" for name, value in switches)]
    return ", ".join(parts)


def told_previews(settings: ServerSettings) -> str:
    return AUTOMATIC if settings.previews is None else _on(settings.previews)


def told_log(settings: ServerSettings) -> str:
    return "none" if settings.log_channel_id is None else f"channel {settings.log_channel_id}"


def paused(reason: str) -> Transform:
    return lambda settings: replace(settings, paused=True, pause_reason=reason[:REASON_CHARS])


def resumed(settings: ServerSettings) -> ServerSettings:
    return replace(settings, paused=False, pause_reason="")


def told_pause(settings: ServerSettings) -> str:
    if not settings.paused:
        return "running"
    return f"paused: {settings.pause_reason}" if settings.pause_reason else "paused"


def blocked(user_id: int, reason: str) -> Transform:
    def apply(settings: ServerSettings) -> ServerSettings:
        others = tuple(block for block in settings.blocked if block.user_id != user_id)
        return replace(settings, blocked=(*others, Block(user_id, reason[:REASON_CHARS])))

    return apply


def unblocked(user_id: int) -> Transform:
    return lambda settings: replace(settings, blocked=tuple(b for b in settings.blocked if b.user_id != user_id))


def told_block(user_id: int) -> Callable[[ServerSettings], str]:
    def words(settings: ServerSettings) -> str:
        block = next((block for block in settings.blocked if block.user_id == user_id), None)
        if block is None:
            return "not blocked"
        return f"blocked: {block.reason}" if block.reason else "blocked"

    return words


def reset(settings: ServerSettings) -> ServerSettings:
    """A server's first settings; blocks, the API key and the log channel stay, so that nobody resets unseen."""
    return ServerSettings(
        blocked=settings.blocked,
        log_channel_id=settings.log_channel_id,
        api_key_hint=settings.api_key_hint,
        version=settings.version,
    )


def _on(value: bool) -> str:
    return "on" if value else "off"
