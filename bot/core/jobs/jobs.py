"""The jobs that this process is at work on: starting them, stopping them, and how long they will take."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from bot.core.jobs.estimates import Estimates
from bot.core.jobs.job_runner import JobRunner
from bot.core.jobs.queue import FairQueue
from bot.core.jobs.running import CANCELLED, CancelOutcome, RunningJob
from bot.core.tasks import Tasks
from bot.ports import Delivery, Store
from bot.rules.errors import NotFound
from bot.rules.ledger import Job, JobState
from bot.rules.people import Asker
from bot.rules.requests import Inputs
from bot.rules.servers.access import AccessDenied, DeniedBecause


class Jobs:
    """Start, cancel, finish. What comes before (prices, limits, the reservation) is the intake's."""

    def __init__(self, store: Store, queue: FairQueue, estimates: Estimates, runner: JobRunner, tasks: Tasks) -> None:
        self._store = store
        self._queue = queue
        self._estimates = estimates
        self._runner = runner
        self._tasks = tasks
        self._running: dict[str, RunningJob] = {}

    def start(self, job: Job, inputs: Inputs, delivery: Delivery) -> asyncio.Task[None]:
        """Queues the job; from here on it ends by itself, through ``delivery``."""
        ticket = self._estimates.ticket_for(job.asker, job.request, own_key=job.own_key, job_id=job.id)
        running = RunningJob(job, inputs, delivery, ticket)
        self._running[job.id] = running
        running.task = self._tasks.start(self._run(running), f"job {job.id}")
        return running.task

    async def _run(self, running: RunningJob) -> None:
        try:
            await self._runner.run(running)
        finally:
            self._running.pop(running.job.id, None)

    async def cancel(self, job_id: str, asker: Asker) -> CancelOutcome:
        """Stops a queued or running job. Raises ``NotFound`` or ``AccessDenied`` (not the maker, no moderator)."""
        running = self._running.get(job_id)
        if running is None:
            job = await self._store.jobs.get(job_id)
            if job is None or job.asker.place != asker.place:
                raise NotFound("job")
            return CancelOutcome.TOO_LATE
        owner = running.job.asker
        if owner.place.key != asker.place.key:
            raise NotFound("job")
        if owner.user_id != asker.user_id and not asker.can_moderate:
            raise AccessDenied(DeniedBecause.NOT_YOURS)
        if not running.can_be_cancelled:
            return CancelOutcome.TOO_LATE
        await self._cancel([running])
        return CANCELLED.get(running.job.state, CancelOutcome.TOO_LATE)

    async def cancel_all_of(self, asker: Asker, user_id: int) -> int:
        """Stops everything a member has waiting or running in a place (they were blocked); returns how many."""
        theirs = [
            running
            for running in self._running.values()
            if running.job.asker.user_id == user_id
            and running.job.asker.place.key == asker.place.key
            and not running.made
        ]
        await self._cancel(theirs)
        return len(theirs)

    async def cancel_waiting_of(self, user_id: int) -> int:
        """Takes what a member has waiting out of line, in every place (they are to be forgotten); returns how many."""
        theirs = [
            running
            for running in self._running.values()
            if running.job.asker.user_id == user_id and self.is_waiting(running.job.id)
        ]
        await self._cancel(theirs)
        return len(theirs)

    async def until_ended(self, job_ids: Iterable[str]) -> None:
        """Waits for those of the jobs that this process is at work on."""
        found = (self._running.get(job_id) for job_id in job_ids)
        tasks = [running.task for running in found if running is not None and running.task is not None]
        if tasks:
            await asyncio.wait(tasks)

    async def _cancel(self, wanted: Iterable[RunningJob]) -> None:
        """Cancels for a person, and waits until each is closed."""
        tasks = {running.task: running for running in wanted if running.task is not None}
        for task, running in tasks.items():
            running.cancelled_by_person = True
            if not task.cancelling():  # a second blow would hit the settlement that the first one began
                task.cancel()
        await self._wait_until_closed(tasks)

    async def _wait_until_closed(
        self, tasks: dict[asyncio.Task[None], RunningJob], timeout_s: float | None = None
    ) -> None:
        """A task that was cancelled before its first step has closed nothing: that is done here."""
        done = (await asyncio.wait(tasks, timeout=timeout_s))[0] if tasks else set()
        for task in done:
            running = tasks[task]
            if self._running.pop(running.job.id, None) is not None:
                await self._runner.end_cancelled(running)

    def refuse_new(self) -> None:
        """From now on nothing is opened, and nobody's turn comes any more: the process is about to end."""
        self._queue.close()

    async def finish(self, grace_s: float) -> None:
        """Ends what only waits (told, at no cost; lines of batches stay for the next start), and waits for the rest."""
        ending = {
            running.task: running
            for running in self._running.values()
            if running.task is not None and not running.is_batch_line_in_line
        }
        for task, running in ending.items():
            if running.job.state is JobState.RESERVED:
                task.cancel()
        await self._wait_until_closed(ending, grace_s)

    def remaining_s(self, job: Job) -> float:
        """The estimate until this job's pictures are there; 0 when it is not in this process."""
        running = self._running.get(job.id)
        return self._queue.eta_s(running.ticket) if running is not None else 0.0

    def is_waiting(self, job_id: str) -> bool:
        """Whether the job still waits for its turn here: cancelling it now costs nothing."""
        running = self._running.get(job_id)
        return running is not None and not running.ticket.called.is_set()

    def running_ids(self) -> frozenset[str]:
        """Jobs that this process is at work on."""
        return frozenset(self._running)
