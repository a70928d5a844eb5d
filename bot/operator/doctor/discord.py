"""``doctor`` at Discord: the token, the clock, the gateway, commands, and permissions in each server."""

from __future__ import annotations

import re
from typing import Any

from bot.operator.discord_api import Answer, DiscordApi, Unreachable
from bot.operator.doctor.context import Surroundings
from bot.operator.doctor.findings import Finding, failed, needed, passed, warned
from bot.ports import CannotStart
from bot.rules.servers.invitation import ADMINISTRATOR, PERMISSIONS, install_link
from bot.ui.client.commands import command_names

PORTAL = "https://discord.com/developers/applications"
LATE_S = 2.5  # an interaction older than this is not answered any more, so a clock that is ahead makes all of them late
SKEW_WARN_S = 1.5
GUILDS_PER_SHARD = 2500
MOST_SERVERS_ASKED = 25


async def check_token(here: Surroundings) -> list[Finding]:
    """Whether there is a token, what it looks like, and which bot it belongs to."""
    token = here.settings.discord_token
    if token is None:
        if any(fault.startswith("DISCORD_TOKEN:") for fault in here.reading.faults):
            return []
        advice = f"{PORTAL}, your application, Bot, Reset Token; `python -m bot setup` asks for it and tests it."
        return [needed("DISCORD_TOKEN", "not set, so Easel runs in its sandbox", advice)]
    if here.discord is None:
        return []
    try:
        me = await here.discord.get("/users/@me")
    except Unreachable as failure:
        advice = "Check the network, the firewall and DISCORD_API_BASE."
        return [failed("token", f"Discord at {here.settings.discord_api_base} did not answer: {failure}", advice)]
    return [_identity(me, token.get_secret_value(), here.settings.discord_api_base)]


def _identity(me: Answer, token: str, base: str) -> Finding:
    if me.ok and isinstance(me.body, dict) and "username" in me.body:
        if not me.body.get("bot", True):
            return failed("token", "this is a person's token, which may not run a bot", f"Use a bot's: {PORTAL}, Bot.")
        return passed("token", f"it is the bot {me.body['username']} ({me.body.get('id')})")
    if me.status == 401:
        shape = (
            "" if re.fullmatch(r"[\w-]{20,}\.[\w-]{4,}\.[\w-]{20,}", token) else "; it does not look like a bot token"
        )
        advice = f"Get a new one: {PORTAL}, your application, Bot, Reset Token (not the client secret)."
        return failed("token", f"Discord refuses DISCORD_TOKEN{shape}", advice)
    if me.status in (403, 429):
        advice = "Wait an hour and stop whatever else uses this address or token; then try again."
        return failed("token", f"Discord turns this machine away for now (status {me.status})", advice)
    advice = "It must be Discord's own or a proxy's REST base, usually https://discord.com/api/v10."
    return failed("token", f"DISCORD_API_BASE {base} does not answer like Discord (status {me.status})", advice)


async def check_clock(here: Surroundings) -> list[Finding]:
    """A clock that is off makes commands look too late and limits reset at the wrong time."""
    me = await _quietly(here.discord, "/users/@me")
    if me is None or me.skew_s is None:
        return []
    skew = me.skew_s
    says = f"this machine is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} Discord"
    advice = "Turn on time synchronisation (Linux: timedatectl set-ntp true)."
    if abs(skew) >= LATE_S + 1:  # the header has whole seconds
        return [failed("clock", says + "; commands would be taken for too late to answer", advice)]
    if abs(skew) >= SKEW_WARN_S + 1:
        return [warned("clock", says, advice)]
    return [passed("clock", "agrees with Discord's")]


async def check_application(here: Surroundings) -> list[Finding]:
    """An application that gets its interactions over HTTP never sends any to the gateway."""
    application = await _application(here.discord)
    if application is None:
        return []
    if application.get("interactions_endpoint_url"):
        advice = f"Clear it: {PORTAL}, your application, General Information, Interactions Endpoint URL."
        return [failed("application", "an Interactions Endpoint URL is set, so commands never reach this bot", advice)]
    if application.get("bot_public") is False:
        return [passed("application", f"{application.get('name')} is private: only its owner can add it to servers")]
    return [passed("application", f"{application.get('name')} ({application.get('id')})")]


async def check_gateway(here: Surroundings) -> list[Finding]:
    """How many starts are left today, whether the shards suffice, and whether the gateway can be reached."""
    gateway = await _quietly(here.discord, "/gateway/bot")
    if here.discord is None or gateway is None or not gateway.ok or not isinstance(gateway.body, dict):
        return []
    found = [_identify_budget(gateway.body, here.settings.shard_count)]
    wanted = int(gateway.body.get("shards") or 1)
    count = here.settings.shard_count
    if count is not None and count < wanted:
        advice = f"Set SHARD_COUNT to {wanted} or more in every process, or leave it out."
        says = f"SHARD_COUNT={count}, but Discord asks for {wanted} (at most {GUILDS_PER_SHARD} servers a shard)"
        found.append(warned("shards", says, advice))
    url = str(gateway.body.get("url", ""))
    try:
        await here.discord.hello(url)
    except Unreachable as failure:
        advice = "Allow outgoing WebSocket connections (TCP 443) in the firewall or proxy."
        return [*found, failed("gateway", f"{url} cannot be used: {failure}", advice)]
    return [*found, passed("gateway", "reachable")]


