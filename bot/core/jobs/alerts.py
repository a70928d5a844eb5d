"""What admins and the operator are told because of a job: a key refused or taken again, a budget that passed a mark."""

from __future__ import annotations

import logging

from bot.core.service.attempts import CallResults
from bot.core.service.circuit import PROVES_THE_KEY, Circuit
from bot.ports import Clock, Notifier, ServerStore
from bot.rules.errors import StorageTrouble
from bot.rules.ledger import Job

log = logging.getLogger(__name__)


class Alerts:
    def __init__(self, servers: ServerStore, notifier: Notifier, circuit: Circuit, clock: Clock) -> None:
        self._servers = servers
        self._notifier = notifier
        self._circuit = circuit
        self._clock = clock

    async def service(self, job: Job, asked: str, lane: str, results: CallResults) -> None:
        """Opens or closes the lane's circuit by what the service answered when it was ``asked`` for a picture of that
        model, and tells when that changed something.
        """
        place = job.asker.place if job.own_key else None
        circuit, key = self._circuit, self._circuit.key_of(lane, asked)
        model = circuit.named(lane, asked)
        works = results.made or any(fault.kind in PROVES_THE_KEY for fault in results.faults)
        if works and circuit.succeeded(key):
            await self._notifier.service(place, working=True, why="", model=model)
        for fault in results.faults:
            if circuit.failed(key, fault.kind, self._clock()):
                log.error("the image service refuses the key of %s: %s", key, fault.kind)
                await self._notifier.service(place, working=False, why=fault.kind, model=model)

    async def budgets(self, job: Job) -> None:
        """Tells of budgets of the job's server that have just passed a mark."""
        try:
            for warning in await self._servers.budget_warnings(job.asker.place, self._clock()):
                await self._notifier.budget(job.asker.place, warning)
        except StorageTrouble:
            log.warning("budget warnings were not looked at: the ledger is busy")
