"""Servers that speak of batches nearly as OpenAI's does: whatever their habits, a batch is begun once, and it ends."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.ports import NightLine, OperatorPays
from bot.rules.faults import FaultKind
from bot.rules.overnight import A_DAY, LONGEST
from bot.rules.requests import Endpoint, ImageRequest, Kind
from sandbox.images.batches.habits import Habits
from sandbox.images.batches.night import Plan
from sandbox.images.batches.routes import Trouble
from tests.support.nights import MEMBER, NOON, World, prompts

PAYER = OperatorPays()
MARK, INPUT = "metadata", "input_file_id"
LONG = "-" + "bGl0ZWxsbV9wcm94eTph" * 17 + "=="
"""As LiteLLM's proxy makes its ids: they hold the model, the deployment and what the service calls it."""


def american(status: str) -> str:
    return status.replace("cancell", "cancel")


def nobodys(status: str) -> str:
    return "resting"


async def reasons(world: World, batch_id: str) -> set[tuple[str, str]]:
    return {(job.state.value, job.reason) for job in await world.store.jobs.of_batch(batch_id)}


async def foreign(world: World, count: int, *, hours_ago: int = 5) -> None:
    """So many batches of somebody else's, begun in the hour before that."""
    api, night = await world.adapter.nights(), world.images.batches.night
    request = ImageRequest(Kind.IMAGINE, Endpoint.GENERATIONS, "gpt-image-2.5-flare", "theirs")
    night.plan = Plan("failed")
    file_id = await api.upload("theirs.jsonl", [NightLine("theirs", request, "x")], PAYER)
    for _ in range(count):
        await api.create(file_id, "theirs", PAYER)
        world.now += timedelta(hours=1) / count
    await api.delete(file_id, PAYER)
    night.plan = Plan()
    world.now += timedelta(hours=hours_ago)


@pytest.mark.parametrize("habits", [Habits(tail=LONG), Habits(status=str.upper), Habits(leaves_out=frozenset({MARK}))])
async def test_what_is_spelt_otherwise_is_drawn_all_the_same(world: World, habits: Habits) -> None:
    world.images.batches.habits = habits
    batch = await world.run(2)
    assert await world.states(batch) == ["settled"] * 2
    assert world.images.batches.visits.count("upload") == 1
    await world.cleared()


@pytest.mark.parametrize("habits", [Habits(status=american), Habits(status=nobodys), Habits(status=nobodys, iso=True)])
async def test_what_ends_in_a_state_that_is_spelt_otherwise_or_nobody_knows_is_taken_back(
    world: World, habits: Habits
) -> None:
    """One that nobody knows ends by the moments that are told of it."""
    world.images.batches.habits = habits
    world.images.batches.night.takes_s = 10**9
    life = await world.live()
    batch, task = await life.hand_in(2)
    await life.batches.cancel(batch.id, MEMBER)
    await asyncio.wait_for(task, 30)
    assert await world.states(batch) == ["released"] * 2
    assert world.now - NOON < timedelta(hours=1)
    await world.cleared()


