"""THE use case: a job's life from reservation to settlement. Every way out of it closes the bill.

    prepare ─ checks, costs nothing      open ─ reserves      start ─ queue, dispatch, make, keep, deliver, settle

What must never happen: a picture made without a reservation; a call repeated that may have been billed; a job left
without an end; a person left without an answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from bot.core.jobs.attempts import Attempts, Order, Outcome
from bot.core.jobs.billing import bill_for
from bot.core.jobs.circuit import PROVES_THE_KEY
from bot.core.jobs.intake import Intake, JobsConfig
from bot.core.jobs.pictures import Pictures
from bot.core.jobs.queue import FairQueue, Ticket
from bot.core.jobs.running import CANCELLED, CancelOutcome, Live
from bot.core.jobs.settlement import UNWRITABLE, Closing, Owed
from bot.core.tasks import Tasks, to_the_end
from bot.ports import (
    CannotDeliver,
    Clock,
    CrashPoint,
    Delivered,
    Delivery,
    Files,
    ImageService,
    Meter,
    Notifier,
    Progress,
    Stage,
    Store,
    nothing_happens,
)
from bot.rules.catalogue.catalogue import Catalogue
from bot.rules.catalogue.model import deadline_of
from bot.rules.errors import Cancelled, Interrupted, NotFound, ServicePaused, StorageFull, UserError
from bot.rules.faults import Billed, Fault, FaultKind, ServiceFailed
from bot.rules.ledger import FINAL, HOLDING, Bill, Job, JobState, LostLease
from bot.rules.people import Asker
from bot.rules.requests import ImageRequest, Inputs, Partial
from bot.rules.servers.access import AccessDenied, DeniedBecause, check_access

__all__ = ["CancelOutcome", "Jobs", "JobsConfig"]

log = logging.getLogger(__name__)

PROGRESS_EVERY_S = 3.0
"""Between looks at a waiting job's place; Discord takes no more edits than that anyway."""

FALLBACK_DEADLINE_S = 180.0


