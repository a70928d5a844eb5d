"""How the audit trail speaks of a limit: short plain English with ids, the same wherever it is written."""

from __future__ import annotations

from bot.rules.limits.limit import Limit, Measure, Period, is_open


def slot_words(limit: Limit) -> str:
    """What a limit is set for, as the audit trail has it: ``limit role 42 images per day``."""
    whom = f"limit {limit.scope}" if limit.subject_id is None else f"limit {limit.scope} {limit.subject_id}"
    match limit.window.period:
        case Period.SECONDS:
            return f"{whom} cooldown"
        case Period.NOW:
            return f"{whom} {limit.measure} at once"
        case Period.HOUR | Period.DAY | Period.MONTH:
            return f"{whom} {limit.measure} per {limit.window.period}"


def limit_words(limit: Limit | None, unset: str = "not set") -> str:
    """The amount of a limit: ``$12.50``, ``50``, ``30 s``, ``none``; ``unset`` for None."""
    if limit is None:
        return unset
    if limit.amount is None or is_open(limit):
        return "none"
    if limit.window.period is Period.SECONDS:
        return f"{limit.window.seconds} s"
    if limit.measure is Measure.DOLLARS:
        dollars, micros = divmod(limit.amount, 1_000_000)
        return f"${dollars}.{micros:06d}".rstrip("0").ljust(len(f"${dollars}.00"), "0")
    return str(limit.amount)
