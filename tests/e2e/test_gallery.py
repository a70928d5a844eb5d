"""/gallery over the wire: what one viewer sees of a place, and what never."""

from __future__ import annotations

import asyncio

import pytest

from bot.ports import Kept
from bot.rules.people import Place
from bot.ui.interactions.bounds import BOUNDS, Bounded
from bot.ui.panels.gallery import PER_PAGE
from sandbox.discord.faults import ANY_EDIT
from sandbox.discord.ids import READ_MESSAGE_HISTORY, VIEW_CHANNEL
from sandbox.discord.model import ChannelType, Message


async def gallery(town, user=None, channel=None, **options: object) -> Message:
    interaction = await town.world.slash(user or town.member, channel or town.general, "/gallery", options)
    message = await interaction.wait_answer()
    assert message.ephemeral
    return message


async def made(town, prompt: str, user=None, channel=None, **options: object) -> Message:
    interaction = await town.imagine(user, channel, prompt=prompt, quality="low", **options)
    message = await town.answer(interaction)
    await town.quiet()
    return message


async def waiting(town, count: int) -> None:
    """Until so many finished pictures could not be shown and wait."""
    place = Place(town.world.town.studio.id, town.member.id)
    async with asyncio.timeout(30):
        while len(await town.app.store.jobs.waiting(place, town.member.id)) != count:
            await asyncio.sleep(0.01)


def text(message: Message) -> str:
    return message.embeds[0]["description"]


async def test_an_empty_gallery_says_how_to_fill_it(town):
    message = await gallery(town)
    assert "/imagine" in text(message)
    assert message.attachments == []


async def test_the_newest_comes_first_with_a_picture_and_a_link(town):
    await made(town, "a red fox")
    second = await made(town, "a blue *fox*")

    message = await gallery(town)

    lines = text(message)
    assert lines.index("a blue") < lines.index("a red fox")
    assert "a blue \\*fox\\*" in lines
    assert f"/{town.general.id}/{second.id})" in lines
    (sheet,) = message.attachments
    assert sheet.filename == "gallery.png"
    assert "a red fox" in sheet.description
    assert message.embeds[0]["image"]["url"]


@pytest.mark.smoke
async def test_private_pictures_are_seen_by_their_maker_alone(town):
    await made(town, "a secret fox", private=True)
    painter = town.world.town.painter

    assert "secret" not in text(await gallery(town))
    assert "secret" in text(await gallery(town, mine=True))
    assert "secret" not in text(await gallery(town, painter))
    assert "secret" not in text(await gallery(town, painter, member=town.member))


async def test_pictures_of_a_channel_one_cannot_read_stay_there(town):
    await made(town, "a staff fox", town.admin, town.world.town.hidden)

    assert "staff" not in text(await gallery(town))
    assert "staff" in text(await gallery(town, town.admin))


async def test_whoever_may_not_read_what_was_said_before_sees_no_picture_of_it_even_there(town):
    people = town.world.town
    await made(town, "a fox of yesterday")
    town.world.allow(people.general, people.painter, deny=READ_MESSAGE_HISTORY)
    assert "yesterday" not in text(await gallery(town, people.painter))
    assert "yesterday" not in text(await gallery(town, people.painter, people.pictures))
    assert "yesterday" in text(await gallery(town))


async def test_pictures_of_a_channel_lost_since_and_of_a_private_thread_are_not_shown(town):
    people = town.world.town
    inside = {"parent_id": people.pictures.id, "recipients": (town.member,)}
    thread = town.world.add_channel(people.studio, "plans", ChannelType.PRIVATE_THREAD, **inside)
    await made(town, "a fox of plans", channel=thread)
    await made(town, "a fox of pictures", channel=people.pictures)
    page = await gallery(town, people.painter)
    assert "of pictures" in text(page)
    assert "of plans" not in text(page)

    town.world.allow(people.pictures, people.painter, deny=VIEW_CHANNEL)
    assert "fox" not in text(await gallery(town, people.painter))
    assert "of plans" in text(await gallery(town, channel=thread))


async def test_a_member_whose_number_no_database_takes_is_not_found(town):
    for number in range(PER_PAGE + 1):
        await made(town, f"fox {number}")
    message = await gallery(town)
    forged = f"e1:gallery:{'9' * 20}::"
    menu(message, 2)["custom_id"] = forged
    pressed = await town.world.click(message, forged, town.member)
    assert "no longer available" in (await pressed.wait_answer()).content


async def test_pages_of_the_gallery_have_a_bound_for_each_person(town):
    most = BOUNDS[Bounded.PAGE].most
    for _ in range(most):
        assert (await gallery(town)).embeds
    assert "too often" in (await gallery(town)).content
    assert (await gallery(town, town.world.town.painter)).embeds


