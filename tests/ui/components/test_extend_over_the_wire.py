"""Zoom out and pan against the pretend Discord: pressed by others, twice, forged, and after a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from bot.ports import Kept
from bot.ui.words.catalogue import say
from tests.support.running import Town, picture_of, said, town_in

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with town_in(tmp_path) as made:
        yield made
        made.discord.assert_clean()


async def sent_of(town: Town, job_id: str) -> tuple[Image.Image, Image.Image]:
    """Picture and mask as they went to the service."""
    assert town.app is not None
    kept = await town.app.files.read(job_id, Kept.INPUTS)
    assert kept is not None
    files = dict(kept.files)
    (picture,) = [data for name, data in files.items() if name.startswith("in-")]
    (mask,) = [data for name, data in files.items() if name.startswith("mask")]
    return Image.open(BytesIO(picture)), Image.open(BytesIO(mask))


async def test_zooming_out_draws_around_the_picture_with_its_words(town: Town) -> None:
    first = await town.imagined(prompt="a red fox", quality="low")
    pressed = await town.press(first.messages[0], "Zoom out", town.painter)
    assert "**a red fox** · " in pressed.messages[0].embeds[0]["description"]
    call = town.images.calls[-1]
    assert (call.endpoint, call.prompt, call.fields["size"], call.fields["quality"]) == (
        "edits",
        "a red fox",
        "1024x1024",
        "low",
    )
    (job,) = await town.jobs(town.painter)
    picture, mask = await sent_of(town, job.id)
    assert picture.size == mask.size == (1024, 1024)
    assert picture.getchannel("A").getbbox() == mask.getchannel("A").getbbox() == (170, 170, 853, 853)
    assert (job.parent_index, job.request.has_mask) == (0, True)
    assert pressed.messages[0].embeds[0]["footer"]["text"].startswith("Zoomed out · 2.5 flare · ")
    details = await town.press(pressed.messages[0], "Details")
    assert "a red fox" in said(details)


async def test_panning_asks_which_way_in_private_and_widens_the_picture(town: Town) -> None:
    first = await town.imagined(prompt="a red fox")
    asked = await town.press(first.messages[0], "Pan", town.painter)
    (question,) = asked.messages
    assert question.ephemeral
    await town.restart()
    both = [await town.world.click(question, "Right", town.painter) for _ in range(2)]
    for one in both:
        await town.settled(one)
    assert sum(say("en-US", "error.already_running") in said(one) for one in both) == 1
    (job,) = await town.jobs(town.painter)
    assert job.request.size == "1536x1024"
    _, mask = await sent_of(town, job.id)
    assert mask.getchannel("A").getbbox() == (0, 0, 1024, 1024)
    shown = [message for message in town.public_results() if job.id in str(message.components)]
    assert picture_of(shown[0]).width == 1536


async def test_a_model_that_cannot_edit_gives_way_to_one_that_can_and_that_is_said(town: Town) -> None:
    first = await town.imagined(prompt="a red fox", model="dall-e-3")
    pressed = await town.press(first.messages[0], "Zoom out")
    assert town.images.calls[-1].model == "gpt-image-2.5-flare"
    assert "dall-e-3 cannot do this here, so gpt-image-2.5-flare did." in said(pressed)


async def test_zooming_out_is_held_to_the_limits_like_everything_else(town: Town) -> None:
    first = await town.imagined(prompt="a red fox")
    await town.settled(
        await town.world.slash(town.admin, town.general, "/settings quota", {"images": 0, "member": town.painter})
    )
    pressed = await town.press(first.messages[0], "Zoom out", town.painter)
    assert pressed.messages[0].ephemeral
    assert len(town.images.calls) == 1
    assert not await town.jobs(town.painter)


@pytest.mark.parametrize("what", ["zoom", "pan", "move:{}:0:left", "remix", "more", "gone", "vary"])
async def test_a_new_button_of_a_forged_job_finds_nothing(town: Town, what: str) -> None:
    secret = await town.imagined(prompt="mine", private=True)
    assert secret.messages
    public = await town.imagined(prompt="open", user=town.painter)
    (job,) = await town.jobs(town.member)
    message = public.messages[0]
    custom_id = f"e1:{what.format(job.id)}" if "{}" in what else f"e1:{what}:{job.id}"
    message.components[0]["components"][0]["custom_id"] = custom_id
    pressed = await town.press(message, custom_id, town.painter)
    assert "no longer available" in said(pressed)
    assert "mine" not in said(pressed)
    assert len(town.images.calls) == 2
