"""Which servers the bot is in, as far as this process can know."""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import discord

from bot.core.servers.departures import Departures
from bot.ports import Clock
from bot.ui.internals import drop_guild, give_way
from bot.ui.servers import Servers

Parser = Callable[[Any], None]

SHARED_EVENTS = frozenset({"GUILD_CREATE", "GUILD_UPDATE", "GUILD_DELETE"})
LEFT_OUT = frozenset(
    {
        *("roles", "channels", "threads", "emojis", "stickers", "soundboard_sounds", "features", "description"),
        *("voice_states", "presences", "stage_instances", "guild_scheduled_events", "icon", "splash", "banner"),
    }
)
"""Of a server's description: what ``Servers`` keeps, and what nobody asks for."""

UNREAD_EVENTS = ("STAGE_INSTANCE_CREATE", "STAGE_INSTANCE_UPDATE", "STAGE_INSTANCE_DELETE")

FROZEN_EVERY = 200
"""Servers that come in before they are taken out of the collector's sight: it never has more than these to look at."""


def keep_packed(parsers: dict[str, Parser], servers: Servers) -> None:
    """From now on what servers consist of is kept in ``servers``; discord.py gets what is left."""
    for name, read in servers.readers().items():
        parsers[name] = _with_the_rest(read, parsers[name]) if name in SHARED_EVENTS else read
    for name in UNREAD_EVENTS:
        parsers[name] = lambda _: None
    parsers["GUILD_CREATE"] = _freezing(parsers["GUILD_CREATE"])


def _with_the_rest(read: Parser, parse: Parser) -> Parser:
    def parse_rest(data: Any) -> None:
        read(data)
        parse({name: value for name, value in data.items() if name not in LEFT_OUT})

    return parse_rest


def _freezing(parse: Parser) -> Parser:
    """A collection looks at everything that lives: with thousands of servers the loop stood still for half a second."""
    came = 0

    def parse_guild_create(data: Any) -> None:
        nonlocal came
        parse(data)
        give_way()
        came += 1
        if came % FROZEN_EVERY == 0:
            gc.collect(1)
            gc.freeze()

    return parse_guild_create


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


def noticing_departures(client: discord.AutoShardedClient, servers: Servers, parse: Parser) -> Parser:
    """A parser of READY that drops the shard's servers that a new session does not name any more.

    discord.py only adds: a server that removed the bot between two sessions would stay for as long as the process.
    """

    def parse_ready(data: Any) -> None:
        parse(data)
        shard_id, shard_count = data["shard"]
        named = {int(one["id"]) for one in data["guilds"]}
        for guild in client.guilds:
            if shard_of(guild.id, shard_count) == shard_id and guild.id not in named:
                servers.forget(guild.id)
                drop_guild(client, guild)

    return parse_ready


JUST_NOW = timedelta(minutes=15)
"""A membership younger than this is a join, however Discord tells of the server; an older one never is."""

Welcome = Callable[[discord.Guild], Awaitable[None]]


def tell_departures(client: discord.Client, departures: Departures, welcome: Welcome, clock: Clock) -> None:
    """From now on servers that come and go are noted, and who has just let the bot in is welcomed, once.

    An outage is told by other events, or by the same ones of a server that is noted as present.
    """

    async def on_guild_join(guild: discord.Guild) -> None:
        is_news = await departures.came(guild.id)
        if is_news and _joined_just_now(guild, clock()):
            await welcome(guild)

    async def on_guild_available(guild: discord.Guild) -> None:
        if _joined_just_now(guild, clock()):
            await on_guild_join(guild)
        else:
            await departures.seen(guild.id)

    async def on_guild_remove(guild: discord.Guild) -> None:
        await departures.went(guild.id)

    for listener in (on_guild_join, on_guild_available, on_guild_remove):
        client.event(listener)


def _joined_just_now(guild: discord.Guild, now: datetime) -> bool:
    joined: datetime | None = getattr(guild.me, "joined_at", None)  # of whom Discord may say nothing
    return joined is not None and abs(now - joined) < JUST_NOW
