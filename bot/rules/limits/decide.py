"""The one function that decides by limits. Which of them apply, in this order:

- per member: the member's own limit, else the most generous of their roles' limits, else the one for everyone;
- per channel: the channel's limit, shared by all who use it (a thread counts for its parent too);
- per server: its limit, shared by all;
- the operator's, over all servers.

The first decides the member's share; the others are caps and always hold. All must have room.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.rules.errors import UserError
from bot.rules.limits.limit import Cooldown, Limit, Measure, Period, Quota, Scope, is_open, most_of, slot_of
from bot.rules.limits.windows import cooldown_end, window_end
from bot.rules.money import MicroUSD
from bot.rules.people import Asker


@dataclass(frozen=True, slots=True)
class Cost:
    """What a request takes of each measure. ``micro_usd`` is its upper bound."""

    requests: int = 1
    images: int = 1
    micro_usd: MicroUSD = MicroUSD(0)
    jobs: int = 1


@dataclass(frozen=True, slots=True)
class Used:
    """What one counter holds now. ``micro_usd`` is spent plus reserved. ``running`` is jobs at once."""

    requests: int = 0
    images: int = 0
    micro_usd: MicroUSD = MicroUSD(0)
    running: int = 0


class Subject(StrEnum):
    """Who a counter is kept for."""

    MEMBER = "member"
    CHANNEL = "channel"
    PARENT = "parent"  # the channel above a thread
    SERVER = "server"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Use:
    """Every counter that may matter, by subject and period, and when a subject last made a request that counts.

    A counter that is missing is empty.
    """

    counters: Mapping[tuple[Subject, Period], Used] = field(default_factory=dict)
    last_requests: Mapping[Subject, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The limit that had no room, with the very numbers that decided."""

    limit: Limit
    used: int
    asked: int
    resets_at: datetime | None


class Refused(UserError):
    """One or more limits have no room; nothing was reserved.

    ``refusals`` is not empty, the tightest first: what no waiting helps against, then what lasts longest.
    ``in_server``: whether there is a server whose admins could change them; else the operator's defaults hold.
    ``of_words``: words were asked for, and no picture.
    """

    def __init__(self, refusals: Sequence[Refusal], *, in_server: bool) -> None:
        super().__init__(", ".join(f"{r.limit.scope} {r.limit.measure}" for r in refusals))
        self.refusals = tuple(refusals)
        self.in_server = in_server
        self.of_words = False


@dataclass(frozen=True, slots=True)
class Standing:
    """For ``/limits``: one limit that applies, what is used of it, what is left and when it starts afresh."""

    limit: Limit
    used: int
    left: int | None
    resets_at: datetime | None


def applicable(limits: Sequence[Limit], asker: Asker) -> tuple[Limit, ...]:
    """The limits that apply to this asker here: one member share of each kind (see ``Slot``), and every cap.

    Open ones (see ``is_open``) are among them, because they are the answer to "which rule says so".
    """
    shares: dict[tuple[Measure, Period] | None, Limit] = {}
    caps: list[Limit] = []
    for limit in limits:
        rank = _share_rank(limit, asker)
        if rank is not None:
            kind = slot_of(limit).quota
            best = shares.get(kind)
            if best is None or _precedence(limit, rank) > _precedence(best, _share_rank(best, asker) or 0):
                shares[kind] = limit
        elif _subject(limit, asker) is not None and limit.scope in _CAPS:
            caps.append(limit)
    return (*shares.values(), *caps)


_CAPS = frozenset({Scope.CHANNEL, Scope.SERVER, Scope.OPERATOR})


def _share_rank(limit: Limit, asker: Asker) -> int | None:
    """3 for the member's own limit, 2 for one of their roles, 1 for everyone's, None for all others."""
    match limit.scope:
        case Scope.MEMBER:
            return 3 if limit.subject_id == asker.user_id else None
        case Scope.ROLE:
            # Discord gives the role @everyone the id of the server and does not list it with a member's roles.
            return 2 if limit.subject_id in asker.role_ids or limit.subject_id == (asker.place.guild_id or -1) else None
        case Scope.EVERYONE:
            return 1
        case Scope.CHANNEL | Scope.SERVER | Scope.OPERATOR:
            return None


