"""One batch's way to its end: its lines are watched, their pictures posted by tens, and it is summed up.

Each line is a job with its own bill, run like any other; a line that fails never stops the others.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from bot.core.jobs.jobs import Jobs
from bot.core.jobs.pictures import Pictures
from bot.core.jobs.post_marks import PostMarks
from bot.core.jobs.recovery import reconciled
from bot.core.jobs.settlement import Settlement
from bot.ports import (
    Batch,
    BatchCounts,
    BatchDelivery,
    BatchPicture,
    CannotDeliver,
    Clock,
    Delivered,
    Progress,
    Store,
    WhyKept,
)
from bot.rules.ledger import WITH_PICTURES, EndReason, Job, JobState, LostLease
from bot.rules.people import Asker
from bot.rules.requests import Inputs, Made, Partial

log = logging.getLogger(__name__)

GROUP = 10
"""Pictures in one message: Discord's limit for attachments."""

LOOK_EVERY_S = 5.0
"""How often a batch tells its estimate while none of its lines ends."""


@dataclass(slots=True)
class RunningBatch:
    """A batch of that person in this process."""

    user_id: int
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    lines: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    released: set[str] = field(default_factory=set)


class LineDelivery:
    """The delivery of a line: the batch speaks for it."""

    async def progress(self, job: Job, progress: Progress) -> None: ...

    async def preview(self, job: Job, partial: Partial) -> None: ...

    async def result(self, job: Job, made: Sequence[Made], took_s: float) -> Delivered | None:
        return None

    async def kept(self, job: Job, why: WhyKept) -> None: ...

    async def failed(self, job: Job, error: Exception) -> None: ...


