"""What the page is told, as JSON: the world as one person sees it. Links lead to this page's own ``/files``."""

from __future__ import annotations

import re
from typing import Any

from sandbox.discord import ids, payloads, rights
from sandbox.discord.model import Channel, ChannelType, Guild, Interaction, Json, Member, Message, Modal, User
from sandbox.discord.world import World

_FILE = re.compile(r"^https?://[^/]+/(?:ephemeral-)?attachments/\d+/(\d+)/([^?]*)")


def person(user: User) -> Json:
    return {"id": str(user.id), "name": user.display_name, "username": user.name, "bot": user.bot}


def people(world: World) -> list[Json]:
    """Everybody one can be, with what they are where."""
    everybody = [user for user in world.users.values() if not user.bot and user.id not in world.crowd]
    return [person(user) | _standings(world, user) | {"locale": user.locale} for user in everybody]


def _standings(world: World, user: User) -> Json:
    places = [guild for guild in world.guilds.values() if user.id in guild.members]
    standings = [_standing(guild, guild.members[user.id]) for guild in places]
    return {"standings": standings, "installed": user.id in world.user_installs}


def _standing(guild: Guild, member: Member) -> Json:
    names = [guild.roles[role_id].name for role_id in member.role_ids if role_id in guild.roles]
    return {"guild": str(guild.id), "server": guild.name, "owner": guild.owner_id == member.user.id, "roles": names}


def state(world: World, viewer: User, *, online: bool) -> Json:
    """Everything around the messages: servers, channels, people, the bot."""
    world.dm(viewer)
    open_here = [channel for channel in world.channels_for(viewer) if channel.holds_messages]
    guilds = [guild for guild in world.guilds.values() if viewer.id in guild.members]
    return {
        "viewer": str(viewer.id),
        "people": people(world),
        "guilds": [_guild(world, guild, viewer, open_here) for guild in guilds],
        "dms": [_channel(world, one, viewer) for one in open_here if one.guild_id is None],
        "bot": person(world.bot) | {"online": online},
    }


def _guild(world: World, guild: Guild, viewer: User, open_here: list[Channel]) -> Json:
    members = list(guild.members.values())
    return {
        "id": str(guild.id),
        "name": guild.name,
        "has_bot": guild.has_bot,
        "channels": [_channel(world, one, viewer) for one in open_here if one.guild_id == guild.id],
        "places": [_place(one) for one in world.channels_for(viewer) if one.guild_id == guild.id],
        "members": [person(one.user) | {"color": _color(guild, one)} for one in members],
        "roles": [{"id": str(r.id), "name": r.name, "color": r.color} for r in guild.roles.values()],
    }


def _color(guild: Guild, member: Member) -> int:
    roles = [guild.roles[role_id] for role_id in member.role_ids if role_id in guild.roles]
    return next((role.color for role in sorted(roles, key=lambda r: -r.position) if role.color), 0)


def _place(channel: Channel) -> Json:
    """A line of the list of channels, also of those that hold no messages: categories, and forums above their posts."""
    parent = None if channel.parent_id is None else str(channel.parent_id)
    return {"id": str(channel.id), "parent": parent, "type": int(channel.type), "name": channel.name}


def _channel(world: World, channel: Channel, viewer: User) -> Json:
    bits = rights.permissions(world, viewer, channel)
    return {
        "id": str(channel.id),
        "guild": None if channel.guild_id is None else str(channel.guild_id),
        "parent": None if channel.parent_id is None else str(channel.parent_id),
        "type": int(channel.type),
        "name": world.bot.display_name if channel.type is ChannelType.DM else channel.name,
        "topic": channel.topic,
        "nsfw": channel.nsfw,
        "may_speak": bool(bits & ids.SEND_MESSAGES),
        "may_manage": bool(bits & ids.MANAGE_MESSAGES),
        "upload_limit": world.upload_limit(viewer, world.guild_of(channel)),
    }


def message(world: World, one: Message) -> Json:
    """A message for the page: Discord's JSON with local links, and what a client knows beyond it."""
    shown: Json = local(payloads.message(world, one))
    channel = world.channels.get(one.channel_id)
    guild = world.guild_of(channel) if channel is not None else None
    member = guild.members.get(one.author.id) if guild is not None else None
    extra: Json = {
        "author": person(one.author) | {"color": _color(guild, member) if guild and member else 0},
        "private": one.ephemeral,
        "loading": one.loading,
        "interaction": None if one.interaction_id is None else str(one.interaction_id),
        "used": _used(world, one),
        "reply": None if one.reference is None else one.reference.get("message_id"),
    }
    return shown | extra


def _used(world: World, one: Message) -> Json | None:
    """Who used what, for the line above an answer to a slash command or menu."""
    interaction = world.interactions.get(one.interaction_id) if one.interaction_id is not None else None
    if interaction is None or interaction.answer is not one or int(interaction.type) != 2:
        return None
    data = interaction.payload["data"]
    words = [data["name"], *_path(data.get("options") or [])]
    return {
        "user": person(interaction.user),
        "command": " ".join(words),
        "slash": data["type"] == 1,
        "target": data.get("target_id"),
        "options": _options(data.get("options") or []),
    }


def _path(options: list[Json]) -> list[str]:
    first = options[0] if options else {}
    return [first["name"], *_path(first.get("options") or [])] if first.get("type") in (1, 2) else []


def _options(options: list[Json]) -> list[Json]:
    first = options[0] if options else {}
    if first.get("type") in (1, 2):
        return _options(first.get("options") or [])
    return [{"name": one["name"], "value": str(one["value"])} for one in options if one["type"] != 11]


def local(value: Any) -> Any:
    """The same JSON with links to attachments turned into paths of this page."""
    if isinstance(value, str):
        found = _FILE.match(value)
        return f"/files/{found[1]}/{found[2]}" if found else value
    if isinstance(value, dict):
        return {key: local(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [local(inner) for inner in value]
    return value


def form(modal: Modal) -> Json:
    """A form to be shown; ``id`` names it when it is sent."""
    return {"id": str(modal.interaction.id), "title": modal.title, "components": list(modal.components)}


def outcome(interaction: Interaction) -> Json:
    """How an interaction stands, for the spot it was started from."""
    source = interaction.source_message
    return {
        "id": str(interaction.id),
        "kind": int(interaction.type),
        "channel": str(interaction.channel.id),
        "source": None if source is None else str(source.id),
        "failed": interaction.failed,
        "ack_type": interaction.ack_type,
        "ack_ms": None if interaction.ack_s is None else round(interaction.ack_s * 1000),
        "name": interaction.payload["data"].get("name"),
    }
