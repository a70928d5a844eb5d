"""THE use case: one started job's way to its end. Every way out of it closes the bill.

    turn in the queue ─ dispatch ─ make ─ keep ─ deliver ─ settle
            └─ again, by another model where the first certainly did not draw

What must never happen: a picture made without a reservation; a call repeated that may have been billed; a job left
without an end; a person left without an answer.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from functools import partial

from bot.core.jobs.alerts import Alerts
from bot.core.jobs.estimates import Estimates
from bot.core.jobs.pictures import Pictures
from bot.core.jobs.queue import FairQueue, Ticket, set_within
from bot.core.jobs.running import RunningJob
from bot.core.jobs.settlement import Settlement, ShownResult
from bot.core.service.attempts import Attempts, CallResults
from bot.core.service.billing import bill_for
from bot.core.service.catalogue import CurrentCatalogue
from bot.core.service.circuit import Circuit
from bot.core.tasks import Tasks, to_the_end
from bot.ports import CannotDeliver, Clock, CrashPoint, Delivered, Meter, Progress, Stage, Store
from bot.rules.catalogue.instead import gives_way as may_give_way
from bot.rules.catalogue.instead import stand_ins, takes_files
from bot.rules.errors import Cancelled, Interrupted, ServicePaused, StorageTrouble, UserError
from bot.rules.faults import Billed, Fault, FaultKind, ServiceFailed
from bot.rules.ledger import FINAL, Bill, EndReason, Job, JobState, LostLease
from bot.rules.requests import ImageRequest, Partial
from bot.rules.servers.access import check_access

log = logging.getLogger(__name__)

PROGRESS_EVERY_S = 3.0
"""Between looks at a waiting job's place; Discord takes no more edits than that anyway."""

A_MOMENT_S = 0.2
"""Who has a turn by then is not said to have waited."""

ALMOST = 0.95
"""More than this is not said to be over before it is."""

PROGRESS_EVERY_PLACE_S = 0.5
"""The further back, the less often it is told: of 5,000 that wait about fifteen hear of it in a second."""


def looks_every_s(position: int) -> float:
    """How long the place of a waiting job is not looked at again."""
    return max(PROGRESS_EVERY_S, position * PROGRESS_EVERY_PLACE_S)