class BatchRunner:
    """Runs any number of batches at once; all that belongs to one of them is in its ``RunningBatch``."""

    def __init__(self, store: Store, jobs: Jobs, settlement: Settlement, pictures: Pictures, clock: Clock) -> None:
        self._store = store
        self._jobs = jobs
        self._settlement = settlement
        self._pictures = pictures
        self._clock = clock
        self._marks = PostMarks(store.notes, clock)
        self._writing = asyncio.Lock()

    async def write(self, batch_id: str, change: Callable[[Batch | None], Batch]) -> Batch:
        """Writes what ``change`` makes of the batch as it is stored now; one change at a time."""
        async with self._writing:
            changed = change(await self._store.jobs.get_batch(batch_id))
            await self._store.jobs.save_batch(changed)
            return changed

    async def finish(self, batch: Batch) -> None:
        await self.write(batch.id, lambda stored: replace(stored or batch, finished=True))

    async def release_waiting(self, running: RunningBatch, asker: Asker) -> int:
        """Gives back every line that still waits for its turn; returns how many."""
        waiting = [
            job_id for job_id in running.lines if job_id not in running.released and self._jobs.is_waiting(job_id)
        ]
        running.released.update(waiting)
        await asyncio.gather(*(self._jobs.cancel(job_id, asker) for job_id in waiting))
        return len(waiting)

    async def run(self, batch: Batch, jobs: Sequence[Job], delivery: BatchDelivery, running: RunningBatch) -> None:
        """Never raises; returns when no line of the batch is being worked on any more."""
        try:
            for job in jobs:
                if job.state is JobState.RESERVED and not batch.cancelled:
                    self._begin(job, running)
            await self._watch(batch, delivery, running)
        except Exception:
            log.exception("batch %s is watched no more; once its lines have ended it is taken up again", batch.id)
            if running.lines:
                await asyncio.wait(running.lines.values())

    def _begin(self, job: Job, running: RunningBatch) -> None:
        line = self._jobs.start(job, Inputs(), LineDelivery())
        line.add_done_callback(lambda _: running.changed.set())
        running.lines[job.id] = line

    async def _watch(self, batch: Batch, delivery: BatchDelivery, running: RunningBatch) -> None:
        """Until every line ended: tell how far it is, and post each group of ten as soon as it is complete.

        The lines are read before their batch: where it is still there, no line was missing because of a forgetting.
        """
        posted = 0
        while True:
            running.changed.clear()
            ended_ids = {job_id for job_id, line in running.lines.items() if line.done()}
            jobs = await self._store.jobs.of_batch(batch.id)
            now = await self._store.jobs.get_batch(batch.id)
            if now is None:
                await self._wind_up(batch, running)
                await delivery.withdrawn(batch)
                return
            if now.cancelled:
                await self.release_waiting(running, batch.asker)
            ended = [job.id not in running.lines or job.id in ended_ids for job in jobs]
            jobs = [await self._reconciled(job) if over else job for job, over in zip(jobs, ended, strict=True)]
            while posted < len(jobs) and all(ended[posted : posted + GROUP]):
                await self._post(now, jobs[posted : posted + GROUP], delivery, running)
                posted += GROUP
            if all(ended):
                break
            await delivery.progress(now, self._counts(now, jobs, ended))
            await _set_or_after(running.changed, LOOK_EVERY_S)
        jobs = await self._store.jobs.of_batch(batch.id)
        if len(jobs) < len(ended):
            await self._wind_up(batch, running)
            await delivery.withdrawn(batch)
            return
        await delivery.summary(now, self._counts(now, jobs, ended), jobs)
        await self.finish(now)

    async def _reconciled(self, job: Job) -> Job:
        """A line that nobody is at work on; one that waits still was taken back with its batch."""
        return await reconciled(job, self._store, self._pictures, self._clock, released=EndReason.CANCELLED)

    async def _wind_up(self, batch: Batch, running: RunningBatch) -> None:
        """The maker asked to be forgotten: what waits is given back, what is drawn is closed and shown to nobody."""
        await self.release_waiting(running, batch.asker)
        if running.lines:
            await asyncio.wait(running.lines.values())
        for job_id in running.lines:
            job = await self._store.jobs.get(job_id)
            if job is not None and job.state is JobState.PRODUCED:
                await self._settle([job], Delivered(None, None))
            await self._pictures.forget(job_id)

    async def _post(self, batch: Batch, jobs: Sequence[Job], delivery: BatchDelivery, running: RunningBatch) -> None:
        """Posts what of these ten lines was made and not shown yet, and closes those jobs."""
        fresh = [job for job in jobs if job.state is JobState.PRODUCED and not job.waiting]
        pictures = [
            BatchPicture(job.batch_line or 0, job, image)
            for job in fresh
            for image in await self._pictures.results(job.id)
        ]
        fresh = await self._without_those_elsewhere(fresh, pictures)
        lost = {job.id for job in fresh} - {picture.job.id for picture in pictures}
        if lost:
            log.error("batch %s: these lines were paid for but their pictures are nowhere: %s", batch.id, sorted(lost))
        group = f"{batch.id}g{jobs[0].batch_line}"
        shown = Delivered(None, None)
        try:
            if pictures:
                fresh = await self._mark(fresh, group, delivery)
                shown = await delivery.group(batch, pictures)
        except CannotDeliver as problem:
            log.warning("batch %s: a group cannot be posted now (%s); its pictures wait", batch.id, problem)
            for job in fresh:
                await self._store.jobs.set_waiting(job, True)
        else:
            for job in fresh:
                self._pictures.shown(job.id)
            await self._settle(fresh, shown)
        await self._marks.forget(group)

    async def _without_those_elsewhere(self, jobs: Sequence[Job], seen: Sequence[BatchPicture]) -> list[Job]:
        """Lets go of lines whose pictures only another process sees: it shows them when it is back."""
        here = {picture.job.id for picture in seen}
        away = [job for job in jobs if job.id not in here and self._pictures.lie_elsewhere(job)]
        for job in away:
            log.warning("job %s of a batch is left to the process that sees its pictures", job.id)
            with suppress(LostLease):
                await self._store.leases.leave(job)
        return [job for job in jobs if job not in away]

    async def _mark(self, jobs: Sequence[Job], group: str, delivery: BatchDelivery) -> list[Job]:
        """Notes what is about to happen, so that a death in the middle never shows a group twice.

        What cannot be repeated safely waits from now until it is shown: it is offered, should nobody come to close it.
        Raises ``CannotDeliver`` for a group that an earlier life may have posted too long ago to be repeated.
        """
        if not delivery.repeatable:
            return [await self._store.jobs.set_waiting(job, True) for job in jobs]
        await self._marks.begin(group)
        return list(jobs)

    async def _settle(self, jobs: Sequence[Job], shown: Delivered) -> None:
        for job in jobs:
            try:
                await self._settlement.settle(job, shown)
            except LostLease:
                log.warning("job %s was closed elsewhere while its group was posted", job.id)

    def _counts(self, batch: Batch, jobs: Sequence[Job], ended: Sequence[bool]) -> BatchCounts:
        done = sum(over and job.state in WITH_PICTURES for job, over in zip(jobs, ended, strict=True))
        waiting = [job for job, over in zip(jobs, ended, strict=True) if not over]
        seconds = max((self._jobs.remaining_s(job) for job in waiting), default=0.0)
        back = sum(over and job.was_taken_back for job, over in zip(jobs, ended, strict=True))
        return BatchCounts(len(jobs), done, sum(ended) - done - back, seconds, batch.cancelled, back)


async def _set_or_after(event: asyncio.Event, seconds: float) -> None:
    """Until the event is set or the time is over."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
