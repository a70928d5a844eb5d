"""Asking a service whether it made a picture, where one can tell.

Law: it is asked once and never again by itself, at a pace of its own, with the key that would pay for a picture there,
and only for who may have pictures made here. Where the operator gave it a price, it is work like any other: reserved
before anything is sent, charged once it was answered, and never given back where it may have been billed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.core.jobs.settlement import Settlement
from bot.core.service.catalogue import CurrentCatalogue
from bot.core.service.circuit import Circuit
from bot.core.service.lanes import lane_at, lane_of
from bot.ports import Clock, Delivered, KeyPays, Meter, OperatorPays, Payer, ProvenanceService, Store
from bot.rules.catalogue.model import DEFAULT_SERVICE
from bot.rules.catalogue.services import Service
from bot.rules.errors import UserError
from bot.rules.faults import Billed, Fault, FaultKind, ServiceFault
from bot.rules.ledger import Answer, Bill, JobDraft
from bot.rules.limits.decide import Refused
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

    async def check(
        self, service: Service, asker: Asker, data: bytes, mime: str, answer: Answer, *, event_key: str
    ) -> Checked | Unchecked:
        """What the service finds, or why nobody knows. ``answer`` and ``event_key`` are for one that has a price."""
        settings = await self._store.servers.settings(asker.place)
        try:
            check_person(settings, asker)
        except UserError:
            return Unchecked.DENIED
        own_key = settings.api_key_hint is not None and service.name == DEFAULT_SERVICE
        lane = lane_of(asker.place) if own_key else lane_at(service.name)
        if self._circuit.is_open(lane):
            return Unchecked.FAILED
        pace = f"checks {lane}"
        slot = await self._store.leases.hold_slot(pace, service.images_per_minute or self._per_minute)
        if slot.wait_s > LONGEST_WAIT_S:
            await self._store.leases.give_slot(pace, slot)
            return Unchecked.BUSY
        await self._sleep(slot.wait_s)
        payer = KeyPays(await self._store.servers.api_key(asker.place)) if own_key else OperatorPays()
        draft = _draft(service, asker, answer, event_key, own_key=own_key)
        try:
            found = await self._paid(draft, service, data, mime, payer)
        except Refused:
            return Unchecked.LIMIT
        if isinstance(found, Checked):
            return found
        log.warning("a provenance check at %s failed: %s (%s)", service.name, found.kind, found.detail)
        self._meter.service_fault(found.kind, service.name)
        if found.kind is FaultKind.RATE_LIMITED:
            await self._store.leases.push_slots(pace, found.retry_after_s or AGAIN_S)
            return Unchecked.BUSY
        return Unchecked.FAILED

    async def _paid(self, draft: JobDraft, service: Service, data: bytes, mime: str, payer: Payer) -> Checked | Fault:
        """Raises ``Refused`` where a limit has no room for its price."""
        if not draft.upper_micro_usd:
            return await self._ask(service, data, mime, payer)
        [job] = await self._store.jobs.open([draft], self._clock())
        job = await self._store.jobs.dispatch(job, self._clock())
        found = await self._ask(service, data, mime, payer)
        if isinstance(found, Fault):
            await self._settlement.close_unmade(job, found.kind, maybe_billed=found.billed is not Billed.NO)
            return found
        job = await self._settlement.produce(job, Bill(draft.upper_micro_usd, 0), None)
        await self._store.jobs.mark_deleted(job.id)  # there is no picture to look for
        await self._settlement.settle(job, Delivered(None, None))
        self._meter.charged(CHECKS, draft.upper_micro_usd)
        return found

    async def _ask(self, service: Service, data: bytes, mime: str, payer: Payer) -> Checked | Fault:
        try:
            return await self._service.check_provenance(data, mime, payer=payer, service=service.name)
        except ServiceFault as failure:
            return failure.fault


def _draft(service: Service, asker: Asker, answer: Answer, event_key: str, *, own_key: bool) -> JobDraft:
    name = CHECKS if service.name == DEFAULT_SERVICE else f"{CHECKS}@{service.name}"
    request = ImageRequest(Kind.CHECK, Endpoint.EDITS, name, prompt="", count=0, calls=0, inputs=1, private=True)
    return JobDraft(event_key, asker, request, service.provenance_price, answer, own_key=own_key)
