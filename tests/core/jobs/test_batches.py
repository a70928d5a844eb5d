"""Batches on a real ledger: order, failed lines, cancelling, refusal as a whole, and a death at every stage."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.database import SqlStore, store_on
from bot.adapters.database.engine import Database
from bot.adapters.files.disk import DiskFiles
from bot.adapters.secrets import Secrets
from bot.core.assembly import assemble
from bot.core.jobs.batches import SURELY_OVER, BatchLinesRefused
from bot.core.jobs.queue import FairQueue
from bot.core.jobs.recovery import Recovery
from bot.core.service.catalogue import CurrentCatalogue
from bot.core.service.circuit import Circuit
from bot.core.tasks import Tasks
from bot.ports import (
    Batch,
    Bundle,
    Kept,
    KeyPays,
    OperatorPays,
    Payer,
)
from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.errors import NotFound, StorageFull
from bot.rules.faults import Billed, Fault, FaultKind, ServiceFault
from bot.rules.ledger import Answer, DuplicateEvent, Job, JobState
from bot.rules.limits.decide import Refused
from bot.rules.limits.limit import Cooldown, Limit, Measure, Period, Quota, Scope
from bot.rules.options.problems import InvalidOptions
from bot.rules.options.table import RawOptions
from bot.rules.people import Asker, Place
from bot.rules.requests import ImageRequest, Made, MadeImage, Usage
from bot.rules.servers.access import AccessDenied
from tests.support.batches import AtOnce, Channel, Delivery, Gone, Nobody
from tests.support.ledger import counts_by_state, each_part, emptied_ledger
from tests.support.pictures import png

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
MEMBER = Asker(1, Place(10, 1), 100)
MODERATOR = Asker(2, Place(10, 2), 100, can_moderate=True)
PAINTER = Asker(3, Place(10, 3), 100)
CATALOGUE = load_catalogue(builtin_catalogue())
COOLDOWN = Cooldown(Scope.EVERYONE, 30)
FIVE_A_DAY = Quota(Scope.EVERYONE, Measure.IMAGES, Period.DAY, 5)


PNG = png(16)


class Studio:
    """An image service; a prompt is made once its gate is open, and fails if it is one of ``faults``."""

    is_official = False

    def __init__(self) -> None:
        self.prompts: list[str] = []
        self.payers: list[Payer] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.faults: dict[str, Fault] = {}
        self.started = asyncio.Event()

    def hold(self, *prompts: str) -> None:
        self.gates |= {prompt: asyncio.Event() for prompt in prompts}

    async def make(self, request: ImageRequest, *_: Any, payer: Payer, **__: Any) -> Made:
        self.prompts.append(request.prompt)
        self.payers.append(payer)
        self.started.set()
        if request.prompt in self.gates:
            await self.gates[request.prompt].wait()
        if request.prompt in self.faults:
            raise ServiceFault(self.faults[request.prompt])
        return Made((MadeImage(PNG, "png", 16, 16),), usage=Usage(10, 0, 196))

    async def known_models(self, payer: Payer, *, service="default") -> None:
        return None

    async def aclose(self) -> None: ...


class Life:
    """One process: everything it calls is the real thing until it is dead; then every call ends it."""

    def __init__(self, store: SqlStore, folder: Path, studio: Studio, channel: Channel, **more: Any) -> None:
        self.dies_at = more.pop("dies_at", "")
        self.dies_after = more.pop("dies_after", 1)
        self.repeatable = more.pop("repeatable", True)
        self.dead = False
        self.died = asyncio.Event()
        self.meanwhile: dict[str, Callable[[], Awaitable[object]]] = {}  # happens just before the ledger is asked
        self.real = store
        self.now = NOON
        self.channel = channel
        self.tasks = Tasks()
        ledger: Any = each_part(store, lambda part: _Mortal(part, self))
        service: Any = studio
        nobody: Any = Nobody()
        parts = assemble(
            store=ledger,
            service=service,
            files=more.pop("files", None) or DiskFiles(folder, floor_bytes=0),
            queue=FairQueue(
                max_running=more.pop("at_once", 4),
                per_minute=more.pop("per_minute", 6000),
                pace=AtOnce(),
                tasks=self.tasks,
            ),
            circuit=Circuit(),
            catalogue=CurrentCatalogue(CATALOGUE),
            notifier=nobody,
            clock=lambda: self.now,
            tasks=self.tasks,
            default_model="gpt-image-2.5-flare",
            member_tag=str,
            crash_point=self.reach,
        )
        self.jobs, self.batches, self.pictures = parts.jobs, parts.batches, parts.pictures
        self.recovery = Recovery(ledger, self.jobs, parts.settlement, self.pictures, nobody, lambda: self.now)

    def reach(self, name: str) -> None:
        """Dies here if this is the boundary it is to die at."""
        if self.dead:
            raise Gone
        if name == self.dies_at:
            self.dies_after -= 1
            if self.dies_after == 0:
                self.kill()
                raise Gone

    def kill(self) -> None:
        self.dead = True
        self.died.set()

    def delivery(self) -> Delivery:
        return Delivery(self.channel, self, repeatable=self.repeatable)

    async def open(self, prompts: Sequence[str], asker: Asker = MEMBER, **more: Any) -> tuple[Batch, list[Job]]:
        lines = list(enumerate(prompts, 1))
        quotes = await self.batches.prepare(asker, lines, RawOptions("", quality="low"), model=None)
        answer = Answer(7, 8, "interaction-token", 100, NOON + timedelta(minutes=15), message_id=77)
        return await self.batches.open(asker, quotes, answer, event_key=more.get("event", "1234567890"))

    async def begin(self, prompts: Sequence[str]) -> tuple[Batch, asyncio.Task[None]]:
        batch, jobs = await self.open(prompts)
        return batch, self.batches.start(batch, jobs, self.delivery())

    async def run(self, prompts: Sequence[str]) -> Batch:
        batch, task = await self.begin(prompts)
        await asyncio.wait_for(task, 20)
        return batch

    async def recover(self) -> int:
        """What the process does at its start; returns how many batches it took up."""
        await self.recovery.adopt_and_close()
        return await self.batches.resume(lambda _batch, _jobs: self.delivery())

    async def settled(self) -> None:
        """Until every batch here has ended."""
        async with asyncio.timeout(20):
            while any(name.startswith("batch ") for name in self.tasks.under_way()):
                await asyncio.sleep(0.01)

    async def end(self) -> None:
        await self.tasks.finish(0)


class _Mortal:
    """A part of the ledger as a process sees it that may die."""

    def __init__(self, part: object, life: Life) -> None:
        self._part = part
        self._life = life

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._part, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            if self._life.dead:
                raise Gone
            if name in self._life.meanwhile:
                await self._life.meanwhile.pop(name)()
            return await method(*args, **kwargs)

        return call


@dataclass
class World:
    """A disk, an image service and a Discord, and the lives of the process on them, one after the other."""

    folder: Path
    database: Database
    studio: Studio = field(default_factory=Studio)
    channel: Channel = field(default_factory=Channel)
    lives: list[Life] = field(default_factory=list)

    async def live(self, *limits: Limit, **more: Any) -> Life:
        if self.lives:
            await self.lives[-1].end()
        store = store_on(self.database, Secrets((KEY,)), limits, clock=lambda: NOON)
        await store.leases.heartbeat()
        life = Life(store, self.folder, self.studio, self.channel, **more)
        self.lives.append(life)
        return life

    @property
    def store(self) -> SqlStore:
        return self.lives[-1].real

    async def states(self, batch: Batch) -> list[str]:
        return [job.state.value for job in await self.store.jobs.of_batch(batch.id)]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Ends with the books balanced and nothing left reserved."""
    made = World(tmp_path, await emptied_ledger())
    yield made
    assert await made.store.audit_sums() == []
    states = await counts_by_state(made.store)
    assert states[JobState.RESERVED] == states[JobState.DISPATCHED] == 0
    await made.lives[-1].end()


