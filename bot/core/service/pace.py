"""How fast a service is asked: so many pictures a minute in each lane, shared by every process on the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from bot.core.service.lanes import service_of
from bot.ports import LeaseStore, Slot


class Pace(Protocol):
    """What the queue asks before it calls somebody."""

    async def take(self, lane: str, images: int) -> Slot: ...
    async def give_back(self, lane: str, slot: Slot) -> None:
        """Whoever took the slot left before anything was sent."""
        ...


class SharedPace:
    """``Pace`` in the slots of the ledger. ``elsewhere``: pictures a minute of the other services, by name."""

    def __init__(self, leases: LeaseStore, per_minute: float, elsewhere: Mapping[str, float] | None = None) -> None:
        self._leases = leases
        self._per_minute = per_minute
        self._elsewhere = elsewhere or {}

    async def take(self, lane: str, images: int) -> Slot:
        """Words are no pictures, and wait for no pace."""
        if images < 1:
            return Slot(0.0, 0, 0)
        return await self._leases.hold_slot(
            f"images {lane}", self._elsewhere.get(service_of(lane), self._per_minute), cost=images
        )

    async def give_back(self, lane: str, slot: Slot) -> None:
        await self._leases.give_slot(f"images {lane}", slot)
