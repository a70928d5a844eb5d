"""Every kind of place that a server can have, and what becomes of it: closed threads, outages, roles that go."""

import pytest

from sandbox.discord import ids
from sandbox.discord.model import ChannelType
from sandbox.discord.rights import permissions
from sandbox.discord.server import Server
from sandbox.discord.world import World
from tests.sandbox.discord.conftest import Probe


async def post(rest, channel) -> tuple[int, object]:
    status, data, _ = await rest("POST", f"/channels/{channel.id}/messages", {"content": "x"})
    return status, (data or {}).get("code")


@pytest.mark.parametrize(
    ("place", "answer"),
    {
        "rooms": (400, 50008),
        "forum": (400, 50008),
        "voice": (200, None),
        "stage": (200, None),
        "post": (200, None),
        "backstage": (200, None),
    }.items(),
)
async def test_words_go_where_there_is_room_for_them(server: Server, rest, place: str, answer) -> None:
    assert await post(rest, getattr(server.world.town, place)) == answer
    server.assert_clean()


async def test_media_channels_hold_posts_alone(server: Server, rest) -> None:
    media = server.world.add_channel(server.world.town.studio, "showroom", ChannelType.MEDIA)

    assert await post(rest, media) == (400, 50008)
    assert (await rest("GET", f"/channels/{media.id}"))[1]["type"] == 16
    server.assert_clean()


async def test_a_thread_of_news_follows_its_parent(server: Server, rest) -> None:
    world, town = server.world, server.world.town
    kind = ChannelType.ANNOUNCEMENT_THREAD
    thread = world.add_channel(town.studio, "more", kind, parent_id=town.announcements.id)
    world.allow(town.announcements, world.bot, deny=ids.SEND_MESSAGES_IN_THREADS)

    assert await post(rest, thread) == (403, 50013)


async def test_a_private_thread_is_seen_by_who_was_added(server: Server, rest) -> None:
    world, town = server.world, server.world.town
    town.backstage.has_bot = False

    assert permissions(world, town.painter, town.backstage) == 0
    assert permissions(world, town.member, town.backstage)
    assert await post(rest, town.backstage) == (403, 50001)


async def test_an_archived_thread_is_opened_by_words_and_takes_no_edits(server: Server, rest) -> None:
    world, town = server.world, server.world.town
    _, said, _ = await rest("POST", f"/channels/{town.thread.id}/messages", {"content": "x"})
    path = f"/channels/{town.thread.id}/messages/{said['id']}"

    world.close_thread(town.thread)
    assert (await rest("PATCH", path, {"content": "y"}))[1]["code"] == 50083
    assert await post(rest, town.thread) == (200, None)
    assert not town.thread.archived

    world.close_thread(town.thread, locked=True)
    assert await post(rest, town.thread) == (403, 160005)
    server.assert_clean()


def test_what_stood_below_a_deleted_channel_goes_or_stands_alone() -> None:
    world = World()
    town = world.town
    for gone in (town.forum, town.rooms):
        world.delete_channel(gone)

    assert town.post.id not in world.channels
    assert (town.voice.parent_id, town.stage.parent_id) == (None, None)


async def test_an_outage_is_told_and_its_end(server: Server, bot: Probe) -> None:
    studio = server.world.town.studio
    server.world.outage(studio)
    await bot.wait_for("guild_unavailable", timeout=10)
    server.world.add_role(studio, "unseen")

    server.world.recover(studio)

    back = await bot.wait_for("guild_available", timeout=10)
    assert "unseen" in [role.name for role in back.roles]
    server.assert_clean()


async def test_a_server_in_an_outage_is_named_and_comes_later(server: Server, start_bot) -> None:
    studio = server.world.town.studio
    server.world.outage(studio)
    bot = await start_bot()
    assert bot.get_guild(studio.id).unavailable

    server.world.recover(studio)

    await bot.wait_for("guild_available", timeout=10)
    assert bot.get_guild(studio.id).get_channel(server.world.town.voice.id).name == "lounge"


def test_a_person_sees_each_place_once() -> None:
    world = World()
    for person in (world.town.member, world.town.admin):
        seen = [channel.id for channel in world.channels_for(person)]
        assert len(seen) == len(set(seen))
        assert world.town.backstage.id in seen
