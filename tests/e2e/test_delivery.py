"""Discord in the way of a result: each fault of its own, and at most one public result whatever happens."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from bot.rules.ledger import JobState
from bot.ui.delivery.job import ShowOptions
from sandbox.discord import ids
from sandbox.discord.faults import ANYTHING_IN_THE_ANSWER, ANYTHING_WITH_FILES, POST_ONCE, REFUSALS, RESULT_EDIT
from sandbox.discord.rest.limits import WEBHOOKS_OF_A_CHANNEL
from tests.support.running import Town, town_in, until


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """The bot's own waits between tries take no time; discord.py's do."""
    monkeypatch.setattr("bot.ui.delivery.factory.ShowOptions", partial(ShowOptions, waits_s=(0.0,) * 6))


async def drawing(town: Town, channel=None, latency_s: float = 0.4, **options: object):
    """A job that is being drawn right now, without previews."""
    town.images.latency_s = latency_s
    called = len(town.images.calls)
    interaction = await town.imagine(channel=channel, quality="low", preview=False, **options)
    await until(lambda: len(town.images.calls) != called)
    return interaction


async def only_job(town: Town):
    await town.quiet()
    (job,) = await town.jobs()
    return job


FAILS_AND_PASSES = {
    "500 once": {"status": 500},
    "502, and it was taken": {"status": 502, "after_taking": True},
    "429": {"status": 429},
    "429 of everything": {"status": 429, "globally": True},
    "reset": {"drop": True},
    "reset, and it was taken": {"drop": True, "after_taking": True},
}


@pytest.mark.parametrize("fault", FAILS_AND_PASSES.values(), ids=FAILS_AND_PASSES)
async def test_a_passing_fault_while_showing_costs_nothing_but_time(town, fault):
    interaction = await drawing(town)
    town.discord.fail_next(RESULT_EDIT, **fault)

    message = await town.answer(interaction)

    assert message.attachments
    job = await only_job(town)
    assert job.state is JobState.SETTLED
    assert [m.id for m in town.public_results(job)] == [message.id]
    assert len(town.images.calls) == 1


@pytest.mark.slow
async def test_five_server_errors_in_a_row_are_outlasted(town):
    interaction = await drawing(town)
    town.discord.fail_next(RESULT_EDIT, status=500, times=5)

    assert (await town.answer(interaction, 60)).attachments


@pytest.mark.slow
async def test_a_discord_that_stays_down_leaves_the_picture_waiting_and_the_next_command_offers_it(town):
    interaction = await drawing(town)
    town.discord.fail_next(RESULT_EDIT, drop=True, times=1000)
    job = await only_job(town)
    assert (job.state, job.waiting) == (JobState.PRODUCED, True)
    town.discord.faults.clear()
    town.images.latency_s = 0

    following = await town.imagine(prompt="the next")
    await following.wait_until(lambda one: one.followups, 20, "the offer")
    (offer,) = following.followups
    claim = await town.world.click(offer, offer.components[0]["components"][0]["custom_id"], town.member)
    await claim.wait_until(lambda one: any(m.attachments for m in one.messages), 20, "the picture")

    assert offer.ephemeral
    assert all(m.ephemeral for m in claim.messages)
    assert town.public_results(job) == []
    async with asyncio.timeout(30):
        while [one.state for one in await town.jobs()] != [JobState.SETTLED, JobState.SETTLED]:
            await asyncio.sleep(0.01)
    (told,) = interaction.followups
    assert told.ephemeral
    assert not told.attachments


async def test_a_deleted_answer_is_followed_by_one_channel_message(town):
    interaction = await drawing(town)
    town.world.delete_message(interaction.answer)

    job = await only_job(town)

    (message,) = town.public_results(job)
    assert (job.state, job.message_id, message.nonce) == (JobState.SETTLED, message.id, job.id)
    assert f"<@{town.member.id}>" in message.content
    assert await town.app.store.notes.posting(job.id) is None


async def test_a_deleted_channel_leaves_the_picture_waiting(town):
    channel = town.world.add_channel(town.world.town.studio, "short-lived")
    await drawing(town, channel=channel)
    town.world.delete_channel(channel)

    job = await only_job(town)

    assert (job.state, job.waiting) == (JobState.PRODUCED, True)
    assert job.charged_micro_usd > 0
    assert await town.app.client.shell.pictures.results(job.id)


async def test_lost_permissions_after_the_interaction_is_over_leave_the_picture_waiting(late):
    await drawing(late)
    late.world.allow(late.general, late.world.bot, deny=ids.SEND_MESSAGES)
    late.world.clock.advance(16 * 60)

    job = await only_job(late)

    assert (job.state, job.waiting) == (JobState.PRODUCED, True)
    assert late.public_results(job) == []


async def test_after_fifteen_minutes_the_result_is_one_channel_message_that_mentions_the_maker_alone(late):
    interaction = await drawing(late)
    late.world.clock.advance(16 * 60)

    job = await only_job(late)

    (message,) = late.public_results(job)
    assert job.state is JobState.SETTLED
    assert message.interaction_id is None
    assert message.mentions == (late.member.id,) or [u.id for u in message.mentions] == [late.member.id]
    assert interaction.answer.deleted


async def test_a_private_result_that_is_late_waits_and_is_never_public(late):
    await drawing(late, private=True)
    late.world.clock.advance(16 * 60)

    job = await only_job(late)

    assert (job.state, job.waiting) == (JobState.PRODUCED, True)
    assert late.public_results(job) == []


@pytest.mark.parametrize(
    "fault", [{"status": 500, "after_taking": True}, {"drop": True, "after_taking": True}], ids=str
)
async def test_a_channel_message_that_arrived_without_word_of_it_is_not_posted_twice(late, fault):
    await drawing(late)
    late.world.clock.advance(16 * 60)
    late.discord.fail_next(POST_ONCE, **fault)

    job = await only_job(late)

    assert len(late.public_results(job)) == 1
    assert job.state is JobState.SETTLED


async def test_an_edit_that_was_taken_without_word_of_it_is_found_before_anything_is_posted(late):
    interaction = await drawing(late)
    fault = late.discord.fail_next(RESULT_EDIT, drop=True, after_taking=True)
    async with asyncio.timeout(30):
        while not fault.hits:
            await asyncio.sleep(0)
    late.discord.fail_next(RESULT_EDIT, status=401, code=50027, times=5)

    job = await only_job(late)

    assert [m.id for m in late.public_results(job)] == [interaction.answer.id]
    assert (job.state, job.message_id) == (JobState.SETTLED, interaction.answer.id)


async def test_a_post_of_an_earlier_life_whose_outcome_nobody_knows_is_not_repeated(late):
    await drawing(late, latency_s=0.5)
    (job,) = await late.jobs()
    await late.app.store.notes.set_posting(job.id, late.world.clock.now())
    late.world.clock.advance(16 * 60)

    job = await only_job(late)

    assert (job.state, job.waiting) == (JobState.PRODUCED, True)
    assert late.public_results(job) == []


@pytest.mark.parametrize("refusal", [{"status": 413}, {"status": 400, "code": 40005}], ids=["413", "40005"])
async def test_what_discord_finds_too_large_is_made_smaller(town, refusal):
    interaction = await drawing(town)
    town.discord.fail_next(RESULT_EDIT, **refusal)

    message = await town.answer(interaction)

    assert message.attachments
    assert (await only_job(town)).state is JobState.SETTLED


@pytest.mark.slow
@pytest.mark.parametrize("refusal", [{"status": 401, "code": 50027}, {"status": 404, "code": 10015}], ids=str)
async def test_a_preview_that_fails_ends_previews_and_not_the_job(town, refusal):
    town.images.latency_s = 8  # the first preview may follow the first line of progress after three seconds
    interaction = await town.imagine(quality="medium", preview=True)
    await interaction.wait_acknowledged()
    fault = town.discord.fail_next(RESULT_EDIT, **refusal)

    assert (await town.answer(interaction)).attachments

    assert fault.hits == 1
    assert (await only_job(town)).state is JobState.SETTLED


@pytest.mark.slow
async def test_a_ban_by_the_network_before_discord_is_not_hammered(town):
    interaction = await drawing(town)
    fault = town.discord.fail_next(RESULT_EDIT, status=429, via=False, times=3)

    assert (await town.answer(interaction)).attachments
    assert fault.hits == 3


async def test_a_bot_thrown_out_while_it_draws_settles_or_keeps_the_picture(town):
    await drawing(town)
    town.world.remove_bot(town.world.town.studio)

    job = await only_job(town)

    assert job.reserved_micro_usd == 0
    assert job.state is JobState.SETTLED or job.waiting


def claim_of(message):
    return message.components[0]["components"][0]["custom_id"]


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_a_refused_picture_ends_the_line_and_is_offered_in_private_at_once(town, refusal):
    interaction = await drawing(town)
    town.discord.faults.refuse(RESULT_EDIT, refusal, times=1)

    job = await only_job(town)

    assert (job.state, job.waiting) == (JobState.PRODUCED, True)
    assert interaction.answer.deleted
    (told,) = interaction.followups
    assert told.ephemeral
    assert "already paid for" in told.content
    claim = await town.world.click(told, claim_of(told), town.member)
    await claim.wait_until(lambda one: any(m.attachments for m in one.messages), 20, "the picture")
    assert all(m.ephemeral for m in claim.messages)
    assert (await only_job(town)).state is JobState.SETTLED
    assert town.public_results(job) == []


async def test_a_picture_that_is_refused_again_when_it_is_fetched_stays_within_reach(town):
    interaction = await drawing(town)
    town.discord.faults.refuse(ANYTHING_WITH_FILES, "explicit content")
    await only_job(town)
    (told,) = interaction.followups

    claim = await town.world.click(told, claim_of(told), town.member)
    await claim.wait_until(lambda one: one.answer is not None and one.answer.components, 20, "a word")

    assert "filters" in claim.answer.content
    town.discord.faults.clear()
    again = await town.world.click(claim.answer, claim_of(claim.answer), town.member)
    await again.wait_until(lambda one: any(m.attachments for m in one.messages), 20, "the picture")
    assert (await only_job(town)).state is JobState.SETTLED


@pytest.mark.smoke
async def test_where_the_channel_takes_nothing_the_picture_comes_by_direct_message(town):
    await drawing(town)
    town.discord.faults.refuse(ANYTHING_IN_THE_ANSWER, "archived thread")
    await only_job(town)
    town.discord.faults.clear()
    (told,) = town.world.history(town.world.dm(town.member))

    claim = await town.world.click(told, claim_of(told), town.member)
    await claim.wait_until(lambda one: any(m.attachments for m in one.messages), 20, "the picture")

    assert (await only_job(town)).state is JobState.SETTLED


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_results_go_before_progress_where_a_channel_takes_thirty_calls_a_minute(tmp_path):
    """24 pictures, twelve at once, 20 s each: in 40 s of drawing no other edit may take a result's place."""
    async with town_in(tmp_path, IMAGES_PER_MINUTE="600", MAX_CONCURRENT_JOBS="12") as town:
        town.discord.limits.rates["webhook channel"] = WEBHOOKS_OF_A_CHANNEL
        town.images.latency_s = 20
        people = [town.world.new_user(f"Person {number}") for number in range(24)]
        for person in people:
            town.world.add_member(town.world.town.studio, person)
        began = asyncio.get_running_loop().time()
        asked = [await town.imagine(user=one, quality="low", preview=False) for one in people]

        assert all([(await town.answer(one, 110)).attachments for one in asked])

        assert asyncio.get_running_loop().time() - began < 50
        assert not [one for one in town.discord.wire.entries if one.status == 429]
