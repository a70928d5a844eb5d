"""When windows begin and end: calendar windows in UTC, and cooldowns, which slide."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.rules.instants import left
from bot.rules.limits.limit import Period


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


def window_end(period: Period, now: datetime) -> datetime | None:
    """When the calendar window that holds ``now`` ends (UTC); None for jobs at once, which end when jobs do."""
    utc = now.astimezone(UTC)
    match period:
        case Period.HOUR:
            return utc.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        case Period.DAY:
            return utc.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        case Period.MONTH:
            first = utc.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
            return first.replace(year=utc.year + utc.month // 12, month=utc.month % 12 + 1)
        case Period.NOW:
            return None


def cooldown_end(seconds: int, now: datetime, last_request_at: datetime | None) -> datetime | None:
    """When a cooldown ends (UTC). None where none is running: no request yet, long enough ago, or so far in the future
    that the clock must have been set back.
    """
    rest = left(last_request_at, now, timedelta(seconds=seconds)) if last_request_at is not None else None
    return now.astimezone(UTC) + rest if rest else None
