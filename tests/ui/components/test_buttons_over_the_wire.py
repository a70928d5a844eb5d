"""Buttons and forms against the pretend Discord: pressed by others, twice, forged, and after a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from copy import deepcopy
from pathlib import Path

import pytest
from PIL import Image

from bot.ports import Kept
from bot.rules.ledger import JobState
from sandbox.discord.model import Upload
from tests.support.pictures import encoded
from tests.support.running import Town, picture_of, said, town_in

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with town_in(tmp_path) as made:
        yield made
        made.discord.assert_clean()


@pytest.mark.parametrize("model", ["gpt-image-2.5-flare", "dall-e-3"])
async def test_choosing_one_of_several_pictures_changes_nothing_for_others(town: Town, model: str) -> None:
    done = await town.imagined(prompt="x", count=3, model=model)
    (message,) = done.messages
    assert len(message.attachments) == 3
    before = deepcopy(message.components)
    menu = message.components[1]["components"][0]["custom_id"]
    chosen = await town.settled(await town.world.select(message, menu, ["move:2"], town.painter))
    (offer,) = chosen.messages
    assert offer.ephemeral
    assert "picture 3" in offer.content
    assert message.components == before
    edited = await town.settled(await town.world.select(message, menu, ["edit:1"], town.painter))
    assert edited.modal is not None
    assert ":1:" in edited.modal.custom_id
    assert message.components == before


async def test_v3_varies_the_third_picture_in_one_tap(town: Town) -> None:
    done = await town.imagined(prompt="a quiet harbour", count=3)
    varied = await town.press(done.messages[0], "V3", town.painter)
    assert "Variation of: a quiet harbour" in said(varied)
    (job,) = await town.jobs(town.painter)
    assert job.parent_index == 2


async def test_the_menu_of_an_older_message_still_works(town: Town) -> None:
    done = await town.imagined(prompt="x", count=3)
    (message,) = done.messages
    (job,) = await town.jobs()
    menu = message.components[1]["components"][0]
    menu["custom_id"] = f"e1:pick:{job.id}"
    menu["options"] = [{"label": f"Picture {n + 1}", "value": str(n)} for n in range(3)]
    before = deepcopy(message.components)
    chosen = await town.settled(await town.world.select(message, f"e1:pick:{job.id}", ["2"], town.member))
    assert message.components == before
    varied = await town.press(chosen.messages[0], "Vary")
    assert picture_of(varied.messages[0])
    assert [job.parent_index for job in await town.jobs() if job.parent_id] == [2]


async def test_a_server_may_want_plain_results_with_few_buttons(town: Town) -> None:
    await town.settled(
        await town.world.slash(town.admin, town.general, "/settings look", {"layout": "plain", "cost": False})
    )
    for button in ("again", "remix", "edit", "zoom", "pan", "details", "delete"):
        await town.settled(await town.world.slash(town.admin, town.general, "/settings look", {"hide": button}))
    (shown,) = (await town.imagined(prompt="a red fox", quality="low")).messages
    assert not shown.embeds
    assert shown.content.startswith("**a red fox**\n-# 2.5 flare · 1024×1024 · low · ")
    assert "$" not in shown.content
    assert [one["label"] for row in shown.components for one in row["components"]] == ["Vary"]
    used = await town.settled(await town.world.message_menu(town.member, shown, "Use as prompt"))
    assert used.modal is not None
    assert "2.5 flare" not in str(used.modal.components)


async def test_again_makes_another_one_for_the_one_who_pressed(town: Town) -> None:
    first = await town.imagined(prompt="a red fox", size="1024x1536")
    pressed = await town.press(first.messages[0], "Again", town.painter)
    assert picture_of(pressed.messages[0]).height == 1536
    jobs = await town.jobs(town.painter)
    assert len(jobs) == 1
    assert jobs[0].parent_id is not None


async def test_a_double_click_is_one_job(town: Town) -> None:
    first = await town.imagined(prompt="a red fox")
    message = first.messages[0]
    both = [await town.world.click(message, "Again", town.painter) for _ in range(2)]
    for one in both:
        await town.settled(one)
    assert len(await town.jobs(town.painter)) == 1
    assert sum("already being handled" in said(one) for one in both) == 1


async def test_vary_makes_a_variation_of_the_picture(town: Town) -> None:
    first = await town.imagined(prompt="a red fox")
    pressed = await town.press(first.messages[0], "Vary")
    (shown,) = pressed.messages
    assert "**Variation of: a red fox**" in shown.embeds[0]["description"]
    assert picture_of(shown).description == "Variation of: a red fox"
    again = await town.press(shown, "Vary")
    assert "**Variation of: a red fox**" in again.messages[0].embeds[0]["description"]
    used = await town.settled(await town.world.message_menu(town.member, shown, "Use as prompt"))
    assert used.modal is not None
    assert "Create a variation" not in str(used.modal.components)
    assert "a red fox" in str(used.modal.components)
    assert town.images.calls[-1].endpoint == "edits"


async def test_the_edit_form_comes_back_filled_in_and_edits(town: Town) -> None:
    first = await town.imagined(prompt="a red fox")
    opened = await town.press(first.messages[0], "Edit")
    assert opened.modal is not None
    assert "a red fox" in str(opened.modal.components)
    mask = Image.new("RGBA", (1024, 1024), (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), (0, 0, 512, 1024))
    sent = await town.world.submit_form(
        opened.modal, {"prompt": "a blue fox"}, {"mask": [Upload("mask.png", encoded(mask))]}
    )
    await town.settled(sent)
    assert "a blue fox" in said(sent)
    assert [file.field for file in town.images.calls[-1].files] == ["image", "mask"]
    (job,) = [job for job in await town.jobs(town.member) if job.parent_id]
    assert job.request.has_mask


async def test_a_form_that_was_open_across_a_restart_still_works(town: Town) -> None:
    first = await town.imagined(prompt="a red fox")
    opened = await town.press(first.messages[0], "Edit")
    assert opened.modal is not None
    await town.restart()
    sent = await town.settled(await town.world.submit_form(opened.modal, {"prompt": "a blue fox"}))
    assert "a blue fox" in said(sent)


@pytest.mark.parametrize("label", ["Again", "Vary", "Details", "Zoom out"])
async def test_buttons_outlive_the_process(town: Town, label: str) -> None:
    first = await town.imagined(prompt="a red fox")
    await town.restart()
    pressed = await town.press(first.messages[0], label)
    assert pressed.messages[0].embeds


async def test_details_are_private_and_tell_the_whole_story(town: Town) -> None:
    first = await town.imagined(prompt="the first prompt")
    second = await town.press(first.messages[0], "Again")
    details = await town.press(second.messages[0], "Details", town.painter)
    (message,) = details.messages
    assert message.ephemeral
    for part in ("/imagine", "the first prompt", "Tokens", "$"):
        assert part in said(details)


async def test_only_the_maker_and_moderators_delete_and_are_asked_first(town: Town) -> None:
    first = await town.imagined(prompt="x")
    message = first.messages[0]
    refused = await town.press(message, "Delete", town.painter)
    assert "Only the person who asked" in said(refused)
    (job,) = await town.jobs(town.member)
    moderator = town.world.town.moderator
    asked = await town.press(message, "Delete", moderator)
    (question,) = asked.messages
    assert question.ephemeral
    assert not message.deleted
    await town.press(question, f"e1:keep:{job.id}", moderator)
    assert not message.deleted
    assert question.content == "Bleibt, wie es ist."
    admin = town.world.town.admin  # a second press of the moderator's so soon would be a double click
    asked = await town.press(message, "Delete", admin)
    (question,) = asked.messages
    await town.press(question, f"e1:gone:{job.id}", admin)
    assert message.deleted
    assert question.content == "Deleted."
    assert not await town.app.files.read(job.id, Kept.RESULTS)
    row = await town.app.store.jobs.get(job.id)
    assert row is not None
    assert row.deleted
    assert row.state is JobState.SETTLED


async def test_a_question_that_was_asked_before_a_restart_is_answered_after_it(town: Town) -> None:
    (shown,) = (await town.imagined(prompt="x")).messages
    asked = await town.press(shown, "Delete")
    await town.restart()
    await town.press(asked.messages[0], "Delete")
    assert shown.deleted


async def test_a_private_picture_is_deleted_too(town: Town) -> None:
    (shown,) = (await town.imagined(prompt="x", private=True)).messages
    asked = await town.press(shown, "Delete")
    await town.press(asked.messages[-1], "Delete")
    assert shown.deleted
    assert asked.messages[-1].content == "Deleted."


async def test_remix_opens_a_form_with_the_words_and_draws_the_new_ones(town: Town) -> None:
    first = await town.imagined(prompt="a red fox", size="1024x1536", quality="low")
    opened = await town.press(first.messages[0], "Remix", town.painter)
    assert opened.modal is not None
    assert "a red fox" in str(opened.modal.components)
    assert len(town.images.calls) == 1
    await town.restart()
    sent = await town.world.submit_form(opened.modal, {"prompt": "a blue fox"})
    await town.settled(sent)
    call = town.images.calls[-1]
    assert (call.prompt, call.fields["size"], call.fields["quality"]) == ("a blue fox", "1024x1536", "low")
    (job,) = await town.jobs(town.painter)
    assert job.parent_id is not None


async def test_remix_of_an_edit_edits_the_same_pictures(town: Town) -> None:
    edited = await town.run("edit", image=Upload("a.png", encoded(Image.new("RGB", (1024, 1024)))), prompt="a hat")
    opened = await town.press(edited.messages[0], "Remix")
    assert opened.modal is not None
    await town.settled(await town.world.submit_form(opened.modal, {"prompt": "a crown"}))
    assert (town.images.calls[-1].endpoint, town.images.calls[-1].prompt) == ("edits", "a crown")


async def test_a_button_of_another_version_is_answered(town: Town) -> None:
    first = await town.imagined(prompt="x")
    message = first.messages[0]
    message.components[0]["components"][0]["custom_id"] = "e0:gone:1"
    pressed = await town.press(message, "e0:gone:1")
    assert "older version" in said(pressed)
    assert (pressed.ack_s or 9) < 3


async def test_a_button_of_a_forged_job_finds_nothing(town: Town) -> None:
    first = await town.imagined(prompt="mine", private=True)
    second = await town.imagined(prompt="open", user=town.painter)
    stolen = first.messages[0].components[1]["components"][2]["custom_id"]
    message = second.messages[0]
    message.components[1]["components"][2]["custom_id"] = stolen
    pressed = await town.press(message, stolen, town.painter)
    assert "mine" not in said(pressed)
    assert "no longer available" in said(pressed)
