"""The gateway in trouble, and events that come twice, late, broken or not at all."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.ports import CannotStart
from bot.process import login
from bot.rules.ledger import JobState
from sandbox.discord.clock import HandClock
from sandbox.discord.faults import FIRST_ANSWER, Target
from sandbox.discord.world import World
from tests.support.running import processes_in, town_in, until


async def settled(town, count: int = 1) -> None:
    await town.quiet()
    assert [job.state for job in await town.jobs()] == [JobState.SETTLED] * count


@pytest.fixture
async def drawing(town):
    """A job that is being drawn; ``town.interaction`` asked for it."""
    town.images.latency_s = 0.6
    town.interaction = await town.imagine(quality="low", preview=False)
    await until(lambda: town.images.calls)
    return town


async def test_an_event_replayed_while_and_after_it_is_worked_on_makes_one_job(drawing):
    drawing.world.replay(drawing.interaction)
    await drawing.answer(drawing.interaction)
    drawing.world.replay(drawing.interaction)
    await asyncio.sleep(0.3)

    await settled(drawing)
    assert len(drawing.images.calls) == 1
    assert len(drawing.interaction.messages) == 1


@pytest.mark.smoke
async def test_an_event_that_comes_five_times_at_once_makes_one_job(town):
    town.discord.gateway.hold()
    interaction = await town.imagine()
    for _ in range(4):
        town.world.replay(interaction)
    town.discord.gateway.release()

    await town.answer(interaction)

    await settled(town)
    assert len(town.images.calls) == 1


async def test_five_presses_make_five_jobs_at_most_and_every_press_is_answered(town):
    message = await town.answer(await town.imagine(quality="low"))

    presses = [await town.world.click(message, "Again", town.member) for _ in range(5)]
    for press in presses:
        await town.answer(press)
        assert not press.failed
    await town.quiet()

    jobs = await town.jobs()
    assert len(town.images.calls) == len(jobs)
    assert all(job.state is JobState.SETTLED for job in jobs)


@pytest.mark.parametrize(
    "answer", [{"status": 404, "code": 10062}, {"status": 404, "code": 10015}], ids=["10062", "10015"]
)
async def test_an_interaction_discord_forgot_costs_nothing(town, answer):
    fault = town.discord.fail_next(FIRST_ANSWER, **answer)
    await town.imagine()
    async with asyncio.timeout(30):
        while not fault.hits or not await town.jobs():
            await asyncio.sleep(0.01)
        while (await town.jobs())[0].state is not JobState.RELEASED:
            await asyncio.sleep(0.01)

    assert town.images.calls == []


@pytest.mark.parametrize("status", [500, 503])
async def test_an_acknowledgement_that_was_taken_but_answered_with_an_error_counts(town, status):
    town.discord.fail_next(FIRST_ANSWER, status=status, after_taking=True)

    message = await town.answer(await town.imagine())

    assert message.attachments
    await settled(town)


async def test_an_acknowledgement_whose_answer_is_lost_with_the_connection_harms_nobody(town):
    town.discord.fail_next(FIRST_ANSWER, drop=True, after_taking=True)
    await town.imagine()
    async with asyncio.timeout(30):
        while not (jobs := await town.jobs()) or jobs[0].state in (JobState.RESERVED, JobState.DISPATCHED):
            await asyncio.sleep(0.01)

    assert jobs[0].reserved_micro_usd == 0
    assert len(town.images.calls) <= 1


async def test_an_event_that_comes_late_is_dropped_and_costs_nothing(tmp_path: Path):
    async with town_in(tmp_path, world=World(clock=HandClock())) as town:
        await town.answer(await town.imagine())
        town.discord.gateway.hold()
        await town.imagine(prompt="late")
        town.world.clock.advance(4)
        town.discord.gateway.release()
        await asyncio.sleep(0.3)

        await settled(town, 1)
        assert len(town.images.calls) == 1
        await town.check()


MORE_TROUBLE = ("reconnect", "close 4000", "close 1001", "invalidate resumable")


@pytest.mark.parametrize("trouble", ["drop", *(pytest.param(one, marks=pytest.mark.slow) for one in MORE_TROUBLE)])
async def test_a_lost_connection_is_resumed_and_the_job_goes_on(drawing, trouble):
    gateway = drawing.discord.gateway
    match trouble.split():
        case ["close", code]:
            await gateway.close(int(code))
        case ["invalidate", _]:
            gateway.invalidate(resumable=True)
        case [name]:
            getattr(gateway, name)()
    message = await drawing.answer(drawing.interaction)
    await gateway.changed.until(lambda: gateway.resumes + gateway.identifies >= 2, 20, "the return")
    await drawing.discord.wait_ready()

    following = await drawing.answer(await drawing.imagine(prompt="after"))

    assert message.attachments
    assert following.attachments
    await settled(drawing, 2)


@pytest.mark.slow
@pytest.mark.parametrize("trouble", ["invalidate", "close 4009", "too soon"])
async def test_an_invalid_session_is_opened_anew(drawing, trouble):
    gateway = drawing.discord.gateway
    match trouble.split():
        case ["close", code]:
            await gateway.close(int(code))
        case ["too", "soon"]:
            gateway.budget.interval_s = 6.0
            gateway.budget.is_too_soon(0)
            gateway.invalidate()
        case _:
            gateway.invalidate()
    await gateway.changed.until(lambda: gateway.identifies >= 2, 30, "the new session")
    await drawing.discord.wait_ready()

    assert (await drawing.answer(await drawing.imagine())).attachments
    await settled(drawing, 2)


@pytest.mark.slow
async def test_a_connection_that_went_silent_is_noticed_and_replaced(tmp_path: Path, monkeypatch):
    async with town_in(tmp_path) as town:
        for shard in town.app.client._AutoShardedClient__shards.values():
            shard.ws._keep_alive.heartbeat_timeout = 1.0
            shard.ws._keep_alive.interval = 0.3
            shard.ws._max_heartbeat_timeout = 1.0
        gateway = town.discord.gateway
        gateway.silence()
        await asyncio.sleep(0.5)
        gateway.silence(False)
        await gateway.changed.until(lambda: gateway.resumes + gateway.identifies >= 2, 90, "the return")
        await town.discord.wait_ready()

        assert (await town.answer(await town.imagine())).attachments
        await town.check()


@pytest.mark.parametrize("broken", [None, {}, {"id": "1", "type": 2}, {"id": "x", "type": "?", "data": None}], ids=str)
async def test_an_event_that_cannot_be_read_is_left_out_and_the_next_one_served(town, broken):
    town.discord.gateway.malformed(broken)

    assert (await town.answer(await town.imagine())).attachments


async def test_a_start_while_the_gateway_refuses_is_patient(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("bot.ui.client.gateway.CONNECT_WAITS_S", (0.05,))
    async with town_in(tmp_path) as town:
        await town.stop()
        town.discord.fail_next(Target("GET", "/gateway/bot"), status=503, times=2)
        town.discord.fail_next(Target("GET", "/users/@me"), drop=True, times=2)

        await town.start()

        assert (await town.answer(await town.imagine())).attachments
        await town.check()


async def test_a_token_discord_does_not_take_ends_the_start_with_a_sentence(town):
    await town.app.client.http.close()
    town.app.client.http.clear()
    with pytest.raises(CannotStart, match="DISCORD_TOKEN"):
        await login(town.app.client, "not.the.token")
    await town.stop()


@pytest.mark.parametrize("code", [4004, 4014])
async def test_a_close_code_without_hope_ends_serving_without_another_identify(town, code):
    await town.discord.gateway.close(code)

    with pytest.raises(Exception, match=str(code) if code == 4004 else "intents"):
        await asyncio.wait_for(asyncio.shield(town.serving), 10)

    assert town.discord.gateway.identifies == 1
    await town.stop()


@pytest.mark.slow
@pytest.mark.parametrize("code", [4004, 4014])
async def test_the_process_exits_with_78_and_a_sentence(tmp_path: Path, code):
    async with processes_in(tmp_path) as stage:
        bot = await stage.start()
        await asyncio.sleep(1)  # the bot must have read its READY: a frame that is lost with the socket says nothing
        await stage.discord.gateway.close(code)

        assert await asyncio.wait_for(bot.wait(), 30) == 78
        assert str(code) in stage.logs()
        assert "Traceback" not in stage.logs()
        assert stage.discord.gateway.identifies == 1


@pytest.mark.slow
async def test_a_process_that_starts_while_discord_is_down_waits_for_it(tmp_path: Path):
    async with processes_in(tmp_path) as stage:
        stage.discord.fail_next(Target("GET", "/users/@me"), status=502, times=6)
        stage.discord.gateway.refuse(1)
        await stage.start()
        assert (await (await stage.imagine()).wait_answer()) is not None
        await asyncio.sleep(1)
        (job,) = await stage.end()
        assert job.state is JobState.SETTLED


@pytest.mark.slow
async def test_several_shards_in_one_process_serve_both_servers(tmp_path: Path):
    async with town_in(tmp_path, SHARD_COUNT="2", SHARD_IDS="0,1") as town:
        await town.discord.wait_ready(2, 30)
        wall = town.world.town.wall

        here = await town.answer(await town.imagine())
        there = await town.answer(await town.imagine(channel=wall))

        assert here.attachments
        assert there.attachments
        assert set(town.discord.gateway.live_shards()) == {0, 1}
        await town.check()


async def test_answers_that_say_json_with_a_charset_are_read(tmp_path):
    async with town_in(tmp_path) as town:
        town.discord.rest.content_type = "application/json; charset=utf-8"
        await town.restart()

        assert (await town.answer(await town.imagine())).attachments
