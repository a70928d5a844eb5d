"""The real discord.py against the sandbox: what works on Discord works here, and nothing is out of order."""

import asyncio
import io
from collections.abc import Callable

import aiohttp
import pytest

from sandbox.discord import payloads
from sandbox.discord.clock import HandClock
from sandbox.discord.model import Upload
from sandbox.discord.people.options import NotPossible
from sandbox.discord.server import Server

discord = pytest.importorskip("discord")


async def test_a_command_becomes_a_message_with_a_picture(server: Server, bot, picture: Callable[..., bytes]) -> None:
    world, town = server.world, server.world.town
    interaction = await world.slash(town.member, town.general, "/draw", prompt="a red fox")
    message = await interaction.wait_answer()

    assert interaction.ack_type == 5
    assert interaction.ack_s is not None
    assert interaction.ack_s < 1
    assert message.content == "Here is a red fox"
    assert message.type == 20
    assert [a.description for a in message.attachments] == ["a red fox"]
    assert (message.attachments[0].width, message.attachments[0].height) == (8, 8)
    shown = payloads.message(world, message)
    async with aiohttp.ClientSession() as session, session.get(shown["attachments"][0]["url"]) as response:
        assert await response.read() == picture()
    server.assert_clean()


async def test_completions_come_from_the_bot(server: Server, bot) -> None:
    town = server.world.town
    interaction = await server.world.autocomplete(town.member, town.general, "/draw", "size", "3", {"prompt": "x"})

    choices = await interaction.wait_choices()
    assert [c["value"] for c in choices] == ["32x32", "304x304", "320x320", "336x336", "352x352", "368x368", "384x384"]
    server.assert_clean()


async def test_a_button_of_an_earlier_life_still_works(server: Server, start_bot) -> None:
    world, town = server.world, server.world.town
    first = await start_bot()
    message = await (await world.slash(town.member, town.general, "/draw", prompt="fox")).wait_answer()
    await first.close()
    await server.gateway.wait_gone()
    await start_bot()

    answer = await (await world.click(message, "Again", town.painter)).wait_answer()
    assert answer.content == "again: fox"
    assert answer.visible_to(town.painter.id)
    assert not answer.visible_to(town.member.id)
    assert answer.reference is not None
    server.assert_clean()


async def test_a_form_takes_text_and_a_file(server: Server, bot, picture: Callable[..., bytes]) -> None:
    world, town = server.world, server.world.town
    modal = await (await world.slash(town.member, town.general, "/form")).wait_modal()
    names = [c["component"]["custom_id"] for c in modal.components]
    files = {names[1]: [Upload("mask.png", picture())]}

    submitted = await world.submit_form(modal, {names[0]: "make it blue"}, files)
    assert (await submitted.wait_answer()).content == f"make it blue with masks of [{len(picture())}] bytes"
    with pytest.raises(NotPossible, match="must be filled in"):
        await world.submit_form(modal, {})
    server.assert_clean()


async def test_an_attachment_option_can_be_read_by_the_bot(server: Server, bot) -> None:
    town = server.world.town
    upload = Upload("photo.png", b"\x89PNG\r\n\x1a\n" + bytes(100))
    interaction = await server.world.slash(town.member, town.general, "/draw", prompt="x", image=upload)

    assert (await interaction.wait_answer()).content == "photo.png has 108 bytes"
    server.assert_clean()


async def test_a_subcommand_with_choices_and_a_member(server: Server, bot) -> None:
    town = server.world.town
    interaction = await server.world.slash(town.admin, town.general, "/level set", to="High", who=town.painter)

    answer = await interaction.wait_answer()
    assert answer.content == "Pablo: high"
    assert answer.ephemeral_for == town.admin.id
    server.assert_clean()


