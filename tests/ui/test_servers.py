"""What Easel keeps of a server says the same as discord.py's own cache, which is asked beside it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import discord
import pytest

from bot.ui.client.client import Client
from bot.ui.internals import parsers_of, role_ids_of
from bot.ui.servers import Server, Servers
from tests.support.people import GUILD, USER

OWNER, ROLES, CHANNELS, THREADS = 9, range(500, 508), range(700, 712), range(800, 808)
LONG_AGO = "2026-01-01T00:00:00+00:00"
ASKED = ("view_channel", "read_message_history", "manage_threads")
BITS = [discord.Permissions(**{name: True}).value for name in (*ASKED, "administrator", "send_messages", "connect")]

Payload = dict[str, Any]


class Story:
    """A server's life, told at random."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def bits(self) -> str:
        weights = (4, 4, 1, 0.1, 2, 2)
        return str(sum(bit for bit, weight in zip(BITS, weights, strict=True) if self._random.random() * 5 < weight))

    def role(self, role_id: int) -> Payload:
        look = {"hoist": False, "position": 1, "managed": False, "mentionable": False, "flags": 0, "color": 0}
        colours = {"primary_color": 0, "secondary_color": None, "tertiary_color": None}
        return {"id": str(role_id), "name": "r", "permissions": self.bits(), "colors": colours, **look}

    def channel(self, channel_id: int) -> Payload:
        subjects = self._random.sample([(GUILD, 0), *((one, 0) for one in ROLES), (USER, 1), (OWNER, 1)], 4)
        overwrites = [{"id": str(s), "type": t, "allow": self.bits(), "deny": self.bits()} for s, t in subjects]
        parent = self._random.choice([None, str(CHANNELS[0])])
        about = {"name": "c", "position": 1, "nsfw": self._random.random() < 0.3, "parent_id": parent}
        kind = [0, 2, 5, 15, 0][channel_id % 5] if channel_id != CHANNELS[0] else 4
        return {
            "id": str(channel_id), "guild_id": str(GUILD), "type": kind, "permission_overwrites": overwrites,
            "bitrate": 1, "user_limit": 0, **about,
        }  # fmt: skip

    def thread(self, thread_id: int, *, archived: bool = False) -> Payload:
        state = {"archived": archived, "auto_archive_duration": 60, "archive_timestamp": LONG_AGO}
        counts = {"message_count": 0, "member_count": 0, "owner_id": "1", "name": "t", "thread_metadata": state}
        parent = str(CHANNELS[1 + thread_id % 6])
        about = {"id": str(thread_id), "guild_id": str(GUILD), "type": 11 + thread_id % 2, "parent_id": parent}
        return about | counts

    def beginning(self) -> Payload:
        roles = [self.role(one) for one in (GUILD, *ROLES[:5])]
        return {
            "id": str(GUILD), "name": "Here", "owner_id": str(OWNER), "roles": roles, "members": [], "features": [],
            "channels": [self.channel(one) for one in CHANNELS[:7]], "emojis": [],
            "threads": [self.thread(one) for one in THREADS[:3]],
        }  # fmt: skip

    def events(self, count: int) -> Iterator[tuple[str, Payload]]:
        here = {"guild_id": str(GUILD)}
        for _ in range(count):
            some_role, lasting_role = self._random.choice(ROLES[5:]), self._random.choice((GUILD, *ROLES[:5]))
            some_channel, lasting_channel = self._random.choice(CHANNELS[5:]), self._random.choice(CHANNELS[1:5])
            thread, archived = self._random.choice(THREADS), self._random.random() < 0.5
            some = [str(one) for one in self._random.sample(CHANNELS[1:], 3)]
            listed = [one for one in map(self.thread, THREADS) if one["parent_id"] in some]  # fmt: skip
            yield self._random.choice(
                [
                    ("GUILD_ROLE_CREATE", {**here, "role": self.role(some_role)}),
                    ("GUILD_ROLE_UPDATE", {**here, "role": self.role(lasting_role)}),
                    ("GUILD_ROLE_DELETE", {**here, "role_id": str(some_role)}),
                    ("CHANNEL_CREATE", self.channel(some_channel)),
                    ("CHANNEL_UPDATE", self.channel(lasting_channel)),
                    ("CHANNEL_DELETE", self.channel(some_channel)),
                    ("THREAD_CREATE", {**self.thread(thread), "newly_created": True}),
                    ("THREAD_UPDATE", self.thread(thread, archived=archived)),
                    ("THREAD_DELETE", self.thread(thread)),
                    ("THREAD_LIST_SYNC", {**here, "channel_ids": some, "threads": listed, "members": []}),
                    ("GUILD_UPDATE", {**self.beginning(), "owner_id": str(self._random.choice([OWNER, USER]))}),
                ]
            )


