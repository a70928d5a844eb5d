"""The calls that make one job's pictures, and the only retries there are.

Law: a call is repeated only when the service has certainly not billed it, and only inside the deadline.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.core.service.catalogue import CurrentCatalogue
from bot.core.service.lanes import service_of
from bot.ports import ImageService, KeyPays, Meter, OnPartial, OperatorPays, Payer, Store
from bot.rules.catalogue.instead import gives_way
from bot.rules.catalogue.model import deadline_of
from bot.rules.errors import StorageTrouble
from bot.rules.faults import Billed, Fault, FaultKind, ServiceFault
from bot.rules.ledger import Job, LostLease
from bot.rules.requests import ImageRequest, Inputs, Made

log = logging.getLogger(__name__)

RETRIES = {FaultKind.UNREACHABLE: 3, FaultKind.RATE_LIMITED: 4, FaultKind.OVERLOADED: 1}
FIRST_WAIT_S = {FaultKind.UNREACHABLE: 0.5, FaultKind.RATE_LIMITED: 5.0, FaultKind.OVERLOADED: 1.0}
CALLS_AT_ONCE = 4
"""Calls of one job in flight, for models that make one picture a call."""

UNSURE_WAIT_S = 1.0
"""Between looks at who holds a job, while the ledger cannot be asked."""

Confirm = Callable[[], Awaitable[None]]
"""``LeaseStore.confirm`` for the job, before each call: what another process may have taken is not sent."""


async def _sure() -> None: ...


FALLBACK_DEADLINE_S = 180.0
"""For a model that the catalogue does not know any more."""


@dataclass(frozen=True, slots=True)
class ServiceCall:
    """What every call of one job sends. ``lane`` is what is paced; ``deadline_s`` holds for all calls together.

    ``gives_way``: another model may draw it, so what says that this one draws nothing now is not waited for.
    """

    request: ImageRequest
    inputs: Inputs
    member_tag: str
    payer: Payer
    lane: str
    deadline_s: float
    gives_way: bool = False


@dataclass(frozen=True, slots=True)
class CallResults:
    """What came of a job's calls. ``faults`` has one entry a call that made nothing; ``made`` may be short or empty."""

    made: tuple[Made, ...]
    faults: tuple[Fault, ...]

    @property
    def maybe_billed_calls(self) -> int:
        return sum(fault.billed is not Billed.NO for fault in self.faults)

    @property
    def worst(self) -> Fault | None:
        """The fault to tell about: one that may be billed before one that is not."""
        return max(self.faults, key=lambda fault: fault.billed is not Billed.NO, default=None)


class Attempts:
    def __init__(
        self,
        service: ImageService,
        store: Store,
        meter: Meter,
        *,
        catalogue: CurrentCatalogue,
        member_tag: Callable[[int], str],
        deadline_s: float | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._service = service
        self._store = store
        self._meter = meter
        self._catalogue = catalogue
        self._member_tag = member_tag
        self._deadline_s = deadline_s
        self._sleep = sleep

    async def call_for(
        self, job: Job, request: ImageRequest, inputs: Inputs, lane: str, *, gives_way: bool = False
    ) -> ServiceCall:
        """What will be sent for a job. It reads the ledger (a server's own key), so it comes before *dispatched*.

        ``request`` is the job's, or the same as another model takes it. Raises ``OwnKeyGone``.
        """
        return ServiceCall(
            request=request,
            inputs=inputs,
            member_tag=self._member_tag(job.asker.user_id),
            payer=await self._payer_of(job),
            lane=lane,
            deadline_s=self.deadline_of(request),
            gives_way=gives_way and request.calls == 1,
        )

    async def _payer_of(self, job: Job) -> Payer:
        """Who was to pay when the job was reserved, and nobody else. Raises ``OwnKeyGone``."""
        if job.own_key:
            return KeyPays(await self._store.servers.api_key(job.asker.place))
        return OperatorPays()

    def deadline_of(self, request: ImageRequest) -> float:
        """Seconds that all calls of a request may take: what the operator set, else by model and quality."""
        if self._deadline_s is not None:
            return self._deadline_s
        model = self._catalogue.now.get(request.model)
        return float(deadline_of(model, request)) if model is not None else FALLBACK_DEADLINE_S

    async def make(self, call: ServiceCall, on_partial: OnPartial | None, confirm: Confirm = _sure) -> CallResults:
        """All calls of a job, within its deadline. Raises only ``CancelledError``."""
        until = asyncio.get_running_loop().time() + call.deadline_s
        gate = asyncio.Semaphore(CALLS_AT_ONCE)

        async def one() -> Made | Fault:
            async with gate:
                return await self._call_once(call, until, on_partial, confirm)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one()) for _ in range(call.request.calls)]
        results = [task.result() for task in tasks]
        return CallResults(
            made=tuple(result for result in results if isinstance(result, Made)),
            faults=tuple(result for result in results if isinstance(result, Fault)),
        )

    async def _call_once(
        self, call: ServiceCall, until: float, on_partial: OnPartial | None, confirm: Confirm
    ) -> Made | Fault:
        tries: dict[FaultKind, int] = {}
        while True:
            left = until - asyncio.get_running_loop().time()
            if left <= 0:
                return Fault(FaultKind.TIMED_OUT, Billed.NO, detail="the deadline passed before the call was sent")
            try:
                await confirm()
            except StorageTrouble:
                await self._sleep(UNSURE_WAIT_S)
                continue
            except LostLease:
                return Fault(FaultKind.CANCELLED, Billed.NO, detail="another process holds the job")
            try:
                return await self._service.make(
                    call.request,
                    call.inputs,
                    payer=call.payer,
                    member_tag=call.member_tag,
                    deadline_s=left,
                    on_partial=on_partial,
                )
            except ServiceFault as failure:
                fault = failure.fault
            except Exception as bug:  # one call's bug must not take the pictures of the others with it
                log.exception("the adapter failed in a way it should not")
                fault = Fault(FaultKind.BROKEN_ANSWER, Billed.MAYBE, detail=type(bug).__name__)
            self._meter.service_fault(fault.kind, service_of(call.lane))
            tries[fault.kind] = tries.get(fault.kind, 0) + 1
            wait = self._wait(fault, tries[fault.kind])
            if wait is None or wait >= until - asyncio.get_running_loop().time():
                return fault
            if fault.kind is FaultKind.RATE_LIMITED:
                await self._hold_back(call.lane, wait)
            if call.gives_way and gives_way([fault]):
                return fault
            await self._sleep(wait)

    async def _hold_back(self, lane: str, wait_s: float) -> None:
        """Moves everybody's next slot; this call waits by itself, whether or not that could be written."""
        try:
            await self._store.leases.push_slots(f"images {lane}", wait_s)
        except StorageTrouble:
            log.warning("the pace of lane %s could not be moved: the ledger is busy", lane)

    def _wait(self, fault: Fault, tried: int) -> float | None:
        """Seconds until the same call may be sent again; None: never."""
        if fault.billed is not Billed.NO or tried > RETRIES.get(fault.kind, 0):
            return None
        if fault.retry_after_s is not None:
            return fault.retry_after_s + random.uniform(0, 0.25)
        return FIRST_WAIT_S[fault.kind] * 2.0 ** (tried - 1) * random.uniform(0.75, 1.25)
