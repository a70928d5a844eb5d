"""Writing down what has happened already, however long the ledger takes: the ends of jobs, patiently.

Law: what is written here is true before it is written, so it is tried again, never given up for a busy ledger.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bot.ports import Clock, CrashPoint, Delivered, Store, nothing_happens, posting_key
from bot.rules.errors import Busy, StorageFull
from bot.rules.ledger import Bill, Job, JobState, LostLease

log = logging.getLogger(__name__)

WAITS_S = (0.5, 1.0, 3.0, 10.0)
"""Between tries when the ledger is busy or full; each try waits by itself, too."""

UNWRITABLE = (Busy, StorageFull)


@dataclass(frozen=True, slots=True)
class Owed:
    """What the ledger must be told of pictures that a person has. ``bill`` is needed while the job is *dispatched*."""

    job: Job
    delivered: Delivered
    bill: Bill
    revised: str | None


class Closing:
    """``owed`` is what was shown and could not be written yet."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        crash_point: CrashPoint = nothing_happens,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._clock = clock
        self._crash_point = crash_point
        self._sleep = sleep
        self.owed: dict[str, Owed] = {}

    async def insist(self, write: Callable[[], Awaitable[Job]]) -> Job:
        """The job after the write. Raises what the last try raised, after some 15 s of trying."""
        for wait in WAITS_S:
            try:
                return await write()
            except UNWRITABLE as problem:
                log.warning("the ledger could not be written (%s); trying again", type(problem).__name__)
            await self._sleep(wait)
        return await write()

    async def delivered(self, job: Job, where: Delivered) -> Job:
        """Writes delivered and settled: the end of a job whose pictures a person has."""
        shown = await self._deliver(job, where)
        self._crash_point("delivered")
        settled = await self.insist(lambda: self._store.settle(shown, self._clock()))
        if where.posted:  # the ledger knows the message now: the mark that one was being posted has done its work
            await self._store.set_fact(posting_key(job.id), None)
        return settled

    async def _deliver(self, job: Job, where: Delivered) -> Job:
        if job.state is JobState.DELIVERED:
            return job
        return await self.insist(lambda: self._store.deliver(job, where.message_id, where.channel_id, self._clock()))

    async def shown(self, owed: Owed) -> Job:
        """The same right after showing; what cannot be written now is owed."""
        self.owed[owed.job.id] = owed
        return await self._pay(owed)

    async def catch_up(self) -> None:
        """Writes what is owed, as far as the ledger can be written again."""
        for owed in list(self.owed.values()):
            await self._pay(owed)

    async def _pay(self, owed: Owed) -> Job:
        job = owed.job
        try:
            if job.state is JobState.DISPATCHED:
                job = await self._store.produce(job, owed.bill, owed.revised, self._clock())
                self.owed[job.id] = owed = replace(owed, job=job)
            job = await self._deliver(job, owed.delivered)
            self.owed[job.id] = replace(owed, job=job)
            job = await self.delivered(job, owed.delivered)
        except UNWRITABLE:
            log.warning("job %s: the ledger learns later that its pictures were shown", job.id)
            return job
        except LostLease:
            log.warning("job %s is held by another process now", job.id)
        self.owed.pop(job.id, None)
        return job