class Jobs(Intake):
    """Prepare, open, start, cancel."""

    def __init__(
        self,
        *,
        store: Store,
        service: ImageService,
        files: Files,
        queue: FairQueue,
        catalogue: Catalogue,
        notifier: Notifier,
        clock: Clock,
        tasks: Tasks,
        config: JobsConfig,
        member_tag: Callable[[int], str],
        meter: Meter | None = None,
        crash_point: CrashPoint = nothing_happens,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__(
            store=store,
            service=service,
            files=files,
            queue=queue,
            catalogue=catalogue,
            clock=clock,
            config=config,
            meter=meter,
            crash_point=crash_point,
        )
        self._notifier = notifier
        self._tasks = tasks
        self._member_tag = member_tag
        self._attempts = Attempts(service, store, clock, self._meter, sleep=sleep)
        self._live: dict[str, Live] = {}
        self.closing = Closing(store, clock, crash_point=crash_point, sleep=sleep)
        self.pictures = Pictures(files)

    # --- the life of a job ----------------------------------------------------------------------------------------

    def start(self, job: Job, inputs: Inputs, delivery: Delivery) -> asyncio.Task[None]:
        """Queues the job; from here on it ends by itself, through ``delivery``."""
        live = Live(job, inputs, delivery)
        self._live[job.id] = live
        live.task = self._tasks.start(self._live_through(live), f"job {job.id}")
        return live.task

    async def abandon(self, job: Job, reason: str) -> None:
        """Releases a reserved job that was never started (Discord forgot the interaction)."""
        await self._store.release(job, reason, self._clock())
        self._meter.job_finished(JobState.RELEASED, job.request.model)

    async def _live_through(self, live: Live) -> None:
        job_id = live.job.id
        try:
            await self._run(live)
        except asyncio.CancelledError:
            await self._stopped(live)
        except LostLease:
            log.warning("job %s is held by another process now; this one does nothing more with it", job_id)
        except UserError as error:
            await self._troubled(live, error, type(error).__name__)
        except Exception as error:
            log.exception("job %s failed", job_id)
            await self._troubled(live, error, FaultKind.BROKEN_ANSWER.value)
        finally:
            self._live.pop(job_id, None)
            self._meter.job_finished(live.job.state, live.job.request.model)

    async def _run(self, live: Live) -> None:
        job = live.job
        ticket = self.ticket_for(job.id, job.asker, job.request, self.lane_of(job.asker, job.own_key))
        live.ticket = ticket
        watch = self._tasks.start(self._tell_progress(live, ticket), f"progress {job.id}")
        self._crash_point("queued")
        try:
            joined = self._now_s()
            async with self._queue.turn(ticket):
                self._meter.waited(self._now_s() - joined)
                began = self._now_s()
                outcome = await self._draw(live, ticket)
                took = self._now_s() - began
                watch.cancel()
                await self._finish(live, outcome, took)
        finally:
            watch.cancel()

    async def _draw(self, live: Live, ticket: Ticket) -> Outcome:
        job = live.job
        await self._check_still_welcome(job, ticket.lane)
        api_key = await self._store.api_key(job.asker.place) if job.own_key else None
        await to_the_end(self._dispatch(live))
        live.drawing = True
        self._crash_point("dispatched")
        order = Order(
            request=job.request,
            inputs=live.inputs,
            member_tag=self._member_tag(job.asker.user_id),
            lane=ticket.lane,
            deadline_s=self.deadline_of(job.request),
            api_key=api_key,
        )

        async def preview(partial: Partial) -> None:
            await live.delivery.preview(live.job, partial)

        outcome = await self._attempts.carry_out(order, preview if job.request.partial_images else None)
        live.made = bool(outcome.made)
        live.drawing = live.made or outcome.maybe_billed_calls > 0
        await self._note_service(ticket.lane, job, outcome)
        return outcome

    async def _dispatch(self, live: Live) -> None:
        live.job = await self._store.dispatch(live.job, self._clock())

    async def _check_still_welcome(self, job: Job, lane: str) -> None:
        """What changed while the job waited (a member blocked, a server paused, a key refused): released, not made."""
        check_access(await self._store.settings(job.asker.place), job.asker, job.request.model)
        if not self.circuit.lets_through(lane, self._clock()):
            raise ServicePaused

    async def _finish(self, live: Live, outcome: Outcome, took_s: float) -> None:
        if not outcome.made:
            await to_the_end(self._failed(live, outcome))
            return
        request = live.job.request
        bill = bill_for(live.job, outcome, self.catalogue.get(request.model))
        images = [image for made in outcome.made for image in made.images]
        revised = next((image.revised_prompt for image in images if image.revised_prompt), None)
        await to_the_end(self._keep(live, outcome, bill, revised))
        self._meter.charged(request.model, bill.charged_micro_usd)
        self._meter.served(request.model, took_s)
        self.estimates.learn(request.model, request.quality, took_s)
        await self._deliver(live, outcome, took_s, Owed(live.job, Delivered(None, None), bill, revised))
        await self._warn_budgets(live.job)

    async def _keep(self, live: Live, outcome: Outcome, bill: Bill, revised: str | None) -> None:
        """Pictures on disk, then *produced*. Where neither can be written, they are shown from memory all the same."""
        try:
            await self.pictures.keep_results(live.job.id, outcome.made, bill, revised)
        except (StorageFull, OSError):
            log.exception("job %s: its pictures could not be kept on disk; showing them from memory", live.job.id)
        self._crash_point("kept")
        try:
            live.job = await self.closing.insist(lambda: self._store.produce(live.job, bill, revised, self._clock()))
        except UNWRITABLE:
            log.exception("job %s: the ledger cannot be written; its pictures are shown all the same", live.job.id)
            return
        live.drawing = False
        self._crash_point("produced")

    async def _deliver(self, live: Live, outcome: Outcome, took_s: float, owed: Owed) -> None:
        try:
            delivered = await live.delivery.result(live.job, outcome.made, took_s)
        except CannotDeliver as problem:
            log.warning("job %s cannot be delivered now (%s); its pictures wait on disk", live.job.id, problem)
            if live.job.state is JobState.PRODUCED:
                live.job = await self.closing.insist(lambda: self._store.set_waiting(live.job, True))
            return
        if delivered is None:
            return  # a batch posts its lines' pictures itself, and closes them
        live.shown = True
        self._crash_point("shown")
        live.job = await to_the_end(self.closing.shown(replace(owed, job=live.job, delivered=delivered)))
        if live.inputs.images:
            await self.pictures.keep_inputs(live.job.id, live.inputs)

    async def close_delivered(self, job: Job, delivered: Delivered) -> None:
        """Writes delivered and settled: the end of a job whose pictures a person has."""
        await self.closing.delivered(job, delivered)

    async def _failed(self, live: Live, outcome: Outcome) -> None:
        fault = outcome.worst
        if fault is None:
            fault = Fault(FaultKind.BROKEN_ANSWER, Billed.MAYBE, detail="no call was made")
        log.warning("job %s: %s (billed: %s, %s)", live.job.id, fault.kind, fault.billed, fault.detail)
        maybe_billed = outcome.maybe_billed_calls > 0
        if fault.kind is FaultKind.MODERATION and not maybe_billed:
            live.job = await self.closing.insist(lambda: self._store.refuse(live.job, fault.kind, self._clock()))
        else:
            await self._close_unmade(live, fault.kind, maybe_billed=maybe_billed)
        await live.delivery.failed(live.job, ServiceFailed(fault, model=live.job.request.model, charged=maybe_billed))

    async def _troubled(self, live: Live, error: Exception, reason: str) -> None:
        """Ends a job in trouble. Pictures that exist are not given up: recovery shows them in a minute."""
        if live.shown or live.job.state is JobState.PRODUCED:
            log.warning("job %s: %s after its pictures were made", live.job.id, type(error).__name__)
            return
        try:
            await self._close_unmade(live, reason, maybe_billed=live.drawing)
        except UNWRITABLE:
            log.exception("job %s could not be closed; recovery closes it later", live.job.id)
        told = Interrupted(maybe_billed=True) if live.drawing and isinstance(error, UNWRITABLE) else error
        await live.delivery.failed(live.job, told)

    async def _close_unmade(self, live: Live, reason: str, *, maybe_billed: bool) -> None:
        """Ends a job without pictures; a job that ended already stays as it is."""
        if live.job.state in FINAL or live.job.state is JobState.PRODUCED:
            return
        close = self._store.lose if maybe_billed else self._store.release
        try:
            live.job = await self.closing.insist(lambda: close(live.job, reason, self._clock()))
        except LostLease:
            log.warning("job %s moved on elsewhere while it was being closed (%s)", live.job.id, reason)

    async def _stopped(self, live: Live) -> None:
        """The task was cancelled: by a person, or because the process ends."""
        if live.made or live.job.state in FINAL:
            return  # paid for and kept: the next start shows it; or closed a moment before
        if live.job.state is JobState.RESERVED and live.job.batch_id is not None and not live.cancelled_by_person:
            return  # the next start goes on with this line
        maybe_billed = live.drawing
        reason = "cancelled" if live.cancelled_by_person else "stopped"
        await self._close_unmade(live, reason, maybe_billed=maybe_billed)
        told = Cancelled if live.cancelled_by_person else Interrupted
        await live.delivery.failed(live.job, told(maybe_billed=maybe_billed))

    # --- what surrounds it ----------------------------------------------------------------------------------------

    async def cancel(self, job_id: str, asker: Asker) -> CancelOutcome:
        """Stops a queued or running job. Raises ``NotFound`` or ``AccessDenied`` (not the maker, no moderator)."""
        live = self._live.get(job_id)
        if live is None:
            job = await self._store.get_job(job_id)
            if job is None or job.asker.place != asker.place:
                raise NotFound("job")
            return CancelOutcome.TOO_LATE
        owner = live.job.asker
        if owner.place.key != asker.place.key:
            raise NotFound("job")
        if owner.user_id != asker.user_id and not asker.can_moderate:
            raise AccessDenied(DeniedBecause.NOT_YOURS)
        if live.task is None or live.made or live.job.state not in HOLDING:
            return CancelOutcome.TOO_LATE
        live.cancelled_by_person = True
        await self._cancel([live])
        return CANCELLED.get(live.job.state, CancelOutcome.TOO_LATE)

    async def cancel_all_of(self, asker: Asker, user_id: int) -> int:
        """Stops everything a member has waiting or running in a place (they were blocked); returns how many."""
        theirs = [
            live for live in self._live.values()
            if live.job.asker.user_id == user_id and live.job.asker.place.key == asker.place.key and not live.made
        ]  # fmt: skip
        for live in theirs:
            live.cancelled_by_person = True
        await self._cancel(theirs)
        return len(theirs)

    async def _cancel(self, lives: Iterable[Live]) -> None:
        """Cancels, and waits until each is closed."""
        tasks = {live.task: live for live in lives if live.task is not None}
        for task in tasks:
            if not task.cancelling():  # a second blow would hit the closing that the first one began
                task.cancel()
        done = (await asyncio.wait(tasks))[0] if tasks else set()
        for task in done:
            await self._close_unstarted(tasks[task])

    async def _close_unstarted(self, live: Live) -> None:
        """A task that was cancelled before its first step has closed nothing."""
        if self._live.pop(live.job.id, None) is not None:
            await self._stopped(live)

    def refuse_new(self) -> None:
        """From now on nothing is opened, and nobody's turn comes any more: the process is about to end."""
        super().refuse_new()
        self._queue.close()

    async def finish(self, grace_s: float) -> None:
        """Ends what only waits (told, at no cost; lines of batches stay for the next start), and waits for the rest."""
        ending = {
            live.task: live
            for live in self._live.values()
            if live.task is not None and (live.job.state is not JobState.RESERVED or live.job.batch_id is None)
        }
        for task, live in ending.items():
            if live.job.state is JobState.RESERVED:
                task.cancel()
        done = (await asyncio.wait(ending, timeout=grace_s))[0] if ending else set()
        for task in done:
            await self._close_unstarted(ending[task])

    def remaining_s(self, job: Job) -> float:
        """The estimate until this job's pictures are there; 0 when it is not in this process."""
        live = self._live.get(job.id)
        if live is None or live.ticket is None:
            return 0.0
        return self._queue.eta_s(live.ticket, self._config.images_per_minute)

    def is_waiting(self, job_id: str) -> bool:
        """Whether the job still waits for its turn here: cancelling it now costs nothing."""
        live = self._live.get(job_id)
        return live is not None and (live.ticket is None or not live.ticket.called.is_set())

    def live_ids(self) -> frozenset[str]:
        """Jobs that this process is at work on."""
        return frozenset(self._live) | frozenset(self.closing.owed)

    def deadline_of(self, request: ImageRequest) -> float:
        if self._config.deadline_s is not None:
            return self._config.deadline_s
        model = self.catalogue.get(request.model)
        return float(deadline_of(model, request)) if model is not None else FALLBACK_DEADLINE_S

    async def _note_service(self, lane: str, job: Job, outcome: Outcome) -> None:
        place = job.asker.place if job.own_key else None
        works = outcome.made or any(fault.kind in PROVES_THE_KEY for fault in outcome.faults)
        if works and self.circuit.succeeded(lane):
            await self._notifier.service(place, working=True, why="")
        for fault in outcome.faults:
            if self.circuit.failed(lane, fault.kind, self._clock()):
                log.error("the image service refuses the key of lane %s: %s", lane, fault.kind)
                await self._notifier.service(place, working=False, why=fault.kind)

    async def _warn_budgets(self, job: Job) -> None:
        try:
            for warning in await self._store.budget_warnings(job.asker.place, self._clock()):
                await self._notifier.budget(job.asker.place, warning)
        except UNWRITABLE:
            log.warning("budget warnings were not looked at: the ledger is busy")

    async def _tell_progress(self, live: Live, ticket: Ticket) -> None:
        """Says where the job stands while it waits, and once that it is being drawn."""
        while (position := self._queue.position(ticket)) is not None:
            eta = self._queue.eta_s(ticket, self._config.images_per_minute)
            await live.delivery.progress(live.job, Progress(Stage.QUEUED, position, eta))
            try:
                await asyncio.wait_for(ticket.called.wait(), PROGRESS_EVERY_S)
            except TimeoutError:
                continue
        await live.delivery.progress(live.job, Progress(Stage.DRAWING, None, ticket.seconds))

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()