class JobRunner:
    """Runs any number of jobs at once; all that belongs to one of them is in its ``RunningJob``."""

    def __init__(
        self,
        *,
        store: Store,
        queue: FairQueue,
        circuit: Circuit,
        estimates: Estimates,
        catalogue: CurrentCatalogue,
        attempts: Attempts,
        pictures: Pictures,
        settlement: Settlement,
        alerts: Alerts,
        clock: Clock,
        tasks: Tasks,
        meter: Meter,
        crash_point: CrashPoint,
        is_official: bool,
    ) -> None:
        self._store = store
        self._queue = queue
        self._circuit = circuit
        self._estimates = estimates
        self._catalogue = catalogue
        self._attempts = attempts
        self._pictures = pictures
        self._settlement = settlement
        self._alerts = alerts
        self._clock = clock
        self._tasks = tasks
        self._meter = meter
        self._crash_point = crash_point
        self._is_official = is_official

    async def run(self, running: RunningJob) -> None:
        """Never raises: whatever happens, the job is closed and the person is told, or recovery finds it."""
        try:
            await self._wait_and_make(running)
        except asyncio.CancelledError:
            await self.end_cancelled(running)
        except LostLease:
            log.warning("job %s is held by another process now; this one does nothing more with it", running.job.id)
        except UserError as error:
            await self._end_in_trouble(running, error, type(error).__name__)
        except Exception as error:
            log.exception("job %s failed", running.job.id)
            await self._end_in_trouble(running, error, FaultKind.BROKEN_ANSWER.value)
        finally:
            self._meter.job_finished(running.job.state, running.job.request.model)

    # --- the way --------------------------------------------------------------------------------------------------

    async def _wait_and_make(self, running: RunningJob) -> None:
        """By the model that was asked, or, where it certainly did not draw, by the next that may stand in for it."""
        self._crash_point("queued")
        ways = [running.job.request, *await self._stand_ins(running)]
        for at, request in enumerate(ways):
            gives_way = any(self._may_try(running, other) for other in ways[at + 1 :])
            if gives_way and not self._may_try(running, request):
                continue
            if request is not running.job.request:
                running.ticket = self._ticket_for(running, request)
            if await self._is_drawn(running, request, gives_way=gives_way):
                return

    async def _is_drawn(self, running: RunningJob, request: ImageRequest, *, gives_way: bool) -> bool:
        """Waits for the turn, makes and ends the job; with ``gives_way`` another may have it if nothing was drawn."""
        progress = self._tasks.start(self._tell_progress(running), f"progress {running.job.id}")
        try:
            joined = _now_s()
            async with self._queue.turn(running.ticket):
                self._meter.waited(_now_s() - joined)
                began = _now_s()
                try:
                    results = await self._make(running, request, gives_way=gives_way)
                except ServicePaused:
                    if not gives_way:
                        raise
                    return False
                if gives_way and not results.made and may_give_way(results.faults):
                    log.info("job %s: %s draws nothing now; another model may", running.job.id, request.model)
                    return False
                took = _now_s() - began
                progress.cancel()
                await self._finish(running, request, results, took)
        finally:
            progress.cancel()
        return True

    async def _stand_ins(self, running: RunningJob) -> list[ImageRequest]:
        """The request as others take it, by today's settings: those that take its pictures and that it can pay."""
        job, catalogue = running.job, self._catalogue.now
        model = catalogue.get(job.request.model)
        if model is None or not model.instead:
            return []
        found = stand_ins(
            job.request,
            catalogue,
            await self._store.servers.settings(job.asker.place),
            own_key=job.own_key,
            official=self._is_official,
            today=self._clock().date(),
        )
        return [
            one.request
            for one in found
            if one.upper_micro_usd <= job.reserved_micro_usd
            and (other := catalogue.get(one.request.model)) is not None
            and takes_files(running.inputs, other, one.request)
        ]

    def _ticket_for(self, running: RunningJob, request: ImageRequest) -> Ticket:
        job = running.job
        return self._estimates.ticket_for(job.asker, request, own_key=job.own_key, job_id=job.id)

    def _may_try(self, running: RunningJob, request: ImageRequest) -> bool:
        lane = self._ticket_for(running, request).lane
        return self._circuit.may_try(self._circuit.key_of(lane, request.model), self._clock())

    async def _tell_progress(self, running: RunningJob) -> None:
        """Says where the job stands: its place while it waits, then how much of the drawing should be over."""
        ticket, was_told = running.ticket, False
        while (position := self._queue.position(ticket)) is not None:
            ready_at = self._clock() + timedelta(seconds=self._queue.eta_s(ticket))
            await running.delivery.progress(running.job, Progress(Stage.QUEUED, position, ready_at))
            if not was_told and not await set_within(ticket.called, A_MOMENT_S):
                await self._keep_message(running.job)
            await set_within(ticket.called, looks_every_s(position) if was_told else PROGRESS_EVERY_S)
            was_told = True
        ready_at, began, share = self._clock() + timedelta(seconds=ticket.seconds), _now_s(), 0.0
        while share < ALMOST:
            await running.delivery.progress(running.job, Progress(Stage.DRAWING, None, ready_at, share))
            await asyncio.sleep(PROGRESS_EVERY_S)
            share = min((_now_s() - began) / max(ticket.seconds, 1.0), ALMOST)
        await running.delivery.progress(running.job, Progress(Stage.DRAWING, None, None, ALMOST))

    async def _keep_message(self, job: Job) -> None:
        """The message that shows the job, written now for one that waits: whoever took it over could not tell there."""
        if job.answer is None or job.answer.message_id is None:
            return
        try:
            await self._store.jobs.set_answer_message(job, job.answer.message_id)
        except (StorageTrouble, LostLease) as problem:
            log.info("job %s: its message is written with its next step (%s)", job.id, type(problem).__name__)

    async def _make(self, running: RunningJob, request: ImageRequest, *, gives_way: bool) -> CallResults:
        job, lane = running.job, running.ticket.lane
        await self._check_still_allowed(running, request)
        call = await self._attempts.call_for(job, request, running.inputs, lane, gives_way=gives_way)
        if job.state is JobState.RESERVED:  # not one that another model has given up
            await to_the_end(self._dispatch(running))
        running.maybe_billed = True
        self._crash_point("dispatched")

        async def preview(partial: Partial) -> None:
            await running.delivery.preview(running.job, partial)

        confirm = partial(self._store.leases.confirm, running.job)
        results = await self._attempts.make(call, preview if request.partial_images else None, confirm)
        running.made = bool(results.made)
        running.maybe_billed = running.made or results.maybe_billed_calls > 0
        await self._alert(job, request.model, lane, results)
        return results

    async def _alert(self, job: Job, asked: str, lane: str, results: CallResults) -> None:
        """Whatever goes wrong in telling of a key, the pictures that are there go their way."""
        try:
            await self._alerts.service(job, asked, lane, results)
        except Exception:
            log.exception("job %s: nobody was told about the key", job.id)

    async def _check_still_allowed(self, running: RunningJob, request: ImageRequest) -> None:
        """What changed while the job waited (a member blocked, a server paused, a key refused): released, not made."""
        job, model = running.job, request.model
        settings = await self._store.servers.settings(job.asker.place)
        check_access(settings, job.asker, None if request.is_words else model)
        if not self._circuit.lets_through(self._circuit.key_of(running.ticket.lane, model), self._clock()):
            named = self._circuit.named(running.ticket.lane, model)
            raise ServicePaused(named, own_key=job.own_key, of_words=request.is_words)

    async def _dispatch(self, running: RunningJob) -> None:
        running.job = await self._store.jobs.dispatch(running.job, self._clock())

    async def _finish(self, running: RunningJob, request: ImageRequest, results: CallResults, took_s: float) -> None:
        if not results.made:
            await to_the_end(self._end_without_pictures(running, request, results))
            return
        bill = bill_for(running.job, request, results, self._catalogue.now.get(request.model))
        images = [image for made in results.made for image in made.images]
        revised = next((image.revised_prompt for image in images if image.revised_prompt), None)
        revised = next((made.words for made in results.made if made.words), revised)  # the ledger keeps words
        await to_the_end(self._keep(running, results, bill, revised))
        self._meter.charged(request.model, bill.charged_micro_usd)
        self._meter.served(request.model, took_s)
        self._estimates.learn(request.model, request.quality, took_s)
        await self._deliver(running, results, took_s, ShownResult(running.job, Delivered(None, None), bill, revised))
        await self._alerts.budgets(running.job)

    async def _keep(self, running: RunningJob, results: CallResults, bill: Bill, revised: str | None) -> None:
        """Pictures on disk, then *produced*. Where neither can be written, they are shown from memory all the same."""
        job_id = running.job.id
        try:
            if not running.job.request.is_words:
                await self._pictures.keep_results(job_id, results.made, bill, revised)
        except Exception:
            log.exception("job %s: its pictures could not be kept on disk; showing them from memory", job_id)
        self._crash_point("kept")
        try:
            if (aside := self._pictures.aside(job_id)) is not None:
                running.job = await self._store.jobs.set_pictures_at(running.job, aside)
            running.job = await self._settlement.produce(running.job, bill, revised)
        except LostLease:
            running.job = await self._settlement.retrieve(running.job, bill, revised)
            log.info("job %s had been called unknown; its pictures are shown after all", job_id)
        except Exception:
            log.exception("job %s: the ledger cannot be written; its pictures are shown all the same", job_id)
            return
        running.maybe_billed = False
        self._crash_point("produced")

    async def _deliver(self, running: RunningJob, results: CallResults, took_s: float, shown: ShownResult) -> None:
        if running.inputs.images and not running.job.request.is_words:  # before anybody can press Again
            await self._pictures.keep_inputs(running.job.id, running.inputs)
        try:
            delivered = await running.delivery.result(running.job, results.made, took_s)
        except CannotDeliver as problem:
            log.warning("job %s cannot be delivered now (%s); its pictures wait", running.job.id, problem)
            if running.job.state is JobState.PRODUCED:
                running.job = await self._settlement.keep_waiting(running.job)
                await running.delivery.kept(running.job, problem.why)
            return
        if delivered is None:
            return  # a batch posts its lines' pictures itself, and closes them
        self._pictures.shown(running.job.id)
        self._crash_point("shown")
        settling = self._settlement.settle_shown(replace(shown, job=running.job, delivered=delivered))
        running.job = await to_the_end(settling)

    # --- the other ends -------------------------------------------------------------------------------------------

    async def _end_without_pictures(self, running: RunningJob, request: ImageRequest, results: CallResults) -> None:
        fault = results.worst
        if fault is None:
            fault = Fault(FaultKind.BROKEN_ANSWER, Billed.MAYBE, detail="no call was made")
        log.warning("job %s: %s (billed: %s, %s)", running.job.id, fault.kind, fault.billed, fault.detail)
        maybe_billed = results.maybe_billed_calls > 0
        if fault.kind is FaultKind.MODERATION and not maybe_billed:
            running.job = await self._settlement.refuse(running.job, fault.kind)
        else:
            running.job = await self._settlement.close_unmade(running.job, fault.kind, maybe_billed=maybe_billed)
        if running.job.state not in FINAL:
            return  # another process has it, and tells
        own_key = running.job.own_key
        failure = ServiceFailed(fault, model=request.model, charged=maybe_billed, own_key=own_key)
        await running.delivery.failed(running.job, failure)

    async def _end_in_trouble(self, running: RunningJob, error: Exception, reason: str) -> None:
        """Ends a job in trouble. Pictures that exist are not given up: recovery shows them in a minute."""
        if running.made or running.job.state is JobState.PRODUCED:
            log.warning("job %s: %s after its pictures were made", running.job.id, type(error).__name__)
            return
        try:
            running.job = await self._settlement.close_unmade(running.job, reason, maybe_billed=running.maybe_billed)
        except Exception:
            log.exception("job %s could not be closed; recovery closes it later", running.job.id)
        unclear = running.maybe_billed and isinstance(error, StorageTrouble)
        await running.delivery.failed(running.job, Interrupted(maybe_billed=True) if unclear else error)

    async def end_cancelled(self, running: RunningJob) -> None:
        """The job's task was cancelled: by a person, or because the process ends."""
        if running.made or running.job.state in FINAL:
            return  # paid for and kept: the next start shows it; or closed a moment before
        if running.is_batch_line_in_line and not running.cancelled_by_person:
            return
        maybe_billed = running.maybe_billed
        reason = EndReason.CANCELLED if running.cancelled_by_person else EndReason.STOPPED
        running.job = await self._settlement.close_unmade(running.job, reason, maybe_billed=maybe_billed)
        told = Cancelled if running.cancelled_by_person else Interrupted
        await running.delivery.failed(running.job, told(maybe_billed=maybe_billed))


def _now_s() -> float:
    return asyncio.get_running_loop().time()
