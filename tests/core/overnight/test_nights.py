"""Overnight batches on a real ledger and the sandbox's service: asked for once, paid once, whatever dies on the way."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from bot.adapters.files.disk import DiskFiles
from bot.core.upkeep.forgettings import Forgettings
from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.catalogue.pricing import upper_bound
from bot.rules.ledger import JobState
from bot.rules.limits.decide import Refused
from bot.rules.limits.limit import Measure, Period, Quota, Scope
from bot.rules.overnight import NotOvernight, Why
from bot.rules.servers.edits import paused
from sandbox.images.batches.night import Plan, Rows
from sandbox.images.batches.routes import Trouble
from tests.support.ledger import counts_by_state
from tests.support.nights import MEMBER, NOON, Channel, Delivery, Gone, World, prompts, until

# --- the good night ----------------------------------------------------------------------------------------------


async def test_a_batch_is_drawn_overnight_at_half_price(world: World) -> None:
    batch = await world.run(12)

    assert world.drawn == sorted(prompts(12))
    assert world.channel.groups == {0: list(range(1, 11)), 1: [11, 12]}
    (summary,) = world.channel.summaries
    assert (summary.done, summary.failed) == (12, 0)
    jobs = await world.store.jobs.of_batch(batch.id)
    model = world.catalogue.get("gpt-image-2.5-flare")
    for job in jobs:
        full = upper_bound(job.request, model)
        assert job.state is JobState.SETTLED
        assert 0 < job.charged_micro_usd <= -(-full // 2)
        assert job.bill is not None
        assert not job.bill.estimated
        usage = job.bill.usage
        assert usage is not None
        at_full_price = usage.output_tokens * 30 + usage.input_text_tokens * 5
        assert job.charged_micro_usd == -(-at_full_price // 2)
    await world.cleared()


async def test_half_of_the_bound_is_put_on_hold_for_each_line(world: World) -> None:
    life = await world.live()
    batch, jobs = await life.open(prompts(2))
    model = world.catalogue.get(jobs[0].request.model)
    assert [job.reserved_micro_usd for job in jobs] == [-(-upper_bound(job.request, model) // 2) for job in jobs]
    await life.batches.cancel(batch.id, MEMBER)
    task = life.batches.start(batch, jobs, Delivery(world.channel, life))
    await asyncio.wait_for(task, 30)
    assert await world.states(batch) == ["released", "released"]
    assert world.images.batches.visits == []


async def test_limits_hold_for_the_night_too(world: World) -> None:
    life = await world.live(Quota(Scope.EVERYONE, Measure.IMAGES, Period.DAY, 3))
    with pytest.raises(Refused):
        await life.open(prompts(4))


@pytest.mark.parametrize(
    ("model", "more", "why"),
    [
        ("gpt-image-2.6-flare", {}, Why.MODEL),
        (None, {"can_post": False}, Why.CHANNEL),
        (None, {"can_post": False, "private": True}, Why.PRIVATE),
    ],
)
async def test_what_cannot_wait_is_refused(world: World, model: str | None, more: dict[str, Any], why: Why) -> None:
    life = await world.live()
    with pytest.raises(NotOvernight) as caught:
        await life.open(prompts(2), model=model, **more)
    assert caught.value.why is why


async def test_a_service_without_it_is_named(world: World) -> None:
    world.catalogue = load_catalogue(builtin_catalogue()).at(world.images.base_url)
    life = await world.live()
    with pytest.raises(NotOvernight) as caught:
        await life.open(prompts(2))
    assert (caught.value.why, caught.value.others) == (Why.SERVICE, ())


# --- deaths ------------------------------------------------------------------------------------------------------

BOUNDARIES = (
    *("night uploaded", "night sent", "night asked", "night begun", "night kept", "night produced", "night closed"),
    *("shown", "delivered", "summed up"),
)


@pytest.mark.parametrize("boundary", BOUNDARIES)
async def test_a_death_at_any_boundary_costs_nothing(world: World, boundary: str) -> None:
    life = await world.live(dies_at=boundary)
    batch, _ = await life.begin(3)
    await until(lambda: life.dead)

    life = await world.live()
    world.now += timedelta(minutes=3 if boundary == "summed up" else 0)
    assert await life.recover() == 1
    await life.settled()

    assert len(world.images.batches.night.batches) == 1
    assert world.drawn == prompts(3)
    assert await world.states(batch) == ["settled"] * 3
    assert world.channel.groups == {0: [1, 2, 3]}
    await world.cleared()


async def test_a_death_while_clearing_away_leaves_nothing(world: World) -> None:
    await world.run(2)
    life = await world.live(dies_at="night cleared")
    with pytest.raises(Gone):
        await life.nights.tidy()
    await world.live()
    await world.cleared()


@pytest.mark.slow
async def test_fifty_kills_at_random(world: World) -> None:
    """Each before or after any call of ledger or service; what was asked for is drawn once, and the sums are right."""
    chance, kills, reserved = random.Random(15), 0, 0
    while kills < 50:
        world.channel = Channel()
        event = str(1000 + len(world.lives))
        life = await world.live(dies_in=chance.randint(1, 90))
        with suppress(Gone):
            batch, jobs = await life.open(prompts(3), event=event)
            life.batches.start(batch, jobs, Delivery(world.channel, life))
        while True:
            await until(lambda one=life: one.dead or not one.tasks.under_way())
            kept = await world.store.jobs.get_batch(event)
            if not life.dead and (kept is None or kept.finished):
                break
            if life.dead:
                kills += 1
                life = await world.live(dies_in=chance.randint(1, 90))
            else:  # nothing was left but to sum it up
                world.now += timedelta(minutes=3)
            with suppress(Gone):
                await life.recover()
        found = await world.store.jobs.of_batch(event)
        assert [job.state.value for job in found] in ([], ["settled"] * 3)
        assert world.channel.groups == ({0: [1, 2, 3]} if found else {})
        assert await world.store.audit_sums() == []
        reserved += len(found) // 3
    assert len(world.images.batches.night.batches) == reserved
    assert len(world.drawn) == 3 * reserved
    await world.live()
    await world.cleared()


async def test_a_second_process_takes_over_and_the_first_one_stops(world: World) -> None:
    world.images.batches.night.takes_s = 10**9
    first = await world.live()
    batch, task = await first.hand_in(3)
    second = await world.live(ends=False)
    assert await second.recover() == 1
    world.images.batches.night.takes_s = 1
    await asyncio.wait_for(task, 30)
    await second.settled()
    assert await world.states(batch) == ["settled"] * 3
    assert len(world.images.batches.night.batches) == 1
    assert len(world.channel.summaries) == 1


# --- asked for once ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble",
    [
        *([Trouble("create", "after")], [Trouble("create", "before")], [Trouble("create", status=500)]),
        *([Trouble("create", status=429)], [Trouble("upload", status=503)], [Trouble("upload", "after")]),
        [Trouble("create", "after"), Trouble("list", status=500, times=20)],
        [Trouble("create", "before"), Trouble("list", status=500, times=20)],
        [Trouble("look", status=502, times=5), Trouble("content", status=500, times=2)],
        [Trouble("content", "half", times=2)],
        [Trouble("delete", status=500, times=2)],
    ],
    ids=lambda troubles: " ".join(f"{one.route}-{one.how}-{one.status}" for one in troubles),
)
async def test_what_is_lost_on_the_way_makes_no_second_batch(world: World, trouble: list[Trouble]) -> None:
    world.images.batches.troubles += trouble
    batch = await world.run(3)
    assert len(world.images.batches.night.batches) == 1
    assert world.drawn == prompts(3)
    assert await world.states(batch) == ["settled"] * 3
    await world.cleared()


async def test_while_nobody_can_tell_it_is_not_asked_for_again(world: World) -> None:
    world.hurry = 30
    world.images.batches.troubles += [Trouble("create", "before"), Trouble("list", status=500, times=10**6)]
    batch = await world.run(2)
    assert world.images.batches.visits.count("create") == 1
    assert await world.states(batch) == ["unknown"] * 2
    world.images.batches.troubles.clear()
    await world.cleared()


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_what_the_service_will_not_take_is_given_back_at_once(world: World, status: int) -> None:
    world.images.batches.troubles.append(Trouble("create", status=status))
    batch = await world.run(2)
    assert await world.states(batch) == ["released"] * 2
    assert world.now - NOON < timedelta(hours=1)
    await world.cleared()


# --- nights that end otherwise -----------------------------------------------------------------------------------


async def test_what_was_drawn_before_it_expired_is_shown_and_charged(world: World) -> None:
    world.hurry = 20
    world.images.batches.night.plan = Plan("expired", done=1)
    batch = await world.run(3)
    assert await world.states(batch) == ["settled", "released", "released"]
    assert world.channel.groups == {0: [1]}
    await world.cleared()


async def test_a_batch_that_fails_as_a_whole_costs_nothing(world: World) -> None:
    world.images.batches.night.plan = Plan("failed")
    batch = await world.run(3)
    assert await world.states(batch) == ["released"] * 3
    await world.cleared()


async def test_a_line_that_is_refused_stands_for_itself(world: World) -> None:
    life = await world.live()
    batch, jobs = await life.open(["a fox", "something forbidden", "another fox"])
    await asyncio.wait_for(life.batches.start(batch, jobs, Delivery(world.channel, life)), 30)
    assert await world.states(batch) == ["settled", "refused", "settled"]


async def test_cancelling_keeps_what_was_drawn_and_gives_back_the_rest(world: World) -> None:
    world.images.batches.night.takes_s = 10**9
    life = await world.live()
    batch, task = await life.hand_in(4)
    world.images.batches.night.takes_s = 2 * (world.now - NOON).total_seconds()
    stopped = await life.batches.cancel(batch.id, MEMBER)
    await asyncio.wait_for(task, 30)
    states = await world.states(batch)
    assert stopped.overnight
    assert states.count("settled") == len(world.drawn)
    assert states.count("released") == 4 - len(world.drawn)
    await world.cleared()


@pytest.mark.parametrize("how", ["paused", "left"])
async def test_where_the_server_lets_nobody_draw_it_is_taken_back(world: World, how: str) -> None:
    world.images.batches.night.takes_s = 10**9
    life = await world.live()
    batch, task = await life.hand_in(2)
    if how == "paused":
        await world.store.servers.change_settings(MEMBER.place, paused("party"), 2, world.now)
    else:
        await world.store.notes.set_server(10, world.now)
    await asyncio.wait_for(task, 30)
    assert await world.states(batch) == ["released"] * 2
    assert world.drawn == []
    await world.cleared()


async def test_a_night_whose_maker_is_forgotten_does_not_wait_for_its_next_look(world: World) -> None:
    world.images.batches.night.takes_s = 10**9
    life = await world.live()
    _, task = await life.hand_in(2)
    world.still = True
    forgettings = Forgettings(
        life.real, DiskFiles(world.folder, floor_bytes=0), life.jobs, life.batches, life.tasks, world.clock, str
    )
    await forgettings.forget(MEMBER.user_id)
    await asyncio.wait_for(task, 30)
    assert world.channel.withdrawn == 1
    world.still = False
    await world.cleared()


async def test_whoever_is_forgotten_leaves_nothing_at_the_service(world: World) -> None:
    world.images.batches.night.takes_s = 10**9
    life = await world.live()
    _, task = await life.hand_in(2)
    await world.store.people.forget(MEMBER.user_id)
    await asyncio.wait_for(task, 30)
    assert world.channel.groups == {}
    assert [path for path in world.folder.rglob("*") if path.suffix == ".png"] == []
    assert world.channel.withdrawn == 1
    assert (await counts_by_state(world.store))[JobState.UNKNOWN] == 2  # the service may have drawn them
    await world.cleared()


@pytest.mark.parametrize("call", range(1, 8))
async def test_whoever_is_forgotten_in_the_middle_of_a_round_leaves_nothing_either(world: World, call: int) -> None:
    """Before each of the calls of a round in turn."""
    world.images.batches.night.takes_s = 10**9
    life = await world.live()
    _, task = await life.hand_in(2)
    life.before_call(call, lambda: world.store.people.forget(MEMBER.user_id))
    await asyncio.wait_for(task, 30)
    await world.cleared()


async def test_pictures_wait_where_the_channel_is_gone(world: World) -> None:
    world.channel.closed = True
    batch = await world.run(2)
    assert await world.states(batch) == ["produced"] * 2
    assert all(job.waiting for job in await world.store.jobs.of_batch(batch.id))
    await world.cleared()


# --- bad result files --------------------------------------------------------------------------------------------


def foreign(rows: Rows) -> Rows:
    return [*rows, rows[0].replace(b'"custom_id": "', b'"custom_id": "x')]


def without_first(rows: Rows) -> Rows:
    return rows[1:]


def cut_short(rows: Rows) -> Rows:
    return [*rows[:-1], rows[-1][:3000]]


def twice(rows: Rows) -> Rows:
    return [rows[0], *rows]


def empty(rows: Rows) -> Rows:
    return []


@pytest.mark.parametrize(
    ("spoilt", "states"),
    [
        (foreign, ["settled"] * 3),
        (twice, ["settled"] * 3),
        (without_first, ["unknown", "settled", "settled"]),
        (cut_short, ["settled", "settled", "unknown"]),
        (empty, ["unknown"] * 3),
    ],
)
async def test_a_bad_result_file_spends_nothing_twice_and_loses_nothing(
    world: World, spoilt: Callable[[Rows], Rows], states: list[str]
) -> None:
    world.images.batches.night.plan = Plan(output=spoilt)
    batch = await world.run(3)
    assert await world.states(batch) == states
    assert world.drawn == prompts(3)
    await world.cleared()


async def test_what_is_missing_at_first_is_read_again(world: World) -> None:
    service, written = world.images.batches, list[bytes]()

    def all_but_the_first(rows: Rows) -> Rows:
        written.extend(rows)
        return rows[1:]

    def write_all() -> None:
        whole = service.files.keep("output.jsonl", "batch_output", b"".join(written), None)
        service.night.batches[0].output_file_id = whole.id

    service.night.plan = Plan(output=all_but_the_first)
    life = await world.live()
    life.upsets["night produced"] = write_all
    batch, task = await life.begin(3)
    await asyncio.wait_for(task, 30)
    assert await world.states(batch) == ["settled"] * 3


async def test_a_line_that_the_service_counts_as_not_made_is_given_back(world: World) -> None:
    world.images.batches.night.plan = Plan(done=2)
    batch = await world.run(3)
    assert await world.states(batch) == ["settled", "settled", "released"]


async def test_whoever_is_forgotten_while_results_are_read_leaves_no_picture(world: World) -> None:
    life = await world.live()
    life.meanwhile["night produced"] = world.store.people.forget(MEMBER.user_id)
    _, task = await life.begin(3)
    await asyncio.wait_for(task, 30)
    await asyncio.gather(*life.begun)
    assert world.channel.groups == {}
    assert [path for path in world.folder.rglob("*") if path.suffix == ".png"] == []
    await world.cleared()
