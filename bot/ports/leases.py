"""What processes share: which of them lives, which jobs each holds, and the pace at which a service is asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from bot.rules.ledger import Job


@dataclass(frozen=True, slots=True)
class Slot:
    """Time that was taken of a pace; it begins in ``wait_s``. The rest is the ledger's own, to know it by."""

    wait_s: float
    begins_at: int = 0
    ends_at: int = 0


@dataclass(frozen=True, slots=True)
class Setup:
    """What the processes on one ledger must agree on, as each says it of itself.

    ``seal`` is a keyed hash: the same for processes that seal with the same key. ``pictures`` names where they lie.
    ``ahead_s`` is how many seconds its clock is ahead of the ledger's, known from its last heartbeat.
    """

    shards: int | None
    seal: str
    pictures: str
    ahead_s: float = 0.0


class HeldJob(NamedTuple):
    """An unfinished job, as far as it takes to see whether somebody is at work on it."""

    job_id: str
    batch_id: str | None
    waiting: bool


class LeaseStore(Protocol):
    """Leases on jobs, and slots of time shared by every process on the database."""

    async def heartbeat(self) -> None:
        """Says that this process lives. A process silent for 60 s is dead and its jobs can be adopted.

        Also wipes the tokens of interactions that have expired: they open nothing any more.
        """
        ...

    async def setups(self) -> list[Setup]:
        """What each living process that works on jobs says of itself."""
        ...

    async def adopt(self) -> list[Job]:
        """Takes over the unfinished jobs of dead processes (and of this one's earlier life), epoch + 1 each.

        After a time in which this process was not heard itself, nobody is dead for the length of a lease. What was left
        (``leave``) is only taken by a process that keeps its pictures where those lie.
        """
        ...

    async def leave(self, job: Job) -> None:
        """Lets go of a produced job whose pictures lie where this process sees nothing. Raises ``LostLease``."""
        ...

    async def unknown_here(self, since: datetime) -> list[Job]:
        """Jobs called unknown, opened since then, whose pictures, if any, lie where this process keeps its own."""
        ...

    async def confirm(self, job: Job) -> None:
        """Before something is sent for a job that can be sent only once: returns while this process holds it for sure.

        Raises ``LostLease`` where another process took it while this one was cut off or paused, and ``StorageTrouble``
        while nobody can tell.
        """
        ...

    async def held(self) -> list[HeldJob]:
        """Which unfinished jobs this process holds, and no more of them: there may be thousands in line."""
        ...

    async def unfinished(self) -> list[Job]:
        """The same, whole."""
        ...

    async def hold_slot(self, key: str, per_minute: float, *, cost: int = 1) -> Slot:
        """Takes the next free slot of ``key``, ``cost`` times as long as one."""
        ...

    async def give_slot(self, key: str, slot: Slot) -> None:
        """Gives back a slot in which nothing was done. It is lost where others took theirs after it, or had to wait."""
        ...

    async def take_slot(self, key: str, per_minute: float, *, cost: int = 1) -> float:
        """Takes the next free slot and returns the seconds until it starts."""
        ...

    async def push_slots(self, key: str, seconds: float) -> None:
        """Nobody gets a slot of ``key`` for so long (a service said: retry after)."""
        ...
