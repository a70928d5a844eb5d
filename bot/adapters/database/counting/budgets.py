"""Budgets that have one counter to watch, and the marks that what was spent passes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.adapters.database.counting.counters import windows_at
from bot.ports import BudgetWarning
from bot.rules.limits.limit import Limit, Measure, Quota, Scope
from bot.rules.money import MicroUSD

PERCENTS = (50, 80, 100)

Row = tuple[str, str]
"""A counter: whose it is, and of which time."""


class Watch:
    """Of a ledger whose spending all passes one desk: the places where a budget has passed a mark since the start.

    The desk's thread says it in the transaction in which money is counted as spent; all other places need no look.
    """

    def __init__(self) -> None:
        self._passed: set[str] = set()

    def mark_passed(self, place_key: str) -> None:
        self._passed.add(place_key)

    def has_passed(self, place_key: str) -> bool:
        return place_key in self._passed


def watched(limits: Iterable[Limit], place_key: str, now: datetime) -> Sequence[tuple[Quota, Row]]:
    """The budgets that have one counter, and which; those of everyone or a role have one for each member."""
    windows = windows_at(now)
    return [
        (limit, (subject, windows[limit.period]))
        for limit in limits
        if isinstance(limit, Quota) and limit.amount and limit.measure is Measure.DOLLARS
        if (subject := _counter_of(limit, place_key)) is not None
    ]


def passed(place_key: str, limit: Quota, spent: int) -> BudgetWarning | None:
    """The highest mark that is passed."""
    marks = [percent for percent in PERCENTS if spent * 100 >= (limit.amount or 0) * percent]
    return BudgetWarning(place_key, limit, max(marks), MicroUSD(spent)) if marks else None


def _counter_of(limit: Quota, place_key: str) -> str | None:
    match limit.scope:
        case Scope.SERVER:
            return f"s:{place_key}"
        case Scope.CHANNEL:
            return f"c:{place_key}:{limit.subject_id}"
        case Scope.MEMBER:
            return f"m:{place_key}:{limit.subject_id}"
        case Scope.OPERATOR:
            return "o"
        case Scope.EVERYONE | Scope.ROLE:
            return None