async def test_pictures_of_age_restricted_channels_stay_in_such(town):
    adults = town.world.town.adults
    await made(town, "a grown fox", channel=adults)

    assert "grown" not in text(await gallery(town, mine=True))
    assert "grown" in text(await gallery(town, channel=adults))


async def test_another_server_sees_nothing(town):
    await made(town, "a red fox")
    message = await gallery(town, channel=town.world.town.wall)
    assert "fox" not in text(message)


async def test_search_and_member_narrow_it_down(town):
    painter = town.world.town.painter
    await made(town, "a red fox")
    await made(town, "a green owl", painter)

    assert "owl" not in text(await gallery(town, search="FOX"))
    assert "fox" not in text(await gallery(town, member=painter))
    assert "owl" in text(await gallery(town, member=painter, search="green"))


@pytest.mark.slow
async def test_pages_turn_to_older_ones_and_back_to_the_newest(town):
    for number in range(PER_PAGE + 2):
        await made(town, f"fox number {number:02}")
    message = await gallery(town, search="fox")
    assert "fox number 01" not in text(message)

    older = await town.world.click(message, "Older", town.member)
    await older.wait_until(lambda _: "fox number 00" in text(message), 15, "the older page")
    assert "fox number 10" not in text(message)
    assert len(message.attachments) == 1

    await town.restart()
    newest = await town.world.click(message, "Newest", town.member)
    await newest.wait_until(lambda _: "fox number 10" in text(message), 15, "the newest page")


async def test_a_picture_that_waits_is_offered_and_handed_over(town):
    town.discord.fail_next(ANY_EDIT, status=403, code=50001, times=50)
    await town.imagine(prompt="a patient fox", quality="low", private=True)

    await waiting(town, 1)
    town.discord.faults.clear()
    message = await gallery(town)
    assert "patient" in message.embeds[0]["fields"][0]["value"]

    claim = await town.world.click(message, "Show picture 1", town.member)
    shown = await claim.wait_answer()

    assert shown.ephemeral
    assert shown.attachments
    await waiting(town, 0)
    again = await gallery(town)
    assert not again.embeds[0].get("fields")


async def test_each_picture_is_made_small_once_however_often_it_is_looked_at(town, tmp_path):
    await made(town, "a red fox")
    first = await gallery(town)
    (job,) = await town.jobs()
    original = await town.app.client.shell.pictures.result(job.id, 0)
    [kept], [small] = (tuple(tmp_path.rglob(f"{job.id}.{one}")) for one in (Kept.RESULTS, Kept.SMALL))
    assert small.stat().st_size < len(original.data) / 4
    kept.unlink()
    second = await gallery(town)
    assert second.attachments[0].data == first.attachments[0].data


def menu(message: Message, kind: int) -> dict:
    return next(c for row in message.components for c in row["components"] if c["type"] == kind)


async def test_favourites_are_chosen_in_the_menu_seen_by_oneself_and_outlive_a_restart(town):
    painter = town.world.town.painter
    for prompt in ("a red fox", "a blue hen", "a green owl"):
        await made(town, prompt)
    page = await gallery(town)
    stars = menu(page, 3)
    owl, _, fox = [option["value"] for option in stars["options"]]
    await town.settled(await town.world.select(page, stars["custom_id"], [owl, fox], town.member))
    assert text(page).count("★") == 2

    await town.restart()
    await town.settled(await town.world.select(page, stars["custom_id"], [fox], town.member))
    assert text(page).count("★") == 1
    mine = await gallery(town, favourites=True)
    assert ("fox" in text(mine), "owl" in text(mine)) == (True, False)
    assert "No favourites here yet" in text(await gallery(town, painter, favourites=True))
    assert "No picture matches “zzz \\*”" in text(await gallery(town, search="zzz *"))


async def test_a_star_under_details_is_set_and_taken_back_and_a_forged_one_finds_nothing(town):
    picture = await made(town, "a red fox")
    hidden = await made(town, "a staff fox", town.admin, town.world.town.hidden)
    details = await town.answer(await town.world.click(picture, "Details", town.member))
    for _ in range(3):
        await town.settled(await town.world.click(details, menu(details, 2)["custom_id"], town.member))
    assert "fox" in text(await gallery(town, favourites=True))
    await town.settled(await town.world.click(details, menu(details, 2)["custom_id"], town.member))
    assert "No favourites" in text(await gallery(town, favourites=True))

    theirs = next(job for job in await town.jobs(town.admin))
    assert theirs.message_id == hidden.id
    forged = f"e1:star:{theirs.id}:1"
    details.components[0]["components"][0]["custom_id"] = forged
    pressed = await town.world.click(details, forged, town.member)
    assert "no longer available" in (await pressed.wait_answer()).content
    assert "No favourites" in text(await gallery(town, favourites=True))
