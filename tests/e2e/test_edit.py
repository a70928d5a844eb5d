"""/edit over the wire: what is checked before a picture is fetched and opened, and what the service then gets."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from sandbox.discord.model import Upload


def picture(kind: str = "PNG", size: tuple[int, int] = (256, 256), **options: object) -> Upload:
    out = BytesIO()
    Image.new("RGB", size, (30, 60, 200)).save(out, kind, **options)
    return Upload(f"a.{kind.lower()}", out.getvalue())


def many_scans(width: int, height: int) -> Upload:
    """A progressive JPEG of a few kilobytes whose last scan is there a thousand times."""
    data = picture("JPEG", (width, height), progressive=True, quality=30).data
    return Upload("a.jpg", data[:-2] + data[data.rindex(b"\xff\xda") : -2] * 1000 + data[-2:])


async def edited(town, user=None, **options: object):
    given = {"prompt": "make it red", "quality": "low", "image": picture()} | options
    interaction = await town.world.slash(user or town.member, town.general, "/edit", given)
    return await town.answer(interaction)


async def no_quota_for(town, member) -> None:
    interaction = await town.world.slash(town.admin, town.general, "/settings quota", {"images": 0, "member": member})
    await interaction.wait_answer()


@pytest.mark.smoke
async def test_who_has_no_quota_left_is_refused_before_their_pictures_are_fetched(town):
    await no_quota_for(town, town.member)
    message = await edited(town)
    assert message.ephemeral
    assert "0 per day" in message.content
    assert town.discord.cdn.served == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"size": "512x512"}, "512x512"),
        ({"model": "dall-e-3"}, "dall-e-3"),
        ({"size": "512x512", "preview_mask": True}, "512x512"),
    ],
)
async def test_options_are_checked_before_a_picture_is_fetched(town, options, said):
    message = await edited(town, **options)
    assert message.ephemeral
    assert said in message.content
    assert town.discord.cdn.served == []


async def test_a_look_at_the_mask_takes_nothing_of_a_quota(town):
    await no_quota_for(town, town.member)
    message = await edited(town, area="left", preview_mask=True)
    assert [file.filename for file in message.attachments] == ["mask-preview.png"]
    assert town.images.calls == []


async def test_a_picture_that_takes_for_ever_to_open_is_refused_in_words(town):
    message = await edited(town, image=many_scans(4000, 3000))
    assert message.ephemeral
    assert "too much time or memory" in message.content
    assert town.images.calls == []
    assert await town.jobs() == []


async def test_again_goes_through_todays_rules_though_its_pictures_are_kept(town):
    message = await edited(town, model="gpt-image-1.5", moderation="low")
    await town.quiet()
    calls = len(town.images.calls)
    await (await town.world.slash(town.admin, town.general, "/settings moderation", {"level": "auto"})).wait_answer()

    refused = await town.answer(await town.world.click(message, "Again", town.member))

    assert "moderation" in refused.content
    assert len(town.images.calls) == calls
