"""Many prompts as one piece of work: checked together, reserved together, posted in the order of the lines.

Each line is a job with its own bill; a line that fails never stops the others. The batch only watches its lines,
posts the pictures of every ten lines that have ended, and sums up. All it needs to go on after a restart is in the
ledger: lines that were not sent yet are sent then, lines that were are never sent again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from bot.core.jobs.intake import Intake, Quote
from bot.core.jobs.jobs import Jobs
from bot.core.jobs.pictures import Pictures
from bot.core.jobs.settlement import Settlement
from bot.core.tasks import Tasks
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
)
from bot.rules.errors import NotFound, UserError
from bot.rules.ledger import FINAL, Answer, Job, JobDraft, JobState, LostLease
from bot.rules.options.problems import InvalidOptions
from bot.rules.options.table import RawOptions
from bot.rules.people import Asker
from bot.rules.requests import Inputs, Kind, Made, MadeImage, Partial
from bot.rules.servers.access import AccessDenied, DeniedBecause

log = logging.getLogger(__name__)

GROUP = 10
"""Pictures in one message: Discord's limit for attachments."""

LOOK_EVERY_S = 5.0
"""How often a batch tells its estimate while none of its lines ends."""

SURELY_OVER = timedelta(minutes=2)
"""A batch whose last line ended this long ago and that is not summed up has nobody to do so any more."""

REPEATABLE_FOR = timedelta(minutes=3)
"""How long a post of the same nonce surely gives the first message back instead of a second one."""

MADE = frozenset({JobState.PRODUCED, JobState.DELIVERED, JobState.SETTLED})
PROMPT = "prompt"


class BatchLinesRefused(UserError):
    """Some lines cannot be made; ``problems`` has the number (from 1) and error of each. Nothing was reserved."""

    def __init__(self, problems: Sequence[tuple[int, UserError]]) -> None:
        super().__init__(", ".join(str(number) for number, _ in problems))
        self.problems = tuple(problems)


@dataclass(slots=True)
class _Running:
    """A batch in this process. ``spare`` holds pictures that no disk would take, by job, until they are posted."""

    changed: asyncio.Event = field(default_factory=asyncio.Event)
    lines: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    spare: dict[str, list[MadeImage]] = field(default_factory=dict)
    released: set[str] = field(default_factory=set)


class _Line:
    """The delivery of a line: the batch speaks for it."""

    def __init__(self, running: _Running, pictures: Pictures) -> None:
        self._running = running
        self._pictures = pictures

    async def progress(self, job: Job, progress: Progress) -> None: ...

    async def preview(self, job: Job, partial: Partial) -> None: ...

    async def result(self, job: Job, made: Sequence[Made], took_s: float) -> Delivered | None:
        if await self._pictures.result(job.id, 0) is None:
            self._running.spare[job.id] = [image for one in made for image in one.images]
        return None

    async def failed(self, job: Job, error: Exception) -> None: ...