async def test_a_state_that_nobody_knows_is_waited_for_no_longer_than_any_other(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.images.batches.habits = Habits(status=lambda _: "dozing", leaves_out=frozenset({"completed_at"}))
    world.hurry = 30
    batch = await world.run(2)
    assert caplog.text.count("'dozing'") == 1
    assert await reasons(world, batch.id) == {("unknown", FaultKind.TIMED_OUT)}
    assert LONGEST <= world.now - NOON < LONGEST + timedelta(days=1)


async def test_what_is_over_and_then_is_not_is_read_once_it_is_again(world: World) -> None:
    world.images.batches.habits = Habits(forgets=4)
    batch = await world.run(2)
    assert await world.states(batch) == ["settled"] * 2
    await world.cleared()


async def test_files_that_come_some_minutes_after_the_end_are_read(world: World) -> None:
    world.images.batches.habits = Habits(hides=lambda: world.now < NOON + timedelta(minutes=10))
    batch = await world.run(2)
    assert await world.states(batch) == ["settled"] * 2
    assert world.now - NOON < timedelta(minutes=20)
    await world.cleared()


ODD_LISTS = [
    Habits(leaves_out=frozenset({MARK})),
    Habits(order="asc", pages=3),
    Habits(tells_more=False, order="asc", pages=3),
    Habits(tells_more=False, order="asc", pages=3, leaves_out=frozenset({"created_at"})),
    Habits(heeds_after=False, pages=3),
    Habits(heeds_after=False, tells_more=False, leaves_out=frozenset({"created_at"})),
]


@pytest.mark.parametrize("habits", ODD_LISTS)
async def test_an_odd_list_makes_no_second_batch(world: World, habits: Habits) -> None:
    await foreign(world, 8)
    world.images.batches.habits = habits
    world.images.batches.troubles.append(Trouble("create", "after"))
    batch = await world.run(2)
    assert world.images.batches.visits.count("create") == 8 + 1
    assert await world.states(batch) == ["settled"] * 2
    assert world.drawn == prompts(2)
    await world.cleared()


@pytest.mark.parametrize(
    "habits",
    [
        Habits(leaves_out=frozenset({MARK, INPUT})),
        Habits(order="asc", heeds_after=False, pages=3),
        Habits(order="asc", heeds_after=False, pages=3, tells_more=False),
    ],
)
async def test_where_a_list_cannot_tell_it_is_not_asked_for_again(world: World, habits: Habits) -> None:
    await foreign(world, 8)
    world.images.batches.habits = habits
    world.images.batches.troubles.append(Trouble("create", "after"))
    world.hurry = 30
    batch = await world.run(2)
    assert world.images.batches.visits.count("create") == 8 + 1
    assert await reasons(world, batch.id) == {("unknown", FaultKind.TIMED_OUT)}


async def test_what_was_lost_on_the_way_there_is_begun_again_among_others(world: World) -> None:
    await foreign(world, 8)
    world.images.batches.habits = Habits(order="asc", pages=3, tells_more=False)
    world.images.batches.troubles.append(Trouble("create", "before"))
    batch = await world.run(2)
    assert await world.states(batch) == ["settled"] * 2
    await world.cleared()


@pytest.mark.parametrize("route", ["upload", "create"])
async def test_what_cannot_be_begun_within_a_day_is_given_back(world: World, route: str) -> None:
    world.images.batches.troubles.append(Trouble(route, status=500, times=10**6))  # type: ignore[arg-type]
    world.hurry = 10
    batch = await world.run(2)
    assert await reasons(world, batch.id) == {("released", FaultKind.TIMED_OUT)}
    assert A_DAY <= world.now - NOON < A_DAY + timedelta(hours=4)


async def test_an_answer_that_says_nothing_is_not_asked_for_all_night(world: World) -> None:
    world.images.batches.habits = Habits(tail="/" * 3)
    batch = await world.run(2)
    assert await reasons(world, batch.id) == {("released", FaultKind.BROKEN_ANSWER)}
    assert world.images.batches.visits.count("upload") == 1


@pytest.mark.parametrize("status", [404, 400])
async def test_a_server_that_lists_no_files_draws_all_the_same(world: World, status: int) -> None:
    world.images.batches.troubles.append(Trouble("files", status=status))
    batch = await world.run(2)
    assert await world.states(batch) == ["settled"] * 2


async def test_a_file_that_is_not_ready_yet_is_waited_for(world: World) -> None:
    told = "The input file 'file-1' is in 'pending' state. Only files with status 'Processed' are accepted."
    world.images.batches.troubles.append(Trouble("create", status=400, message=told, times=3))
    batch = await world.run(2)
    assert await world.states(batch) == ["settled"] * 2
    assert len(world.images.batches.night.batches) == 1


@pytest.mark.parametrize("route", ["content", "look"])
async def test_results_that_are_gone_are_not_waited_for_for_weeks(world: World, route: str) -> None:
    gone = Trouble(route, status=404, times=10**6)  # type: ignore[arg-type]
    life = await world.live()
    life.upsets["told that it is completed"] = lambda: world.images.batches.troubles.append(gone)
    batch, task = await life.begin(2)
    await asyncio.wait_for(task, 30)
    assert await reasons(world, batch.id) == {("unknown", FaultKind.BROKEN_ANSWER)}
    assert world.now - NOON < timedelta(hours=1)


async def test_a_batch_that_the_service_forgets_is_unclear_in_the_end(world: World) -> None:
    world.images.batches.night.takes_s = 10**9
    world.hurry = 30
    batch, task = await (await world.live()).hand_in(2)
    world.images.batches.night.batches.clear()
    await asyncio.wait_for(task, 30)
    assert await reasons(world, batch.id) == {("unknown", FaultKind.TIMED_OUT)}
    assert LONGEST <= world.now - NOON < LONGEST + timedelta(days=1)
    assert world.images.batches.visits.count("create") == 1
