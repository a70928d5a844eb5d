"""Asking a service whether it made a picture, where one can tell.

Law: it is asked once and never again by itself, at a pace of its own, with the key that would pay for a picture there,
and only for who may have pictures made here. Where the operator gave it a price, it is work like any other: reserved
before anything is sent, charged once it was answered, and never given back where it may have been billed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.core.jobs.settlement import Settlement
from bot.core.service.catalogue import CurrentCatalogue
from bot.core.service.circuit import Circuit
from bot.core.service.lanes import lane_at, lane_of
from bot.ports import Clock, Delivered, KeyPays, Meter, OperatorPays, Payer, ProvenanceService, Store
from bot.rules.catalogue.model import DEFAULT_SERVICE
from bot.rules.catalogue.services import Service
from bot.rules.errors import UserError
from bot.rules.faults import Billed, Fault, FaultKind, ServiceFault
from bot.rules.ledger import Answer, Bill, EndReason, Job, JobDraft, JobState
from bot.rules.limits.decide import Refused
from bot.rules.money import MicroUSD
from bot.rules.origins import Checked, Unchecked
from bot.rules.people import Asker
from bot.rules.requests import Endpoint, ImageRequest, Kind
from bot.rules.servers.access import check_person

log = logging.getLogger(__name__)

CHECKS = "content_provenance_checks"
"""What a check is called where models are named."""

LONGEST_WAIT_S = 10.0
"""For a turn: somebody looks at a "thinking" meanwhile."""

AGAIN_S = 60.0
"""Nobody asks for so long after "too many requests", where the service does not say how long."""


class Origins:
    """``per_minute``: pictures a minute of the default service, which is as many checks."""

    def __init__(
        self,
        service: ProvenanceService,
        store: Store,
        settlement: Settlement,
        catalogue: CurrentCatalogue,
        circuit: Circuit,
        meter: Meter,
        clock: Clock,
        per_minute: float,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._service = service
        self._store = store
        self._settlement = settlement
        self._catalogue = catalogue
        self._circuit = circuit
        self._meter = meter
        self._clock = clock
        self._per_minute = per_minute
        self._sleep = sleep

    @property
    def asked(self) -> Service | None:
        """Who is asked."""
        return self._catalogue.now.knows_origins

    async def begin(
        self, service: Service, asker: Asker, pictures: int, answer: Answer, *, event_key: str
    ) -> Checking | Unchecked | Refused:
        """Makes ready to ask for so many pictures of one message, or says why nobody is asked. ``answer`` and
        ``event_key`` are for checks that have a price: all of them are reserved as one piece of work.

        Raises ``DuplicateEvent``, and ``OwnKeyGone`` where the server's key cannot be had.
        """
        settings = await self._store.servers.settings(asker.place)
        try:
            check_person(settings, asker)
        except UserError:
            return Unchecked.DENIED
        own_key = settings.api_key_hint is not None and service.name == DEFAULT_SERVICE
        lane = lane_of(asker.place) if own_key else lane_at(service.name)
        if self._circuit.is_open(lane):
            return Unchecked.FAILED
        payer = KeyPays(await self._store.servers.api_key(asker.place)) if own_key else OperatorPays()
        job = None
        if service.provenance_price:
            draft = _draft(service, asker, pictures, answer, event_key, own_key=own_key)
            try:
                [job] = await self._store.jobs.open([draft], self._clock())
            except Refused as refused:
                return refused
        return Checking(self, service, lane, payer, job)

    async def ask(self, checking: Checking, data: bytes, mime: str) -> Checked | Fault | None:
        """One picture's check; None where its turn is too far away."""
        service, pace = checking.service, f"checks {checking.lane}"
        slot = await self._store.leases.hold_slot(pace, service.images_per_minute or self._per_minute)
        if slot.wait_s > LONGEST_WAIT_S:
            await self._store.leases.give_slot(pace, slot)
            return None
        await self._sleep(slot.wait_s)
        if checking.job is not None and checking.job.state is JobState.RESERVED:
            checking.job = await self._store.jobs.dispatch(checking.job, self._clock())
        try:
            return await self._service.check_provenance(data, mime, payer=checking.payer, service=service.name)
        except ServiceFault as failure:
            found = failure.fault
        log.warning("a provenance check at %s failed: %s (%s)", service.name, found.kind, found.detail)
        self._meter.service_fault(found.kind, service.name)
        if found.kind is FaultKind.RATE_LIMITED:
            await self._store.leases.push_slots(pace, found.retry_after_s or AGAIN_S)
        return found

    async def end(self, job: Job, price: int, *, answered: int, maybe: int, reason: str) -> None:
        """Settles what was answered, and what may have been billed with it; without an answer nobody knows more."""
        if not answered:
            await self._settlement.close_unmade(job, reason, maybe_billed=maybe > 0)
            return
        cost = MicroUSD(price * (answered + maybe))
        job = await self._settlement.produce(job, Bill(cost, 0), None)
        await self._store.jobs.mark_deleted(job.id)  # there is no picture to look for
        await self._settlement.settle(job, Delivered(None, None))
        self._meter.charged(CHECKS, cost)


@dataclass(slots=True)
class Checking:
    """The checks of one look at a message: one piece of work, however many pictures there are. It must be ended; where
    the process ends first, recovery finds the work and says that it may have been billed.
    """

    _origins: Origins
    service: Service
    lane: str
    payer: Payer
    job: Job | None
    _answered: int = 0
    _maybe: int = 0
    _reason: str = EndReason.CANCELLED

    async def of(self, data: bytes, mime: str) -> Checked | Unchecked:
        """What the service finds in a picture, or why nobody knows."""
        found = await self._origins.ask(self, data, mime)
        match found:
            case None:
                return Unchecked.BUSY
            case Checked():
                self._answered += 1
                return found
            case Fault():
                self._maybe += found.billed is not Billed.NO
                self._reason = found.kind
                return Unchecked.BUSY if found.kind is FaultKind.RATE_LIMITED else Unchecked.FAILED

    async def end(self) -> None:
        if self.job is not None:
            price = self.service.provenance_price
            await self._origins.end(self.job, price, answered=self._answered, maybe=self._maybe, reason=self._reason)


def _draft(service: Service, asker: Asker, pictures: int, answer: Answer, event_key: str, *, own_key: bool) -> JobDraft:
    name = CHECKS if service.name == DEFAULT_SERVICE else f"{CHECKS}@{service.name}"
    request = ImageRequest(Kind.CHECK, Endpoint.EDITS, name, prompt="", count=0, calls=0, inputs=pictures, private=True)
    most = MicroUSD(service.provenance_price * pictures)
    return JobDraft(event_key, asker, request, most, answer, own_key=own_key)
