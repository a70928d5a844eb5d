"""What admins do to a server's settings, as plain functions of the settings as they are when it happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from bot.rules.catalogue.model import Model
from bot.rules.errors import UserError
from bot.rules.limits.limit import Limit, Scope, Slot, slot_of
from bot.rules.options.build import build_request
from bot.rules.options.problems import InvalidOptions, Problem
from bot.rules.options.table import RawOptions
from bot.rules.requests import Endpoint, Kind
from bot.rules.servers.access import Block, Defaults, Layout, ResultButton, ServerSettings
from bot.rules.servers.changes import (
    BlockChanged,
    Change,
    DefaultsChanged,
    FallbackChanged,
    Headline,
    LimitChanged,
    Listed,
    Lists,
    ListsChanged,
    LogChannelChanged,
    LookChanged,
    ModerationChanged,
    PauseChanged,
    PreviewsChanged,
    Resettable,
    ReviewChanged,
    Stop,
    block_of,
    changes_between,
    lists_of,
    look_of,
    moderation_of,
    pause_of,
    with_lists,
    words_between,
)
from bot.rules.servers.words.words import MOST_WORDS, added, removed
from bot.rules.styles.style import Style

Edit = Callable[[ServerSettings], tuple[ServerSettings, Change]]
"""What the settings become, and the change that this is."""

MOST_LISTED = 100
ALL = "all"
REASON_CHARS = 200


class ListFull(UserError):
    """An allow- or deny-list holds as many entries as it can. Nothing was changed."""


class TooManyWords(UserError):
    """More refused words than a list holds. Nothing was changed."""


class BadDefaults(InvalidOptions):
    """Defaults that their model does not have. Nothing was changed."""


class ChangedMeanwhile(UserError):
    """What an admin was asked about is no longer as it was when they were asked. Nothing was changed."""


class SetAndRemoved(UserError):
    """A value was given, and it was to be removed. Nothing was changed."""


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


def listed(which: Listed, asked: ListChange) -> Edit:
    """Puts one on the allow-list and another on the deny-list. What is allowed leaves the deny-list, and the other
    way round, unless nothing would be allowed any more: the list stays closed, never opens by itself. For models
    ``all`` empties that list. Raises ``Contradiction`` or ``ListFull``.
    """
    if asked.allow is not None and asked.allow == asked.deny and asked.allow != ALL:
        raise Contradiction

    def edit(settings: ServerSettings) -> tuple[ServerSettings, Change]:
        old = lists_of(settings, which)
        new = _denied(asked.deny, _allowed(asked.allow, Lists() if asked.clear else old))
        if max(len(new.allowed), len(new.denied)) > MOST_LISTED:
            raise ListFull
        return with_lists(settings, which, new), ListsChanged(which, old, new)

    return edit


def _allowed(one: str | int | None, lists: Lists) -> Lists:
    if one is None:
        return lists
    if one == ALL:
        return replace(lists, allowed=frozenset())
    return Lists((lists.allowed - lists.denied) | {one}, lists.denied - {one})


def _denied(one: str | int | None, lists: Lists) -> Lists:
    """What was the last one allowed stays on both lists: an empty allow-list would let everything in."""
    if one is None:
        return lists
    if one == ALL:
        return replace(lists, denied=frozenset())
    return Lists((lists.allowed - {one}) or lists.allowed, lists.denied | {one})


def relisted(
    which: Listed,
    *,
    allow: frozenset[str | int] = frozenset(),
    deny: frozenset[str | int] = frozenset(),
    drop_allowed: frozenset[str | int] = frozenset(),
    drop_denied: frozenset[str | int] = frozenset(),
) -> Edit:
    """Puts several on the lists, and takes several off, in one change. What is allowed leaves the deny-list and the
    other way round; an allow-list never gets empty by that. Raises ``Contradiction`` or ``ListFull``.
    """
    if allow & deny:
        raise Contradiction

    def edit(settings: ServerSettings) -> tuple[ServerSettings, Change]:
        old = lists_of(settings, which)
        held = old.allowed - old.denied if allow else old.allowed
        allowed = ((held - drop_allowed - deny) | allow) or old.allowed
        new = Lists(allowed, (old.denied - drop_denied - allow) | deny)
        if max(len(new.allowed), len(new.denied)) > MOST_LISTED:
            raise ListFull
        return with_lists(settings, which, new), ListsChanged(which, old, new)

    return edit


def opened(which: Listed) -> Edit:
    """Empties the allow-list, which lets everything in that is not denied."""

    def edit(settings: ServerSettings) -> tuple[ServerSettings, Change]:
        old = lists_of(settings, which)
        new = Lists(frozenset(), old.denied)
        return with_lists(settings, which, new), ListsChanged(which, old, new)

    return edit


# --- defaults ----------------------------------------------------------------------------------------------------


def defaulted(given: Defaults, dropped: frozenset[str] = frozenset()) -> Edit:
    """Sets what is ``given``, takes back what is ``dropped`` by name, and leaves the rest."""
    changed = {name: value for name, value in _by_name(given).items() if value is not None}
    changed |= dict.fromkeys(dropped)

    def edit(settings: ServerSettings) -> tuple[ServerSettings, Change]:
        new = Defaults(**{**_by_name(settings.defaults), **changed})
        return replace(settings, defaults=new), DefaultsChanged(settings.defaults, new)

    return edit


def _by_name(defaults: Defaults) -> dict[str, Any]:
    return {field.name: getattr(defaults, field.name) for field in fields(defaults)}


def checked_defaults(changes: Defaults, model: Model) -> Defaults:
    """The defaults as the model spells them. Raises ``BadDefaults`` with everything it cannot do."""
    kind = Kind.IMAGINE if Endpoint.GENERATIONS in model.endpoints else Kind.EDIT
    raw = RawOptions("a", size=changes.size, quality=changes.quality, format=changes.format)
    try:
        request = build_request(raw, model, kind)
    except InvalidOptions as invalid:
        ours: list[Problem] = [one for one in invalid.problems if one.option in ("size", "quality", "format")]
        if ours:
            raise BadDefaults(model.id, ours) from None
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


def moderated(level: str | None, spoiler: bool | None, age_restricted_only: bool | None) -> Edit:
    """Sets what is given; ``level`` ``low`` asks nothing of members, ``auto`` is the least they may choose."""

    def edit(settings: ServerSettings) -> tuple[ServerSettings, Change]:
        after = replace(
            settings,
            moderation=settings.moderation if level is None else level,
            spoiler=settings.spoiler if spoiler is None else spoiler,
            age_restricted_only=settings.age_restricted_only if age_restricted_only is None else age_restricted_only,
        )
        return after, ModerationChanged(moderation_of(settings), moderation_of(after))

    return edit


def previewed(enabled: bool | None) -> Edit:
    """Live previews on, off, or (None) automatic."""
    return lambda settings: (replace(settings, previews=enabled), PreviewsChanged(settings.previews, enabled))


def falling_back(allowed: bool) -> Edit:
    """Whether another model may draw where the one that was asked certainly did not."""
    return lambda settings: (replace(settings, fallback=allowed), FallbackChanged(settings.fallback, allowed))


def looking(
    cost: bool | None = None,
    layout: Layout | None = None,
    *,
    hide: frozenset[ResultButton] = frozenset(),
    show: frozenset[ResultButton] = frozenset(),
) -> Edit:
    """How results look: what is given is set. Raises ``Contradiction`` for a button both hidden and shown."""
    if hide & show:
        raise Contradiction

    def edit(settings: ServerSettings) -> tuple[ServerSettings, Change]:
        after = replace(
            settings,
            show_cost=settings.show_cost if cost is None else cost,
            layout=layout or settings.layout,
            hidden_buttons=(settings.hidden_buttons | hide) - show,
        )
        return after, LookChanged(look_of(settings), look_of(after))

    return edit


def logged_to(channel_id: int | None) -> Edit:
    return lambda settings: (
        replace(settings, log_channel_id=channel_id),
        LogChannelChanged(settings.log_channel_id, channel_id),
    )


def reviewed_in(channel_id: int | None) -> Edit:
    return lambda settings: (
        replace(settings, review_channel_id=channel_id),
        ReviewChanged(settings.review_channel_id, channel_id),
    )


def paused(reason: str) -> Edit:
    def edit(settings: ServerSettings) -> tuple[ServerSettings, Change]:
        after = replace(settings, paused=True, pause_reason=reason[:REASON_CHARS])
        return after, PauseChanged(pause_of(settings), pause_of(after))

    return edit


def resumed(reason: str = "") -> Edit:
    """The reason is for the trail alone."""
    return lambda settings: (
        replace(settings, paused=False, pause_reason=""),
        PauseChanged(pause_of(settings), _over(pause_of(settings), reason)),
    )


def blocked(user_id: int, reason: str) -> Edit:
    def edit(settings: ServerSettings) -> tuple[ServerSettings, Change]:
        others = tuple(block for block in settings.blocked if block.user_id != user_id)
        after = replace(settings, blocked=(*others, Block(user_id, reason[:REASON_CHARS])))
        return after, BlockChanged(user_id, block_of(settings, user_id), block_of(after, user_id))

    return edit


def unblocked(user_id: int, reason: str = "") -> Edit:
    """The reason is for the trail alone."""

    def edit(settings: ServerSettings) -> tuple[ServerSettings, Change]:
        old = block_of(settings, user_id)
        after = replace(settings, blocked=tuple(block for block in settings.blocked if block.user_id != user_id))
        return after, BlockChanged(user_id, old, _over(old, reason))

    return edit


def _over(old: Stop, reason: str) -> Stop:
    return Stop(False, reason[:REASON_CHARS]) if old.stopped else old


def refusing(more: frozenset[str] = frozenset(), fewer: frozenset[str] = frozenset(), *, clear: bool = False) -> Edit:
    """Takes words off the list of refused ones (with ``clear`` all), then puts others on. Raises ``TooManyWords``."""

    def edit(settings: ServerSettings) -> tuple[ServerSettings, Change]:
        old = settings.refused_words
        new = added(frozenset() if clear else removed(old, fewer), more)
        if len(new) > MOST_WORDS:
            raise TooManyWords
        return replace(settings, refused_words=new), words_between(old, new)

    return edit


# --- all at once -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Held:
    """All that holds in a server. ``limits`` hold here, ``defaults`` wherever no admin said otherwise."""

    settings: ServerSettings
    limits: tuple[Limit, ...]
    defaults: tuple[Limit, ...] = ()
    styles: tuple[Style, ...] = ()


@dataclass(frozen=True, slots=True)
class Overhaul:
    """What becomes of it: settings, limits to be set, limits to go back to the default, and what each change is.
    ``styles`` None: the saved looks stay."""

    settings: ServerSettings
    limits: tuple[Limit, ...]
    removed: tuple[Limit, ...]
    changes: tuple[Change, ...]
    headline: Headline | None = None
    styles: tuple[Style, ...] | None = None


Rework = Callable[[Held], Overhaul]
"""Makes an overhaul of all that holds at that moment; what it raises undoes everything."""


def limiting(wanted: Sequence[Limit], gone: Sequence[Limit], seen: Mapping[Slot, Limit | None]) -> Rework:
    """Sets all of these limits, and takes away what is ``gone``, where what was ``seen`` still holds; else raises
    ``ChangedMeanwhile``."""

    def rework(held: Held) -> Overhaul:
        here = {slot_of(limit): limit for limit in held.limits}
        if any(here.get(slot) != old for slot, old in seen.items()):
            raise ChangedMeanwhile
        news = tuple(one for one in wanted if here.get(slot_of(one)) != one)
        defaults = {slot_of(limit): limit for limit in held.defaults}
        changes = tuple(LimitChanged(slot_of(one), here.get(slot_of(one)), one) for one in news)
        taken = tuple(LimitChanged(slot_of(one), one, defaults.get(slot_of(one))) for one in gone)
        return Overhaul(held.settings, news, tuple(gone), (*changes, *taken))

    return rework


def first_settings(settings: ServerSettings) -> ServerSettings:
    """How a server begins; blocks, words, review, API key and log channel stay, so that nobody resets unseen."""
    return ServerSettings(
        blocked=settings.blocked,
        refused_words=settings.refused_words,
        review_channel_id=settings.review_channel_id,
        log_channel_id=settings.log_channel_id,
        api_key_hint=settings.api_key_hint,
    )


def resets(held: Held, what: Resettable) -> tuple[Change, ...]:
    """Everything that a reset changes, one by one; what is as the operator set it is not changed."""
    defaults = {slot_of(limit): limit for limit in held.defaults}
    own = [limit for limit in held.limits if limit.scope is not Scope.OPERATOR and limit not in held.defaults]
    limits = [LimitChanged(slot_of(limit), limit, defaults.get(slot_of(limit))) for limit in own]
    match what:
        case Resettable.LIMITS:
            return tuple(limits)
        case Resettable.SETTINGS:
            return changes_between(held.settings, first_settings(held.settings))
        case Resettable.ALL:
            return (*changes_between(held.settings, first_settings(held.settings)), *limits)
