"""When windows begin and end: calendar windows in UTC, and cooldowns, which slide."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.rules.limits.limit import Period, Window

SKEW = timedelta(seconds=10)
"""How far ahead of ``now`` a last request may lie and still be believed: two processes' clocks, a slow transaction.

Beyond that the clock was set back, and the cooldown is over: a jump back never locks anybody in.
"""


def window_key(period: Period, now: datetime) -> str:
    """``h2026-11-21T15``, ``d2026-11-21``, ``m2026-11`` or ``now``: names the calendar window ``now`` lies in."""
    utc = now.astimezone(UTC)
    match period:
        case Period.HOUR:
            return f"h{utc:%Y-%m-%dT%H}"
        case Period.DAY:
            return f"d{utc:%Y-%m-%d}"
        case Period.MONTH:
            return f"m{utc:%Y-%m}"
        case Period.NOW:
            return "now"
        case Period.SECONDS:
            raise ValueError("a cooldown slides: it has no calendar window")


def window_end(window: Window, now: datetime, last_request_at: datetime | None) -> datetime | None:
    """When the window that holds ``now`` ends (UTC); None for jobs at once, which end when jobs do.

    None too for a cooldown that is not running: no request yet, long enough ago, or so far in the future that the
    clock must have been set back.
    """
    utc = now.astimezone(UTC)
    match window.period:
        case Period.SECONDS:
            return _cooldown_end(timedelta(seconds=window.seconds), utc, last_request_at)
        case Period.HOUR:
            return utc.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        case Period.DAY:
            return utc.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        case Period.MONTH:
            first = utc.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
            return first.replace(year=utc.year + utc.month // 12, month=utc.month % 12 + 1)
        case Period.NOW:
            return None


def _cooldown_end(length: timedelta, now: datetime, last: datetime | None) -> datetime | None:
    if last is None or last - now > min(SKEW, length):
        return None
    end = last.astimezone(UTC) + length
    return min(end, now + length) if end > now else None
