"""What an admin changed, as data: made once, where it happens, and kept as it is. Words are made when somebody reads.

Each holds what was before and what is now, so that the answer, the log channel and the audit trail cannot differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.rules.limits.limit import Limit, Scope, Slot
from bot.rules.servers.access import Defaults, Layout, ResultButton, ServerSettings


class Listed(StrEnum):
    """What has an allow- and a deny-list."""

    MODELS = "models"
    CHANNELS = "channels"
    ROLES = "roles"


@dataclass(frozen=True, slots=True)
class Lists:
    """Names of models, or ids. Empty ``allowed``: all. What is on both is denied."""

    allowed: frozenset[str | int] = frozenset()
    denied: frozenset[str | int] = frozenset()

    @property
    def is_closed(self) -> bool:
        """Whether everything on the allow-list is denied, so that nothing is let through."""
        return bool(self.allowed) and self.allowed <= self.denied


@dataclass(frozen=True, slots=True)
class Stop:
    """Whether pictures are stopped, for all or for one, and the reason given for it, or for its end."""

    stopped: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Moderation:
    level: str | None = None
    spoiler: bool = False
    age_restricted_only: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """How results look: whether their cost is shown, their layout, and the buttons that are hidden."""

    cost: bool = True
    layout: Layout = Layout.EMBED
    hidden: frozenset[ResultButton] = frozenset()


class Resettable(StrEnum):
    """What ``/settings reset`` puts back."""

    LIMITS = "limits"
    SETTINGS = "settings"
    ALL = "all"


_MENTION = re.compile(r"<@!?[0-9]+>")
"""Of a person."""

# --- the changes -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LimitChanged:
    """What holds in a slot; None: nothing is set there, so the next scope out decides."""

    slot: Slot
    old: Limit | None
    new: Limit | None


@dataclass(frozen=True, slots=True)
class ListsChanged:
    which: Listed
    old: Lists
    new: Lists


@dataclass(frozen=True, slots=True)
class DefaultsChanged:
    old: Defaults
    new: Defaults


@dataclass(frozen=True, slots=True)
class ModerationChanged:
    old: Moderation
    new: Moderation


@dataclass(frozen=True, slots=True)
class PreviewsChanged:
    """None: automatic."""

    old: bool | None
    new: bool | None


@dataclass(frozen=True, slots=True)
class FallbackChanged:
    old: bool
    new: bool


@dataclass(frozen=True, slots=True)
class LookChanged:
    old: Look
    new: Look


@dataclass(frozen=True, slots=True)
class LogChannelChanged:
    old: int | None
    new: int | None


@dataclass(frozen=True, slots=True)
class ReviewChanged:
    """The channel where moderators look at pictures first; None: pictures are shown at once."""

    old: int | None
    new: int | None


@dataclass(frozen=True, slots=True)
class PauseChanged:
    old: Stop
    new: Stop


@dataclass(frozen=True, slots=True)
class WordsChanged:
    """How many refused words there are; never which: the trail and the log channel are read by more than admins."""

    old: int
    new: int
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class BlockChanged:
    user_id: int
    old: Stop
    new: Stop


@dataclass(frozen=True, slots=True)
class KeyChanged:
    """The last four characters of the server's own key; None: it has none."""

    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Reset:
    what: Resettable


@dataclass(frozen=True, slots=True)
class Imported:
    """Settings and limits were taken from a file."""


@dataclass(frozen=True, slots=True)
class PresetTaken:
    """Settings and limits were set as the preset of this name says."""

    preset: str


@dataclass(frozen=True, slots=True)
class Undone:
    """Changes were taken back."""


@dataclass(frozen=True, slots=True)
class StyleChanged:
    """What one of the server's saved looks says; empty: there is none of that name."""

    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """A change of which only words are left: the trail was kept as text before."""

    what: str
    old: str
    new: str


Reversible = (
    ListsChanged
    | DefaultsChanged
    | ModerationChanged
    | PreviewsChanged
    | FallbackChanged
    | LookChanged
    | LogChannelChanged
    | ReviewChanged
    | PauseChanged
    | BlockChanged
)
"""A setting that can be put back: what it was is kept whole."""

SettingChanged = Reversible | KeyChanged | WordsChanged
Headline = Reset | Imported | PresetTaken | Undone
"""What several changes were made by, told before them."""

Change = LimitChanged | SettingChanged | StyleChanged | Headline | Recorded


