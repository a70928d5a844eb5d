"""What the next life does with the jobs of one that died: one test per state, and the files beside it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.adapters.database import store_on
from bot.adapters.database.leases import Life
from bot.adapters.files.disk import DiskFiles
from bot.adapters.secrets import Secrets
from bot.ports import Bundle, CannotDeliver, Kept, WhyKept
from bot.rules.errors import Interrupted, StorageFull
from bot.rules.ledger import Bill, JobState, LostLease
from bot.rules.money import MicroUSD
from bot.rules.requests import Inputs, Made, MadeImage
from tests.core.conftest import KEY, NOON, PICTURE, Core, FakeService, assert_invariants, every_job
from tests.support.ledger import left_delivered

BILL = Bill(MicroUSD(5000), 2, request_id="req_1")
MADE = (Made((MadeImage(PICTURE, "png", 0, 0), MadeImage(PICTURE, "png", 0, 0))),)


@pytest.fixture
async def left(core, tmp_path):
    """Jobs left behind in a state: ``await left(state)``; then ``left.core`` is the next life."""

    class Left:
        def __init__(self) -> None:
            store = store_on(core.store.database, Secrets((KEY,)), clock=lambda: NOON)
            self.core = Core(store, DiskFiles(tmp_path, floor_bytes=0), FakeService())

        async def __call__(self, state: JobState):
            job = await core.open(count=2)
            store, now = core.store, NOON
            if state is not JobState.RESERVED:
                job = await store.jobs.dispatch(job, now)
            if state in (JobState.PRODUCED, JobState.DELIVERED):
                job = await store.jobs.produce(job, BILL, None, now)
            if state is JobState.DELIVERED:
                job = await left_delivered(store, job)
            return job

        async def next_life(self) -> None:
            await self.core.recovery.adopt_and_close()

    return Left()


async def only(left):
    (job,) = await every_job(left.core.store)
    return job


async def test_reserved_is_released_and_told(left):
    await left(JobState.RESERVED)
    await left.next_life()

    assert (await only(left)).state is JobState.RELEASED
    (told,) = left.core.delivery.told
    assert isinstance(told, Interrupted)
    assert not told.maybe_billed


async def test_dispatched_is_unknown_told_and_never_sent(left):
    await left(JobState.DISPATCHED)
    await left.next_life()

    job = await only(left)
    assert (job.state, job.charged_micro_usd > 0) == (JobState.UNKNOWN, True)
    assert left.core.delivery.told[0].maybe_billed
    assert left.core.service.calls == 0


async def test_dispatched_with_all_its_pictures_on_disk_is_shown_and_charged_as_billed(left):
    job = await left(JobState.DISPATCHED)
    await left.core.pictures.keep_results(job.id, MADE, BILL, "a fox, revised")
    await left.next_life()

    job = await only(left)
    assert (job.state, job.charged_micro_usd, job.revised_prompt) == (JobState.SETTLED, 5000, "a fox, revised")
    assert job.bill.estimated
    assert left.core.delivery.shown == [job.id]


async def test_dispatched_with_only_some_of_its_pictures_on_disk_is_unknown(left):
    job = await left(JobState.DISPATCHED)
    await left.core.files.keep(job.id, Kept.RESULTS, Bundle((("0.png", PICTURE),)))
    await left.next_life()

    assert (await only(left)).state is JobState.UNKNOWN
    assert left.core.delivery.shown == []


async def test_produced_is_shown(left):
    job = await left(JobState.PRODUCED)
    await left.core.pictures.keep_results(job.id, MADE, BILL, None)
    await left.next_life()

    assert (await only(left)).state is JobState.SETTLED
    assert left.core.delivery.shown == [job.id]
    assert left.core.service.calls == 0


async def test_produced_that_cannot_be_shown_waits_and_is_left_alone_by_later_rounds(left):
    job = await left(JobState.PRODUCED)
    await left.core.pictures.keep_results(job.id, MADE, BILL, None)
    left.core.delivery.trouble = [CannotDeliver("no")]
    for _ in range(3):
        await left.next_life()

    assert (await only(left)).waiting
    assert left.core.delivery.shown == []
    assert left.core.delivery.kept_for == [WhyKept.NOT_TAKEN]


async def test_produced_whose_pictures_are_gone_is_told_and_closed(left):
    await left(JobState.PRODUCED)
    await left.next_life()

    assert (await only(left)).state is JobState.SETTLED
    assert left.core.delivery.told[0].maybe_billed


# --- machines with disks of their own ---------------------------------------------------------------------------


@pytest.fixture
def machine(core, tmp_path):
    """A life on a machine with a disk of its own, of the same ledger: ``machine("a")``."""

    def make(name: str) -> Core:
        files = DiskFiles(tmp_path / name, floor_bytes=0)
        life = Life(process=name, places=files.places)
        store = store_on(core.store.database, Secrets((KEY,)), clock=lambda: NOON, life=life)
        return Core(store, files, FakeService())

    return make


async def dispatched_on(machine: Core, **options):
    job = await machine.open(count=2, **options)
    return await machine.store.jobs.dispatch(job, NOON)


async def test_what_lies_on_another_machine_is_late_not_lost_and_told_once(machine):
    first, other = machine("a"), machine("b")
    job = await first.store.jobs.produce(await dispatched_on(first), BILL, None, NOON)
    await first.pictures.keep_results(job.id, MADE, BILL, None)
    for _ in range(3):
        await other.recovery.adopt_and_close()

    assert other.delivery.kept_for == [WhyKept.ELSEWHERE]
    assert (other.delivery.told, other.delivery.shown) == ([], [])
    assert (await other.store.jobs.get(job.id)).state is JobState.PRODUCED

    back = machine("a")
    await back.recovery.adopt_and_close()

    assert back.delivery.shown == [job.id]
    (ended,) = await assert_invariants(back.store)
    assert (ended.state, ended.charged_micro_usd) == (JobState.SETTLED, 5000)


async def test_what_was_called_unknown_is_shown_and_billed_right_when_its_machine_comes_back(machine):
    first, other = machine("a"), machine("b")
    job = await dispatched_on(first)
    await first.pictures.keep_results(job.id, MADE, BILL, "a fox, revised")
    await other.recovery.adopt_and_close()
    assert await other.recovery.retrieve() == 0
    (lost,) = await assert_invariants(other.store)
    assert (lost.state, lost.charged_micro_usd) == (JobState.UNKNOWN, job.reserved_micro_usd)

    back = machine("a")
    assert await back.recovery.retrieve() == 1
    assert await back.recovery.retrieve() == 0

    assert back.delivery.shown == [job.id]
    (ended,) = await assert_invariants(back.store)
    assert (ended.state, ended.charged_micro_usd, ended.revised_prompt) == (JobState.SETTLED, 5000, "a fox, revised")


async def test_what_was_called_unknown_stays_so_where_nothing_was_made(machine):
    first, other = machine("a"), machine("b")
    await dispatched_on(first)
    await other.recovery.adopt_and_close()

    assert await machine("a").recovery.retrieve() == 0
    (lost,) = await assert_invariants(other.store)
    assert lost.state is JobState.UNKNOWN


async def test_a_picture_that_waits_on_another_machine_is_left_to_it_when_it_is_asked_for(machine):
    first, other = machine("a"), machine("b")
    job = await first.store.jobs.produce(await dispatched_on(first), BILL, None, NOON)
    await first.pictures.keep_results(job.id, MADE, BILL, None)
    job = await first.store.jobs.set_waiting(job, True)

    assert not await other.recovery.deliver_kept(job, other.delivery)
    assert other.delivery.kept_for == [WhyKept.ELSEWHERE]

    await first.recovery.adopt_and_close()
    assert first.delivery.shown == [job.id]


async def test_delivered_is_settled_without_a_word(left):
    await left(JobState.DELIVERED)
    await left.next_life()

    assert (await only(left)).state is JobState.SETTLED
    assert (left.core.delivery.shown, left.core.delivery.told) == ([], [])


async def test_of_two_that_recover_one_acts(left):
    job = await left(JobState.DISPATCHED)
    await left.next_life()

    with pytest.raises(LostLease):
        await left.core.recovery.recover(replace(job, epoch=job.epoch))
    assert len(left.core.delivery.told) == 1


async def test_a_job_without_an_answer_to_deliver_to_waits(left):
    job = await left(JobState.PRODUCED)
    await left.core.pictures.keep_results(job.id, MADE, BILL, None)

    assert not await left.core.recovery.deliver_kept(replace(job, answer=None))
    assert (await only(left)).waiting


async def test_a_job_between_its_opening_and_its_start_is_not_taken_for_dropped(core):
    job = await core.open()
    await core.recovery.adopt_and_close()

    (found,) = await every_job(core.store)
    assert found.state is JobState.RESERVED
    await core.intake.abandon(job, "the test is over")


async def test_a_job_that_starts_while_it_is_looked_for_is_not_taken_for_dropped(core, monkeypatch):
    job = await core.open()
    await core.recovery.adopt_and_close()
    held_by_us, started = core.store.leases.held, []

    async def as_it_starts():
        held = await held_by_us()
        started.append(core.jobs.start(job, Inputs(), core.delivery))
        return held

    monkeypatch.setattr(core.store.leases, "held", as_it_starts)
    assert await core.recovery.adopt_and_close() == 0
    await asyncio.wait(started)
    assert core.delivery.shown == [job.id]


async def test_only_what_was_dropped_is_closed_beside_what_is_at_work(core):
    core.service.gate = asyncio.Event()
    at_work = core.jobs.start(await core.open("at work"), Inputs(), core.delivery)
    dropped = await core.open("dropped")
    await core.recovery.adopt_and_close()
    assert await core.recovery.adopt_and_close() == 1
    assert (await core.store.jobs.get(dropped.id)).state is JobState.RELEASED
    core.service.gate.set()
    await asyncio.wait({at_work})
    assert [job.state for job in await every_job(core.store)] == [JobState.SETTLED, JobState.RELEASED]


async def test_a_job_that_starts_while_what_was_dropped_is_read_is_left_to_it(core, monkeypatch):
    job = await core.open()
    await core.recovery.adopt_and_close()
    unfinished, started = core.store.leases.unfinished, []

    async def as_it_starts():
        whole = await unfinished()
        started.append(core.jobs.start(job, Inputs(), core.delivery))
        return whole

    monkeypatch.setattr(core.store.leases, "unfinished", as_it_starts)
    assert await core.recovery.adopt_and_close() == 0
    await asyncio.wait(started)
    assert core.delivery.shown == [job.id]


async def test_what_was_called_unknown_is_looked_for_once(machine, monkeypatch):
    first, other = machine("a"), machine("b")
    await dispatched_on(first)
    await other.recovery.adopt_and_close()
    back, looked = machine("a"), []

    async def nothing(job_id: str) -> None:
        looked.append(job_id)

    monkeypatch.setattr(back.pictures, "kept_bill", nothing)
    assert [await back.recovery.retrieve() for _ in range(3)] == [0, 0, 0]
    assert len(looked) == 1


@pytest.mark.parametrize(("failure", "traceback"), [(StorageFull("no room"), False), (KeyError("bug"), True)])
async def test_a_job_that_a_full_disk_keeps_from_its_end_is_one_line_without_a_traceback(
    left, monkeypatch, caplog, failure, traceback
):
    await left(JobState.RESERVED)

    async def refuse(*_given, **_more):
        raise failure

    monkeypatch.setattr(type(left.core.store.jobs), "release", refuse)
    await left.next_life()
    [said] = [one for one in caplog.records if "could not be recovered" in one.getMessage()]
    assert bool(said.exc_info) == traceback
    assert type(failure).__name__ in said.getMessage()
    for _round in range(6):
        await left.next_life()
    monkeypatch.undo()
    for _round in range(2):
        await left.next_life()
    assert (await only(left)).state is JobState.RELEASED
