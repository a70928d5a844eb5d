"""A job's life without Discord and without a network: cancel, shutdown, trouble; and every n-th call failing."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.adapters.files.disk import DiskFiles
from bot.core.jobs.intake import Quote
from bot.core.jobs.running import CancelOutcome
from bot.core.service.circuit import FIRST_PROBE
from bot.ports import CannotDeliver, Delivered, Kept, WhyKept
from bot.rules.errors import (
    Busy,
    Cancelled,
    Interrupted,
    NotFound,
    ServicePaused,
    ShuttingDown,
    StorageFull,
    StorageTrouble,
)
from bot.rules.faults import Billed, FaultKind, ServiceFailed
from bot.rules.ledger import Bill, EndReason, JobState
from bot.rules.money import MicroUSD
from bot.rules.people import Place
from bot.rules.requests import InputImage, Inputs
from bot.rules.servers.access import AccessDenied
from bot.rules.servers.changes import Listed
from bot.rules.servers.edits import ListChange, blocked, listed, paused
from tests.core.conftest import PICTURE, Core, FakeService, assert_invariants, every_job, fault
from tests.support.ledger import each_part


async def states(core: Core) -> list[JobState]:
    return [job.state for job in await every_job(core.store)]


async def calls(core: Core, count: int = 1) -> None:
    async with asyncio.timeout(5):
        while core.service.calls < count:
            await asyncio.sleep(0)


async def test_a_job_is_made_shown_and_settled(core):
    await core.run()

    assert await states(core) == [JobState.SETTLED]
    assert len(core.delivery.shown) == 1
    assert core.delivery.told == []
    assert core.settlement.outstanding == {}


@pytest.mark.parametrize("posted", [True, False])
async def test_the_mark_that_a_post_began_is_kept_until_the_ledger_knows_of_it(core, posted):
    job = await core.store.jobs.dispatch(await core.open(), core.now)
    job = await core.settlement.produce(job, Bill(MicroUSD(5), 1), None)
    await core.store.notes.set_posting(job.id, core.now)
    await core.settlement.settle(job, Delivered(77, 100, posted=posted))
    assert (await core.store.notes.posting(job.id) is None) is posted


async def test_pictures_that_are_there_when_the_process_ends_are_not_called_lost(core, monkeypatch):
    reached, go_on, keep = asyncio.Event(), asyncio.Event(), core.files.keep

    async def slowly(*given):
        reached.set()
        await go_on.wait()
        await keep(*given)

    monkeypatch.setattr(core.files, "keep", slowly)
    task = core.jobs.start(await core.open(), Inputs(), core.delivery)
    await reached.wait()
    task.cancel()
    go_on.set()
    await asyncio.wait({task})
    assert (core.delivery.told, await states(core)) == ([], [JobState.PRODUCED])
    for _ in range(2):
        await core.recovery.adopt_and_close()
    assert len(core.delivery.shown) == 1


async def test_pictures_that_are_there_are_shown_though_their_maker_is_blocked_meanwhile(core, monkeypatch):
    reached, go_on, result = asyncio.Event(), asyncio.Event(), core.delivery.result

    async def slowly(*given):
        reached.set()
        await go_on.wait()
        return await result(*given)

    monkeypatch.setattr(core.delivery, "result", slowly)
    task = core.jobs.start(await core.open(), Inputs(), core.delivery)
    await reached.wait()
    assert await core.jobs.cancel_all_of(core.asker(9), 1) == 0
    go_on.set()
    await asyncio.wait({task})
    assert await states(core) == [JobState.SETTLED]


async def test_who_cancels_twice_closes_it_once(core, monkeypatch):
    core.service.gate = asyncio.Event()
    reached, go_on, lose = asyncio.Event(), asyncio.Event(), core.store.jobs.lose

    async def slowly(*given):
        reached.set()
        await go_on.wait()
        return await lose(*given)

    monkeypatch.setattr(core.store.jobs, "lose", slowly)
    job = await core.open()
    core.jobs.start(job, Inputs(), core.delivery)
    await calls(core)
    first = asyncio.create_task(core.jobs.cancel(job.id, core.asker()))
    await reached.wait()
    second = asyncio.create_task(core.jobs.cancel(job.id, core.asker()))
    for _ in range(10):
        await asyncio.sleep(0)
    go_on.set()
    assert [await first, await second] == [CancelOutcome.MAYBE_BILLED] * 2
    assert await states(core) == [JobState.UNKNOWN]


async def test_what_another_process_called_unknown_is_shown_when_it_is_drawn_after_all(core):
    core.service.gate = asyncio.Event()
    job = await core.open()
    task = core.jobs.start(job, Inputs(), core.delivery)
    await calls(core)
    lost = await core.store.jobs.lose(await core.store.jobs.get(job.id), EndReason.RESTART, core.now)
    assert lost.charged_micro_usd == job.reserved_micro_usd
    core.service.gate.set()
    await asyncio.wait({task})
    (ended,) = await every_job(core.store)
    assert (ended.state, ended.charged_micro_usd, core.delivery.shown) == (JobState.SETTLED, 196 * 30 + 50, [job.id])


async def test_what_moved_on_elsewhere_is_not_closed_and_not_waited_for(core):
    job = await core.open()
    await core.store.jobs.release(job, EndReason.RESTART, core.now)

    assert await core.settlement.close_unmade(job, EndReason.STOPPED, maybe_billed=False) == job

    assert await states(core) == [JobState.RELEASED]
    assert core.waited == []


async def test_what_was_uploaded_is_kept_before_anybody_can_press_again(core):
    job, kept = await core.open(), []
    result = core.delivery.result

    async def shown(*given):
        kept.append(await core.files.read(job.id, Kept.INPUTS))
        return await result(*given)

    core.delivery.result = shown
    photo = InputImage("photo.png", "image/png", PICTURE, 1024, 1024)
    await asyncio.wait({core.jobs.start(job, Inputs((photo,)), core.delivery)})

    assert [bundle and bundle.files for bundle in kept] == [(("in-0.png", PICTURE),)]


async def test_a_job_cancelled_in_line_is_released(core):
    core.service.gate = asyncio.Event()
    busy = [core.jobs.start(await core.open(f"e{n}"), Inputs(), core.delivery) for n in range(4)]
    await calls(core, 4)
    waiting = await core.open("mine")
    core.jobs.start(waiting, Inputs(), core.delivery)

    outcome = await core.jobs.cancel(waiting.id, core.asker())

    assert outcome is CancelOutcome.RELEASED
    assert isinstance(core.delivery.told[0], Cancelled)
    core.service.gate.set()
    await asyncio.wait(busy)
    assert core.service.calls == 4


async def test_a_job_cancelled_while_drawing_closes_the_connection_and_stays_charged(core):
    core.service.gate = asyncio.Event()
    job = await core.open()
    core.jobs.start(job, Inputs(), core.delivery)
    await calls(core)

    outcome = await core.jobs.cancel(job.id, core.asker())

    assert outcome is CancelOutcome.MAYBE_BILLED
    assert core.service.cancelled == 1
    assert await states(core) == [JobState.UNKNOWN]


async def test_a_job_cancelled_before_its_first_step_is_closed_all_the_same(core):
    job = await core.open()
    core.jobs.start(job, Inputs(), core.delivery)

    assert await core.jobs.cancel(job.id, core.asker()) is CancelOutcome.RELEASED
    assert core.service.calls == 0


async def test_only_the_maker_or_a_moderator_cancels_and_only_where_it_is(core):
    core.service.gate = asyncio.Event()
    job = await core.open()
    task = core.jobs.start(job, Inputs(), core.delivery)
    with pytest.raises(AccessDenied):
        await core.jobs.cancel(job.id, core.asker(2))
    with pytest.raises(NotFound):
        await core.jobs.cancel("nosuchjob", core.asker())
    core.service.gate.set()
    await asyncio.wait({task})
    assert await core.jobs.cancel(job.id, core.asker()) is CancelOutcome.TOO_LATE


async def test_a_blocked_members_jobs_are_all_stopped_also_those_not_begun(core):
    core.service.gate = asyncio.Event()
    for number in range(6):
        core.jobs.start(await core.open(f"e{number}"), Inputs(), core.delivery)
    await calls(core, 4)
    core.jobs.start(await core.open("last"), Inputs(), core.delivery)

    elsewhere = replace(core.asker(9), place=Place(11, 9))
    assert await core.jobs.cancel_all_of(elsewhere, 1) == 0
    assert await core.jobs.cancel_all_of(core.asker(9), 1) == 7
    assert core.jobs.running_ids() == frozenset()
    assert sorted(await states(core)) == sorted([JobState.UNKNOWN] * 4 + [JobState.RELEASED] * 3)


@pytest.mark.parametrize(
    "edit", [paused("party"), blocked(1, "why"), listed(Listed.MODELS, ListChange(deny="gpt-image-2.5-flare"))]
)
async def test_what_is_not_allowed_any_more_when_its_turn_comes_is_given_back(core, edit):
    job = await core.open()
    await core.store.servers.change_settings(core.asker().place, edit, 9, core.now)
    with pytest.raises(AccessDenied):
        await core.intake.reprice(core.asker(), job.request)
    with pytest.raises(AccessDenied):
        quote = Quote(job.request, job.reserved_micro_usd, job.reserved_micro_usd)
        await core.intake.open(core.asker(), quote, core.answer(), event_key="e2")  # quoted a moment before
    await asyncio.wait({core.jobs.start(job, Inputs(), core.delivery)})
    assert (core.service.calls, (await core.store.jobs.get(job.id)).state) == (0, JobState.RELEASED)
    (told,) = core.delivery.told
    assert isinstance(told, AccessDenied)


async def test_a_cancel_at_any_moment_leaves_one_end_and_nothing_reserved(core):
    for moment in range(60):
        job = await core.open(f"e{moment}")
        task = core.jobs.start(job, Inputs(), core.delivery)
        for _ in range(moment * 3):
            await asyncio.sleep(0)
        await core.jobs.cancel(job.id, core.asker())
        await asyncio.wait({task})
    jobs = await assert_invariants(core.store)
    ended = {job.state for job in jobs}

    assert ended <= {JobState.RELEASED, JobState.UNKNOWN, JobState.SETTLED}
    assert JobState.RELEASED in ended
    assert len(core.delivery.shown) + len(core.delivery.told) == 60
    unknown = sum(job.state is JobState.UNKNOWN for job in jobs)
    assert unknown <= core.service.calls


async def test_at_shutdown_who_waits_is_told_at_no_cost_and_who_draws_may_finish(core):
    core.service.gate = asyncio.Event()
    for number in range(6):
        core.jobs.start(await core.open(f"e{number}"), Inputs(), core.delivery)
    await calls(core, 4)
    core.jobs.refuse_new()
    finishing = asyncio.create_task(core.jobs.finish(5))
    await asyncio.sleep(0.05)
    core.service.gate.set()
    await finishing

    assert sorted(await states(core)) == sorted([JobState.SETTLED] * 4 + [JobState.RELEASED] * 2)
    assert core.service.calls == 4
    assert [error.maybe_billed for error in core.delivery.told] == [False, False]
    with pytest.raises(ShuttingDown):
        await core.open("new")


async def test_at_the_end_of_the_grace_a_drawing_job_is_unknown_and_says_that_it_may_be_billed(core):
    core.service.gate = asyncio.Event()
    core.jobs.start(await core.open(), Inputs(), core.delivery)
    await calls(core)
    core.jobs.refuse_new()
    await core.jobs.finish(0.01)
    await core.end()

    assert await states(core) == [JobState.UNKNOWN]
    (told,) = core.delivery.told
    assert isinstance(told, Interrupted)
    assert told.maybe_billed


async def test_what_cannot_be_shown_waits_and_is_shown_later(core):
    core.delivery.trouble = [CannotDeliver("no", WhyKept.CONTENT)]
    await core.run()
    (job,) = await every_job(core.store)
    assert (job.state, job.waiting) == (JobState.PRODUCED, True)
    assert core.delivery.kept_for == [WhyKept.CONTENT]

    assert await core.recovery.deliver_kept(job)
    assert await states(core) == [JobState.SETTLED]


async def test_a_bug_while_showing_gives_no_picture_up(core):
    core.delivery.trouble = [RuntimeError("a bug")]
    await core.run()
    assert core.delivery.told == []

    await core.recovery.adopt_and_close()  # sees it for the first time
    await core.recovery.adopt_and_close()

    assert len(core.delivery.shown) == 1
    assert await states(core) == [JobState.SETTLED]


async def test_a_bug_that_stays_makes_the_picture_wait_instead_of_trying_for_ever(core):
    core.delivery.trouble = [RuntimeError("a bug")] * 50
    await core.run()
    for _ in range(12):
        await core.recovery.adopt_and_close()

    (job,) = await every_job(core.store)
    assert job.waiting
    assert len(core.delivery.trouble) >= 45


@pytest.mark.parametrize(
    "problem",
    [Busy(), StorageFull(), StorageTrouble("SQLITE_IOERR"), RuntimeError("odd")],
    ids=["busy", "full", "input/output error", "in words nobody expected"],
)
async def test_pictures_are_shown_though_the_ledger_cannot_be_written_and_it_learns_of_them_later(core, problem):
    produce, conclude = core.store.jobs.produce, core.store.jobs.conclude
    broken, refused = [problem] * 6, [problem] * 5

    async def produce_later(*args):
        if broken:
            raise broken.pop()
        return await produce(*args)

    async def conclude_later(*args):
        if refused:
            raise refused.pop()
        return await conclude(*args)

    core.store.jobs.produce = produce_later
    core.store.jobs.conclude = conclude_later
    await core.run()
    assert len(core.delivery.shown) == 1
    for state in (JobState.DISPATCHED, JobState.PRODUCED, JobState.SETTLED):
        assert await states(core) == [state]
        await core.settlement.settle_outstanding()
    assert core.settlement.outstanding == {}
    assert core.delivery.told == []
    await core.recovery.adopt_and_close()
    await core.recovery.adopt_and_close()
    assert len(core.delivery.shown) == 1


@pytest.mark.parametrize("problem", [StorageTrouble("SQLITE_IOERR"), RuntimeError("odd")])
async def test_one_odd_error_of_the_ledger_after_the_pictures_came_costs_a_moment(core, problem):
    produce, broken = core.store.jobs.produce, [problem]

    async def produce_later(*args):
        if broken:
            raise broken.pop()
        return await produce(*args)

    core.store.jobs.produce = produce_later
    await core.run()

    assert len(core.delivery.shown) == 1
    assert core.delivery.told == []
    assert await states(core) == [JobState.SETTLED]


async def test_pictures_that_were_kept_are_never_given_up_for_what_fails_on_their_way(core):
    """Neither ledger nor delivery works just then: a later round shows what lies on disk."""
    result, produce = core.delivery.result, core.store.jobs.produce

    async def broken(*_):
        raise RuntimeError("odd")

    core.delivery.result = core.store.jobs.produce = broken
    await core.run()
    assert await states(core) == [JobState.DISPATCHED]
    assert core.delivery.told == []
    core.delivery.result, core.store.jobs.produce = result, produce

    await core.recovery.adopt_and_close()
    await core.recovery.adopt_and_close()

    assert len(core.delivery.shown) == 1
    assert await states(core) == [JobState.SETTLED]


async def test_pictures_are_shown_though_nobody_can_be_told_about_the_key(core):
    async def broken(*_, **__):
        raise RuntimeError("odd")

    core.service.script = [fault(FaultKind.OUT_OF_FUNDS)]
    core.notices.service = broken
    await core.run("first")
    core.now += FIRST_PROBE
    await core.run("probe")

    assert len(core.delivery.shown) == 1
    assert await states(core) == [JobState.RELEASED, JobState.SETTLED]


async def test_with_a_full_disk_running_pictures_are_delivered_from_memory(core):
    async def full(*_):
        raise StorageFull

    core.files.keep = full
    await core.run()

    assert len(core.delivery.shown) == 1
    assert await states(core) == [JobState.SETTLED]


class Reach:
    """Nobody can be shown anything, and no disk takes a picture, until ``heal``."""

    def __init__(self, core) -> None:
        self._core, self._keep, self._result = core, core.files.keep, core.delivery.result

        async def no_disk(*_):
            raise StorageTrouble("EIO")

        async def no_discord(*_):
            raise CannotDeliver("down")

        core.files.keep, core.delivery.result = no_disk, no_discord

    def heal(self, *, disk: bool) -> None:
        self._core.delivery.result = self._result
        if disk:
            self._core.files.keep = self._keep


@pytest.mark.parametrize(
    "disk", [True, False], ids=["and kept when the disk works again", "shown though it never does"]
)
async def test_pictures_that_neither_disk_nor_discord_takes_are_held_until_one_does(core, disk):
    reach = Reach(core)
    await core.run()
    (job,) = await every_job(core.store)
    assert (job.state, job.waiting) == (JobState.PRODUCED, True)
    reach.heal(disk=disk)

    await core.recovery.adopt_and_close()
    assert bool(await core.files.read(job.id, Kept.RESULTS)) == disk
    assert await core.recovery.deliver_kept(job, core.delivery)

    assert len(core.delivery.shown) == 1
    assert await states(core) == [JobState.SETTLED]


async def test_pictures_that_neither_disk_nor_ledger_nor_discord_takes_are_held_until_one_does(core):
    produce, reach = core.store.jobs.produce, Reach(core)

    async def no_ledger(*_):
        raise StorageTrouble("SQLITE_IOERR")

    core.store.jobs.produce = no_ledger
    await core.run()
    assert await states(core) == [JobState.DISPATCHED]
    core.store.jobs.produce = produce
    reach.heal(disk=False)

    await core.recovery.adopt_and_close()
    await core.recovery.adopt_and_close()

    assert len(core.delivery.shown) == 1
    assert await states(core) == [JobState.SETTLED]


@pytest.mark.parametrize(("free_mib", "taken"), [(400, True), (256, True), (255, False), (0, False)])
async def test_the_disk_has_one_floor_of_256_mib_and_below_it_no_new_job_is_taken(store, tmp_path, free_mib, taken):
    core = Core(store, DiskFiles(tmp_path, free=lambda _: free_mib * 1024**2), FakeService())
    if taken:
        await core.open()
    else:
        with pytest.raises(StorageFull):
            await core.open()
    assert len(await every_job(core.store)) == taken


async def test_a_picture_that_was_begun_is_kept_below_the_floor(store, tmp_path):
    free = [400 * 1024**2]
    core = Core(store, DiskFiles(tmp_path, free=lambda _: free[0]), FakeService())
    job = await core.open()
    free[0] = 100 * 1024**2
    await asyncio.wait({core.jobs.start(job, Inputs(), core.delivery)})
    assert await core.pictures.results(job.id)
    await core.end()


async def test_what_was_never_started_is_given_back_even_when_the_ledger_is_busy_at_first(core):
    job = await core.open()
    release, busy = core.store.jobs.release, [Busy(), Busy()]

    async def late(*args):
        if busy:
            raise busy.pop()
        return await release(*args)

    core.store.jobs.release = late
    await core.intake.abandon(job, EndReason.NOT_ACKNOWLEDGED)

    assert (await core.store.jobs.get(job.id)).state is JobState.RELEASED
    assert busy == []


async def test_a_moderation_refusal_costs_nothing_even_when_the_ledger_is_busy_at_first(core):
    core.service.script = [fault(FaultKind.MODERATION)]
    refuse, busy = core.store.jobs.refuse, [Busy(), Busy()]

    async def refuse_later(*args):
        if busy:
            raise busy.pop()
        return await refuse(*args)

    core.store.jobs.refuse = refuse_later
    await core.run()

    assert await states(core) == [JobState.REFUSED]
    assert isinstance(core.delivery.told[0], ServiceFailed)


async def test_a_key_that_is_refused_pauses_the_line_until_a_probe_succeeds(core):
    core.service.script = [fault(FaultKind.OUT_OF_FUNDS)]
    await core.run("first")
    with pytest.raises(ServicePaused):
        await core.open("second")
    assert core.notices.heard == [("operator", False, "out_of_funds")]
    core.now += FIRST_PROBE
    await core.run("probe")

    assert core.notices.heard[1:] == [("operator", True, "")]
    await core.run("after")
    assert await states(core) == [JobState.RELEASED, JobState.SETTLED, JobState.SETTLED]


async def test_of_all_that_wait_for_a_refused_key_one_is_the_probe(core):
    jobs = [await core.open(f"e{number}") for number in range(3)]
    core.circuit.failed("operator", FaultKind.BAD_KEY, core.now)
    core.now += FIRST_PROBE
    core.service.gate = asyncio.Event()
    running = [core.jobs.start(job, Inputs(), core.delivery) for job in jobs]
    async with asyncio.timeout(5):
        while sum(one.done() for one in running) < 2:
            await asyncio.sleep(0)
    assert core.service.calls == 1
    core.service.gate.set()
    await asyncio.wait(running)
    assert sorted(await states(core)) == [JobState.RELEASED, JobState.RELEASED, JobState.SETTLED]


async def test_what_may_be_billed_stays_charged_though_it_is_stopped_while_somebody_is_told(core, monkeypatch):
    told = asyncio.Event()

    async def tell(*_: object, **__: object) -> None:
        told.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(core.notices, "service", tell)
    core.service.script = [fault(FaultKind.BAD_KEY), fault(FaultKind.TIMED_OUT, Billed.MAYBE)]
    job = await core.open(model="dall-e-3", quality="hd", count=2)
    core.jobs.start(job, Inputs(), core.delivery)
    await told.wait()
    assert await core.jobs.cancel(job.id, core.asker()) is CancelOutcome.MAYBE_BILLED
    assert (await core.store.jobs.get(job.id)).charged_micro_usd == job.reserved_micro_usd


async def test_at_a_compatible_server_one_models_key_stops_that_model_alone(core):
    core.circuit.by_model = frozenset({"default"})
    core.service.script = [fault(FaultKind.BAD_KEY)]
    await core.run("first")
    with pytest.raises(ServicePaused) as paused:
        await core.open("second")
    assert paused.value.model == "gpt-image-2.5-flare"
    assert core.circuit.is_open("operator")

    await core.run("another", model="gpt-image-2.5-sunburst")

    assert await states(core) == [JobState.RELEASED, JobState.SETTLED]
    assert not core.circuit.is_open("operator")
    core.now += FIRST_PROBE
    await core.run("probe")
    assert core.notices.heard == [("operator", False, "bad_key"), ("operator", True, "")]
    assert core.notices.models == ["gpt-image-2.5-flare"] * 2


# --- the n-th call fails ---------------------------------------------------------------------------------------------


class Failing:
    """Stands in front of anything and makes its n-th call (of all that share ``count``) fail."""

    def __init__(self, inner: object, count: Count) -> None:
        self._inner = inner
        self._count = count

    def __getattr__(self, name: str):
        found = getattr(self._inner, name)
        if not asyncio.iscoroutinefunction(found):
            return found

        async def call(*args, **more):
            if self._count.is_due(name, before=True):
                raise self._count.error
            result = await found(*args, **more)
            if self._count.is_due(name, before=False):
                raise self._count.error
            return result

        return call


class Count:
    """``after``: the call has its effect and fails all the same (an answer that was lost)."""

    def __init__(self, failing: int, error: Exception, *, after: bool, lasting: bool) -> None:
        self.failing, self.error, self.after, self.lasting = failing, error, after, lasting
        self.calls = 0
        self.hit: list[str] = []

    def is_due(self, name: str, *, before: bool) -> bool:
        if before:
            self.calls += 1
        due = self.calls == self.failing or (self.lasting and self.calls > self.failing)
        if not due or before is self.after:
            return False
        self.hit.append(name)
        return True


LAYERS = {
    "ledger, busy": ("store", Busy(), False, False),
    "ledger, busy from then on": ("store", Busy(), False, True),
    "ledger, full from then on": ("store", StorageFull(), False, True),
    "ledger, in trouble from then on": ("store", StorageTrouble("SQLITE_IOERR"), False, True),
    "ledger, broken": ("store", RuntimeError("a bug"), False, False),
    "ledger, broken from then on": ("store", RuntimeError("a bug"), False, True),
    "ledger, answer lost": ("store", Busy(), True, False),
    "files, full": ("files", StorageFull(), False, False),
    "files, broken": ("files", OSError(5, "input/output error"), False, False),
    "files, broken from then on": ("files", RuntimeError("a bug"), False, True),
    "service, unreachable": ("service", fault(FaultKind.UNREACHABLE), False, False),
    "service, broken off": ("service", fault(FaultKind.BROKEN_OFF, Billed.MAYBE), True, False),
    "service, a bug": ("service", RuntimeError("a bug"), False, False),
}


def slow_for_the_ledger(name: str):
    return pytest.param(LAYERS[name], id=name, marks=[pytest.mark.slow] if name.startswith("ledger") else [])


@pytest.mark.parametrize("layer", [slow_for_the_ledger(name) for name in LAYERS])
async def test_whichever_call_fails_every_invariant_holds(layer, tmp_path, store, monkeypatch):
    """Two jobs (one a dall-e-3 of two calls), with the n-th call failing, for every n until nothing fails any more."""
    monkeypatch.setattr("bot.core.jobs.queue.RETRY_S", 0.02)
    name, error, after, lasting = layer
    n, shown, told = 0, 0, 0
    while True:
        n += 1
        count = Count(n, error, after=after, lasting=lasting)
        parts = {"store": store, "files": DiskFiles(tmp_path, floor_bytes=0), "service": FakeService()}
        service = parts["service"]
        if name == "store":
            parts[name] = each_part(store, lambda part, count=count: Failing(part, count))
        else:
            parts[name] = Failing(parts[name], count)
        core = Core(**parts)
        accepted = 0
        for number, options in enumerate(({}, {"model": "dall-e-3", "quality": "standard", "count": 2})):
            try:
                job = await core.open(f"{n}:{number}", **options)
            except (StorageTrouble, RuntimeError):
                continue
            accepted += 1
            await asyncio.wait({core.jobs.start(job, Inputs(), core.delivery)}, timeout=0.3 if lasting else 10)
        await core.end()
        whole = Core(store, DiskFiles(tmp_path, floor_bytes=0), service)  # it works again; what was dropped is found
        whole.settlement.outstanding.update(core.settlement.outstanding)
        whole.delivery = core.delivery
        for _ in range(3):
            await whole.recovery.adopt_and_close()
        await whole.end()
        jobs = await assert_invariants(store)
        assert len(set(core.delivery.shown)) + len(core.delivery.told) >= accepted, (n, count.hit)
        assert service.calls <= 3 + (name == "service"), (n, count.hit)
        shown, told = shown + len(core.delivery.shown), told + len(core.delivery.told)
        if not count.hit:
            break
        assert n < 200
    assert n > 2
    assert shown
    assert len(jobs) <= 2 * n


async def test_the_message_of_a_job_that_waits_is_written_before_its_turn(store, tmp_path, monkeypatch):
    monkeypatch.setattr("bot.core.jobs.job_runner.A_MOMENT_S", 0.001)
    gate = asyncio.Event()
    core = Core(store, DiskFiles(tmp_path, floor_bytes=0), FakeService(gate=gate), max_running=1)
    first, second = await core.open("e1"), await core.open("e2")
    acknowledged = replace(second, answer=replace(second.answer, message_id=88))
    ended = [core.jobs.start(job, Inputs(), core.delivery) for job in (first, acknowledged)]
    async with asyncio.timeout(5):
        while (await store.jobs.get(second.id)).answer.message_id != 88:
            await asyncio.sleep(0)
    assert (await store.jobs.get(second.id)).state is JobState.RESERVED
    gate.set()
    await asyncio.wait(ended)
    await core.end()
    await assert_invariants(store)
