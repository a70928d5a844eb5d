"""Which servers the bot is in, as far as this process can know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import discord

from bot.core.servers.departures import Departures
from bot.ui.internals import drop_guild


def shard_of(server_id: int, shard_count: int) -> int:
    return (server_id >> 22) % shard_count


def is_member(client: discord.AutoShardedClient, server_id: int) -> bool | None:
    """Whether the bot is in the server, an outage or not; None while this process cannot tell."""
    if client.get_guild(server_id) is not None:
        return True
    if not client.shard_count or not client.is_ready():
        return None
    shard = client.get_shard(shard_of(server_id, client.shard_count))
    return None if shard is None or shard.is_closed() else False


def noticing_departures(client: discord.AutoShardedClient, parse: Callable[[Any], None]) -> Callable[[Any], None]:
    """A parser of READY that drops the shard's servers that a new session does not name any more.

    discord.py only adds: a server that removed the bot between two sessions would stay for as long as the process.
    """

    def parse_ready(data: Any) -> None:
        parse(data)
        shard_id, shard_count = data["shard"]
        named = {int(one["id"]) for one in data["guilds"]}
        for guild in client.guilds:
            if shard_of(guild.id, shard_count) == shard_id and guild.id not in named:
                drop_guild(client, guild)

    return parse_ready


def tell_departures(client: discord.Client, departures: Departures) -> None:
    """From now on servers that come and go are noted. An outage is told by other events."""

    async def on_guild_join(guild: discord.Guild) -> None:
        await departures.came(guild.id)

    async def on_guild_available(guild: discord.Guild) -> None:
        await departures.seen(guild.id)

    async def on_guild_remove(guild: discord.Guild) -> None:
        await departures.went(guild.id)

    for listener in (on_guild_join, on_guild_available, on_guild_remove):
        client.event(listener)