def _identify_budget(body: dict[str, Any], shard_count: int | None) -> Finding:
    limit = body.get("session_start_limit") or {}
    remaining, total = int(limit.get("remaining", 1000)), int(limit.get("total", 1000))
    hours = int(limit.get("reset_after", 0)) / 3_600_000
    shards = shard_count or int(body.get("shards") or 1)
    says = f"{remaining} of {total} starts left for today"
    if remaining < shards:
        advice = f"Wait {hours:.1f} h before starting. More starts than allowed make Discord reset the token."
        return failed("identify budget", says, advice)
    if remaining < max(50, 3 * shards):
        advice = "Something restarts the bot again and again: look into its log. Discord resets the token at zero."
        return warned("identify budget", says, advice)
    return passed("identify budget", says)


def _has_words(here: Surroundings) -> bool | None:
    """Whether there is a model of words; None where the catalogue cannot be read, which check_models says."""
    try:
        return here.catalogue().chat_model is not None
    except CannotStart:
        return None


async def check_commands(here: Surroundings) -> list[Finding]:
    """Whether the commands Easel has are the ones Discord shows."""
    application = await _application(here.discord)
    if application is None:
        return []
    guild = here.settings.discord_guild_id
    names = await _registered(here, application["id"], guild)
    if names is None:
        return []
    ours = await command_names()
    match _has_words(here):
        case False:  # a command that cannot work is not registered
            ours -= {"describe"}
        case None:
            ours, names = ours - {"describe"}, names - {"describe"}
        case True:
            pass
    if not names & ours:
        return [warned("commands", "none is registered yet", "Start the bot once; it registers them by itself.")]
    missing, strange = sorted(ours - names), sorted(names - ours)
    if missing or strange:
        parts = [f"missing: {', '.join(missing)}"] if missing else []
        parts += [f"not of this version: {', '.join(strange)}"] if strange else []
        return [warned("commands", "; ".join(parts), "Start the bot once; it registers them anew.")]
    twice = await _registered_twice(here, application["id"], guild, ours)
    if twice:
        return [twice]
    return [passed("commands", f"{len(names)} registered" + (f" on server {guild}" if guild else ""))]


async def _registered(here: Surroundings, application_id: str, guild: int | str | None) -> set[str] | None:
    """The names in one scope; None where Discord does not say."""
    where = f"/guilds/{guild}" if guild else ""
    answer = await _quietly(here.discord, f"/applications/{application_id}{where}/commands")
    if answer is None or not isinstance(answer.body, list):
        return None
    return {str(command.get("name")) for command in answer.body if isinstance(command, dict)}


async def _registered_twice(
    here: Surroundings, application_id: str, guild: int | None, ours: frozenset[str]
) -> Finding | None:
    """Discord shows commands of one server beside those of everywhere, each of them twice."""
    if guild is not None:
        if ours & (await _registered(here, application_id, None) or set()):
            says = f"each stands twice on server {guild}: it is registered there and everywhere"
            return warned("commands", says, "Take DISCORD_GUILD_ID away, and start the bot once.")
        return None
    if here.discord is None:
        return None
    try:
        servers, _ = await here.discord.servers()
    except Unreachable:
        return None
    for server in servers[:MOST_SERVERS_ASKED]:
        if ours & (await _registered(here, application_id, str(server["id"])) or set()):
            says = f"each stands twice on server {server['id']}: it is registered there and everywhere"
            return warned(
                "commands", says, f"Start the bot once with DISCORD_GUILD_ID={server['id']}, then without it."
            )
    return None


async def check_servers(here: Surroundings) -> list[Finding]:
    """In which servers the bot is, and what it lacks there (roles only; channels can take more away)."""
    if here.discord is None or await _quietly(here.discord, "/users/@me") is None:
        return []
    application = await _application(here.discord)
    link = install_link(application["id"]) if application else "`python -m bot invite`"
    try:
        servers, all_of_them = await here.discord.servers()
    except Unreachable:
        return []
    if not servers:
        identity = await _quietly(here.discord, "/users/@me")
        if identity is None or not identity.ok:
            return []
        return [warned("servers", "the bot is in no server yet", f"Add it: {link}")]
    found = [finding for server in servers if (finding := _permissions(server, link))]
    wanted = here.settings.discord_guild_id
    if wanted is not None and all_of_them and str(wanted) not in {str(server["id"]) for server in servers}:
        advice = f"Add it there ({link}), or correct DISCORD_GUILD_ID."
        found.append(failed("servers", f"DISCORD_GUILD_ID names server {wanted}, but the bot is not in it", advice))
    if found:
        return found
    return [passed("servers", f"in {len(servers)}{'' if all_of_them else ' or more'}, with every permission it needs")]


def _permissions(server: dict[str, Any], link: str) -> Finding | None:
    try:
        bits = int(server.get("permissions", ""))
    except ValueError:
        return None
    name = str(server.get("name", server["id"]))
    if bits & ADMINISTRATOR:
        advice = "Take Administrator from the bot's role: Easel needs six small permissions and no more."
        return warned("servers", f"in {name} the bot is an administrator", advice)
    missing = [label for label, bit in PERMISSIONS.items() if not bits & bit]
    if missing:
        advice = f"Give the bot's role these permissions, or add the bot again: {link}"
        return failed("servers", f"in {name} the bot lacks {', '.join(missing)}", advice)
    return None


async def _application(discord: DiscordApi | None) -> dict[str, Any] | None:
    answer = await _quietly(discord, "/oauth2/applications/@me")
    return answer.body if answer and answer.ok and isinstance(answer.body, dict) and "id" in answer.body else None


async def _quietly(discord: DiscordApi | None, path: str) -> Answer | None:
    """None where Discord cannot be asked: ``check_token`` has said so already."""
    if discord is None:
        return None
    try:
        return await discord.get(path)
    except Unreachable:
        return None
