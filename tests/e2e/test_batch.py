"""/batch over the wire: what the person sees on the way and at the end, what the service got, and what it cost."""

from __future__ import annotations

import pytest

from bot.rules.people import Place
from sandbox.discord.model import Interaction, Message, Upload
from tests.support.ledger import counts_by_state


def prompts(count: int) -> list[str]:
    return [f"a fox number {number}" for number in range(1, count + 1)]


def text_file(lines: list[str]) -> Upload:
    return Upload("prompts.txt", "\n".join(lines).encode(), "text/plain")


def posts(town, channel=None) -> list[Message]:
    """What the bot posted to the channel by itself."""
    history = town.world.history(channel or town.general)
    return [one for one in history if one.author == town.world.bot and one.nonce is not None]


def groups(town) -> list[Message]:
    return [one for one in posts(town) if "g" in str(one.nonce)]


def summary_of(town) -> Message | None:
    return next((one for one in posts(town) if str(one.nonce).endswith("s")), None)


async def until(town, condition) -> None:
    await town.world.changed.until(condition, 60, "what was waited for")


async def batch(town, lines: list[str], user=None, **options: object) -> Interaction:
    options.setdefault("quality", "low")
    return await town.world.slash(user or town.member, town.general, "/batch", {"file": text_file(lines), **options})


async def test_a_file_of_prompts_becomes_groups_of_ten_in_its_order(town):
    interaction = await batch(town, [*prompts(12), "", "# a remark"])

    await until(town, lambda: summary_of(town) is not None)

    first, second = groups(town)
    assert len(first.attachments) == 10
    assert [one.description for one in first.attachments] == prompts(10)
    assert [one.description for one in second.attachments] == prompts(12)[10:]
    assert sorted(call.prompt for call in town.images.calls) == sorted(prompts(12))
    summary = summary_of(town)
    (table,) = summary.attachments
    rows = table.data.decode().splitlines()
    assert len(rows) == 13
    assert str(first.id) in rows[1]
    assert str(second.id) in rows[12]
    links = summary.embeds[0]["fields"][0]["value"]
    assert str(first.id) in links
    assert str(second.id) in links
    await until(town, lambda: "12" in interaction.answer.content and not interaction.answer.components)
    jobs = (await town.app.store.jobs.gallery(place(town), member_id=None, search=None, before=None, limit=50)).jobs
    assert {job.state for job in jobs} == {"settled"}
    assert {job.message_id for job in jobs} == {first.id, second.id}


async def test_a_form_takes_the_prompts_where_no_file_is_given(town):
    interaction = await town.world.slash(town.member, town.general, "/batch", {"quality": "low"})
    form = await interaction.wait_modal()

    await town.world.submit_form(form, {"lines": "a red fox\na blue fox"})

    await until(town, lambda: summary_of(town) is not None)
    (group,) = groups(town)
    assert [one.description for one in group.attachments] == ["a red fox", "a blue fox"]


@pytest.mark.smoke
async def test_every_faulty_line_is_named_and_nothing_is_spent(town):
    long = "x" * 40_000
    interaction = await batch(town, ["a fox", long, "another fox", long])

    message = await interaction.wait_answer()

    assert message.ephemeral
    assert "Line 2" in message.content
    assert "Line 4" in message.content
    assert "Line 1:" not in message.content
    assert town.images.calls == []


async def test_a_wrong_option_is_told_once(town):
    interaction = await batch(town, prompts(20), size="512x512")

    message = await interaction.wait_answer()

    assert message.ephemeral
    assert message.content.count("512x512") == 1
    assert town.images.calls == []


async def test_more_than_fifty_lines_are_refused(town):
    interaction = await batch(town, prompts(51))
    message = await interaction.wait_answer()
    assert message.ephemeral
    assert "51" in message.content
    assert "50" in message.content


@pytest.mark.smoke
async def test_the_whole_is_refused_where_the_whole_is_too_much(town):
    await town.restart(DEFAULT_IMAGES_PER_DAY="5")
    interaction = await batch(town, prompts(6))
    message = await interaction.wait_answer()
    assert message.ephemeral
    assert "5" in message.content
    assert "6" in message.content
    assert town.images.calls == []


async def test_cancel_gives_back_what_waits_and_keeps_what_is_done(town):
    await town.restart(MAX_CONCURRENT_JOBS="1")
    town.images.latency_s = 0.5
    interaction = await batch(town, prompts(8))
    await interaction.wait_until(lambda one: one.answer is not None and one.answer.components, 30, "the Cancel button")

    await town.world.click(interaction.answer, "Cancel", town.member)

    await until(town, lambda: summary_of(town) is not None)
    sent = len(town.images.calls)
    assert 0 < sent < 8
    (group,) = groups(town)
    assert len(group.attachments) == sent
    await town.quiet()
    states = await counts_by_state(town.app.store)
    assert (states["settled"], states["released"]) == (sent, 8 - sent)


async def test_only_the_maker_and_moderators_may_cancel(town):
    await town.restart(MAX_CONCURRENT_JOBS="1")
    town.images.latency_s = 0.3
    interaction = await batch(town, prompts(4))
    await interaction.wait_until(lambda one: one.answer is not None and one.answer.components, 30, "the Cancel button")
    click = await town.world.click(interaction.answer, "Cancel", town.world.town.painter)
    await click.wait_until(lambda one: one.followups, 10, "the refusal")
    assert click.followups[0].ephemeral
    await until(town, lambda: summary_of(town) is not None)
    assert len(town.images.calls) == 4


async def test_a_private_batch_is_seen_by_its_maker_alone(town):
    interaction = await batch(town, prompts(11), private=True)

    await interaction.wait_until(lambda one: one.answer is not None and bool(one.answer.embeds), 60, "the summary")

    assert [len(one.attachments) for one in interaction.followups] == [10, 1]
    assert all(one.ephemeral for one in interaction.messages)
    assert posts(town) == []


async def test_a_restart_in_the_middle_goes_on_and_posts_nothing_twice(town):
    await town.restart(MAX_CONCURRENT_JOBS="1")
    town.images.latency_s = 0.1
    await batch(town, prompts(12))
    await until(town, lambda: len(town.images.calls) >= 3)

    await town.restart()

    await until(town, lambda: summary_of(town) is not None)
    sent = [call.prompt for call in town.images.calls]
    assert len(sent) == len(set(sent)) >= 11  # one may have been marked as sent and stopped before it was
    shown = [one.description for message in groups(town) for one in message.attachments]
    assert len(shown) == len(set(shown)) >= 11
    assert shown == sorted(shown, key=prompts(12).index)


def place(town) -> Place:
    return Place(town.world.town.studio.id, town.member.id)
