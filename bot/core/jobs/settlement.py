"""Settlement: writing into the ledger how a job ended, however long the ledger takes.

Law: what is written here is true before it is written, so it is tried again, never given up for what a ledger says.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bot.core.jobs.post_marks import PostMarks
from bot.ports import Clock, CrashPoint, Delivered, Store, nothing_happens
from bot.rules.ledger import FINAL, Bill, Job, JobState, LostLease

log = logging.getLogger(__name__)

WAITS_S = (0.5, 1.0, 3.0, 10.0)
"""Between tries when the ledger cannot be written; each try waits by itself, too."""


@dataclass(frozen=True, slots=True)
class ShownResult:
    """What the ledger must be told of pictures that a person has. ``bill`` is needed while the job is *dispatched*."""

    job: Job
    delivered: Delivered
    bill: Bill
    revised_prompt: str | None


class Settlement:
    """``outstanding`` is what was shown and could not be written yet, by job."""

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
        self._marks = PostMarks(store.notes, clock)
        self.outstanding: dict[str, ShownResult] = {}

    # --- a job with pictures --------------------------------------------------------------------------------------

    async def produce(self, job: Job, bill: Bill, revised_prompt: str | None) -> Job:
        return await self._until_written(lambda: self._store.jobs.produce(job, bill, revised_prompt, self._clock()))

    async def retrieve(self, job: Job, bill: Bill, revised_prompt: str | None) -> Job:
        """The same for a job that another process took and called unknown, as long as nobody else found its pictures.

        Raises ``LostLease`` for any other job that was taken.
        """
        now = await self._store.jobs.get(job.id)
        if now is None or now.state is not JobState.UNKNOWN:
            raise LostLease(job.id)
        return await self._store.jobs.retrieve(now, bill, revised_prompt, self._clock())

    async def keep_waiting(self, job: Job) -> Job:
        """Marks a produced job whose pictures cannot be shown now: they are offered later."""
        return await self._until_written(lambda: self._store.jobs.set_waiting(job, True))

    async def settle(self, job: Job, where: Delivered) -> Job:
        """Writes delivered and settled: the end of a job whose pictures a person has."""
        conclude = self._store.jobs.conclude
        settled = await self._until_written(lambda: conclude(job, where.message_id, where.channel_id, self._clock()))
        self._crash_point("delivered")
        if where.posted:  # the ledger knows the message now: the mark that one was being posted has done its work
            await self._marks.forget(job.id)
        return settled

    async def settle_shown(self, shown: ShownResult) -> Job:
        """The same right after showing; what cannot be written now is outstanding."""
        self.outstanding[shown.job.id] = shown
        return await self._try_to_settle(shown)

    async def settle_outstanding(self) -> None:
        """Writes what is outstanding, as far as the ledger can be written again."""
        for shown in list(self.outstanding.values()):
            await self._try_to_settle(shown)

    # --- a job without --------------------------------------------------------------------------------------------

    async def refuse(self, job: Job, reason: str) -> Job:
        return await self._until_written(lambda: self._store.jobs.refuse(job, reason, self._clock()))

    async def close_unmade(self, job: Job, reason: str, *, maybe_billed: bool) -> Job:
        """Ends a job without pictures; a job that ended already, or has its pictures, stays as it is."""
        if job.state in FINAL or job.state is JobState.PRODUCED:
            return job
        close = self._store.jobs.lose if maybe_billed else self._store.jobs.release
        try:
            return await self._until_written(lambda: close(job, reason, self._clock()))
        except LostLease:
            log.warning("job %s moved on elsewhere while it was being closed (%s)", job.id, reason)
            return job

    # --- patience -------------------------------------------------------------------------------------------------

    async def _until_written(self, write: Callable[[], Awaitable[Job]]) -> Job:
        """The job after the write. Raises what the last try raised, after some 15 s of trying."""
        for wait in WAITS_S:
            try:
                return await write()
            except LostLease:
                raise
            except Exception as problem:  # noqa: BLE001 - whatever a ledger says, this is true all the same
                log.warning("the ledger could not be written (%s); trying again", type(problem).__name__)
            await self._sleep(wait)
        return await write()

    async def _try_to_settle(self, shown: ShownResult) -> Job:
        job = shown.job
        try:
            if job.state is JobState.DISPATCHED:
                job = await self._store.jobs.produce(job, shown.bill, shown.revised_prompt, self._clock())
                self.outstanding[job.id] = shown = replace(shown, job=job)
            job = await self.settle(job, shown.delivered)
        except LostLease:
            log.warning("job %s is held by another process now", job.id)
        except Exception as problem:  # noqa: BLE001 - the person has the pictures: it stays to be written
            log.warning("job %s: the ledger learns later that its pictures were shown (%s)", job.id, problem)
            return job
        self.outstanding.pop(job.id, None)
        return job