def prompts(count: int) -> list[str]:
    return [f"fox {number}" for number in range(1, count + 1)]


async def until(happened: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not happened():
            await asyncio.sleep(0.005)


async def until_true(happened: Callable[[], Awaitable[Any]]) -> None:
    async with asyncio.timeout(20):
        while not await happened():
            await asyncio.sleep(0.005)


# --- order -------------------------------------------------------------------------------------------------------


async def test_pictures_come_in_groups_of_ten_in_the_order_of_the_lines(world: World) -> None:
    life = await world.live(at_once=50)
    world.studio.hold("fox 1")
    _, task = await life.begin(prompts(23))
    await until(lambda: len(world.studio.prompts) == 23)
    assert world.channel.groups == {}  # the first group waits for its first line, the others for the first group

    world.studio.gates["fox 1"].set()
    await asyncio.wait_for(task, 20)

    assert world.channel.groups == {0: list(range(1, 11)), 1: list(range(11, 21)), 2: [21, 22, 23]}
    assert list(world.channel.groups) == [0, 1, 2]
    (counts,) = world.channel.summaries
    assert (counts.total, counts.done, counts.failed, counts.left) == (23, 23, 0, 0)
    (ended,) = world.channel.ends
    assert [job.batch_line for job in ended] == list(range(1, 24))
    assert {job.message_id for job in ended[:10]} == {500}


async def test_a_failed_line_never_stops_the_others(world: World) -> None:
    life = await world.live()
    world.studio.faults = {
        "fox 2": Fault(FaultKind.MODERATION, Billed.NO),
        "fox 3": Fault(FaultKind.BAD_REQUEST, Billed.NO),
        "fox 4": Fault(FaultKind.BROKEN_OFF, Billed.MAYBE),
    }
    batch = await life.run(prompts(6))

    assert await world.states(batch) == ["settled", "refused", "released", "unknown", "settled", "settled"]
    assert world.channel.lines == [1, 5, 6]
    (counts,) = world.channel.summaries
    assert (counts.done, counts.failed) == (3, 3)


async def test_the_sum_of_the_lines_is_what_the_batch_costs(world: World) -> None:
    life = await world.live()
    batch, jobs = await life.open(prompts(7))
    assert sum(job.reserved_micro_usd for job in jobs) == 7 * jobs[0].reserved_micro_usd > 0
    await asyncio.wait_for(life.batches.start(batch, jobs, life.delivery()), 20)
    (usage,) = await world.store.figures.by_model(MEMBER.place, None, NOON - timedelta(hours=1))
    (ended,) = world.channel.ends
    assert usage.micro_usd == sum(job.charged_micro_usd for job in ended)
    assert (usage.jobs, usage.images) == (7, 7)


async def test_the_progress_counts_up_to_the_end(world: World) -> None:
    life = await world.live(at_once=1)
    await life.run(prompts(5))
    done = [counts.done for counts in world.channel.progress]
    assert done == sorted(done)
    assert world.channel.progress[0].left == 5


# --- refused as a whole ------------------------------------------------------------------------------------------


async def test_a_batch_is_reserved_as_a_whole_or_not_at_all(world: World) -> None:
    life = await world.live(FIVE_A_DAY)
    with pytest.raises(Refused):
        await life.open(prompts(6))
    assert sum((await counts_by_state(world.store)).values()) == 0
    assert await world.store.jobs.unfinished_batches() == []
    await life.run(prompts(5))
    assert sorted(world.studio.prompts) == prompts(5)


async def test_all_faulty_lines_are_named_together(world: World) -> None:
    life = await world.live()
    too_long = "x" * 50_000
    with pytest.raises(BatchLinesRefused) as refused:
        await life.batches.prepare(
            MEMBER, [(1, "a fox"), (3, too_long), (4, "an owl"), (9, too_long)], RawOptions(""), model=None
        )
    assert [number for number, _ in refused.value.problems] == [3, 9]


async def test_what_is_wrong_with_every_line_is_said_once(world: World) -> None:
    life = await world.live()
    with pytest.raises(InvalidOptions) as invalid:
        await life.batches.prepare(MEMBER, [(1, "a"), (2, "b")], RawOptions("", size="100x100"), model=None)
    assert [problem.option for problem in invalid.value.problems] == ["size"]


async def test_a_replayed_event_makes_one_batch(world: World) -> None:
    life = await world.live()
    batch, jobs = await life.open(prompts(3))
    with pytest.raises(DuplicateEvent):
        await life.open(prompts(3))
    await asyncio.wait_for(life.batches.start(batch, jobs, life.delivery()), 20)
    assert Counter(world.studio.prompts) == Counter(prompts(3))


# --- giving up ---------------------------------------------------------------------------------------------------


async def test_an_abandoned_batch_gives_every_line_and_the_cooldown_back(world: World) -> None:
    life = await world.live(COOLDOWN, FIVE_A_DAY)
    batch, jobs = await life.open(prompts(5))
    await life.batches.abandon(batch, jobs, "forgotten")

    assert await world.states(batch) == ["released"] * 5
    assert await world.store.jobs.unfinished_batches() == []
    assert await life.batches.resume(lambda _batch, _jobs: life.delivery()) == 0
    again, jobs = await life.open(prompts(5), event="999")  # neither the cooldown nor the quota stands in the way
    await life.batches.abandon(again, jobs, "forgotten")


async def test_cancelling_gives_back_what_waits_and_keeps_what_is_drawn(world: World) -> None:
    life = await world.live(at_once=1)
    world.studio.hold("fox 3")
    batch, task = await life.begin(prompts(8))
    await until(lambda: len(world.studio.prompts) == 3)

    assert (await life.batches.cancel(batch.id, MEMBER)).released == 5
    world.studio.gates["fox 3"].set()
    await asyncio.wait_for(task, 20)

    assert await world.states(batch) == ["settled"] * 3 + ["released"] * 5
    assert world.channel.lines == [1, 2, 3]
    (counts,) = world.channel.summaries
    assert counts.cancelled
    assert (counts.done, counts.failed, counts.back) == (3, 0, 5)
    with pytest.raises(NotFound):
        await life.batches.cancel(batch.id, MEMBER)


async def test_moderators_may_cancel_and_nobody_else(world: World) -> None:
    life = await world.live(at_once=1)
    world.studio.hold("fox 1")
    batch, task = await life.begin(prompts(3))
    await until(lambda: world.studio.prompts)
    with pytest.raises(AccessDenied):
        await life.batches.cancel(batch.id, PAINTER)
    with pytest.raises(NotFound):
        await life.batches.cancel(batch.id, Asker(1, Place(11, 1), 100, can_moderate=True))
    assert (await life.batches.cancel(batch.id, MODERATOR)).released == 2
    world.studio.gates["fox 1"].set()
    await asyncio.wait_for(task, 20)


async def test_lines_that_wait_on_a_key_that_is_taken_away_are_given_back(world: World) -> None:
    life = await world.live(at_once=1)
    await world.store.servers.set_api_key(MEMBER.place, "sk-our-own-key", 9, NOON)
    world.studio.hold("fox 1")
    _, task = await life.begin(prompts(3))
    await asyncio.wait_for(world.studio.started.wait(), 20)
    await world.store.servers.set_api_key(MEMBER.place, None, 9, NOON)
    world.studio.gates["fox 1"].set()
    await asyncio.wait_for(task, 20)

    assert world.studio.payers == [KeyPays("sk-our-own-key")]
    assert [job.state for job in world.channel.ends[0]] == [JobState.SETTLED, JobState.RELEASED, JobState.RELEASED]


async def test_a_key_that_is_set_while_the_lines_are_checked_leaves_one_payer(world: World) -> None:
    life = await world.live()
    quotes = [
        (await life.batches.prepare(MEMBER, [(number, prompt)], RawOptions("", quality="low"), model=None))[0]
        for number, prompt in enumerate(prompts(2), 1)
    ]
    mixed = [quotes[0], replace(quotes[1], own_key=True)]
    answer = Answer(7, 8, "interaction-token", 100, NOON + timedelta(minutes=15), message_id=77)
    batch, jobs = await life.batches.open(MEMBER, mixed, answer, event_key="1234567890")
    await asyncio.wait_for(life.batches.start(batch, jobs, life.delivery()), 20)

    assert world.studio.payers == [OperatorPays()] * 2


@pytest.mark.parametrize("question", ["get_batch", "of_batch"])
async def test_a_batch_whose_maker_is_forgotten_ends_quietly(
    world: World, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    """Whatever the batch was about to ask the ledger in that moment."""
    monkeypatch.setattr("bot.core.jobs.batch_runner.LOOK_EVERY_S", 0.01)
    life = await world.live(at_once=1)
    world.studio.hold("fox 2")
    _, task = await life.begin(prompts(4))
    await until(lambda: len(world.studio.prompts) == 2)
    gone: list[str] = []

    async def forget() -> None:
        gone.extend(await world.store.people.forget(MEMBER.user_id))

    async def released() -> bool:
        return (await counts_by_state(world.store))[JobState.RELEASED] == 2

    life.meanwhile[question] = forget
    await until_true(released)
    world.studio.gates["fox 2"].set()
    await asyncio.wait_for(task, 20)

    assert world.channel.withdrawn == 1
    assert world.studio.prompts == ["fox 1", "fox 2"]
    assert world.channel.groups == {}
    assert world.channel.summaries == []
    assert (await counts_by_state(world.store))[JobState.PRODUCED] == 0
    assert [await life.pictures.results(job_id) for job_id in gone] == [[]] * 4


async def test_a_batch_whose_maker_is_forgotten_as_its_last_line_ends_is_not_summed_up(world: World) -> None:
    life = await world.live(at_once=1)

    async def at_the_end() -> None:
        if len(world.channel.lines) == 2:
            await world.store.people.forget(MEMBER.user_id)
        else:
            life.meanwhile["of_batch"] = at_the_end

    life.meanwhile["of_batch"] = at_the_end
    batch = await life.run(prompts(2))

    assert world.channel.summaries == []
    assert await world.store.jobs.get_batch(batch.id) is None


async def test_pictures_that_cannot_be_posted_wait_for_their_maker(world: World) -> None:
    life = await world.live()
    world.channel.closed = True
    batch = await life.run(prompts(3))
    waiting = await world.store.jobs.waiting(MEMBER.place, MEMBER.user_id)
    assert [job.batch_line for job in waiting] == [1, 2, 3]
    assert len(world.channel.summaries) == 1
    assert (await world.store.jobs.get_batch(batch.id)).finished  # type: ignore[union-attr]  # it is there


# --- dying -------------------------------------------------------------------------------------------------------

STAGES = ("dispatched", "kept", "produced", "shown", "delivered", "summed up")


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("stage", STAGES)
async def test_a_death_at_any_stage_loses_nothing_and_repeats_nothing(world: World, stage: str, nth: int) -> None:
    life = await world.live(dies_at=stage, dies_after=1 if stage == "summed up" else nth, at_once=1)
    batch, _ = await life.begin(prompts(12))
    await asyncio.wait_for(life.died.wait(), 20)

    second = await world.live()
    second.now = NOON + timedelta(minutes=1 if stage != "summed up" else 3)
    await second.recover()
    await second.settled()

    repeated = [prompt for prompt, times in Counter(world.studio.prompts).items() if times > 1]
    assert repeated == []
    states = await world.states(batch)
    unknown = states.count("unknown")
    if stage in ("shown", "delivered"):  # the line after the group may just have been sent when the process died
        assert unknown == states[10:].count("unknown") <= 1
    else:
        assert unknown == (1 if stage == "dispatched" else 0)
    assert states.count("settled") == 12 - unknown
    made = [line for line, state in enumerate(states, 1) if state == "settled"]
    assert world.channel.lines == made
    assert len(world.channel.summaries) == (2 if stage == "summed up" else 1)  # the same nonce: Discord takes it once
    assert await world.store.jobs.unfinished_batches() == []


async def test_what_cannot_be_repeated_waits_instead_of_being_shown_twice(world: World) -> None:
    life = await world.live(dies_at="shown", repeatable=False)
    await life.begin(prompts(12))
    await asyncio.wait_for(life.died.wait(), 20)

    second = await world.live(repeatable=False)
    await second.recover()
    await second.settled()

    assert world.channel.lines == list(range(1, 13))
    waiting = await world.store.jobs.waiting(MEMBER.place, MEMBER.user_id)
    assert [job.batch_line for job in waiting] == list(range(1, 11))


async def test_a_group_posted_long_ago_is_not_posted_again(world: World) -> None:
    life = await world.live(dies_at="shown")
    await life.begin(prompts(3))
    await asyncio.wait_for(life.died.wait(), 20)
    world.channel.groups.clear()  # Discord remembers a nonce for some minutes only

    second = await world.live()
    second.now = NOON + timedelta(hours=1)
    await second.recover()
    await second.settled()

    assert world.channel.groups == {}
    assert len(await world.store.jobs.waiting(MEMBER.place, MEMBER.user_id)) == 3


async def test_a_death_while_being_cancelled_still_gives_back_what_waits(world: World) -> None:
    life = await world.live(at_once=1)
    world.studio.hold("fox 1")
    batch, _ = await life.begin(prompts(4))
    await until(lambda: world.studio.prompts)
    await world.store.jobs.save_batch(replace(batch, cancelled=True))
    life.kill()

    second = await world.live()
    await second.recover()
    await second.settled()

    assert await world.states(batch) == ["unknown", "released", "released", "released"]
    assert world.channel.summaries[0].cancelled


async def test_a_batch_that_nobody_was_told_of_is_released_at_the_next_start(world: World) -> None:
    life = await world.live()
    quotes = await life.batches.prepare(MEMBER, [(1, "a"), (2, "b")], RawOptions(""), model=None)
    answer = Answer(7, 8, "interaction-token", 100, NOON + timedelta(minutes=15))
    batch, _ = await life.batches.open(MEMBER, quotes, answer, event_key="55")
    life.kill()

    second = await world.live()
    assert await second.recover() == 0
    assert await world.states(batch) == ["released", "released"]
    assert await world.store.jobs.unfinished_batches() == []


async def test_a_batch_that_was_begun_goes_on_though_discord_named_no_message(world: World) -> None:
    """As where the acknowledgement came through, and was sent again for want of an answer."""
    life = await world.live(at_once=1)
    world.studio.hold("a")
    quotes = await life.batches.prepare(MEMBER, [(1, "a"), (2, "b")], RawOptions(""), model=None)
    answer = Answer(7, 8, "interaction-token", 100, NOON + timedelta(minutes=15))
    batch, jobs = await life.batches.open(MEMBER, quotes, answer, event_key="55")
    life.batches.start(batch, jobs, life.delivery())
    await until(lambda: world.studio.prompts)
    life.kill()

    second = await world.live()
    assert await second.recover() == 1
    await second.settled()
    assert await world.states(batch) == ["unknown", "settled"]
    assert world.channel.lines == [2]
    assert await world.store.jobs.unfinished_batches() == []


async def test_a_batch_whose_last_line_ended_a_moment_ago_is_left_to_whoever_watched_it(world: World) -> None:
    life = await world.live()
    batch, jobs = await life.open(prompts(2))
    for job in jobs:
        await world.store.jobs.release(job, "restart", NOON)
    life.kill()

    second = await world.live()
    assert await second.recover() == 0
    second.now += SURELY_OVER
    assert await second.recover() == 1
    await second.settled()
    assert len(world.channel.summaries) == 1
    assert await world.states(batch) == ["released"] * 2


async def test_an_orderly_stop_leaves_the_waiting_lines_to_the_next_start(world: World) -> None:
    life = await world.live(at_once=1)
    world.studio.hold("fox 2")
    batch, _ = await life.begin(prompts(5))
    await until(lambda: len(world.studio.prompts) == 2)
    life.jobs.refuse_new()
    await life.end()
    assert (await world.states(batch))[2:] == ["reserved"] * 3

    second = await world.live()
    assert await second.recover() == 1
    await second.settled()

    assert sorted(world.studio.prompts) == prompts(5)
    assert await world.states(batch) == ["settled", "unknown", "settled", "settled", "settled"]
    assert world.channel.lines == [1, 3, 4, 5]


async def test_a_round_of_recovery_leaves_running_batches_alone(world: World) -> None:
    life = await world.live(at_once=1)
    world.studio.hold("fox 1")
    batch, jobs = await life.open(prompts(3))
    assert await life.recover() == 0  # opened, not started yet
    task = life.batches.start(batch, jobs, life.delivery())
    assert await life.recover() == 0  # started, no step taken
    await until(lambda: world.studio.prompts)
    assert await life.recover() == 0
    world.studio.gates["fox 1"].set()
    await asyncio.wait_for(task, 20)
    assert sorted(world.studio.prompts) == prompts(3)
    assert await life.recover() == 0


class FullDisk(DiskFiles):
    """Room for nothing."""

    async def keep(self, job_id: str, kept: Kept, bundle: Bundle) -> None:
        raise StorageFull


async def test_a_full_disk_costs_no_picture(world: World) -> None:
    life = await world.live(files=FullDisk(world.folder, floor_bytes=0))
    batch, jobs = await life.open(prompts(3))
    await asyncio.wait_for(life.batches.start(batch, jobs, life.delivery()), 20)
    assert world.channel.lines == [1, 2, 3]
    assert await world.states(batch) == ["settled"] * 3
