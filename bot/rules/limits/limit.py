"""A limit as data: *scope × measure × window × amount*, and the grid it has to lie in."""

from __future__ import annotations

from dataclasses import dataclass
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
    """``SECONDS`` slides (a cooldown); hour, day and month are calendar windows in UTC; ``NOW`` is for jobs at once."""

    SECONDS = "seconds"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    NOW = "now"


@dataclass(frozen=True, slots=True)
class Window:
    period: Period
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Limit:
    """``amount`` per window; ``subject_id`` is the role, member or channel, else None. ``amount`` None: no limit.

    A cooldown is one request per ``Window(SECONDS, n)``. An explicit ``None`` amount ends the search outwards:
    an admin who removed the limit for a role has said "none", not "the default".
    """

    scope: Scope
    measure: Measure
    window: Window
    amount: int | None
    subject_id: int | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """Where one limit stands; setting another one in the same slot replaces it."""

    scope: Scope
    measure: Measure
    period: Period
    subject_id: int | None = None


def slot_of(limit: Limit) -> Slot:
    return Slot(limit.scope, limit.measure, limit.window.period, limit.subject_id)


MAX_AMOUNT = 10**15
"""A billion dollars in micro-dollars; nothing larger is a limit, and sums of it still fit 63 bits."""


MAX_SECONDS = 31 * 24 * 3600


def check_limit(limit: Limit) -> None:
    """Raises ``ValueError`` unless the limit lies in the grid: the words of it say what is wrong."""
    jobs = limit.measure is Measure.JOBS
    if jobs != (limit.window.period is Period.NOW):
        raise ValueError("jobs at once have no window, and nothing else is counted at once")
    if limit.window.period is Period.SECONDS:
        if limit.measure is not Measure.REQUESTS or limit.amount not in (None, 1):
            raise ValueError("a window of seconds is a cooldown: one request each")
        if not 0 <= limit.window.seconds <= MAX_SECONDS:
            raise ValueError(f"a cooldown has 0 to {MAX_SECONDS} seconds")
    if limit.amount is not None and not 0 <= limit.amount <= MAX_AMOUNT:
        raise ValueError(f"an amount is between 0 and {MAX_AMOUNT}")
    about_one = limit.scope in (Scope.ROLE, Scope.MEMBER, Scope.CHANNEL)
    if about_one != (limit.subject_id is not None):
        raise ValueError("limits of a role, member or channel name it, and only those")


def is_open(limit: Limit) -> bool:
    """Whether the limit says "no limit": no amount, or a cooldown of no seconds."""
    return limit.amount is None or (limit.window.period is Period.SECONDS and limit.window.seconds == 0)