async def test_a_message_menu_gets_the_message_with_its_pictures(server: Server, bot, picture) -> None:
    world, town = server.world, server.world.town
    posted = world.say(town.painter, town.general, "look", [Upload("a.png", picture()), Upload("b.png", picture())])

    answer = await (await world.message_menu(town.member, posted, "Look")).wait_answer()
    assert answer.content == "2 pictures by pablo"
    assert answer.type == 23
    server.assert_clean()


@pytest.mark.parametrize("place", ["thread", "announcements", "adults", "wall", "dm", "own install", "group"])
async def test_commands_work_in_every_kind_of_place(server: Server, bot, place: str) -> None:
    world, town = server.world, server.world.town
    user = town.outsider if place in {"own install", "group"} else town.member
    places = {"dm": world.dm(town.member), "own install": town.far, "group": world.group_dm(town.outsider, town.member)}
    channel = places.get(place) or getattr(town, place)

    interaction = await world.slash(user, channel, "/draw", prompt="fox")
    assert (await interaction.wait_answer()).content == "Here is fox"
    owners = interaction.payload["authorizing_integration_owners"]
    expected = {
        "dm": {"0": "0"},
        "own install": {"1": str(town.outsider.id)},
        "group": {"1": str(town.outsider.id)},
        "wall": {"0": str(town.gallery.id)},
    }
    assert owners == expected.get(place, {"0": str(town.studio.id)})
    server.assert_clean()


async def test_a_followup_right_after_a_defer_takes_its_place_and_its_visibility(server: Server, bot) -> None:
    async def work(interaction, prompt: str) -> None:
        await interaction.response.defer(thinking=True)
        await interaction.followup.send("meant to be private", ephemeral=True)
        await interaction.followup.send("really private", ephemeral=True)

    bot.draw_with = work
    town = server.world.town
    interaction = await server.world.slash(town.member, town.general, "/draw", prompt="fox")
    await interaction.wait_until(lambda i: len(i.messages) == 2)

    assert [(m.content, m.ephemeral) for m in interaction.messages] == [
        ("meant to be private", False),
        ("really private", True),
    ]
    server.assert_clean()


async def test_a_direct_message_and_its_nonce(server: Server, bot) -> None:
    world, town = server.world, server.world.town
    person = await bot.fetch_user(town.member.id)
    channel = await person.create_dm()
    await channel.send("hello", nonce="job-1")

    assert [m.content for m in world.history(world.dm(town.member))] == ["hello"]
    server.assert_clean()


async def test_a_layout_with_a_gallery_is_shown_with_links(server: Server, bot, picture) -> None:
    async def work(interaction, prompt: str) -> None:
        view = discord.ui.LayoutView(timeout=None)
        gallery = discord.ui.MediaGallery(discord.MediaGalleryItem("attachment://a.png", description="red"))
        view.add_item(discord.ui.Container(discord.ui.TextDisplay("# Hello"), gallery, discord.ui.Separator()))
        view.add_item(discord.ui.Section("text", accessory=discord.ui.Thumbnail("attachment://a.png")))
        row = discord.ui.ActionRow(discord.ui.Select(custom_id="pick", options=[discord.SelectOption(label="One")]))
        view.add_item(row)
        await interaction.response.send_message(view=view, file=discord.File(io.BytesIO(picture()), "a.png"))

    bot.draw_with = work
    town = server.world.town
    message = await (await server.world.slash(town.member, town.general, "/draw", prompt="fox")).wait_answer()

    shown = payloads.message(server.world, message)
    media = shown["components"][0]["components"][1]["items"][0]["media"]
    assert media["url"].startswith(server.url)
    assert media["width"] == 8
    assert shown["attachments"] == []
    server.assert_clean()


async def test_a_picture_inside_an_embed_is_not_listed_twice(server: Server, bot, picture) -> None:
    async def work(interaction, prompt: str) -> None:
        embed = discord.Embed(title="x").set_image(url="attachment://a.png").set_footer(text="f").set_author(name="n")
        await interaction.response.send_message(embed=embed, file=discord.File(io.BytesIO(picture()), "a.png"))

    bot.draw_with = work
    town = server.world.town
    message = await (await server.world.slash(town.member, town.general, "/draw", prompt="fox")).wait_answer()

    shown = payloads.message(server.world, message)
    assert shown["attachments"] == []
    assert shown["embeds"][0]["image"]["url"].startswith(server.url + "/attachments/")
    server.assert_clean()


