"""A key that is refused, or has no funds, in a night: it stops the next one, is told, and the night says why."""

from __future__ import annotations

import asyncio

import pytest

from bot.rules.errors import ServicePaused
from bot.rules.faults import FaultKind
from bot.rules.ledger import EndReason
from bot.rules.servers.edits import blocked, paused
from sandbox.images.batches.night import Plan
from sandbox.images.batches.routes import Trouble
from tests.support.nights import MEMBER, NOON, World, prompts

OWN_KEY = "sk-our-own-key"
REFUSED = (None, False, FaultKind.BAD_KEY)


async def reasons(world: World, batch_id: str) -> set[tuple[str, str]]:
    return {(job.state.value, job.reason) for job in await world.store.jobs.of_batch(batch_id)}


@pytest.mark.parametrize("route", ["upload", "create"])
@pytest.mark.parametrize(("status", "kind"), [(401, FaultKind.BAD_KEY), (402, FaultKind.OUT_OF_FUNDS)])
async def test_a_refused_key_stops_the_next_night_and_is_told_once(
    world: World, route: str, status: int, kind: FaultKind
) -> None:
    world.images.batches.troubles.append(Trouble(route, status=status))  # type: ignore[arg-type]
    batch = await world.run(2)
    life = world.lives[-1]
    assert await reasons(world, batch.id) == {("released", kind)}
    assert life.nobody.heard == [(None, False, kind)]
    with pytest.raises(ServicePaused):
        await life.open(prompts(2), event="2")


async def test_the_first_night_that_is_taken_again_closes_it(world: World) -> None:
    world.images.batches.troubles.append(Trouble("upload", status=401))
    await world.run(1)
    life = world.lives[-1]
    await world.pass_time(61)
    batch, jobs = await life.open(prompts(1), event="2")
    await asyncio.wait_for(life.batches.start(batch, jobs, world.delivery()), 30)
    assert await world.states(batch) == ["settled"]
    assert life.nobody.heard == [REFUSED, (None, True, "")]


async def test_a_key_that_is_refused_in_the_middle_is_told_once_and_the_night_goes_on(world: World) -> None:
    world.images.batches.troubles.append(Trouble("look", status=401, times=5))
    batch = await world.run(2)
    assert world.lives[-1].nobody.heard == [REFUSED]
    assert await world.states(batch) == ["settled"] * 2


async def test_a_refused_key_of_a_server_stops_that_server_alone(world: World) -> None:
    life = await world.live()
    await world.store.servers.set_api_key(MEMBER.place, OWN_KEY, 9, NOON)
    world.images.batches.troubles.append(Trouble("upload", status=401))
    _, task = await life.begin(1)
    await asyncio.wait_for(task, 30)
    assert life.nobody.heard == [(MEMBER.place, False, FaultKind.BAD_KEY)]
    await world.store.servers.set_api_key(MEMBER.place, None, 9, NOON)
    await life.batches.abandon(*await life.open(prompts(1), event="2"), EndReason.CANCELLED)


async def test_a_night_that_fails_for_want_of_funds_says_so(world: World) -> None:
    world.images.batches.night.plan = Plan("failed", code="billing_hard_limit_reached")
    batch = await world.run(2)
    assert await reasons(world, batch.id) == {("released", FaultKind.OUT_OF_FUNDS)}
    assert world.lives[-1].nobody.heard == [(None, False, FaultKind.OUT_OF_FUNDS)]


@pytest.mark.parametrize(
    ("edit", "reason"), [(paused("party"), EndReason.PAUSED), (blocked(MEMBER.user_id, "why"), EndReason.BLOCKED)]
)
@pytest.mark.parametrize("early", [True, False])
async def test_what_the_server_took_back_did_not_fail(world: World, edit, reason: EndReason, early: bool) -> None:
    world.images.batches.night.takes_s = 10**9
    life = await world.live()
    batch, jobs = await life.open(prompts(2))
    if early:
        await world.store.servers.change_settings(MEMBER.place, edit, 2, NOON)
    task = life.batches.start(batch, jobs, world.delivery())
    if not early:
        await world.handed_in()
        await world.store.servers.change_settings(MEMBER.place, edit, 2, NOON)
    await asyncio.wait_for(task, 30)
    assert await reasons(world, batch.id) == {("released", reason)}
    (counts,) = world.channel.summaries
    assert (counts.failed, counts.back, counts.left) == (0, 2, 0)


async def test_an_expired_line_was_not_made_in_time(world: World) -> None:
    world.hurry = 20
    world.images.batches.night.plan = Plan("expired", done=0)
    batch = await world.run(2)
    assert await reasons(world, batch.id) == {("released", FaultKind.TIMED_OUT)}
