"""/batch when:tonight over the wire: what its maker sees, what the service got, what it cost, what is left there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.operator.purge import delete_everything
from sandbox.discord.model import Interaction, Upload
from sandbox.images.batches import batch
from sandbox.images.batches.night import Plan
from tests.support.ledger import counts_by_state
from tests.support.running import Place, processes_in, town_in


async def soon(seconds: float) -> None:
    """A night in which nobody waits."""
    await asyncio.sleep(min(seconds, 0.05))


@pytest.fixture
async def town(tmp_path: Path):
    models = tmp_path / "models.toml"
    models.write_text("[services.default]\novernight = true\n", encoding="utf-8")
    async with town_in(tmp_path, sleep=soon, IMAGE_MODELS=str(models)) as one:
        yield one


def posts(town: Place):
    history = town.world.history(town.general)
    return [one for one in history if one.author == town.world.bot and one.nonce is not None]


async def tonight(town: Place, *lines: str, **options: object) -> Interaction:
    file = Upload("prompts.txt", "\n".join(lines).encode(), "text/plain")
    given = {"file": file, "quality": "low", "size": "1024x1024", "when": "tonight", **options}
    return await town.world.slash(town.member, town.general, "/batch", given)


async def summed_up(town: Place, within_s: float = 60) -> None:
    ended = lambda: any(str(one.nonce).endswith("s") for one in posts(town))  # noqa: E731
    await town.world.changed.until(ended, within_s, "the end")


@pytest.mark.smoke
async def test_pictures_come_to_the_channel_at_half_price_without_a_ping(town):
    interaction = await tonight(town, "a red fox", "a blue fox")
    await summed_up(town)

    group, summary = posts(town)
    assert [one.description for one in group.attachments] == ["a red fox", "a blue fox"]
    for one in (group, summary):
        assert not one.mentions
    assert all(call.overnight for call in town.images.calls)
    exported = await town.app.store.people.export(town.member.id)
    jobs = exported["jobs"]
    assert {job["state"] for job in jobs} == {"settled"}
    assert all(0 < job["charged_micro_usd"] <= job["upper_micro_usd"] for job in jobs)
    full = [call.usage["output_tokens"] * 30 + call.usage["input_tokens"] * 5 for call in town.images.calls]
    assert sorted(job["charged_micro_usd"] for job in jobs) == sorted(-(-one // 2) for one in full)
    await interaction.wait_until(lambda one: not one.answer.components, 30, "no button is left")
    await town.app.nights.tidy()
    assert town.images.batches.files.all == []


async def test_its_message_says_how_far_it_is_and_details_and_cancel_work(town):
    town.images.batches.night.takes_s = 10**6
    interaction = await tonight(town, "a red fox", "a blue fox")
    await interaction.wait_until(
        lambda one: one.answer is not None and "of 2 drawn" in one.answer.content, 30, "that it is there"
    )
    assert "half price" in interaction.answer.content
    assert "<t:" in interaction.answer.content

    details = await town.world.click(interaction.answer, "Details", town.world.town.painter)
    told = await details.wait_answer()
    assert told.ephemeral
    assert any("gpt-image-2.5-flare" in field["value"] for field in told.embeds[0]["fields"])

    refused = await town.world.click(interaction.answer, "Cancel", town.world.town.painter)
    await refused.wait_until(lambda one: one.followups, 10, "the refusal")
    assert refused.followups[0].ephemeral
    await town.world.click(interaction.answer, "Cancel", town.member)
    await summed_up(town)
    assert (await counts_by_state(town.app.store))["released"] == 2
    assert town.images.calls == []
    await interaction.wait_until(lambda one: "2 given back" in one.answer.content, 30, "what came of it")
    assert "failed" not in interaction.answer.content
    assert "Cancelled." in posts(town)[-1].embeds[0]["description"]


async def test_what_is_late_says_so_and_when_it_ends(town, monkeypatch):
    monkeypatch.setattr(batch, "WINDOW_S", -60)
    town.images.batches.night.takes_s = 10**6
    interaction = await tonight(town, "a red fox")
    late = "It takes longer than the image service promised. If nothing comes, it ends <t:"
    await interaction.wait_until(lambda one: one.answer and late in one.answer.content, 30, "that it is late")
    assert "Ready" not in interaction.answer.content
    details = await (await town.world.click(interaction.answer, "Details", town.member)).wait_answer()
    assert late in details.embeds[0]["description"]
    await town.world.click(interaction.answer, "Cancel", town.member)
    await summed_up(town)


async def test_a_refused_key_is_named_told_and_stops_the_next_night(town):
    town.images.key = "another"
    await tonight(town, "a red fox")
    await summed_up(town)
    assert "The operator has been told." in posts(town)[-1].embeds[0]["description"]
    refused = await (await tonight(town, "a blue fox")).wait_answer()
    assert refused.ephemeral
    assert "are not possible at the moment" in refused.content


async def test_while_the_servers_key_is_gone_everybody_is_told_that_it_waits(town):
    images, night = town.images, town.images.batches.night
    form = await (await town.world.slash(town.admin, town.general, "/settings apikey")).wait_modal()
    images.key = None
    await (await town.world.submit_form(form, {"key": "sk-our-very-own-key7"}, user=town.admin)).wait_answer()
    night.takes_s = 10**6
    interaction = await tonight(town, "a red fox")
    await interaction.wait_until(lambda one: one.answer and "of 1 drawn" in one.answer.content, 30, "that it is there")

    removed = await town.world.slash(town.admin, town.general, "/settings apikey", {"remove": True})
    assert "1 batch overnight is paid with this key" in (await removed.wait_answer()).content
    waits = "Waits for this server's API key"
    await interaction.wait_until(lambda one: waits in one.answer.content, 30, "that it waits")
    assert "Ready" not in interaction.answer.content
    details = await (await town.world.click(interaction.answer, "Details", town.world.town.painter)).wait_answer()
    assert waits in details.embeds[0]["description"]
    cancel = await town.world.click(interaction.answer, "Cancel", town.member)
    await cancel.wait_until(lambda one: one.followups, 10, "what Cancel came to")
    assert "cannot be taken back" in cancel.followups[0].content

    form = await (await town.world.slash(town.admin, town.general, "/settings apikey")).wait_modal()
    await (await town.world.submit_form(form, {"key": "sk-our-very-own-key7"}, user=town.admin)).wait_answer()
    await summed_up(town)
    assert (await counts_by_state(town.app.store))["released"] == 1


async def test_after_deleting_ones_data_its_message_promises_nothing(town):
    town.images.batches.night.takes_s = 10**6
    interaction = await tonight(town, "a red fox")
    await interaction.wait_until(lambda one: one.answer and "of 1 drawn" in one.answer.content, 30, "that it is there")
    asked = await town.world.slash(town.member, town.general, "/mydata delete", {})
    await asked.wait_until(lambda one: one.messages and one.messages[0].components, 10, "the question")
    await town.world.click(asked.messages[0], "Delete everything", town.member)
    await interaction.wait_until(lambda one: not one.answer.components, 30, "its end")
    assert interaction.answer.content == "This batch was deleted at the request of whoever ordered it."


@pytest.mark.parametrize("button", ["Details", "Cancel"])
async def test_the_message_of_a_batch_that_was_purged_promises_nothing_once_it_is_touched(town, button):
    town.images.batches.night.takes_s = 10**6
    interaction = await tonight(town, "a red fox")
    await interaction.wait_until(lambda one: one.answer and "of 1 drawn" in one.answer.content, 30, "that it is there")
    settings = town.app.settings
    await town.stop()
    await delete_everything(settings)
    await town.start()
    await (await town.world.click(interaction.answer, button, town.member)).wait_acknowledged()
    await interaction.wait_until(lambda one: not one.answer.components, 30, "its end")
    assert interaction.answer.content == "This batch was deleted."
    while await town.app.store.notes.overnights():
        await town.app.nights.tidy()
    assert town.images.batches.files.all == []


async def test_a_night_that_expires_shows_what_there_is(town):
    town.images.batches.night.plan = Plan("expired", done=1)
    clock = town.images.batches.night.clock
    town.images.batches.night.clock = lambda: clock() + 10**6 * bool(town.images.batches.night.batches)
    await tonight(town, "a red fox", "a blue fox")
    await summed_up(town)
    states = await counts_by_state(town.app.store)
    assert (states["settled"], states["released"]) == (1, 1)


@pytest.mark.parametrize(
    ("options", "word"),
    [({"model": "gpt-image-2.6-flare"}, "gpt-image-2.5-flare"), ({"private": True}, "private:False")],
)
async def test_what_cannot_wait_for_the_night_is_refused_in_a_sentence(town, options, word):
    interaction = await tonight(town, "a red fox", **options)
    answer = await interaction.wait_answer()
    assert answer.ephemeral
    assert word in answer.content
    assert "when:now" in answer.content
    assert town.images.batches.visits == []


async def test_what_moderators_post_of_a_night_pings_nobody(town):
    room = town.world.town.backstage
    await (await town.world.slash(town.admin, town.general, "/settings review", {"channel": room})).wait_answer()
    await tonight(town, "a red fox", "a blue fox")
    await summed_up(town)
    (review,) = [one for one in town.world.history(room, town.admin) if one.components]
    await (await town.world.click(review, "Post", town.admin)).wait_acknowledged()
    await town.quiet()
    shown = [one for one in town.world.history(town.general) if one.attachments and one.author == town.world.bot]
    assert sum(file.filename.endswith(".png") for one in shown for file in one.attachments) == 2
    assert not any(one.mentions for one in shown)


async def test_models_tells_who_draws_overnight(town):
    interaction = await town.world.slash(town.member, town.general, "/models")
    lines = (await interaction.wait_answer()).embeds[0]["description"].splitlines()
    offers = {line.split(" · ")[0]: "half price overnight" in line for line in lines if line.startswith("**2.")}
    assert offers == {
        "**2.5 flare**": True,
        "**2.5 sunburst**": True,
        "**2.6 flare**": False,
        "**2.6 sunburst**": False,
    }


@pytest.mark.slow
@pytest.mark.parametrize("boundary", ["night uploaded", "night begun", "night kept", "night closed"])
async def test_killed_on_its_way_through_the_night_a_batch_comes_once(tmp_path, boundary):
    models = tmp_path / "models.toml"
    models.write_text("[services.default]\novernight = true\n", encoding="utf-8")
    async with processes_in(tmp_path) as stage:
        bot = await stage.start(EASEL_CRASH_AT=boundary, IMAGE_MODELS=str(models))
        await tonight(stage, "a red fox", "a blue fox")
        assert await asyncio.wait_for(bot.wait(), 60) == -9
        await stage.start(IMAGE_MODELS=str(models))
        await summed_up(stage, 240)
        assert len(stage.images.batches.night.batches) == 1
        assert sum(call.rendered for call in stage.images.calls) == 2
        assert [job.state for job in await stage.end()] == ["settled"] * 2
