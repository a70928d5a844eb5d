"""The lines of a batch that is drawn overnight, in the ledger: sent, made, refused, given back.

Law: a line that is closed is never touched again, so a result file may be read as often as need be, and whatever stands
in it twice counts once. Pictures are kept before they are charged.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from bot.core.jobs.alerts import Alerts
from bot.core.jobs.pictures import Pictures
from bot.core.jobs.recovery import found_on_disk
from bot.core.jobs.settlement import Settlement
from bot.core.service.billing import bill_overnight
from bot.core.service.catalogue import CurrentCatalogue
from bot.core.service.lanes import lane_at, lane_of
from bot.core.tasks import to_the_end
from bot.ports import Clock, CrashPoint, Delivered, Meter, Night, NightAnswer, NightService, Payer, Store
from bot.rules.faults import Billed, Fault, FaultKind, ServiceFault
from bot.rules.ledger import HOLDING, EndReason, Job, JobState
from bot.rules.overnight import NightState, Overnight
from bot.rules.requests import Made

log = logging.getLogger(__name__)


NOT_THERE = (404, 410)


@dataclass(slots=True)
class Read:
    """What was read in a round. ``billed``: lines whose answer may be on the bill; ``whole``: all could be read;
    ``refused``: what else the service said of lines, each once.
    """

    billed: set[str] = field(default_factory=set)
    whole: bool = True
    refused: set[FaultKind] = field(default_factory=set)

    def without(self, failure: ServiceFault) -> None:
        """Goes on without what the service says it does not hold (any more). Raises what says anything else."""
        if failure.fault.status not in NOT_THERE:
            raise failure
        log.warning("a batch, or a file of its results, is not at the service: %s", failure)
        self.whole = False


class NightLines:
    def __init__(
        self,
        store: Store,
        settlement: Settlement,
        pictures: Pictures,
        catalogue: CurrentCatalogue,
        alerts: Alerts,
        meter: Meter,
        clock: Clock,
        crash_point: CrashPoint,
    ) -> None:
        self._store = store
        self._settlement = settlement
        self._pictures = pictures
        self._catalogue = catalogue
        self._alerts = alerts
        self._meter = meter
        self._clock = clock
        self._crash_point = crash_point

    async def send(self, jobs: Sequence[Job]) -> list[Job]:
        """Every line that waits is *dispatched*: right after this they are asked for."""
        return [
            await self._store.jobs.dispatch(job, self._clock()) if job.state is JobState.RESERVED else job
            for job in jobs
        ]

    async def taken(self, job: Job, night: Overnight) -> None:
        """The service takes on work with the key that pays for this night."""
        await self._alerts.works(job, job.request.model, _lane(job, night))

    async def refused(self, job: Job, night: Overnight, kind: FaultKind) -> None:
        """It does not, for this reason."""
        await self._alerts.fails(job, job.request.model, _lane(job, night), kind)

    async def read_file(
        self, api: NightService, file_id: str, payer: Payer, batch_id: str, percent: int, stopped: str, seen: Read
    ) -> None:
        """Takes what a result file says into the ledger, line by line. ``stopped``: why lines were cancelled there."""
        jobs = await self._store.jobs.of_batch(batch_id)
        asked = {job.id: job.request for job in jobs}
        try:
            async with aclosing(api.answers(file_id, asked, payer)) as answers:
                await self.read(jobs, answers, percent, stopped, seen)
        except ServiceFault as failure:
            seen.without(failure)

    async def read(
        self, jobs: Sequence[Job], answers: AsyncIterator[NightAnswer], percent: int, stopped: str, seen: Read
    ) -> None:
        open_jobs = {job.id: job for job in jobs if job.state is JobState.DISPATCHED}
        known = {job.id for job in jobs}
        async for answer in answers:
            if answer.id is None:
                log.warning("a line of a batch's results cannot be read")
                seen.whole = False
                continue
            if answer.id not in known:
                log.warning("a line of a batch's results is of no job: %.40r", answer.id)
                continue
            job = open_jobs.pop(answer.id, None)
            if isinstance(answer.outcome, Made) or answer.outcome.billed is not Billed.NO:
                seen.billed.add(answer.id)
            if job is not None:
                if isinstance(answer.outcome, Fault):
                    seen.refused.add(answer.outcome.kind)
                await to_the_end(self._take(job, answer.outcome, percent, stopped))

    async def _take(self, job: Job, outcome: Made | Fault, percent: int, stopped: str) -> None:
        if isinstance(outcome, Made):
            await self._made(job, outcome, percent)
        else:
            log.info("job %s: nothing was drawn overnight: %s (billed: %s)", job.id, outcome.kind, outcome.billed)
            await self._unmade(job, outcome, stopped)

    async def _made(self, job: Job, made: Made, percent: int) -> None:
        bill = bill_overnight(job, made, self._catalogue.now.get(job.request.model), percent)
        revised = next((image.revised_prompt for image in made.images if image.revised_prompt), None)
        try:
            await self._pictures.keep_results(job.id, (made,), bill, revised)
        except Exception:
            self._pictures.shown(job.id)  # they lie at the service: the next round fetches them again
            raise
        self._crash_point("night kept")
        if (aside := self._pictures.aside(job.id)) is not None:
            job = await self._store.jobs.set_pictures_at(job, aside)
        job = await self._settlement.produce(job, bill, revised)
        self._crash_point("night produced")
        self._meter.charged(job.request.model, bill.charged_micro_usd)
        self._meter.job_finished(job.state, job.request.model)
        await self._alerts.budgets(job)

    async def _unmade(self, job: Job, fault: Fault, stopped: str) -> None:
        if fault.kind is FaultKind.MODERATION and fault.billed is Billed.NO:
            job = await self._settlement.refuse(job, fault.kind)
        else:
            maybe_billed = fault.billed is not Billed.NO
            reason = stopped if fault.kind is FaultKind.CANCELLED else fault.kind
            job = await self._settlement.close_unmade(job, reason, maybe_billed=maybe_billed)
        self._meter.job_finished(job.state, job.request.model)

    async def wind_up(self, job_ids: Sequence[str], *, billed: Billed) -> None:
        """The maker asked to be forgotten: every line is closed, and what was kept of it goes, shown to nobody."""
        found = [job for job_id in job_ids if (job := await self._store.jobs.get(job_id)) is not None]
        await self.close(found, EndReason.CANCELLED, billed=billed)
        for job_id in job_ids:
            job = await self._store.jobs.get(job_id)
            if job is not None and job.state is JobState.PRODUCED:
                await self._settlement.settle(job, Delivered(None, None))
            await self._pictures.forget(job_id)

    async def close(self, jobs: Sequence[Job], reason: str, *, billed: Billed) -> None:
        """Ends every line that is open still; those whose pictures are kept already have them."""
        for job in jobs:
            if job.state not in HOLDING:
                continue
            if job.state is JobState.DISPATCHED:
                job = await found_on_disk(job, self._store, self._pictures, self._clock)
            maybe_billed = billed is not Billed.NO and job.state is JobState.DISPATCHED
            job = await self._settlement.close_unmade(job, reason, maybe_billed=maybe_billed)
            self._meter.job_finished(job.state, job.request.model)


def _lane(job: Job, night: Overnight) -> str:
    return lane_of(job.asker.place) if job.own_key else lane_at(night.service)


def unmade(seen: Night, stopped: EndReason) -> str:
    """Why there is nothing of a line, where no result says so."""
    match seen.state:
        case NightState.CANCELLED:
            return stopped
        case NightState.EXPIRED:
            return FaultKind.TIMED_OUT
        case NightState.FAILED:
            return seen.refused
        case NightState.COMPLETED | NightState.WORKING | NightState.CANCELLING:
            return FaultKind.BROKEN_ANSWER