async def test_too_late_is_10062_and_is_seen_as_a_failure(server: Server, bot, clock: HandClock) -> None:
    go, caught = asyncio.Event(), asyncio.Queue()

    async def work(interaction, prompt: str) -> None:
        await go.wait()
        try:
            await interaction.response.defer()
        except discord.NotFound as error:
            caught.put_nowait(error.code)

    bot.draw_with = work
    town = server.world.town
    interaction = await server.world.slash(town.member, town.general, "/draw", prompt="fox")
    clock.advance(3.1)
    go.set()

    assert await asyncio.wait_for(caught.get(), 5) == 10062
    assert interaction.failed
    with pytest.raises(LookupError, match="did not respond"):
        await interaction.wait_answer()


async def test_after_fifteen_minutes_the_token_is_over(server: Server, bot, clock: HandClock) -> None:
    go, caught = asyncio.Event(), asyncio.Queue()

    async def work(interaction, prompt: str) -> None:
        await interaction.response.defer()
        await go.wait()
        try:
            await interaction.edit_original_response(content="late")
        except discord.HTTPException as error:
            caught.put_nowait((error.status, error.code))

    bot.draw_with = work
    town = server.world.town
    interaction = await server.world.slash(town.member, town.general, "/draw", prompt="fox")
    await interaction.wait_acknowledged()
    clock.advance(15 * 60 + 1)
    go.set()

    assert await asyncio.wait_for(caught.get(), 5) == (401, 50027)


async def test_a_command_that_is_only_for_admins_is_not_offered_to_others(server: Server, bot) -> None:
    world, town = server.world, server.world.town
    with pytest.raises(NotPossible, match="no command /admin-only"):
        await world.slash(town.member, town.general, "/admin-only")

    answer = await (await world.slash(town.admin, town.general, "/admin-only")).wait_answer()
    assert answer.content == "yes"
    server.assert_clean()


async def test_the_same_event_twice_reaches_the_bot_twice(server: Server, bot) -> None:
    codes: asyncio.Queue[int] = asyncio.Queue()

    async def work(interaction, prompt: str) -> None:
        try:
            await interaction.response.send_message("done")
            codes.put_nowait(0)
        except discord.HTTPException as error:
            codes.put_nowait(error.code)

    bot.draw_with = work
    town = server.world.town
    interaction = await server.world.slash(town.member, town.general, "/draw", prompt="fox")
    server.world.replay(interaction)

    assert sorted([await asyncio.wait_for(codes.get(), 5) for _ in range(2)]) == [0, 40060]
    server.assert_clean()


async def test_two_hundred_commands_at_once_are_all_acknowledged(server: Server, bot) -> None:
    async def work(interaction, prompt: str) -> None:
        await interaction.response.defer()

    bot.draw_with = work
    town = server.world.town
    every = [await server.world.slash(town.member, town.general, "/draw", prompt=f"fox {n}") for n in range(200)]
    await asyncio.gather(*(i.wait_acknowledged(20) for i in every))

    assert not any(i.failed for i in every)
    assert len({i.answer.id for i in every if i.answer}) == 200
    server.assert_clean()


async def test_an_event_that_comes_late_is_too_late(server: Server, bot, clock: HandClock) -> None:
    town = server.world.town
    server.gateway.hold()
    interaction = await server.world.slash(town.member, town.general, "/draw", prompt="fox")
    clock.advance(4)
    server.gateway.release()

    await asyncio.wait_for(bot.noted.wait(), 5)
    assert [getattr(e, "code", None) for e in bot.errors] == [10062]
    assert interaction.failed
