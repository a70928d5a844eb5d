"""Asking a service whether it made a picture, where one can tell.

Law: it is asked once and never again by itself, at a pace of its own, with the key that would pay for a picture there,
and only for who may have pictures made here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from bot.core.service.catalogue import CurrentCatalogue
from bot.core.service.circuit import Circuit
from bot.core.service.lanes import lane_at, lane_of
from bot.ports import KeyPays, Meter, OperatorPays, ProvenanceService, Store
from bot.rules.catalogue.model import DEFAULT_SERVICE
from bot.rules.catalogue.services import Service
from bot.rules.errors import UserError
from bot.rules.faults import FaultKind, ServiceFault
from bot.rules.origins import Checked, Unchecked
from bot.rules.people import Asker
from bot.rules.servers.access import check_person

log = logging.getLogger(__name__)

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
        catalogue: CurrentCatalogue,
        circuit: Circuit,
        meter: Meter,
        per_minute: float,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._service = service
        self._store = store
        self._catalogue = catalogue
        self._circuit = circuit
        self._meter = meter
        self._per_minute = per_minute
        self._sleep = sleep

    @property
    def asked(self) -> Service | None:
        """The service that is asked: the default one, else the first that can tell."""
        services: Mapping[str, Service] = self._catalogue.now.services
        able = [one for one in services.values() if one.checks_provenance]
        return next((one for one in able if one.name == DEFAULT_SERVICE), able[0] if able else None)

    async def check(self, service: Service, asker: Asker, data: bytes, mime: str) -> Checked | Unchecked:
        """What the service finds, or why nobody knows."""
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
        try:
            return await self._service.check_provenance(data, mime, payer=payer, service=service.name)
        except ServiceFault as failure:
            fault = failure.fault
        log.warning("a provenance check at %s failed: %s (%s)", service.name, fault.kind, fault.detail)
        self._meter.service_fault(fault.kind, service.name)
        if fault.kind is FaultKind.RATE_LIMITED:
            await self._store.leases.push_slots(pace, fault.retry_after_s or AGAIN_S)
            return Unchecked.BUSY
        return Unchecked.FAILED
