"""A limit as data: a quota (*scope × measure × period × amount*) or a cooldown, and the grid it has to lie in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class Scope(StrEnum):
    EVERYONE = "everyone"  # each member's share, unless a role or an own limit says otherwise
    ROLE = "role"  # the share of each member who has the role
    MEMBER = "member"
    CHANNEL = "channel"
    SERVER = "server"
    OPERATOR = "operator"


class Measure(StrEnum):
    REQUESTS = "requests"
    IMAGES = "images"
    DOLLARS = "dollars"  # amounts are micro-dollars
    JOBS = "jobs"  # at once


class Period(StrEnum):
    """Hour, day and month are calendar windows in UTC; ``NOW`` is for jobs at once."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    NOW = "now"


@dataclass(frozen=True, slots=True)
class Quota:
    """So much of a measure in each period; ``subject_id`` is the role, member or channel, else None.

    ``amount`` None: no limit. It ends the search outwards: an admin who removed the limit for a role has said "none",
    not "the default".
    """

    scope: Scope
    measure: Measure
    period: Period
    amount: int | None
    subject_id: int | None = None


@dataclass(frozen=True, slots=True)
class Cooldown:
    """So many seconds from one request to the next. None or 0: no wait, which ends the search outwards as well."""

    scope: Scope
    seconds: int | None
    subject_id: int | None = None

    @property
    def measure(self) -> Measure:
        """What it counts."""
        return Measure.REQUESTS


Limit = Quota | Cooldown


@dataclass(frozen=True, slots=True)
class Slot:
    """Where one limit stands; setting another one in the same slot replaces it. ``quota`` None: the cooldown's."""

    scope: Scope
    quota: tuple[Measure, Period] | None
    subject_id: int | None = None


def slot_of(limit: Limit) -> Slot:
    match limit:
        case Quota():
            return Slot(limit.scope, (limit.measure, limit.period), limit.subject_id)
        case Cooldown():
            return Slot(limit.scope, None, limit.subject_id)


MAX_AMOUNT = 10**15
"""A billion dollars in micro-dollars; nothing larger is a limit, and sums of it still fit 63 bits."""


MAX_SECONDS = 31 * 24 * 3600


def check_limit(limit: Limit) -> None:
    """Raises ``ValueError`` unless the limit lies in the grid: the words of it say what is wrong."""
    match limit:
        case Quota():
            if (limit.measure is Measure.JOBS) != (limit.period is Period.NOW):
                raise ValueError("jobs at once have no window, and nothing else is counted at once")
            if limit.amount is not None and not 0 <= limit.amount <= MAX_AMOUNT:
                raise ValueError(f"an amount is between 0 and {MAX_AMOUNT}")
        case Cooldown():
            if limit.seconds is not None and not 0 <= limit.seconds <= MAX_SECONDS:
                raise ValueError(f"a cooldown has 0 to {MAX_SECONDS} seconds")
    about_one = limit.scope in (Scope.ROLE, Scope.MEMBER, Scope.CHANNEL)
    if about_one != (limit.subject_id is not None):
        raise ValueError("limits of a role, member or channel name it, and only those")


def most_of(limit: Limit) -> int | None:
    """How much of its measure fits: one request into a cooldown. None: the limit says "no limit"."""
    match limit:
        case Quota():
            return limit.amount
        case Cooldown():
            return 1 if limit.seconds else None


def is_open(limit: Limit) -> bool:
    """Whether the limit says "no limit"."""
    return most_of(limit) is None


def without_amount(limit: Limit) -> Limit:
    """The same slot, with nothing asked for: what is there is to go."""
    match limit:
        case Quota():
            return replace(limit, amount=None)
        case Cooldown():
            return replace(limit, seconds=None)


def still_holding(limit: Limit, held: Sequence[Limit]) -> tuple[Quota, ...]:
    """What of everyone's goes on beside a role's or member's quota: that of other windows, which is not replaced."""
    if not isinstance(limit, Quota) or is_open(limit) or limit.scope not in (Scope.ROLE, Scope.MEMBER):
        return ()
    own = {slot_of(one).quota for one in held if (one.scope, one.subject_id) == (limit.scope, limit.subject_id)}
    return tuple(
        one
        for one in held
        if isinstance(one, Quota) and one.scope is Scope.EVERYONE and not is_open(one)
        if one.measure is limit.measure and one.period is not limit.period and slot_of(one).quota not in own
    )


def is_removal(limit: Limit) -> bool:
    """Whether an admin named no amount: what was set is to go."""
    match limit:
        case Quota():
            return limit.amount is None
        case Cooldown():
            return limit.seconds is None
