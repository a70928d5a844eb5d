"""What admins and the operator are told because of a job: a key refused or taken again, a budget that passed a mark."""

from __future__ import annotations

import logging

from bot.core.service.attempts import CallResults
from bot.core.service.circuit import PROVES_THE_KEY, Circuit
from bot.ports import Clock, Notifier, ServerStore
from bot.rules.errors import StorageTrouble
from bot.rules.faults import FaultKind
from bot.rules.ledger import Job
from bot.rules.people import Place

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
        if results.made or any(fault.kind in PROVES_THE_KEY for fault in results.faults):
            await self.works(job, asked, lane)
        for fault in results.faults:
            await self.fails(job, asked, lane, fault.kind)

    async def works(self, job: Job, asked: str, lane: str) -> None:
        """The lane's key was taken, and its funds sufficed."""
        if self._circuit.succeeded(self._circuit.key_of(lane, asked)):
            model = self._circuit.named(lane, asked)
            await self._notifier.service(_whose(job), working=True, why="", model=model)

    async def fails(self, job: Job, asked: str, lane: str, kind: FaultKind) -> None:
        """The service refused something for this reason, whether or not it speaks of the key."""
        key = self._circuit.key_of(lane, asked)
        if self._circuit.failed(key, kind, self._clock()):
            log.error("the image service refuses the key of %s: %s", key, kind)
            model = self._circuit.named(lane, asked)
            await self._notifier.service(_whose(job), working=False, why=kind, model=model)

    async def budgets(self, job: Job) -> None:
        """Tells of budgets of the job's server that have just passed a mark."""
        try:
            for warning in await self._servers.budget_warnings(job.asker.place, self._clock()):
                await self._notifier.budget(job.asker.place, warning)
        except StorageTrouble:
            log.warning("budget warnings were not looked at: the ledger is busy")


def _whose(job: Job) -> Place | None:
    """The server whose own key pays; None: the operator."""
    return job.asker.place if job.own_key else None