@pytest.fixture
async def plain() -> discord.Client:
    """discord.py as it is, keeping everything."""
    client = discord.Client(intents=discord.Intents(guilds=True))
    await client._async_setup_hook()
    return client


@pytest.mark.parametrize("seed", range(12))
async def test_it_says_what_discord_py_says(plain: discord.Client, seed: int) -> None:
    story, servers = Story(seed), Servers()
    first = story.beginning()
    servers.readers()["GUILD_CREATE"](first)
    parsers_of(plain)["GUILD_CREATE"](first)
    for name, event in story.events(60):
        servers.readers()[name](event)
        if name == "GUILD_UPDATE":
            event = {key: value for key, value in event.items() if key not in ("channels", "threads")}
        parsers_of(plain)[name](event)

        guild, ours = plain.get_guild(GUILD), servers.of(GUILD)
        assert guild is not None
        assert ours is not None
        assert (ours.id, ours.owner_id) == (guild.id, guild.owner_id)
        assert ours.roles == {role.id: role.permissions.value for role in guild.roles}
        assert ours.channel_ids == {channel.id for channel in guild.channels}
        assert {one for one, room in ours.rooms.items() if room.is_thread} == {thread.id for thread in guild.threads}
    for user_id in (USER, OWNER):
        _compare(plain, ours, user_id, story)


def _compare(plain: discord.Client, ours: Server, user_id: int, story: Story) -> None:
    guild = plain.get_guild(GUILD)
    assert guild is not None
    roles = [str(one) for one in ROLES if int(story.bits()) % 2]
    user = {"id": str(user_id), "username": "a", "discriminator": "0", "avatar": None}
    timeout = "2999-01-01T00:00:00+00:00" if int(story.bits()) % 4 == 0 else None
    data: Any = {"user": user, "roles": roles, "flags": 0, "communication_disabled_until": timeout}
    member = discord.Member(data=data, guild=guild, state=plain._connection)
    for room in (*guild.channels, *guild.threads):
        in_timeout = member.is_timed_out()
        may = ours.may(member.id, role_ids_of(member), room.id, in_timeout=in_timeout)
        known = room.parent is not None if isinstance(room, discord.Thread) else True
        theirs = room.permissions_for(member) if known else discord.Permissions.none()
        assert may.view_channel is theirs.view_channel, room
        assert not may.view_channel or [getattr(may, name) for name in ASKED] == [
            getattr(theirs, name) for name in ASKED
        ]
        if isinstance(room, discord.Thread):
            assert ours.rooms[room.id].is_private_thread is room.is_private()
        else:
            assert ours.rooms[room.id].parent_id == room.category_id
            assert ours.rooms[room.id].age_restricted is getattr(room, "nsfw", False)


def test_a_server_that_is_left_is_known_no_more_and_one_in_an_outage_still_is() -> None:
    servers, first = Servers(), Story(1).beginning()
    servers.readers()["GUILD_CREATE"](first)
    servers.readers()["GUILD_DELETE"]({"id": str(GUILD), "unavailable": True})
    servers.readers()["GUILD_CREATE"]({"id": str(GUILD), "unavailable": True})
    assert servers.of(GUILD) is not None
    servers.readers()["GUILD_DELETE"]({"id": str(GUILD)})
    assert servers.of(GUILD) is None


async def test_discord_py_keeps_nothing_of_what_a_server_consists_of(client: Client) -> None:
    for name, event in [("GUILD_CREATE", Story(1).beginning()), *Story(2).events(50)]:
        parsers_of(client)[name](event)
    guild = client.get_guild(GUILD)
    assert guild is not None
    assert [*guild.roles, *guild.channels, *guild.threads, *guild.emojis, *guild.features] == []
    assert client.shell.servers.of(GUILD) is not None
