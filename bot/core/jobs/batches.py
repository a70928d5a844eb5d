"""Many prompts as one piece of work: checked together, reserved together, posted in the order of the lines.

All a batch needs to go on after a restart is in the ledger: lines that were not sent yet are sent then, lines that were
are never sent again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from bot.core.jobs.batch_runner import BatchRunner, RunningBatch
from bot.core.jobs.intake import Intake, Quote
from bot.core.tasks import Tasks
from bot.ports import (
    Batch,
    BatchDelivery,
    Clock,
    Store,
)
from bot.rules.errors import NotFound, UserError
from bot.rules.instants import left
from bot.rules.ledger import FINAL, Answer, EndReason, Job, JobDraft, JobState, LostLease
from bot.rules.options.problems import InvalidOptions
from bot.rules.options.table import RawOptions
from bot.rules.people import Asker
from bot.rules.requests import Kind
from bot.rules.servers.access import AccessDenied, DeniedBecause
from bot.rules.servers.words.words import FoundIn, RefusedWord

log = logging.getLogger(__name__)

SURELY_OVER = timedelta(minutes=2)
"""A batch whose last line ended this long ago and that is not summed up has nobody to do so any more."""

NOT_BEGUN = frozenset({JobState.RESERVED, JobState.RELEASED})
"""States in which nothing of a line was sent."""

PROMPT = "prompt"


class BatchLinesRefused(UserError):
    """Some lines cannot be made; ``problems`` has the number (from 1) and error of each. Nothing was reserved."""

    def __init__(self, problems: Sequence[tuple[int, UserError]]) -> None:
        super().__init__(", ".join(str(number) for number, _ in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Stopped:
    """What cancelling came to: lines given back at once. ``overnight``: the service tells later what it had drawn."""

    released: int
    overnight: bool


class NightRunner(Protocol):
    """Has a batch drawn overnight. Implemented by ``core/overnight``."""

    async def until_drawn(self, batch: Batch, delivery: BatchDelivery, changed: asyncio.Event) -> bool:
        """Returns when every line is closed or has its pictures; False where that is left to somebody else."""
        ...


class Batches:
    """Open, start, cancel and resume batches."""

    def __init__(
        self,
        store: Store,
        intake: Intake,
        runner: BatchRunner,
        tasks: Tasks,
        clock: Clock,
        nights: NightRunner,
    ) -> None:
        self._nights = nights
        self._store = store
        self._intake = intake
        self._runner = runner
        self._tasks = tasks
        self._clock = clock
        self._running: dict[str, RunningBatch] = {}

    # --- before anything is spent ---------------------------------------------------------------------------------

    async def prepare(
        self,
        asker: Asker,
        lines: Sequence[tuple[int, str]],
        raw: RawOptions,
        *,
        model: str | None,
        look: str | None = None,
        overnight: bool = False,
    ) -> list[Quote]:
        """Every line checked. Raises ``BatchLinesRefused`` naming all faulty lines by their number in the file.

        ``overnight``: at its price in a batch, all by the model of the first. Raises ``NotOvernight``.

        What is wrong with all of them alike (an option, the model, access, the look) is raised as it is, once.
        """
        quotes: list[Quote] = []
        problems: list[tuple[int, UserError]] = []
        refused = 0
        for number, prompt in lines:
            options = replace(raw, prompt=prompt, count=1, preview=False)
            try:
                quote = await self._intake.quote(asker, Kind.IMAGINE, options, model=model, look=look)
                if overnight:
                    quote, model = self._intake.quote_overnight(quote), quote.request.model
                quotes.append(quote)
            except InvalidOptions as invalid:
                common = [problem for problem in invalid.problems if problem.option != PROMPT]
                if common:
                    raise InvalidOptions(invalid.model, common) from None
                problems.append((number, invalid))
            except RefusedWord as word:
                if word.found_in is FoundIn.LOOK:
                    await self._intake.count_refused(asker, 1)
                    raise
                problems.append((number, word))
                refused += 1
        if refused:
            await self._intake.count_refused(asker, refused)
        if problems:
            raise BatchLinesRefused(problems)
        return quotes

    async def open(
        self, asker: Asker, quotes: Sequence[Quote], answer: Answer, *, event_key: str, overnight: bool = False
    ) -> tuple[Batch, list[Job]]:
        """Reserves every line or none. Raises as ``Intake.open``. It must then be started or abandoned."""
        if overnight:
            self._intake.check_open_overnight(quotes[0], asker, answer)
        else:
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
            overnight=overnight,
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
                own_key=quotes[0].own_key,  # one payer for all, should the key be set or taken away in between
            )
            for line, one in enumerate(quotes, start=1)
        ]
        running = RunningBatch(asker.user_id)  # known before ``resume`` can see the batch
        is_new = self._running.setdefault(batch.id, running) is running
        try:
            return batch, await self._store.jobs.open_batch(batch, drafts, now)
        except BaseException:
            if is_new:
                del self._running[batch.id]
            raise

    async def abandon(self, batch: Batch, jobs: Sequence[Job], reason: EndReason) -> None:
        """Releases a batch that was never started (Discord forgot the interaction)."""
        for job in jobs:
            await self._intake.abandon(job, reason)
        await self._runner.finish(batch)
        self._running.pop(batch.id, None)

    async def set_message(self, batch: Batch, message_id: int) -> Batch:
        """Remembers the progress message. One without goes on after a restart only if anything of it was sent."""
        batch = replace(batch, message_id=message_id)
        await self._store.jobs.save_batch(batch)
        return batch

    # --- on the way -----------------------------------------------------------------------------------------------

    def start(self, batch: Batch, jobs: Sequence[Job], delivery: BatchDelivery) -> asyncio.Task[None]:
        """From here on the batch ends by itself, through ``delivery``."""
        running = self._running.setdefault(batch.id, RunningBatch(batch.asker.user_id))
        return self._tasks.start(self._run(batch, jobs, delivery, running), f"batch {batch.id}")

    async def _run(self, batch: Batch, jobs: Sequence[Job], delivery: BatchDelivery, running: RunningBatch) -> None:
        try:
            if batch.overnight:
                if not await self._nights.until_drawn(batch, delivery, running.changed):
                    return  # a later round, or the process that holds it now, goes on
                jobs = await self._store.jobs.of_batch(batch.id)
            await self._runner.run(batch, jobs, delivery, running)
        finally:
            self._running.pop(batch.id, None)

    async def cancel(self, batch_id: str, asker: Asker) -> Stopped:
        """Gives back every line that still waits, and tells how many; what is drawn or being drawn is kept.

        Raises ``NotFound`` (also when it has ended) or ``AccessDenied`` (not the maker, no moderator).
        """

        def cancelled(batch: Batch | None) -> Batch:
            if batch is None or batch.asker.place.key != asker.place.key or batch.finished:
                raise NotFound("batch")
            if batch.asker.user_id != asker.user_id and not asker.can_moderate:
                raise AccessDenied(DeniedBecause.NOT_YOURS)
            return replace(batch, cancelled=True)

        batch = await self._runner.write(batch_id, cancelled)
        running = self._running.get(batch_id)
        if running is None:
            return Stopped(0, batch.overnight)  # another process holds it and sees the mark when it looks next
        released = await self._runner.release_waiting(running, batch.asker)
        running.changed.set()  # what is drawn overnight is taken back at the service, which tells what it drew
        return Stopped(released, batch.overnight)

    def look_again(self, user_id: int) -> None:
        """Something happened to what the person has here: their batches see to it now, not when they look next."""
        for running in self._running.values():
            if running.user_id == user_id:
                running.changed.set()

    # --- after a restart ------------------------------------------------------------------------------------------

    async def resume(self, delivery_for: Callable[[Batch, Sequence[Job]], BatchDelivery]) -> int:
        """Goes on with batches of an earlier life whose jobs this process holds now; returns how many."""
        resumed = 0
        mine = {one.batch_id for one in await self._store.leases.held() if one.batch_id is not None}
        for batch in await self._store.jobs.unfinished_batches():
            if batch.id in self._running:
                continue
            jobs = await self._store.jobs.of_batch(batch.id)
            if batch.id not in mine and not self._is_orphan(batch, jobs):
                continue
            if batch.message_id is None and all(job.state in NOT_BEGUN for job in jobs):
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
        return not left(last, self._clock(), SURELY_OVER)

    async def _give_up(self, batch: Batch, jobs: Sequence[Job]) -> None:
        """Nobody was told yet that it had begun, so it had not."""
        log.warning("batch %s was reserved but never acknowledged: it is released", batch.id)
        try:
            await self.abandon(batch, [job for job in jobs if job.state is JobState.RESERVED], EndReason.RESTART)
        except LostLease:
            log.warning("batch %s was taken by another process", batch.id)
