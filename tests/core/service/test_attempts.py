"""The only retries there are: what was certainly not billed, inside the deadline, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from bot.core.service.attempts import RETRIES, Attempts, ServiceCall
from bot.core.service.catalogue import CurrentCatalogue
from bot.ports import NullMeter, OperatorPays
from bot.rules.errors import Busy
from bot.rules.faults import Billed, FaultKind
from bot.rules.ledger import LostLease
from bot.rules.requests import Endpoint, ImageRequest, Inputs, Kind
from tests.core.conftest import CATALOGUE, FakeService, fault


class Pace:
    def __init__(self) -> None:
        self.pushed: list[tuple[str, float]] = []
        self.fails = False
        self.leases = self

    async def push_slots(self, key, seconds):
        if self.fails:
            raise Busy
        self.pushed.append((key, seconds))


class Desk:
    def __init__(self, *script: Exception, deadline_s: float = 600, calls: int = 1) -> None:
        self.service = FakeService(list(script))
        self.pace = Pace()
        self.waited: list[float] = []
        model = "dall-e-3" if calls > 1 else "gpt-image-2.5-flare"
        request = ImageRequest(Kind.IMAGINE, Endpoint.GENERATIONS, model, "a fox", "a fox", count=calls, calls=calls)
        self.call = ServiceCall(request, Inputs(), "tag", OperatorPays(), "operator", deadline_s)
        self.attempts = Attempts(
            self.service,
            self.pace,
            NullMeter(),
            catalogue=CurrentCatalogue(CATALOGUE),
            member_tag=str,
            sleep=self.wait,
        )

    async def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        await asyncio.sleep(0)

    async def outcome(self):
        return await self.attempts.make(self.call, None)


@pytest.mark.parametrize("kind", FaultKind)
@pytest.mark.parametrize("billed", [Billed.MAYBE, Billed.YES])
async def test_what_may_have_been_billed_is_never_sent_again(kind, billed):
    desk = Desk(fault(kind, billed))

    outcome = await desk.outcome()

    assert desk.service.calls == 1
    assert outcome.maybe_billed_calls == 1


@pytest.mark.parametrize("kind", FaultKind)
async def test_each_kind_of_fault_is_tried_again_as_often_as_the_table_says(kind):
    desk = Desk(*[fault(kind)] * 20)

    outcome = await desk.outcome()

    assert desk.service.calls == 1 + RETRIES.get(kind, 0)
    assert (outcome.made, outcome.maybe_billed_calls) == ((), 0)


async def test_a_stated_wait_is_kept_and_moves_everybodys_slot():
    desk = Desk(fault(FaultKind.RATE_LIMITED, retry_after_s=2.0))

    outcome = await desk.outcome()

    assert outcome.made
    assert 2.0 <= desk.waited[0] <= 2.25
    ((key, seconds),) = desk.pace.pushed
    assert key == "images operator"
    assert seconds == pytest.approx(desk.waited[0], abs=1e-3)


async def test_a_wait_beyond_the_deadline_is_not_begun():
    desk = Desk(fault(FaultKind.RATE_LIMITED, retry_after_s=3600.0), deadline_s=60)

    outcome = await desk.outcome()

    assert desk.waited == []
    assert outcome.worst.retry_after_s == 3600


async def test_a_busy_ledger_does_not_end_a_job_that_only_had_to_wait():
    desk = Desk(fault(FaultKind.RATE_LIMITED, retry_after_s=1.0))
    desk.pace.fails = True

    assert (await desk.outcome()).made


async def test_a_bug_in_one_call_leaves_the_pictures_of_the_others():
    desk = Desk(RuntimeError("a bug"), calls=3)

    outcome = await desk.outcome()

    assert len(outcome.made) == 2
    assert outcome.maybe_billed_calls == 1


async def test_the_worst_fault_is_the_one_that_may_be_billed():
    desk = Desk(fault(FaultKind.MODERATION), fault(FaultKind.BROKEN_OFF, Billed.MAYBE), calls=2)

    assert (await desk.outcome()).worst.kind is FaultKind.BROKEN_OFF


async def test_waits_grow_and_vary():
    desk = Desk(*[fault(FaultKind.UNREACHABLE)] * 5)
    await desk.outcome()

    assert len(desk.waited) == 3
    assert all(0.375 * 2**n <= wait <= 0.625 * 2**n for n, wait in enumerate(desk.waited))


async def test_cancelling_closes_every_call():
    desk = Desk(calls=3)
    desk.service.gate = asyncio.Event()
    task = asyncio.create_task(desk.outcome())
    while desk.service.calls < 3:
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})

    assert task.cancelled()
    assert desk.service.cancelled == 3


async def test_a_call_waits_while_nobody_can_tell_whether_the_job_is_still_held():
    desk, unsure = Desk(), [Busy(), Busy()]

    async def confirm():
        assert desk.service.calls == 0
        if unsure:
            raise unsure.pop()

    results = await desk.attempts.make(desk.call, None, confirm)

    assert len(results.made) == 1
    assert desk.waited == [1.0, 1.0]


async def test_what_another_process_took_meanwhile_is_not_sent():
    desk = Desk(calls=3)

    async def confirm():
        raise LostLease

    results = await desk.attempts.make(desk.call, None, confirm)

    assert desk.service.calls == 0
    assert results.maybe_billed_calls == 0
    assert not results.made
