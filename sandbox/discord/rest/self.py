"""The bot about itself, its servers and their people."""

from __future__ import annotations

from typing import Any

from sandbox.discord import payloads, rights
from sandbox.discord.model import Guild, Json
from sandbox.discord.rest.call import Answer, Call
from sandbox.discord.rest.errors import invalid, refuse
from sandbox.discord.rules.problems import Problem


async def me(call: Call) -> Answer:
    return Answer(200, payloads.self_user(call.world.bot))


async def application(call: Call) -> Answer:
    return Answer(200, payloads.application(call.world, call.world.town.owner))


async def gateway(call: Call) -> Answer:
    return Answer(200, {"url": call.gateway.url})


async def gateway_bot(call: Call) -> Answer:
    budget = call.gateway.budget
    limit: Json = {
        "total": budget.total,
        "remaining": budget.remaining,
        "reset_after": 3_600_000,
        "max_concurrency": budget.max_concurrency,
    }
    return Answer(200, {"url": call.gateway.url, "shards": call.gateway.shards, "session_start_limit": limit})


async def user(call: Call) -> Answer:
    person = call.world.users.get(call.number("user_id"))
    if person is None:
        raise refuse("unknown user")
    return Answer(200, payloads.user(person))


async def open_dm(call: Call) -> Answer:
    person = call.world.users.get(int(call.data.get("recipient_id") or 0))
    if person is None or person == call.world.bot:
        raise invalid([Problem(("recipient_id",), "INVALID", "Unknown recipient")])
    return Answer(200, payloads.channel(call.world, call.world.dm(person)))


async def my_guilds(call: Call) -> Answer:
    limit, before, after = call.amount(200, 200), call.asked("before"), call.asked("after") or 0
    mine = sorted((g for g in call.world.guilds.values() if g.has_bot and g.id > after), key=lambda g: g.id)
    page = mine[:limit] if before is None else [g for g in mine if g.id < before][-limit:]
    return Answer(200, [_mine(call, g) for g in page])


def _mine(call: Call, guild: Guild) -> Json:
    return {
        "id": str(guild.id),
        "name": guild.name,
        "icon": None,
        "banner": None,
        "owner": False,
        "permissions": str(rights.in_guild(guild, call.world.bot)),
        "features": [],
    }


async def leave_guild(call: Call) -> Answer:
    call.world.remove_bot(guild_of(call))
    return Answer(204)


def guild_of(call: Call) -> Guild:
    """The server of the path; 10004 or 50001 where the bot has no business."""
    guild = call.world.guilds.get(call.number("guild_id"))
    if guild is None:
        raise refuse("unknown guild")
    if not guild.has_bot:
        raise refuse("missing access")
    return guild


async def guild(call: Call) -> Answer:
    found = guild_of(call)
    data = payloads.guild(found)
    if call.query.get("with_counts") in {"1", "true", "True"}:
        data |= {"approximate_member_count": len(found.members), "approximate_presence_count": len(found.members)}
    return Answer(200, data)


async def channels(call: Call) -> Answer:
    every = call.world.channels_of(guild_of(call))
    return Answer(
        200, [payloads.channel(call.world, c) for c in every if not c.is_thread and payloads.may_view(call.world, c)]
    )


async def roles(call: Call) -> Answer:
    return Answer(200, [payloads.role(r) for r in guild_of(call).roles.values()])


async def member(call: Call) -> Answer:
    found = guild_of(call).members.get(call.number("user_id"))
    if found is None:
        raise refuse("unknown member")
    return Answer(200, payloads.member(found))


async def entitlements(call: Call) -> Answer:
    found: list[Any] = list(call.world.entitlements)
    return Answer(200, found)
