"""Killed with ``kill -9`` at every boundary of a job's life, and started again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.rules.ledger import JobState
from sandbox.discord.clock import HandClock
from sandbox.discord.world import World
from tests.support.running import Processes, processes_in, until

pytestmark = pytest.mark.slow

PRICE = 196 * 30 + (3 + 6) * 5  # 196 tokens of a low square picture, its prompt and what the service adds to it


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Processes]:
    async with processes_in(tmp_path) as made:
        yield made


def says(stage: Processes, words: str):
    async def said() -> bool:
        return any(words in one for one in stage.private_words())

    return said


def shows(stage: Processes, count: int = 1):
    async def shown() -> bool:
        return len(stage.public_results()) == count

    return shown


@pytest.mark.parametrize("point", ["reserved", "queued"])
async def test_killed_before_it_was_sent_a_job_is_released_and_the_member_told(stage, point):
    await stage.crash(point)
    await stage.start()

    await until(says(stage, "It cost nothing"))

    (job,) = await stage.end()
    assert (job.state, job.charged_micro_usd) == (JobState.RELEASED, 0)
    assert stage.images.calls == []
    assert len(stage.private_words()) == 1


async def test_killed_after_dispatch_a_job_is_unknown_stays_charged_and_is_never_sent(stage):
    await stage.crash("dispatched")
    await stage.start()

    await until(says(stage, "may have been billed"))

    (job,) = await stage.end()
    assert job.state is JobState.UNKNOWN
    assert job.charged_micro_usd > 0
    assert stage.images.calls == []


async def test_killed_while_drawing_a_job_is_unknown_and_the_call_is_not_repeated(stage):
    stage.images.latency_s = 60
    bot = await stage.start()
    await stage.imagine(preview=False)
    await until(lambda: asyncio.sleep(0, stage.images.calls))
    await bot.kill()
    stage.images.latency_s = 0
    await stage.start()

    await until(says(stage, "may have been billed"))

    (job,) = await stage.end()
    assert job.state is JobState.UNKNOWN
    assert len(stage.images.calls) == 1
    assert stage.public_results() == []


@pytest.mark.parametrize("point", ["kept", "produced", "shown", "delivered"])
async def test_killed_after_the_pictures_were_kept_they_are_shown_once_and_paid_once(stage, point):
    await stage.crash(point)
    was_shown = point in ("shown", "delivered")
    assert len(stage.public_results()) == was_shown
    await stage.start()

    await until(shows(stage))
    await asyncio.sleep(1 if was_shown else 0.3)

    (job,) = await stage.end()
    assert (job.state, job.charged_micro_usd) == (JobState.SETTLED, PRICE)
    (message,) = stage.public_results()
    assert job.message_id == message.id
    assert len(stage.images.calls) == 1
    assert stage.private_words() == []


@pytest.mark.parametrize("point", ["produced", "shown"])
async def test_after_the_interaction_is_over_a_result_comes_as_one_channel_message(tmp_path, point):
    async with processes_in(tmp_path, world=World(clock=HandClock())) as stage:
        await stage.crash(point)
        stage.world.clock.advance(16 * 60)
        await stage.start()

        await until(shows(stage))
        await asyncio.sleep(1)

        (job,) = await stage.end()
        (message,) = stage.public_results()
        assert job.state is JobState.SETTLED
        assert job.message_id == message.id
        assert (message.nonce == job.id) is (point == "produced")


async def test_a_private_result_is_never_posted_to_the_channel(tmp_path):
    async with processes_in(tmp_path, world=World(clock=HandClock())) as stage:
        bot = await stage.start(EASEL_CRASH_AT="produced")
        await stage.imagine(private=True)
        assert await asyncio.wait_for(bot.wait(), 30) == -9
        stage.world.clock.advance(16 * 60)
        await stage.start()
        await until(lambda: asyncio.sleep(0, "still cannot be delivered" in stage.logs()))

        offered = await stage.imagine(prompt="another")
        await offered.wait_until(lambda one: any(m.ephemeral for m in one.followups), 20, "the offer")

        offer = next(m for m in offered.followups if m.ephemeral)
        claim = await stage.world.click(
            offer, offer.components[0]["components"][0]["custom_id"], stage.world.town.member
        )
        await claim.wait_until(lambda one: any(m.attachments for m in one.messages), 20, "the picture")
        assert all(m.ephemeral for m in claim.messages)
        await asyncio.sleep(0.3)
        jobs = await stage.end()
        assert [job.state for job in jobs] == [JobState.SETTLED, JobState.SETTLED]
        (public,) = stage.public_results()
        assert f"easel-{jobs[1].id[:8].lower()}" in public.attachments[0].filename