def is_news(change: Change) -> bool:
    """Whether anything is otherwise than before: only that is kept and told."""
    if isinstance(change, WordsChanged):
        return bool(change.added or change.removed)
    return isinstance(change, Headline | Recorded) or change.old != change.new


def without_others(change: Change, user_id: int) -> Change:
    """The same for the data of the one who made it: what it says of other people is theirs, and is left out."""
    match change:
        case BlockChanged(about, old, new) if about != user_id:
            return BlockChanged(0, Stop(old.stopped), Stop(new.stopped))
        case LimitChanged(slot, old, new) if slot.scope is Scope.MEMBER and slot.subject_id != user_id:
            return LimitChanged(
                replace(slot, subject_id=0), old and replace(old, subject_id=0), new and replace(new, subject_id=0)
            )
        case PauseChanged(old, new):
            return PauseChanged(Stop(old.stopped), new)  # the reason before may be another's
        case StyleChanged(name, _, new):
            return StyleChanged(name, "", new)  # the words before may be another's
        case Recorded(what, old, new) if _MENTION.search(f"{what} {old} {new}"):
            return Recorded(_MENTION.sub("<@0>", what), "", "")
        case _:
            return change


# --- read from settings ------------------------------------------------------------------------------------------


def lists_of(settings: ServerSettings, which: Listed) -> Lists:
    match which:
        case Listed.MODELS:
            return Lists(frozenset(settings.allowed_models), frozenset(settings.denied_models))
        case Listed.CHANNELS:
            return Lists(frozenset(settings.allowed_channels), frozenset(settings.denied_channels))
        case Listed.ROLES:
            return Lists(frozenset(settings.allowed_roles), frozenset(settings.denied_roles))


def closes_others(change: Change) -> bool:
    """Whether the first thing was allowed, which shuts out everything else."""
    return isinstance(change, ListsChanged) and bool(change.new.allowed) and not change.old.allowed


def with_lists(settings: ServerSettings, which: Listed, lists: Lists) -> ServerSettings:
    match which:
        case Listed.MODELS:
            return replace(settings, allowed_models=_names(lists.allowed), denied_models=_names(lists.denied))
        case Listed.CHANNELS:
            return replace(settings, allowed_channels=_ids(lists.allowed), denied_channels=_ids(lists.denied))
        case Listed.ROLES:
            return replace(settings, allowed_roles=_ids(lists.allowed), denied_roles=_ids(lists.denied))


def _names(some: frozenset[str | int]) -> frozenset[str]:
    return frozenset(map(str, some))


def _ids(some: frozenset[str | int]) -> frozenset[int]:
    return frozenset(map(int, some))


def moderation_of(settings: ServerSettings) -> Moderation:
    return Moderation(settings.moderation, settings.spoiler, settings.age_restricted_only)


def look_of(settings: ServerSettings) -> Look:
    return Look(settings.show_cost, settings.layout, settings.hidden_buttons)


def pause_of(settings: ServerSettings) -> Stop:
    return Stop(settings.paused, settings.pause_reason if settings.paused else "")


def words_between(old: frozenset[str], new: frozenset[str]) -> WordsChanged:
    return WordsChanged(len(old), len(new), len(new - old), len(old - new))


def block_of(settings: ServerSettings, user_id: int) -> Stop:
    found = (Stop(True, block.reason) for block in settings.blocked if block.user_id == user_id)
    return next(found, Stop(False))


def changes_between(old: ServerSettings, new: ServerSettings) -> tuple[Change, ...]:
    """What becomes otherwise when ``new`` replaces ``old``; the server's key is nobody's to replace."""
    return tuple(change for change in _all_between(old, new) if is_news(change))


def _all_between(old: ServerSettings, new: ServerSettings) -> Iterator[Change]:
    for which in Listed:
        yield ListsChanged(which, lists_of(old, which), lists_of(new, which))
    for user_id in dict.fromkeys(block.user_id for block in (*old.blocked, *new.blocked)):
        yield BlockChanged(user_id, block_of(old, user_id), block_of(new, user_id))
    yield DefaultsChanged(old.defaults, new.defaults)
    yield ModerationChanged(moderation_of(old), moderation_of(new))
    yield PreviewsChanged(old.previews, new.previews)
    yield FallbackChanged(old.fallback, new.fallback)
    yield LookChanged(look_of(old), look_of(new))
    yield LogChannelChanged(old.log_channel_id, new.log_channel_id)
    yield PauseChanged(pause_of(old), pause_of(new))
    yield ReviewChanged(old.review_channel_id, new.review_channel_id)
    yield words_between(old.refused_words, new.refused_words)
