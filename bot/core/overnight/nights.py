"""A batch's way through the night, step by step (``rules/overnight.py``), and what is cleared away afterwards.

Each step is written down before the next, so that whoever holds the lines goes on where the last one died. The lease on
the lines is the lease on the batch: it is confirmed before every step.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from bot.core.overnight.lines import NightLines, Read, unmade
from bot.core.service.catalogue import CurrentCatalogue
from bot.ports import (
    Batch,
    BatchDelivery,
    Clock,
    CrashPoint,
    ImageService,
    KeyPays,
    Night,
    NightLine,
    NightService,
    OperatorPays,
    Payer,
    Store,
)
from bot.rules.errors import OwnKeyGone
from bot.rules.faults import Billed, FaultKind, ServiceFault
from bot.rules.instants import left
from bot.rules.ledger import HOLDING, EndReason, Job, JobState, LostLease
from bot.rules.overnight import (
    CLEARED_WITHIN,
    OVER,
    READ_AGAIN_S,
    NightState,
    Overnight,
    Step,
    is_late,
    look_again_s,
    missing_line,
    next_step,
    not_found,
)
from bot.rules.people import Place
from bot.rules.servers.access import AccessDenied, DeniedBecause, check_access

log = logging.getLogger(__name__)

FOR_GOOD = frozenset(
    {FaultKind.BAD_REQUEST, FaultKind.MODERATION, FaultKind.TOO_LARGE, FaultKind.MODEL_GONE, FaultKind.ENDPOINT_GONE}
) | {FaultKind.BAD_KEY, FaultKind.FORBIDDEN, FaultKind.OUT_OF_FUNDS}
"""What was not taken for such a reason is not asked for again; everything else passes."""

WHOLE = 100
READ_TRIES = 3  # of results that are not whole: a file may have been cut short on its way


class Nights:
    def __init__(
        self,
        store: Store,
        service: ImageService,
        lines: NightLines,
        catalogue: CurrentCatalogue,
        clock: Clock,
        member_tag: Callable[[int], str],
        *,
        sleep: Callable[[float], Awaitable[None]],
        crash_point: CrashPoint,
    ) -> None:
        self._store = store
        self._service = service
        self._lines = lines
        self._catalogue = catalogue
        self._clock = clock
        self._member_tag = member_tag
        self._sleep = sleep
        self._crash_point = crash_point
        self._reads: dict[str, int] = {}

    async def until_drawn(self, batch: Batch, delivery: BatchDelivery, changed: asyncio.Event) -> bool:
        """See ``NightRunner``."""
        mine = [job.id for job in await self._store.jobs.of_batch(batch.id)]
        try:
            while (open_jobs := await self._open_lines(batch)) is not None:
                changed.clear()
                await self._store.leases.confirm(open_jobs[0])
                night = await self._of(batch)
                if night is None or night.read:
                    return True
                now = await self._store.jobs.get_batch(batch.id)
                if now is None:
                    break
                night = await self._round(now, night)
                late = is_late(night, self._clock())
                await delivery.overnight(now, night, keyless=await self.lacks_key(night), late=late)
                if not night.read:
                    again_s = READ_AGAIN_S if batch.id in self._reads else 0.0
                    await self._wait(changed, max(look_again_s(night, self._clock()), again_s))
        except LostLease:
            log.warning("batch %s goes on in another process", batch.id)
            return False
        night = await self._store.notes.overnight(batch.id)
        if await self._store.jobs.get_batch(batch.id) is None:  # forgotten: it is cleared away at the service, too
            is_out = night is not None and night.is_out
            await self._lines.wind_up(mine, billed=Billed.MAYBE if is_out else Billed.NO)
            await delivery.withdrawn(batch)
            return False
        if night is not None and not night.read:  # an earlier life died before it wrote so
            await self._keep(replace(night, read=True))
        return True

    async def _open_lines(self, batch: Batch) -> list[Job] | None:
        """The lines that nobody knows the end of yet; None: there are none."""
        return [job for job in await self._store.jobs.of_batch(batch.id) if job.state in HOLDING] or None

    async def _of(self, batch: Batch) -> Overnight | None:
        """What is remembered of it, from its first moment on. None where it was sent, and that was forgotten."""
        night = await self._store.notes.overnight(batch.id)
        if night is not None:
            return night
        jobs = await self._store.jobs.of_batch(batch.id)
        if any(job.state is not JobState.RESERVED for job in jobs):
            return None
        first = jobs[0]
        service = self._catalogue.now.service_of(first.request.model)
        model = self._catalogue.now.get(first.request.model)
        percent = model.overnight_percent if model is not None else WHOLE
        server_id = batch.asker.place.guild_id if first.own_key else None
        night = Overnight(batch.id, service, first.id, self._clock(), percent, server_id)
        return await self._keep(night)

    async def _round(self, batch: Batch, night: Overnight) -> Overnight:
        """One step, whatever the service says; a fault leaves things as they were."""
        try:
            night = await self._step(batch, night)
        except ServiceFault as failure:
            log.warning("batch %s overnight: %s", batch.id, failure)
            await self._tell(batch, night, failure.fault.kind)
            if not night.is_out and failure.fault.kind in FOR_GOOD | {FaultKind.BROKEN_ANSWER}:
                return await self._end(batch, night, failure.fault.kind, Billed.NO)
        except OwnKeyGone:
            log.warning("batch %s overnight: the server's own key is gone", batch.id)
            if not night.is_out:
                return await self._end(batch, night, EndReason.KEY_GONE, Billed.NO)
        return night

    async def _tell(self, batch: Batch, night: Overnight, kind: FaultKind) -> None:
        """A refused key stops more than this night, and somebody has to know."""
        for job in (await self._store.jobs.of_batch(batch.id))[:1]:
            await self._lines.refused(job, night, kind)

    async def _step(self, batch: Batch, night: Overnight) -> Overnight:
        step = next_step(night, self._clock())
        if step is Step.CLEAR:
            return night
        if step is Step.GIVE_UP:
            log.error("batch %s: nothing was heard of it in time", batch.id)
            reason = EndReason.KEY_GONE if await self.lacks_key(night) else FaultKind.TIMED_OUT
            return await self._end(batch, night, reason, Billed.MAYBE if night.is_out else Billed.NO)
        jobs = [job for job in await self._store.jobs.of_batch(batch.id) if job.state in HOLDING]
        if not jobs:  # closed or forgotten in this moment: the next round sees which
            return night
        stopped = await self._stopped(batch, jobs[0].request.model)
        if stopped is not None and not night.is_out:
            return await self._end(batch, night, stopped, Billed.NO)
        api, payer = await self._service.nights(service=night.service), await self._payer(night)
        match step:
            case Step.UPLOAD:
                return await self._upload(api, payer, night, jobs)
            case Step.ASK:
                return await self._ask(api, payer, batch, night, jobs)
            case Step.SEARCH:
                return await self._search(api, payer, night, jobs[0])
            case Step.LOOK:
                return await self._look(api, payer, night, stopped=stopped is not None)
            case Step.READ:
                return await self._read(api, payer, batch, night, stopped or EndReason.CANCELLED)

    # --- there -----------------------------------------------------------------------------------------------------

    async def _upload(self, api: NightService, payer: Payer, night: Overnight, jobs: Sequence[Job]) -> Overnight:
        name = f"easel-{night.mark}.jsonl"
        file_id = await api.uploaded(name, payer)  # by an earlier life
        if file_id is None:
            lines = [NightLine(job.id, job.request, self._member_tag(job.asker.user_id)) for job in jobs]
            file_id = await api.upload(name, lines, payer)
        self._crash_point("night uploaded")
        return await self._keep_held(jobs[0], replace(night, file_id=file_id, files=(file_id,)))

    async def _ask(
        self, api: NightService, payer: Payer, batch: Batch, night: Overnight, jobs: Sequence[Job]
    ) -> Overnight:
        jobs = await self._lines.send(jobs)
        self._crash_point("night sent")
        asked = await self._keep_held(jobs[0], replace(night, asked_at=self._clock()))
        await self._store.leases.confirm(jobs[0])
        self._crash_point("night asked")
        try:
            begun = await api.create(night.file_id or "", night.mark, payer)
        except ServiceFault as failure:
            fault = failure.fault
        else:
            self._crash_point("night begun")
            await self._lines.taken(jobs[0], night)
            return await self._begun(api, payer, jobs[0], asked, begun)
        log.warning("batch %s was not begun overnight: %s", batch.id, fault)
        await self._lines.refused(jobs[0], night, fault.kind)
        if fault.billed is not Billed.NO:
            return asked  # perhaps it was: it is looked for
        if fault.kind in FOR_GOOD:
            return await self._end(batch, night, fault.kind, Billed.NO)
        return await self._keep_held(jobs[0], night)

    async def _begun(self, api: NightService, payer: Payer, job: Job, asked: Overnight, begun: Night) -> Overnight:
        """Where this process slept while another one took the lines and began it, too, the later one is ended."""
        try:
            night = await self._keep_held(job, _seen(asked, begun))
        except LostLease:
            there = await self._store.notes.overnight(asked.batch_id)
            if there is not None and there.night_id not in (None, begun.id):
                log.error("batch %s was begun twice at the service: %s is cancelled", asked.batch_id, begun.id)
                await api.cancel(begun.id, payer)
            raise
        try:
            await self._end_doubles(api, payer, night)
        except ServiceFault as failure:
            log.info("batch %s: whether it was begun twice cannot be seen (%s)", night.batch_id, failure)
        return night

    async def _end_doubles(self, api: NightService, payer: Payer, night: Overnight) -> None:
        """A gateway may have asked again by itself. A list without this one may have other names for all."""
        found = await api.find(night.mark, night.file_id or "", night.began_at, payer)
        if any(one.id == night.night_id for one in found):
            await self._cancel(api, payer, night, [one for one in found if one.id != night.night_id])

    async def _cancel(self, api: NightService, payer: Payer, night: Overnight, doubles: Sequence[Night]) -> None:
        for double in doubles:
            log.error("batch %s was begun twice at the service: %s is cancelled", night.batch_id, double.id)
            await api.cancel(double.id, payer)

    async def _search(self, api: NightService, payer: Payer, night: Overnight, job: Job) -> Overnight:
        found = await api.find(night.mark, night.file_id or "", night.began_at, payer)
        await self._cancel(api, payer, night, found[1:])
        return await self._keep_held(job, _seen(night, found[0]) if found else not_found(night, self._clock()))

    async def _look(self, api: NightService, payer: Payer, night: Overnight, *, stopped: bool) -> Overnight:
        seen = await api.look(night.night_id or "", payer)
        if stopped and seen.state is NightState.WORKING:
            await api.cancel(seen.id, payer)
            seen = replace(seen, state=NightState.CANCELLING)
        if seen.state is NightState.FAILED:
            log.error("batch %s failed at the service: %s", night.batch_id, seen.why or "no reason was given")
        return await self._keep(_seen(night, seen))

    async def _read(
        self, api: NightService, payer: Payer, batch: Batch, night: Overnight, stopped: EndReason
    ) -> Overnight:
        read = Read()
        try:
            seen = await api.look(night.night_id or "", payer)
        except ServiceFault as failure:
            read.without(failure)
            seen = Night(night.night_id or "", night.state, counts=night.counts)
        if seen.state not in OVER:  # it was: where several databases answer, one may not know yet
            return await self._keep(_seen(night, seen))
        for file_id in filter(None, (seen.output, seen.error)):
            await self._lines.read_file(api, file_id, payer, batch.id, night.percent, stopped, read)
        jobs = await self._store.jobs.of_batch(batch.id)
        billed = missing_line(seen.state, seen.counts, seen=len(read.billed), whole=read.whole)
        missing = [job for job in jobs if job.state in HOLDING]
        self._reads[batch.id] = tries = self._reads.get(batch.id, 0) + 1
        if missing and billed is Billed.MAYBE and tries < READ_TRIES:
            log.warning("batch %s: %d lines stand in no result; it is read again", batch.id, len(missing))
            return night
        self._reads.pop(batch.id, None)
        if seen.state is NightState.FAILED:
            read.refused.add(seen.refused)
        for kind in read.refused:
            await self._tell(batch, night, kind)
        return await self._end(batch, _seen(night, seen), unmade(seen, stopped), billed)

    async def _end(self, batch: Batch, night: Overnight, reason: str, billed: Billed) -> Overnight:
        """Every line that is open is closed; what is at the service is cleared away later."""
        jobs = await self._store.jobs.of_batch(batch.id)
        await self._lines.close(jobs, reason, billed=billed)
        self._crash_point("night closed")
        return await self._keep(replace(night, read=True))

    # --- what else ends it -----------------------------------------------------------------------------------------

    async def _stopped(self, batch: Batch, model: str) -> EndReason | None:
        """Why it is not to be drawn: its maker took it back, or the server does not let them any more."""
        place = batch.asker.place
        if batch.cancelled:
            return EndReason.CANCELLED
        try:
            check_access(await self._store.servers.settings(place), batch.asker, model)
        except AccessDenied as denied:
            return _STOPPED.get(denied.because, EndReason.DENIED)
        has_left = place.is_server and (await self._store.notes.servers()).get(place.guild_id or 0) is not None
        return EndReason.DENIED if has_left else None

    # --- afterwards ------------------------------------------------------------------------------------------------

    async def tidy(self) -> None:
        """Clears away at the service what is over, or what nobody may know of any more. Any process may."""
        for night in await self._store.notes.overnights():
            batch = await self._store.jobs.get_batch(night.batch_id)
            if batch is not None and not night.read:
                continue
            try:
                await self._clear(night)
            except (ServiceFault, OwnKeyGone) as failure:
                log.info("what batch %s left at the service stays for now: %s", night.batch_id, failure)
                if not left(night.began_at, self._clock(), CLEARED_WITHIN):
                    await self._store.notes.drop_overnight(night.batch_id)

    async def _clear(self, night: Overnight) -> None:
        """Nobody waits for it any more: what is still being drawn is ended, then every file goes."""
        api, payer = await self._service.nights(service=night.service), await self._payer(night)
        found = await api.find(night.mark, night.file_id or "", night.began_at, payer) if night.is_out else ()
        if not found and night.night_id is None and not_found(night, self._clock()).asked_at is not None:
            return  # it may still arrive
        for one in found:
            if one.state is NightState.WORKING:
                await api.cancel(one.id, payer)
        if any(one.state not in OVER for one in found):
            return  # files come with the end
        for file_id in dict.fromkeys([*night.files, *(file for one in found for file in one.files)]):
            await api.delete(file_id, payer)
            self._crash_point("night cleared")
        await self._store.notes.drop_overnight(night.batch_id)

    # --- a server's own key ----------------------------------------------------------------------------------------

    async def lacks_key(self, night: Overnight) -> bool:
        """Whether it can neither be looked at nor taken back: the key that pays for it is gone."""
        try:
            await self._payer(night)
        except OwnKeyGone:
            return not night.read
        return False

    async def paid_by(self, place: Place) -> int:
        """So many nights are under way with the server's own key."""
        nights = await self._store.notes.overnights()
        return sum(night.server_id == place.guild_id and night.is_out and not night.read for night in nights)

    # --- shared ----------------------------------------------------------------------------------------------------

    async def _payer(self, night: Overnight) -> Payer:
        if night.server_id is None:
            return OperatorPays()
        return KeyPays(await self._store.servers.api_key(Place(night.server_id, 0)))

    async def _keep_held(self, job: Job, night: Overnight) -> Overnight:
        """The same, unless another process holds the lines meanwhile: what that one has asked for is not unwritten."""
        await self._store.leases.confirm(job)
        return await self._keep(night)

    async def _keep(self, night: Overnight) -> Overnight:
        await self._store.notes.set_overnight(night)
        return night

    async def _wait(self, changed: asyncio.Event, seconds: float) -> None:
        """Until something changed here, or so long."""
        waits = {asyncio.ensure_future(changed.wait()), asyncio.ensure_future(self._sleep(seconds))}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


_STOPPED = {DeniedBecause.PAUSED: EndReason.PAUSED, DeniedBecause.BLOCKED: EndReason.BLOCKED}


def _seen(night: Overnight, seen: Night) -> Overnight:
    files = tuple(dict.fromkeys([*night.files, *seen.files]))
    return replace(
        night,
        night_id=seen.id,
        state=seen.state,
        counts=seen.counts,
        ends_by=seen.ends_by or night.ends_by,
        files=files,
    )
