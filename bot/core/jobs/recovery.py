"""What a start-up, and every process now and then, does with the jobs of a process that died.

reserved    nothing was sent           released, and the member is told
dispatched  it may have been billed    its pictures are all on disk: produced (below)
                                           else unknown: stays charged, the member is told; never sent again
produced    paid for, on disk          delivered now, or offered later; what lies where only another process sees it is
                                           left to that one, and the member is told that it is late
delivered   the person has it          settled
unknown     its pictures lie here      produced: who made them was cut off, or comes back

Lines of batches go by the same table (``reconciled``), only that the batch tells and shows.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from bot.core.jobs.jobs import Jobs
from bot.core.jobs.pictures import Pictures
from bot.core.jobs.settlement import Settlement
from bot.ports import CannotDeliver, Clock, Delivered, Delivery, Store, WhyKept
from bot.rules.errors import Interrupted, StorageTrouble
from bot.rules.ledger import FINAL, EndReason, Job, JobState, LostLease
from bot.rules.requests import Made

log = logging.getLogger(__name__)

DeliveryFor = Callable[[Job], Delivery]
"""How to reach the person behind a job of an earlier process, from what the ledger holds."""

LOOKED_FOR = timedelta(days=30)
"""So long the pictures of a job called unknown may turn up: no original is kept longer, and the years bring many."""

MOST_TRIES = 3
"""Rounds in which showing a produced job fails unexpectedly; then it waits to be fetched."""


async def reconciled(job: Job, store: Store, pictures: Pictures, clock: Clock, *, released: EndReason) -> Job:
    """The table above for one job that nobody is at work on, as far as it goes without showing anybody anything.

    ``released`` is why a reserved one is given back. Raises ``LostLease`` when another process was quicker.
    """
    match job.state:
        case JobState.RESERVED:
            return await store.jobs.release(job, released, clock())
        case JobState.DISPATCHED:
            found = await found_on_disk(job, store, pictures, clock)
            return found if found.state is JobState.PRODUCED else await store.jobs.lose(job, EndReason.RESTART, clock())
        case JobState.DELIVERED:
            return await store.jobs.settle(job, clock())
        case JobState.PRODUCED | JobState.SETTLED | JobState.REFUSED | JobState.RELEASED | JobState.UNKNOWN:
            return job


async def found_on_disk(job: Job, store: Store, pictures: Pictures, clock: Clock) -> Job:
    """The process died between keeping the pictures and writing so: *produced*, if all of them lie there."""
    kept = await pictures.kept_bill(job.id)
    if kept is None:
        return job
    log.info("job %s: its pictures were on disk already", job.id)
    bill, revised = kept
    return await store.jobs.produce(job, bill, revised, clock())


class Recovery:
    def __init__(
        self,
        store: Store,
        jobs: Jobs,
        settlement: Settlement,
        pictures: Pictures,
        delivery_for: DeliveryFor,
        clock: Clock,
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._settlement = settlement
        self._pictures = pictures
        self._delivery_for = delivery_for
        self._clock = clock
        self._suspects: frozenset[str] = frozenset()
        self._tries: Counter[str] = Counter()
        self._looked_for: set[str] = set()

    async def adopt_and_close(self) -> int:
        """Adopts what dead processes left, and what this one dropped, and brings each job to its end.

        Returns how many there were. Lines of batches are only brought as far as their batch can go on with them.
        """
        await self.write_the_unwritten()
        found = [*await self._store.leases.adopt(), *await self._dropped()]
        for job in found:
            try:
                if job.batch_id is None:
                    await self.recover(job)
                else:
                    await self._recover_line(job)
            except LostLease:
                log.warning("job %s was taken by another process during recovery", job.id)
            except Exception as error:
                log.error(
                    "job %s could not be recovered (%s); a later round tries again",
                    job.id,
                    type(error).__name__,
                    exc_info=not isinstance(error, StorageTrouble),
                )
                await self._count_try(job)
        return len(found)

    async def retrieve(self) -> int:
        """Shows what lies here of jobs that were called unknown meanwhile, looking once for each; returns how many."""
        retrieved = 0
        for job in await self._store.leases.unknown_here(self._clock() - LOOKED_FOR):
            if job.id in self._looked_for:
                continue
            try:
                kept = await self._pictures.kept_bill(job.id)
                self._looked_for.add(job.id)
                if kept is None:
                    continue
                log.info("job %s was called unknown, but its pictures lie here: they are shown after all", job.id)
                await self.deliver_kept(await self._store.jobs.retrieve(job, *kept, self._clock()))
                retrieved += 1
            except LostLease:
                log.warning("job %s was taken by another process while its pictures were found", job.id)
            except StorageTrouble as problem:
                log.warning("job %s: its pictures cannot be looked for now (%s)", job.id, problem)
        return retrieved

    async def write_the_unwritten(self) -> None:
        """Keeps pictures that no disk took, and tells the ledger what was shown while it could not be written."""
        await self._pictures.keep_the_unkept()
        await self._settlement.settle_outstanding()

    async def _dropped(self) -> list[Job]:
        """Jobs that this process holds but is not at work on, in two rounds running: something failed half-way."""
        at_work = self._at_work()
        held = await self._store.leases.held()
        at_work |= self._at_work()
        alone = (one.job_id for one in held if one.batch_id is None and not one.waiting)
        idle = frozenset(job_id for job_id in alone if job_id not in at_work)
        dropped, self._suspects = idle & self._suspects, idle
        whole = await self._store.leases.unfinished() if dropped else []
        return [job for job in whole if job.id in dropped - self._at_work()]

    def _at_work(self) -> frozenset[str]:
        return self._jobs.running_ids() | frozenset(self._settlement.outstanding)

    async def _count_try(self, job: Job) -> None:
        self._tries[job.id] += 1
        if job.state is not JobState.PRODUCED or self._tries[job.id] < MOST_TRIES:
            return
        try:
            await self._store.jobs.set_waiting(job, True)
        except StorageTrouble:
            log.warning("job %s: the next round lets it wait", job.id)

    async def recover(self, job: Job) -> None:
        """Brings one adopted job to its end. Raises ``LostLease`` when another process was quicker."""
        if job.state in FINAL:
            log.warning("job %s was adopted although it had ended", job.id)
            return
        closed = await reconciled(job, self._store, self._pictures, self._clock, released=EndReason.RESTART)
        match closed.state:
            case JobState.RELEASED:
                await self._tell(job, Interrupted(maybe_billed=False))
            case JobState.UNKNOWN:
                await self._tell(job, Interrupted(maybe_billed=True))
            case JobState.PRODUCED:
                if not closed.waiting:
                    await self.deliver_kept(closed)
            case JobState.RESERVED | JobState.DISPATCHED | JobState.DELIVERED | JobState.SETTLED | JobState.REFUSED:
                return

    async def _recover_line(self, job: Job) -> None:
        """A line of a batch goes on with its batch; what comes after the batch has ended is shown by itself."""
        if job.state is JobState.DISPATCHED:
            job = await found_on_disk(job, self._store, self._pictures, self._clock)
        batch = await self._store.jobs.get_batch(job.batch_id or "")
        if job.state is JobState.PRODUCED and not job.waiting and (batch is None or batch.finished):
            await self.deliver_kept(job)

    async def deliver_kept(self, job: Job, delivery: Delivery | None = None) -> bool:
        """Shows the kept pictures of a produced job; False when that is not possible now and they keep waiting. Who
        knows that is not told again, but for an answer of its own.

        Words stand in the ledger itself.
        """
        words = job.revised_prompt or "" if job.request.is_words else ""
        images = [] if words else await self._pictures.results(job.id)
        if words:
            log.info("job %s: its words stand in the ledger", job.id)
        elif not images and self._pictures.lie_elsewhere(job):
            log.warning("job %s: its pictures lie where this process sees nothing; it is left to the one there", job.id)
            await self._store.leases.leave(job)
            if delivery is not None or job.answer is not None:
                await (delivery or self._delivery_for(job)).kept(job, WhyKept.ELSEWHERE)
            return False
        if not images and not words:
            log.error("job %s was paid for but its pictures are not on disk", job.id)
            if delivery is not None or job.answer is not None:
                await (delivery or self._delivery_for(job)).failed(job, Interrupted(maybe_billed=True))
            await self._settlement.settle(job, Delivered(None, None))
            return True
        if delivery is None and job.answer is None:  # forgotten, or sealed with a key that is gone
            await self._store.jobs.set_waiting(job, True)
            return False
        knows = delivery is None and job.waiting
        delivery = delivery or self._delivery_for(job)
        try:
            delivered = await delivery.result(job, (Made(tuple(images), words=words),), 0.0)
        except CannotDeliver as problem:
            log.warning("job %s still cannot be delivered (%s)", job.id, problem)
            job = await self._store.jobs.set_waiting(job, True)
            if not knows:
                await delivery.kept(job, problem.why)
            return False
        if delivered is not None:
            self._pictures.shown(job.id)
            await self._settlement.settle(job, delivered)
        return True

    async def show_unseen(self) -> None:
        """Puts before moderators what their channel did not take so far. One that still takes nothing is tried once."""
        shut: set[str] = set()
        for review in await self._store.reviews.unseen():
            job = None if review.place_key in shut else await self._store.jobs.get(review.job_id)
            can_be = job is not None and job.waiting and job.state is JobState.PRODUCED
            if job is not None and can_be and not self._pictures.lie_elsewhere(job) and not await self._is_seen(job):
                shut.add(review.place_key)

    async def _is_seen(self, job: Job) -> bool:
        """Whether moderators have it before them now."""
        channel_id, _ = await self._store.reviews.of_job(job)
        if channel_id is None:
            return False
        await self.deliver_kept(job)
        _, review = await self._store.reviews.of_job(job)
        return review is None or review.message_id is not None

    async def give_up(self, job: Job) -> None:
        """Ends a produced job whose pictures nobody may see: what they cost stays, they do not."""
        await self._store.jobs.mark_deleted(job.id)
        await self._settlement.settle(job, Delivered(None, None))
        await self._pictures.forget(job.id)

    async def _tell(self, job: Job, error: Exception) -> None:
        """``job`` as it was before it ended: the end takes the interaction's token from it."""
        if job.answer is not None:
            await self._delivery_for(job).failed(job, error)
