"""Killed with ``kill -9`` around a moderator's decision: shown once, paid once, never before *Post*."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.rules.ledger import JobState
from sandbox.discord.faults import Target
from sandbox.discord.model import Message
from tests.support.running import Processes, is_result, jobs_of, processes_in, until

pytestmark = pytest.mark.slow


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Processes]:
    async with processes_in(tmp_path) as made:
        yield made


def pictures_in(stage: Processes, channel) -> list[Message]:
    return [one for one in stage.world.history(channel) if is_result(one)]


async def held(stage: Processes) -> Message:
    """A picture before the moderators, a moment after Discord has it there."""
    room = stage.world.town.adults
    set_up = await stage.world.slash(stage.admin, stage.general, "/settings review", {"channel": room})
    await set_up.wait_answer()
    await stage.imagine(quality="low")
    await stage.world.changed.until(lambda: pictures_in(stage, room), 20, "a message for the moderators")
    return pictures_in(stage, room)[-1]


async def press(stage: Processes, review: Message, label: str) -> None:
    await (await stage.world.click(review, label, stage.admin)).wait_acknowledged()


async def ends_as_shown_once(stage: Processes) -> None:
    await until(lambda: len(pictures_in(stage, stage.general)) == 1)
    (review,) = pictures_in(stage, stage.world.town.adults)
    # who was killed between showing it and saying so leaves a message that the next press closes
    await until(lambda: "Posted by" in review.content or not review.components)
    (job,) = await stage.end()
    assert job.state is JobState.SETTLED
    assert job.charged_micro_usd > 0
    assert job.message_id == pictures_in(stage, stage.general)[0].id
    assert len(stage.images.calls) == 1


async def test_killed_as_moderators_get_it_a_picture_stands_before_them_once_and_waits(stage):
    bot = await stage.start()
    await held(stage)
    await bot.kill()
    async with stage.ledger() as store:
        (job,) = await jobs_of(store, stage.member.id)
    await stage.start()
    if not job.waiting:  # what was written just before the kill needs nobody's care any more
        await until(lambda: len(stage.private_words()) >= 1)
    (review,) = pictures_in(stage, stage.world.town.adults)
    assert pictures_in(stage, stage.general) == []

    await press(stage, review, "Post")

    await ends_as_shown_once(stage)


@pytest.mark.parametrize("arrived", [False, True])
async def test_killed_after_post_before_the_ledger_knows_a_picture_is_shown_once_by_the_next_post(stage, arrived):
    bot = await stage.start()
    review = await held(stage)
    group_id = review.components[0]["components"][0]["custom_id"].rpartition(":")[2]
    await until(lambda: len(stage.private_words()) >= 1)
    target = Target("POST", f"/channels/{stage.general.id}/messages", files=True)
    showing = None if arrived else stage.discord.faults.fail_next(target, delay_s=120)
    await press(stage, review, "Post")
    await until(lambda: pictures_in(stage, stage.general) if showing is None else showing.hits)
    await bot.kill()
    assert len(pictures_in(stage, stage.general)) == arrived
    async with stage.ledger() as store:
        await store.reviews.leave(group_id)

    await stage.start()
    if review.components:
        await press(stage, review, "Post")

    await ends_as_shown_once(stage)
