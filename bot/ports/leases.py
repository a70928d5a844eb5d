"""What processes share: which of them lives, which jobs each holds, and the pace at which a service is asked."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bot.rules.ledger import Job


class LeaseStore(Protocol):
    """Leases on jobs, and slots of time shared by every process on the database."""

    async def heartbeat(self, now: datetime) -> None:
        """Says that this process lives. A process silent for 60 s is dead and its jobs can be adopted."""
        ...

    async def adopt(self, now: datetime) -> list[Job]:
        """Takes over the unfinished jobs of dead processes (and of this one's earlier life), epoch + 1 each."""
        ...

    async def unfinished(self) -> list[Job]:
        """Unfinished jobs that this process holds."""
        ...

    async def take_slot(self, key: str, per_minute: float, now: datetime, *, cost: int = 1) -> datetime:
        """Takes the next free slot and returns when it starts (now or later)."""
        ...

    async def push_slots(self, key: str, until: datetime) -> None:
        """Nobody gets a slot of ``key`` before ``until`` (a service said: retry after)."""
        ...
