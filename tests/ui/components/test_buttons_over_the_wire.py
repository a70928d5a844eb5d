"""Buttons and forms against the pretend Discord: pressed by others, twice, forged, and after a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from bot.rules.ledger import JobState
from sandbox.discord.model import Upload
from tests.ui.stage import Stage, picture_of, played, running, said

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with played() as (discord, images), running(discord, images, tmp_path) as made:
        yield made


@pytest.mark.parametrize("model", ["gpt-image-2.5-flare", "dall-e-3"])
async def test_several_pictures_have_a_menu_that_the_buttons_follow(stage: Stage, model: str) -> None:
    done = await stage.imagine(prompt="x", count=3, model=model, private=True)
    (message,) = done.messages
    assert len(message.attachments) == 3
    menu = message.components[1]["components"][0]
    await stage.world.select(message, menu["custom_id"], ["2"], stage.town.member)
    await stage.until(lambda: "Vary 3" in str(message.components))


async def test_again_makes_another_one_for_the_one_who_pressed(stage: Stage) -> None:
    first = await stage.imagine(prompt="a red fox", size="1024x1536")
    pressed = await stage.press(first.messages[0], "Again", stage.town.painter)
    assert picture_of(pressed.messages[0]).height == 1536
    jobs = await stage.jobs_of(stage.town.painter.id)
    assert len(jobs) == 1
    assert jobs[0].parent_id is not None


async def test_a_double_click_is_one_job(stage: Stage) -> None:
    first = await stage.imagine(prompt="a red fox")
    message = first.messages[0]
    both = [await stage.world.click(message, "Again", stage.town.painter) for _ in range(2)]
    for one in both:
        await stage.ended(one)
    assert len(await stage.jobs_of(stage.town.painter.id)) == 1
    assert sum("being worked on already" in said(one) for one in both) == 1


async def test_vary_makes_a_variation_of_the_picture(stage: Stage) -> None:
    first = await stage.imagine(prompt="a red fox")
    pressed = await stage.press(first.messages[0], "Vary")
    assert pressed.messages[0].embeds[0]["author"]["name"] == "Variation"
    assert stage.images.calls[-1].endpoint == "edits"


async def test_the_edit_form_comes_back_filled_in_and_edits(stage: Stage) -> None:
    first = await stage.imagine(prompt="a red fox")
    opened = await stage.press(first.messages[0], "Edit")
    assert opened.modal is not None
    assert "a red fox" in str(opened.modal.components)
    mask = Image.new("RGBA", (1024, 1024), (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), (0, 0, 512, 1024))
    out = BytesIO()
    mask.save(out, "PNG")
    sent = await stage.world.submit_form(
        opened.modal, {"prompt": "a blue fox"}, {"mask": [Upload("mask.png", out.getvalue())]}
    )
    await stage.ended(sent)
    assert "a blue fox" in said(sent)
    assert [file.field for file in stage.images.calls[-1].files] == ["image", "mask"]
    (job,) = [job for job in await stage.jobs_of(stage.town.member.id) if job.parent_id]
    assert job.request.has_mask


async def test_a_form_that_was_open_across_a_restart_still_works(tmp_path: Path) -> None:
    async with played() as (discord, images):
        async with running(discord, images, tmp_path) as stage:
            first = await stage.imagine(prompt="a red fox")
            opened = await stage.press(first.messages[0], "Edit")
            assert opened.modal is not None
        async with running(discord, images, tmp_path) as stage:
            sent = await stage.ended(await stage.world.submit_form(opened.modal, {"prompt": "a blue fox"}))
            assert "a blue fox" in said(sent)


@pytest.mark.parametrize("label", ["Again", "Vary", "Details"])
async def test_buttons_outlive_the_process(tmp_path: Path, label: str) -> None:
    async with played() as (discord, images):
        async with running(discord, images, tmp_path) as stage:
            first = await stage.imagine(prompt="a red fox")
        async with running(discord, images, tmp_path) as stage:
            pressed = await stage.press(first.messages[0], label)
            assert pressed.messages[0].embeds


async def test_details_are_private_and_tell_the_whole_story(stage: Stage) -> None:
    first = await stage.imagine(prompt="the first prompt")
    second = await stage.press(first.messages[0], "Again")
    details = await stage.press(second.messages[0], "Details", stage.town.painter)
    (message,) = details.messages
    assert message.ephemeral
    for part in ("/imagine", "the first prompt", "Tokens", "$"):
        assert part in said(details)


async def test_only_the_maker_and_moderators_delete(stage: Stage) -> None:
    first = await stage.imagine(prompt="x")
    message = first.messages[0]
    refused = await stage.press(message, "Delete", stage.town.painter)
    assert "Only the person who asked" in said(refused)
    assert not message.deleted
    (job,) = await stage.jobs_of(stage.town.member.id)
    await stage.world.click(message, "Delete", stage.town.moderator)
    await stage.until(lambda: message.deleted)
    await stage.until_async(lambda: stage.app.files.names(job.id))
    row = await stage.app.store.jobs.get(job.id)
    assert row is not None
    assert row.deleted
    assert row.state is JobState.SETTLED


async def test_a_button_of_another_version_is_answered(stage: Stage) -> None:
    first = await stage.imagine(prompt="x")
    message = first.messages[0]
    message.components[0]["components"][0]["custom_id"] = "e0:gone:1"
    pressed = await stage.press(message, "e0:gone:1")
    assert "older version" in said(pressed)
    assert (pressed.ack_s or 9) < 3


async def test_a_button_of_a_forged_job_finds_nothing(stage: Stage) -> None:
    first = await stage.imagine(prompt="mine", private=True)
    second = await stage.imagine(prompt="open", user=stage.town.painter)
    stolen = first.messages[0].components[0]["components"][3]["custom_id"]
    message = second.messages[0]
    message.components[0]["components"][3]["custom_id"] = stolen
    pressed = await stage.press(message, stolen, stage.town.painter)
    assert "mine" not in said(pressed)
    assert "not here any more" in said(pressed)
