"""How much was used, and how much of each limit: for ``/usage`` and ``/limits``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.rules.limits.decide import Standing
from bot.rules.money import MicroUSD
from bot.rules.people import Asker, Place


@dataclass(frozen=True, slots=True)
class UsageLine:
    """A sum over jobs for ``/usage``: ``label`` is a day, a model or a member, as asked."""

    label: str
    jobs: int
    images: int
    micro_usd: MicroUSD
    unknown_micro_usd: MicroUSD = MicroUSD(0)


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What one member made with one model on one day (ISO date, UTC); ``user_id`` None: who asked to be forgotten."""

    day: str
    user_id: int | None
    model: str
    jobs: int
    images: int
    micro_usd: MicroUSD
    unknown_micro_usd: MicroUSD


class FigureStore(Protocol):
    """Sums over jobs, and how the limits of one person stand."""

    async def by_day(self, place: Place, user_id: int | None, since: datetime) -> list[UsageLine]: ...
    async def by_model(self, place: Place, user_id: int | None, since: datetime) -> list[UsageLine]: ...
    async def by_member(self, place: Place, since: datetime, limit: int = 10) -> list[UsageLine]: ...
    async def rows(self, place: Place, since: datetime, limit: int) -> list[UsageRow]:
        """By day, member and model, the newest first."""
        ...

    async def standings(self, asker: Asker, now: datetime) -> tuple[Standing, ...]: ...
