"""Taking back what an admin changed, on top of all that was changed since.

Law: only what that change made is taken back. Where somebody changed the same thing since, nothing is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

from bot.rules.errors import UserError
from bot.rules.limits.limit import Limit, slot_of
from bot.rules.servers.access import Block, ServerSettings
from bot.rules.servers.changes import (
    BlockChanged,
    Change,
    DefaultsChanged,
    FallbackChanged,
    Headline,
    KeyChanged,
    LimitChanged,
    Lists,
    ListsChanged,
    LogChannelChanged,
    LookChanged,
    ModerationChanged,
    PauseChanged,
    PreviewsChanged,
    Recorded,
    Reversible,
    ReviewChanged,
    Stop,
    StyleChanged,
    Undone,
    WordsChanged,
    block_of,
    is_news,
    lists_of,
    look_of,
    moderation_of,
    pause_of,
    with_lists,
)
from bot.rules.servers.edits import Held, Overhaul, Rework


class NothingToUndo(UserError):
    """What was to be taken back is not in the trail (any more)."""


class ChangedSince(UserError):
    """Somebody changed the same thing since: ``change`` is what they made of it. Nothing was changed."""

    def __init__(self, change: Change) -> None:
        super().__init__(type(change).__name__)
        self.change = change


class _Since(Exception):
    """A part of a value is no longer as the change left it."""


def undoable(changes: Sequence[Change]) -> tuple[LimitChanged | Reversible, ...]:
    """What of it can be taken back: keys and refused words are not kept, a look is soon saved again, headlines say
    nothing by themselves."""
    return tuple(
        change
        for change in changes
        if not isinstance(change, KeyChanged | WordsChanged | StyleChanged | Headline | Recorded) and is_news(change)
    )


def undoing(changes: Sequence[Change]) -> Rework:
    """Takes all of them back. It raises ``ChangedSince``, or ``NothingToUndo`` where nothing of them can be."""
    wanted = undoable(changes)
    if not wanted:
        raise NothingToUndo

    def rework(held: Held) -> Overhaul:
        here = {slot_of(limit): limit for limit in held.limits}
        settings = held.settings
        limits: list[Limit] = []
        removed: list[Limit] = []
        done: list[Change] = []
        for change in reversed(wanted):
            if isinstance(change, LimitChanged):
                if (now := here.get(change.slot)) != change.new:
                    raise ChangedSince(LimitChanged(change.slot, change.new, now))
                if change.old is not None and change.old not in held.defaults:
                    limits.append(change.old)
                elif change.new is not None:
                    removed.append(change.new)
                done.append(LimitChanged(change.slot, change.new, change.old))
            else:
                settings, inverse = _without(change, settings)
                done.append(inverse)
        return Overhaul(settings, tuple(limits), tuple(removed), tuple(done), Undone())

    return rework


def _without(change: Reversible, settings: ServerSettings) -> tuple[ServerSettings, Change]:
    """The settings without the change, and the change that this is."""
    now = _now(change, settings)
    old, new = _kept(change.old), _kept(change.new)
    try:
        back = _back(old, new, now)
    except _Since:
        raise ChangedSince(replace(change, old=new, new=now)) from None
    if isinstance(back, Lists) and old.allowed and now.allowed and not back.allowed:
        raise ChangedSince(replace(change, old=new, new=now))  # no list opens by itself
    return _with(change, settings, back), replace(change, old=now, new=back)


def _kept(value: Any) -> Any:
    """As settings keep it: the reason of what was lifted is for the trail alone."""
    return Stop(False) if isinstance(value, Stop) and not value.stopped else value


def _back(old: Any, new: Any, now: Any) -> Any:
    """``now`` with what went from ``old`` to ``new`` taken back, part by part."""
    if old == new:
        return now
    if is_dataclass(old):
        parts = [field.name for field in fields(old)]
        return replace(now, **{name: _back(*(getattr(one, name) for one in (old, new, now))) for name in parts})
    if isinstance(old, frozenset):
        added, gone = new - old, old - new
        if not added <= now or gone & now:
            raise _Since
        return (now - added) | gone
    if now != new:
        raise _Since
    return old


def _now(change: Reversible, settings: ServerSettings) -> Any:
    match change:
        case ListsChanged(which):
            return lists_of(settings, which)
        case DefaultsChanged():
            return settings.defaults
        case ModerationChanged():
            return moderation_of(settings)
        case PreviewsChanged():
            return settings.previews
        case FallbackChanged():
            return settings.fallback
        case LookChanged():
            return look_of(settings)
        case LogChannelChanged():
            return settings.log_channel_id
        case ReviewChanged():
            return settings.review_channel_id
        case PauseChanged():
            return pause_of(settings)
        case BlockChanged(user_id):
            return block_of(settings, user_id)


def _with(change: Reversible, settings: ServerSettings, value: Any) -> ServerSettings:
    match change:
        case ListsChanged(which):
            return with_lists(settings, which, value)
        case DefaultsChanged():
            return replace(settings, defaults=value)
        case ModerationChanged():
            level, spoiler, age = value.level, value.spoiler, value.age_restricted_only
            return replace(settings, moderation=level, spoiler=spoiler, age_restricted_only=age)
        case PreviewsChanged():
            return replace(settings, previews=value)
        case FallbackChanged():
            return replace(settings, fallback=value)
        case LookChanged():
            return replace(settings, show_cost=value.cost, layout=value.layout, hidden_buttons=value.hidden)
        case LogChannelChanged():
            return replace(settings, log_channel_id=value)
        case ReviewChanged():
            return replace(settings, review_channel_id=value)
        case PauseChanged():
            return replace(settings, paused=value.stopped, pause_reason=value.reason)
        case BlockChanged(user_id):
            others = tuple(block for block in settings.blocked if block.user_id != user_id)
            return replace(settings, blocked=(*others, Block(user_id, value.reason)) if value.stopped else others)
