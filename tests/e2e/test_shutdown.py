"""Asked to end: nothing new is taken, what runs may finish, nobody is left without a word."""

from __future__ import annotations

import asyncio
import signal

import pytest

from bot.process import wind_down
from bot.rules.ledger import JobState
from sandbox.discord.model import Upload
from tests.support.running import processes_in, until


async def calls(images, count: int) -> None:
    await until(lambda: len(images.calls) >= count)


async def test_running_jobs_finish_waiting_ones_are_told_and_new_ones_refused(town):
    await town.restart(MAX_CONCURRENT_JOBS="2")
    town.images.latency_s = 1.0
    asked = [await town.imagine(quality="low", preview=False) for _ in range(4)]
    await calls(town.images, 2)
    ending = asyncio.create_task(wind_down(town.app, 10))
    await asyncio.sleep(0)
    late = await town.answer(await town.imagine())

    messages = [await town.answer(one) for one in asked]
    await ending

    assert "restarting" in late.content
    assert sum(bool(one.attachments) for one in messages) == 2
    assert sum("It cost nothing" in one.content for one in messages) == 2
    assert len(town.images.calls) == 2


@pytest.mark.smoke
async def test_what_does_not_finish_in_time_is_closed_and_told_the_truth(town):
    town.images.latency_s = 60
    asked = await town.imagine(quality="low", preview=False)
    await calls(town.images, 1)
    await wind_down(town.app, 0.1)
    await town.stop()

    message = await town.answer(asked)

    assert "may have been billed" in message.content
    assert message.ephemeral
    await town.start()
    (job,) = await town.jobs()
    assert (job.state, job.reserved_micro_usd) == (JobState.UNKNOWN, 0)


async def test_lines_of_a_batch_that_were_not_sent_wait_for_the_next_start(town):
    await town.restart(MAX_CONCURRENT_JOBS="1")
    town.images.latency_s = 0.5
    lines = Upload("lines.txt", b"one\ntwo\nthree\n", "text/plain")
    await town.world.slash(town.member, town.general, "/batch", {"file": lines, "quality": "low"})
    await calls(town.images, 1)
    await wind_down(town.app, 5)
    await town.stop()
    assert len(town.images.calls) == 1
    await town.start()

    async with asyncio.timeout(30):
        while {job.state for job in await town.jobs()} != {JobState.SETTLED}:
            await asyncio.sleep(0.02)

    assert sorted(call.prompt for call in town.images.calls) == ["one", "three", "two"]


@pytest.mark.slow
async def test_sigterm_lets_a_running_job_finish_and_exits_with_0(tmp_path):
    async with processes_in(tmp_path) as stage:
        stage.images.latency_s = 2
        bot = await stage.start()
        interaction = await stage.imagine(preview=False)
        await calls(stage.images, 1)
        bot.send(signal.SIGTERM)

        assert await asyncio.wait_for(bot.wait(), 20) == 0
        assert interaction.answer.attachments
        (job,) = await stage.end()
        assert job.state is JobState.SETTLED


@pytest.mark.slow
async def test_a_second_sigterm_ends_at_once_and_the_next_start_closes_what_was_left(tmp_path):
    async with processes_in(tmp_path) as stage:
        stage.images.latency_s = 60
        bot = await stage.start()
        await stage.imagine(preview=False)
        await calls(stage.images, 1)
        bot.send(signal.SIGTERM)
        await asyncio.sleep(0.5)
        bot.send(signal.SIGTERM)

        assert await asyncio.wait_for(bot.wait(), 3) == 0
        await stage.start()
        await until(lambda: asyncio.sleep(0, any("may have been billed" in one for one in stage.private_words())))
        (job,) = await stage.end()
        assert job.state is JobState.UNKNOWN
        assert len(stage.images.calls) == 1


@pytest.mark.slow
async def test_a_second_process_on_the_same_sqlite_file_does_not_start(tmp_path):
    async with processes_in(tmp_path) as stage:
        await stage.start()
        second = await stage.launch()

        assert await asyncio.wait_for(second.wait(), 20) == 78
        assert "Traceback" not in stage.logs()
        await stage.end()
