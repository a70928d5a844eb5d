"""Who may act on a night, and with whose key: the one process that holds its lines, and the server's own key alone."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Literal

import pytest

from bot.rules.errors import StorageTrouble
from bot.rules.ledger import EndReason
from sandbox.images.batches.habits import Habits
from sandbox.images.batches.routes import Trouble
from tests.support.nights import MEMBER, NOON, World, prompts, until

OWN_KEY = "sk-our-own-key"
OPERATORS_KEY = "sk-0123456789"


@pytest.mark.parametrize("boundary", ["night uploaded", "night sent"])
async def test_whoever_lost_the_lines_on_the_way_asks_for_nothing_and_unwrites_nothing(
    world: World, boundary: str
) -> None:
    first = await world.live()
    second = await world.live(ends=False)
    world.images.batches.night.takes_s = 3600

    async def taken() -> None:
        first.lost = True
        await second.recover()
        await world.handed_in()

    first.before[boundary] = taken()
    batch, task = await first.begin(2)
    await asyncio.wait_for(task, 30)
    await second.settled()
    assert first.written_late == 0
    assert world.images.batches.visits.count("create") == 1
    assert await world.states(batch) == ["settled"] * 2
    assert world.drawn == prompts(2)
    await world.cleared()


@pytest.mark.parametrize(("how", "ours"), [("twice", 0), ("again", 1)])
async def test_a_batch_that_was_begun_twice_is_drawn_once(
    world: World, how: Literal["twice", "again"], ours: int
) -> None:
    """Nothing here begins one twice; what stands in between may repeat a request, and tell of the later one alone."""
    world.images.batches.troubles.append(Trouble("create", how))
    batch = await world.run(2)
    states = [one.status for one in world.images.batches.night.batches]
    assert (states.pop(ours), states) == ("completed", ["cancelling"])
    assert world.drawn == prompts(2)
    assert await world.states(batch) == ["settled"] * 2
    await world.cleared()


async def test_a_list_that_has_other_names_for_batches_ends_none(world: World) -> None:
    world.images.batches.habits = Habits(renames=lambda name: f"upstream-{name}")
    batch = await world.run(2)
    assert await world.states(batch) == ["settled"] * 2


async def test_where_nobody_can_see_whether_it_was_begun_twice_it_goes_on(world: World) -> None:
    world.images.batches.troubles.append(Trouble("list", status=404))
    batch = await world.run(2)
    assert await world.states(batch) == ["settled"] * 2
    assert world.images.batches.visits.count("create") == 1


async def test_a_servers_own_key_pays_for_its_night(world: World) -> None:
    await world.live()
    await world.store.servers.set_api_key(MEMBER.place, OWN_KEY, 9, NOON)
    world.images.key = OWN_KEY
    batch = await world.run(2)
    assert await world.states(batch) == ["settled"] * 2
    await world.cleared()


async def test_a_key_that_was_set_meanwhile_pays_for_no_night_of_the_operators(world: World) -> None:
    world.images.key = OPERATORS_KEY
    world.images.batches.night.takes_s = 3600
    life = await world.live()
    batch, task = await life.hand_in(2)
    await world.store.servers.set_api_key(MEMBER.place, OWN_KEY, 9, NOON)
    await asyncio.wait_for(task, 30)
    assert await world.states(batch) == ["settled"] * 2
    await world.cleared()


@pytest.mark.parametrize("comes_back", [True, False])
async def test_while_the_servers_key_is_gone_nobody_elses_is_used(world: World, comes_back: bool) -> None:
    life = await world.live()
    await world.store.servers.set_api_key(MEMBER.place, OWN_KEY, 9, NOON)
    world.images.key = OWN_KEY
    world.images.batches.night.takes_s = 3600
    batch, task = await life.hand_in(2)
    await world.store.servers.set_api_key(MEMBER.place, None, 9, NOON)
    world.images.key = OPERATORS_KEY  # so that asking with it would work
    visits, rounds = len(world.images.batches.visits), len(world.channel.nights)
    await until(lambda: len(world.channel.nights) > rounds + 2)
    if comes_back:
        assert len(world.images.batches.visits) <= visits + 1
        world.images.key = OWN_KEY
        await world.store.servers.set_api_key(MEMBER.place, OWN_KEY, 9, world.now)
    else:
        world.hurry = 30
    await asyncio.wait_for(task, 30)
    assert await world.states(batch) == (["settled"] * 2 if comes_back else ["unknown"] * 2)
    assert any(world.channel.keyless)
    if not comes_back:
        assert {job.reason for job in await world.store.jobs.of_batch(batch.id)} == {EndReason.KEY_GONE}
        assert world.now - NOON > timedelta(hours=24)
        assert len(world.images.batches.visits) <= visits + 1


async def test_a_picture_whose_charge_could_not_be_written_is_shown_though_the_results_are_gone(world: World) -> None:
    life = await world.live()

    def upset() -> None:
        world.hurry = 30
        world.images.batches.troubles.append(Trouble("content", status=404, times=10**6))
        raise StorageTrouble("the disk is full")

    life.upsets["night kept"] = upset
    batch, task = await life.begin(3)
    with pytest.raises(StorageTrouble):
        await asyncio.wait_for(task, 30)
    assert await life.recover() == 1
    await life.settled()
    assert await world.states(batch) == ["settled", "unknown", "unknown"]
    assert world.channel.groups == {0: [1]}
    world.images.batches.troubles.clear()
    await world.cleared()


async def test_pictures_that_were_kept_are_shown_though_the_results_are_gone(world: World) -> None:
    life = await world.live(dies_at="night kept")
    batch, _ = await life.begin(3)
    await until(lambda: life.dead)
    world.hurry = 30
    world.images.batches.troubles.append(Trouble("content", status=404, times=10**6))
    life = await world.live()
    await life.recover()
    await life.settled()
    assert await world.states(batch) == ["settled", "unknown", "unknown"]
    assert world.channel.groups == {0: [1]}
    world.images.batches.troubles.clear()
    await world.cleared()