class Batches:
    """Open, start, cancel and resume batches."""

    def __init__(
        self,
        store: Store,
        intake: Intake,
        jobs: Jobs,
        settlement: Settlement,
        pictures: Pictures,
        tasks: Tasks,
        clock: Clock,
    ) -> None:
        self._store = store
        self._intake = intake
        self._jobs = jobs
        self._settlement = settlement
        self._pictures = pictures
        self._tasks = tasks
        self._clock = clock
        self._running: dict[str, _Running] = {}
        self._marking = asyncio.Lock()

    # --- before anything is spent ---------------------------------------------------------------------------------

    async def prepare(
        self, asker: Asker, lines: Sequence[tuple[int, str]], raw: RawOptions, *, model: str | None
    ) -> list[Quote]:
        """Every line checked. Raises ``BatchLinesRefused`` naming all faulty lines by their number in the file.

        What is wrong with all of them alike (an option, the model, access) is raised as it is, once.
        """
        quotes: list[Quote] = []
        problems: list[tuple[int, UserError]] = []
        for number, prompt in lines:
            options = replace(raw, prompt=prompt, count=1, preview=False)
            try:
                quotes.append(await self._intake.prepare(asker, Kind.IMAGINE, options, model=model))
            except InvalidOptions as invalid:
                common = [problem for problem in invalid.problems if problem.option != PROMPT]
                if common:
                    raise InvalidOptions(invalid.model, common) from None
                problems.append((number, invalid))
        if problems:
            raise BatchLinesRefused(problems)
        return quotes

    async def open(
        self, asker: Asker, quotes: Sequence[Quote], answer: Answer, *, event_key: str
    ) -> tuple[Batch, list[Job]]:
        """Reserves every line or none. Raises as ``Intake.open``. It must then be started or abandoned."""
        self._intake.check_open(quotes[0], asker, answer, more_images=len(quotes) - 1)
        now = self._clock()
        batch = Batch(
            id=event_key[-20:],
            asker=asker,
            lines=tuple(one.request.prompt for one in quotes),
            created_at=now,
            channel_id=answer.channel_id,
            message_id=answer.message_id,
            private=answer.private,
        )
        drafts = [
            JobDraft(
                event_key=f"{event_key}:{line}",
                asker=asker,
                request=one.request,
                upper_micro_usd=one.upper_micro_usd,
                answer=answer,
                batch_id=batch.id,
                batch_line=line,
                own_key=one.own_key,
            )
            for line, one in enumerate(quotes, start=1)
        ]
        is_new = self._running.setdefault(batch.id, running := _Running()) is running  # before ``resume`` can see it
        try:
            return batch, await self._store.jobs.open_batch(batch, drafts, now)
        except BaseException:
            if is_new:
                del self._running[batch.id]
            raise

    async def abandon(self, batch: Batch, jobs: Sequence[Job], reason: str) -> None:
        """Releases a batch that was never started (Discord forgot the interaction)."""
        for job in jobs:
            await self._intake.abandon(job, reason)
        await self._finish(batch)
        self._running.pop(batch.id, None)

    async def set_message(self, batch: Batch, message_id: int) -> Batch:
        """Remembers the progress message. Only a batch that has one goes on after a restart."""
        batch = replace(batch, message_id=message_id)
        await self._store.jobs.save_batch(batch)
        return batch

    # --- on the way -----------------------------------------------------------------------------------------------

    def start(self, batch: Batch, jobs: Sequence[Job], delivery: BatchDelivery) -> asyncio.Task[None]:
        """From here on the batch ends by itself, through ``delivery``."""
        running = self._running.setdefault(batch.id, _Running())
        return self._tasks.start(self._run(batch, jobs, delivery, running), f"batch {batch.id}")

    async def cancel(self, batch_id: str, asker: Asker) -> int:
        """Gives back every line that still waits, and returns how many; what is drawn or being drawn is kept.

        Raises ``NotFound`` (also when it has ended) or ``AccessDenied`` (not the maker, no moderator).
        """
        async with self._marking:
            batch = await self._store.jobs.get_batch(batch_id)
            if batch is None or batch.asker.place.key != asker.place.key or batch.finished:
                raise NotFound("batch")
            if batch.asker.user_id != asker.user_id and not asker.can_moderate:
                raise AccessDenied(DeniedBecause.NOT_YOURS)
            await self._store.jobs.save_batch(replace(batch, cancelled=True))
        running = self._running.get(batch_id)
        if running is None:
            return 0  # another process holds it and sees the mark when it looks next
        released = await self._release_waiting(running, batch.asker)
        running.changed.set()
        return released

    async def _release_waiting(self, running: _Running, asker: Asker) -> int:
        waiting = [
            job_id for job_id in running.lines if job_id not in running.released and self._jobs.is_waiting(job_id)
        ]
        running.released.update(waiting)
        await asyncio.gather(*(self._jobs.cancel(job_id, asker) for job_id in waiting))
        return len(waiting)

    async def _run(self, batch: Batch, jobs: Sequence[Job], delivery: BatchDelivery, running: _Running) -> None:
        try:
            for job in jobs:
                if job.state is JobState.RESERVED and not batch.cancelled:
                    self._begin(job, running)
            await self._watch(batch, delivery, running)
        except Exception:
            log.exception("batch %s is watched no more; once its lines have ended it is taken up again", batch.id)
            if running.lines:
                await asyncio.wait(running.lines.values())
        finally:
            self._running.pop(batch.id, None)

    def _begin(self, job: Job, running: _Running) -> None:
        line = self._jobs.start(job, Inputs(), _Line(running, self._pictures))
        line.add_done_callback(lambda _: running.changed.set())
        running.lines[job.id] = line

    async def _mended(self, job: Job) -> Job:
        """A line that nobody is at work on, brought to its end as far as it can be. Raises ``LostLease``."""
        match job.state:
            case JobState.RESERVED:
                return await self._store.jobs.release(job, "cancelled", self._clock())
            case JobState.DISPATCHED:  # it may have been billed and is never sent again
                kept = await self._pictures.kept_bill(job.id)
                if kept is None:
                    return await self._store.jobs.lose(job, "restart", self._clock())
                return await self._store.jobs.produce(job, *kept, self._clock())
            case JobState.DELIVERED:
                return await self._store.jobs.settle(job, self._clock())
            case JobState.PRODUCED | JobState.SETTLED | JobState.REFUSED | JobState.RELEASED | JobState.UNKNOWN:
                return job

    async def _watch(self, batch: Batch, delivery: BatchDelivery, running: _Running) -> None:
        """Until every line ended: tell how far it is, and post each group of ten as soon as it is complete."""
        posted = 0
        while True:
            running.changed.clear()
            now = await self._store.jobs.get_batch(batch.id)
            if now is None:
                await self._wind_up(batch, running)
                return
            if now.cancelled:
                await self._release_waiting(running, batch.asker)
            ended_ids = {job_id for job_id, line in running.lines.items() if line.done()}
            jobs = await self._store.jobs.of_batch(batch.id)
            ended = [job.id not in running.lines or job.id in ended_ids for job in jobs]
            jobs = [await self._mended(job) if over else job for job, over in zip(jobs, ended, strict=True)]
            while posted < len(jobs) and all(ended[posted : posted + GROUP]):
                await self._post(now, jobs[posted : posted + GROUP], delivery, running)
                posted += GROUP
            if all(ended):
                break
            await delivery.progress(now, self._counts(now, jobs, ended))
            await _either(running.changed, LOOK_EVERY_S)
        jobs = await self._store.jobs.of_batch(batch.id)
        await delivery.summary(now, self._counts(now, jobs, ended), jobs)
        await self._finish(now)

    async def _wind_up(self, batch: Batch, running: _Running) -> None:
        """The maker asked to be forgotten: what waits is given back, what is drawn is closed and shown to nobody."""
        await self._release_waiting(running, batch.asker)
        if running.lines:
            await asyncio.wait(running.lines.values())
        for job_id in running.lines:
            job = await self._store.jobs.get(job_id)
            if job is not None and job.state is JobState.PRODUCED:
                await self._close([job], Delivered(None, None))
            await self._pictures.forget(job_id)

    async def _post(self, batch: Batch, jobs: Sequence[Job], delivery: BatchDelivery, running: _Running) -> None:
        """Posts what of these ten lines was made and not shown yet, and closes those jobs."""
        fresh = [job for job in jobs if job.state is JobState.PRODUCED and not job.waiting]
        pictures = [
            BatchPicture(job.batch_line or 0, job, image)
            for job in fresh
            for image in running.spare.get(job.id) or await self._pictures.results(job.id)
        ]
        lost = {job.id for job in fresh} - {picture.job.id for picture in pictures}
        if lost:
            log.error("batch %s: these lines were paid for but their pictures are nowhere: %s", batch.id, sorted(lost))
        posting = f"{batch.id}g{jobs[0].batch_line}"
        shown = Delivered(None, None)
        try:
            if pictures:
                fresh = await self._before_posting(fresh, posting, delivery)
                shown = await delivery.group(batch, pictures)
        except CannotDeliver as problem:
            log.warning("batch %s: a group cannot be posted now (%s); its pictures wait", batch.id, problem)
            for job in fresh:
                await self._store.jobs.set_waiting(job, True)
        else:
            await self._close(fresh, shown)
        await self._store.notes.set_posting(posting, None)
        for job in fresh:
            running.spare.pop(job.id, None)

    async def _before_posting(self, jobs: Sequence[Job], posting: str, delivery: BatchDelivery) -> list[Job]:
        """Notes what is about to happen, so that a death in the middle never shows a group twice.

        What cannot be repeated safely waits from now until it is shown: it is offered, should nobody come to close it.
        Raises ``CannotDeliver`` for a group that an earlier life may have posted too long ago to be repeated.
        """
        if not delivery.repeatable:
            return [await self._store.jobs.set_waiting(job, True) for job in jobs]
        now = self._clock()
        began = await self._store.notes.posting(posting)
        if began is not None and now - began > REPEATABLE_FOR:
            raise CannotDeliver("an earlier life may have posted it")
        if began is None:
            await self._store.notes.set_posting(posting, now)
        return list(jobs)

    async def _close(self, jobs: Sequence[Job], shown: Delivered) -> None:
        for job in jobs:
            try:
                await self._settlement.settle(job, shown)
            except LostLease:
                log.warning("job %s was closed elsewhere while its group was posted", job.id)

    async def _finish(self, batch: Batch) -> None:
        async with self._marking:
            latest = await self._store.jobs.get_batch(batch.id) or batch
            await self._store.jobs.save_batch(replace(latest, finished=True))

    def _counts(self, batch: Batch, jobs: Sequence[Job], ended: Sequence[bool]) -> BatchCounts:
        done = sum(over and job.state in MADE for job, over in zip(jobs, ended, strict=True))
        failed = sum(over and job.state not in MADE for job, over in zip(jobs, ended, strict=True))
        waiting = [job for job, over in zip(jobs, ended, strict=True) if not over]
        seconds = max((self._jobs.remaining_s(job) for job in waiting), default=0.0)
        return BatchCounts(len(jobs), done, failed, seconds, batch.cancelled)

    # --- after a restart ------------------------------------------------------------------------------------------

    async def resume(self, delivery_for: Callable[[Batch, Sequence[Job]], BatchDelivery]) -> int:
        """Goes on with batches of an earlier life whose jobs this process holds now; returns how many."""
        resumed = 0
        mine = {job.batch_id for job in await self._store.leases.unfinished() if job.batch_id is not None}
        for batch in await self._store.jobs.unfinished_batches():
            if batch.id in self._running:
                continue
            jobs = await self._store.jobs.of_batch(batch.id)
            if batch.id not in mine and not self._is_orphan(batch, jobs):
                continue
            if batch.message_id is None:
                await self._give_up(batch, jobs)
                continue
            log.info("batch %s goes on after a restart", batch.id)
            self.start(batch, jobs, delivery_for(batch, jobs))
            resumed += 1
        return resumed

    def _is_orphan(self, batch: Batch, jobs: Sequence[Job]) -> bool:
        """Whether all lines have ended, and so long ago that whoever watched it must be gone."""
        if any(job.state not in FINAL for job in jobs):
            return False
        last = max((job.finished_at for job in jobs if job.finished_at is not None), default=batch.created_at)
        return self._clock() - last > SURELY_OVER

    async def _give_up(self, batch: Batch, jobs: Sequence[Job]) -> None:
        """Nobody was told yet that it had begun, so it had not."""
        log.warning("batch %s was reserved but never acknowledged: it is released", batch.id)
        try:
            await self.abandon(batch, [job for job in jobs if job.state is JobState.RESERVED], "restart")
        except LostLease:
            log.warning("batch %s was taken by another process", batch.id)


async def _either(changed: asyncio.Event, seconds: float) -> None:
    """Until the event is set or the time is over."""
    try:
        async with asyncio.timeout(seconds):
            await changed.wait()
    except TimeoutError:
        return
