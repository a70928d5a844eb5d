"""Buttons and forms against the pretend Discord: pressed by others, twice, forged, and after a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from bot.ports import Kept
from bot.rules.ledger import JobState
from sandbox.discord.model import Upload
from tests.support.pictures import encoded
from tests.support.running import Town, picture_of, said, town_in, until

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with town_in(tmp_path) as made:
        yield made
        made.discord.assert_clean()


@pytest.mark.parametrize("model", ["gpt-image-2.5-flare", "dall-e-3"])
async def test_several_pictures_have_a_menu_that_the_buttons_follow(town: Town, model: str) -> None:
    done = await town.imagined(prompt="x", count=3, model=model, private=True)
    (message,) = done.messages
    assert len(message.attachments) == 3
    menu = message.components[1]["components"][0]
    await town.world.select(message, menu["custom_id"], ["2"], town.member)
    await until(lambda: "Vary 3" in str(message.components))


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
    assert sum("being worked on already" in said(one) for one in both) == 1


async def test_vary_makes_a_variation_of_the_picture(town: Town) -> None:
    first = await town.imagined(prompt="a red fox")
    pressed = await town.press(first.messages[0], "Vary")
    assert pressed.messages[0].embeds[0]["author"]["name"] == "Variation"
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


@pytest.mark.parametrize("label", ["Again", "Vary", "Details"])
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


async def test_only_the_maker_and_moderators_delete(town: Town) -> None:
    first = await town.imagined(prompt="x")
    message = first.messages[0]
    refused = await town.press(message, "Delete", town.painter)
    assert "Only the person who asked" in said(refused)
    assert not message.deleted
    (job,) = await town.jobs(town.member)
    await town.press(message, "Delete", town.world.town.moderator)
    assert message.deleted
    assert not await town.app.files.read(job.id, Kept.RESULTS)
    row = await town.app.store.jobs.get(job.id)
    assert row is not None
    assert row.deleted
    assert row.state is JobState.SETTLED


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
    stolen = first.messages[0].components[0]["components"][3]["custom_id"]
    message = second.messages[0]
    message.components[0]["components"][3]["custom_id"] = stolen
    pressed = await town.press(message, stolen, town.painter)
    assert "mine" not in said(pressed)
    assert "not here any more" in said(pressed)