def _precedence(limit: Limit, rank: int) -> tuple[int, float]:
    """Sorts by who says it, then by how generous it is."""
    if is_open(limit):
        return rank, float("inf")
    match limit:
        case Quota():
            return rank, float(limit.amount or 0)
        case Cooldown():
            return rank, -float(limit.seconds or 0)


def _subject(limit: Limit, asker: Asker) -> Subject | None:
    """Whose counter the limit reads; None for a channel the asker is not in."""
    match limit.scope:
        case Scope.EVERYONE | Scope.ROLE | Scope.MEMBER:
            return Subject.MEMBER
        case Scope.CHANNEL:
            if limit.subject_id == asker.channel_id:
                return Subject.CHANNEL
            return Subject.PARENT if limit.subject_id is not None and limit.subject_id == asker.parent_id else None
        case Scope.SERVER:
            return Subject.SERVER
        case Scope.OPERATOR:
            return Subject.OPERATOR


def subject_of(limit: Limit, asker: Asker) -> Subject:
    """Whose counter an applicable limit reads."""
    subject = _subject(limit, asker)
    if subject is None:
        raise ValueError("this limit does not apply to this asker")
    return subject


def _asked(measure: Measure, cost: Cost) -> int:
    match measure:
        case Measure.REQUESTS:
            return cost.requests
        case Measure.IMAGES:
            return cost.images
        case Measure.DOLLARS:
            return cost.micro_usd
        case Measure.JOBS:
            return cost.jobs


def _counted(measure: Measure, used: Used) -> int:
    match measure:
        case Measure.REQUESTS:
            return used.requests
        case Measure.IMAGES:
            return used.images
        case Measure.DOLLARS:
            return used.micro_usd
        case Measure.JOBS:
            return used.running


_NOTHING = Used()


def _state(limit: Limit, asker: Asker, use: Use, now: datetime) -> tuple[int, datetime | None]:
    """What is used of an applicable limit, and when that starts afresh."""
    subject = subject_of(limit, asker)
    match limit:
        case Quota():
            counter = use.counters.get((subject, limit.period), _NOTHING)
            return _counted(limit.measure, counter), window_end(limit.period, now)
        case Cooldown():
            end = cooldown_end(limit.seconds or 0, now, use.last_requests.get(subject))
            return (0 if end is None else 1), end


def decide(limits: Sequence[Limit], asker: Asker, cost: Cost, use: Use, now: datetime) -> tuple[Refusal, ...]:
    """Every applicable limit without room for ``cost``; empty means granted.

    What costs nothing of a measure is never refused by it, even where a cap was lowered below what is used.
    """
    refusals = []
    for limit in applicable(limits, asker):
        most = most_of(limit)
        if most is None:
            continue
        used, resets_at = _state(limit, asker, use, now)
        asked = _asked(limit.measure, cost)
        if asked > 0 and used + asked > most:
            refusals.append(Refusal(limit, used, asked, resets_at))
    return tuple(sorted(refusals, key=_tightness, reverse=True))


def _tightness(refusal: Refusal) -> tuple[bool, float]:
    never = refusal.asked > (most_of(refusal.limit) or 0)
    return never, refusal.resets_at.timestamp() if refusal.resets_at else 0.0


def without_room(standings: Sequence[Standing], cost: Cost) -> tuple[Refusal, ...]:
    """What ``decide`` would refuse if nothing changed meanwhile: for saying no before any work is done."""
    refusals = [
        Refusal(standing.limit, standing.used, asked, standing.resets_at)
        for standing in standings
        if standing.left is not None and (asked := _asked(standing.limit.measure, cost)) > standing.left
    ]
    return tuple(sorted(refusals, key=_tightness, reverse=True))


def has_room(refusals: Sequence[Refusal], cost: Cost) -> bool:
    """Whether the limits that refused would have room for this instead."""
    return all(one.used + _asked(one.limit.measure, cost) <= (most_of(one.limit) or 0) for one in refusals)


def standings(limits: Sequence[Limit], asker: Asker, use: Use, now: datetime) -> tuple[Standing, ...]:
    """What applies, is left, and when it resets; the same reading of limits as ``decide``. ``left`` None: no limit."""
    found = []
    for limit in applicable(limits, asker):
        used, resets_at = _state(limit, asker, use, now)
        most = most_of(limit)
        found.append(Standing(limit, used, None if most is None else max(0, most - used), resets_at))
    return tuple(found)
