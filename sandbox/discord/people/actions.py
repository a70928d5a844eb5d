"""What people can do, each turned into the INTERACTION_CREATE that Discord would send; nothing here answers."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sandbox.discord import commands as book
from sandbox.discord import ids, payloads, rights, sniff
from sandbox.discord.model import (
    Attachment,
    Channel,
    Event,
    Flags,
    Guild,
    Interaction,
    InteractionType,
    Json,
    Message,
    Modal,
    Upload,
    User,
)
from sandbox.discord.people import forms
from sandbox.discord.people.options import NotPossible, Resolved, check

if TYPE_CHECKING:
    from sandbox.discord.world import World

__all__ = ["NotPossible"]

ANSWER_WITHIN_S = 3.0
TOKEN_LIFE_S = 15 * 60.0

BUTTON, STRING_SELECT, USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT = 2, 3, 5, 6, 7, 8
SELECTS = {STRING_SELECT, USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT}


async def slash(world: World, user: User, channel: Channel, name: str, options: Mapping[str, Any]) -> Interaction:
    """See ``World.slash``."""
    command, path, leaf = find_command(world, user, channel, name)
    guild = world.guild_of(channel)
    resolved = Resolved(world, channel, guild)
    found = check(leaf.get("options") or [], options, resolved, user)
    data = _command_data(command, path, found)
    if resolved.parts:
        data["resolved"] = resolved.parts
    return begin(world, InteractionType.COMMAND, user, channel, data)


async def autocomplete(
    world: World, user: User, channel: Channel, name: str, focused: str, typed: str, options: dict[str, Any]
) -> Interaction:
    """See ``World.autocomplete``."""
    command, path, leaf = find_command(world, user, channel, name)
    known = {o["name"]: o for o in leaf.get("options") or []}
    if focused not in known or not known[focused].get("autocomplete"):
        raise NotPossible(f"`{focused}` has no completion")
    others = {key: value for key, value in options.items() if key != focused}
    resolved = Resolved(world, channel, world.guild_of(channel))
    found = check(list(known.values()), others, resolved, user, complete=False)
    found.append({"name": focused, "type": known[focused]["type"], "value": typed, "focused": True})
    data = _command_data(command, path, found)
    if resolved.parts:
        data["resolved"] = resolved.parts
    return begin(world, InteractionType.AUTOCOMPLETE, user, channel, data)


def find_command(world: World, user: User, channel: Channel, name: str) -> tuple[Json, tuple[str, ...], Json]:
    """The registered command, the path to its subcommand and that subcommand; ``NotPossible`` with what there is."""
    first, *rest = name.strip().removeprefix("/").split()
    offered = [c for c in rights.commands_for(world, user, channel) if c["type"] == book.CHAT]
    command = next((c for c in offered if c["name"] == first), None)
    if command is None:
        names = ", ".join(f"/{c['name']}" for c in offered) or "none"
        raise NotPossible(f"there is no command /{first} here; commands: {names}")
    runnable = dict(book.leaves(command))
    path = tuple(rest)
    if path not in runnable:
        ways = ", ".join("/" + " ".join((first, *p)) for p in runnable)
        raise NotPossible(f"/{name.removeprefix('/')} is not a command; there are: {ways}")
    return command, path, runnable[path]


def _command_data(command: Json, path: tuple[str, ...], options: list[Json]) -> Json:
    for depth, part in enumerate(reversed(path)):
        kind = 1 if depth == 0 else 2
        options = [{"name": part, "type": kind, "options": options}]
    data: Json = {"id": command["id"], "name": command["name"], "type": command["type"], "options": options}
    return data | ({"guild_id": command["guild_id"]} if "guild_id" in command else {})


async def message_menu(world: World, user: User, message: Message, name: str) -> Interaction:
    """See ``World.message_menu``."""
    channel = world.channels[message.channel_id]
    offered = [c for c in rights.commands_for(world, user, channel) if c["type"] == book.MESSAGE_MENU]
    command = next((c for c in offered if c["name"] == name), None)
    if command is None:
        raise NotPossible(
            f"there is no menu entry {name!r}; entries: {', '.join(c['name'] for c in offered) or 'none'}"
        )
    _must_see(world, user, message)
    data = _command_data(command, (), [])
    del data["options"]
    data |= {
        "target_id": str(message.id),
        "resolved": {"messages": {str(message.id): payloads.message(world, message)}},
    }
    return begin(world, InteractionType.COMMAND, user, channel, data, source=message)


async def click(world: World, message: Message, custom_id: str, user: User) -> Interaction:
    """See ``World.click``."""
    _must_see(world, user, message)
    buttons = [c for c in components_of(message) if c["type"] == BUTTON]
    button = next((b for b in buttons if b.get("custom_id") == custom_id), None)
    button = button or next((b for b in buttons if b.get("label") == custom_id), None)
    if button is None or "custom_id" not in button:
        labels = ", ".join(str(b.get("label")) for b in buttons) or "none"
        raise NotPossible(f"there is no button {custom_id!r}; buttons: {labels}")
    if button.get("disabled"):
        raise NotPossible(f"the button {custom_id!r} is disabled")
    data = {"custom_id": button["custom_id"], "component_type": BUTTON, "id": button["id"]}
    return begin(world, InteractionType.COMPONENT, user, world.channels[message.channel_id], data, source=message)


async def select(world: World, message: Message, custom_id: str, values: Sequence[Any], user: User) -> Interaction:
    """See ``World.select``."""
    _must_see(world, user, message)
    channel = world.channels[message.channel_id]
    menus = [c for c in components_of(message) if c["type"] in SELECTS]
    menu = next((m for m in menus if m["custom_id"] == custom_id), None)
    if menu is None:
        raise NotPossible(
            f"there is no menu {custom_id!r}; menus: {', '.join(m['custom_id'] for m in menus) or 'none'}"
        )
    if menu.get("disabled"):
        raise NotPossible(f"the menu {custom_id!r} is disabled")
    resolved = Resolved(world, channel, world.guild_of(channel))
    chosen = forms.chosen(menu, values, resolved, user)
    data: Json = {
        "custom_id": custom_id,
        "component_type": menu["type"],
        "id": menu["id"],
        "values": chosen,
    }
    if menu["type"] != STRING_SELECT:
        data["resolved"] = resolved.parts
    return begin(world, InteractionType.COMPONENT, user, channel, data, source=message)


async def submit_form(
    world: World, modal: Modal, values: dict[str, Any], files: dict[str, Sequence[Upload]], user: User | None
) -> Interaction:
    """See ``World.submit_form``."""
    opener = modal.interaction
    person = user or opener.user
    resolved = Resolved(world, opener.channel, opener.guild)
    filled = forms.fill(modal, values, files, resolved, person)
    data: Json = {"custom_id": modal.custom_id, "components": filled}
    if resolved.parts:
        data["resolved"] = resolved.parts
    source = opener.source_message if opener.type is InteractionType.COMPONENT else None
    return begin(world, InteractionType.MODAL, person, opener.channel, data, source=source, opener=opener)


def components_of(message: Message) -> list[Json]:
    """Every component of a message, nested ones too, in order."""
    return forms.flat(message.components)


def _must_see(world: World, user: User, message: Message) -> None:
    if message.deleted or world.find_message(message.channel_id, message.id) is None:
        raise NotPossible("the message does not exist any more")
    if not message.visible_to(user.id):
        raise NotPossible("only somebody else can see that message")
    if not world.permissions(user, world.channels[message.channel_id]) & ids.VIEW_CHANNEL:
        raise NotPossible("the person cannot see that channel")


def begin(
    world: World,
    kind: InteractionType,
    user: User,
    channel: Channel,
    data: Json,
    *,
    source: Message | None = None,
    opener: Interaction | None = None,
) -> Interaction:
    """Makes the interaction, sends it to the bot and starts its three seconds."""
    number = world.ids.make()
    guild = world.guild_of(channel)
    token = ids.interaction_token(number)
    payload = _payload(world, number, token, kind, user, channel, guild, data)
    if source is not None and kind in {InteractionType.COMPONENT, InteractionType.MODAL}:
        payload["message"] = payloads.message(world, source)
    interaction = Interaction(
        id=number,
        token=token,
        type=kind,
        user=user,
        channel=channel,
        guild=guild,
        created_at=world.clock.now(),
        sent_s=time.perf_counter(),
        payload=payload,
        user_install_only="0" not in payload["authorizing_integration_owners"],
        source_message=source,
        opener=opener,
    )
    world.interactions[number] = interaction
    world.by_token[token] = interaction
    world.clock.call_later(ANSWER_WITHIN_S, lambda: _give_up(world, interaction))
    world.dispatch("INTERACTION_CREATE", payload, shard_guild(interaction))
    return interaction


def _give_up(world: World, interaction: Interaction) -> None:
    if not interaction.acknowledged:
        interaction.failed = True
        world.emit(Event("interaction_failed", interaction.channel.id, interaction=interaction))


def shard_guild(interaction: Interaction) -> int | None:
    """The guild whose shard gets it: shard 0 where the bot is no member."""
    return interaction.guild.id if interaction.guild is not None and interaction.guild.has_bot else None


def _payload(
    world: World,
    number: int,
    token: str,
    kind: InteractionType,
    user: User,
    channel: Channel,
    guild: Guild | None,
    data: Json,
) -> Json:
    bits = world.permissions(user, channel)
    app_bits = world.permissions(world.bot, channel) if guild is None or guild.has_bot else _guest_bits(bits)
    place = payloads.channel(world, channel) | {"permissions": str(bits)}
    payload: Json = {
        "id": str(number),
        "application_id": str(world.application_id),
        "type": int(kind),
        "token": token,
        "version": 1,
        "data": data,
        "channel": place,
        "channel_id": str(channel.id),
        "app_permissions": str(app_bits),
        "locale": user.locale,
        "entitlements": list(world.entitlements),
        "authorizing_integration_owners": rights.owners_of(world, user, channel),
        "context": rights.context_of(channel),
        "attachment_size_limit": world.upload_limit(user, guild),
    }
    if guild is None:
        return payload | {"user": payloads.user(user)}
    member = payloads.member(guild.members[user.id]) | {"permissions": str(bits)}
    return payload | {
        "member": member,
        "guild_id": str(guild.id),
        "guild_locale": guild.locale,
        "guild": {"id": str(guild.id), "locale": guild.locale, "features": []},
    }


def _guest_bits(bits: int) -> int:
    """What an app may do that is here only as somebody's own: attach, embed and mention as that person may."""
    return bits & (ids.ATTACH_FILES | ids.EMBED_LINKS | ids.MENTION_EVERYONE)


def store(world: World, upload: Upload, channel_id: int, **more: Any) -> Attachment:
    """See ``World.store``."""
    size = sniff.size_px(upload.data)
    kept = Attachment(
        id=world.ids.make(),
        channel_id=channel_id,
        filename=upload.filename,
        data=upload.data,
        content_type=sniff.content_type(upload.filename, upload.data, upload.content_type),
        width=size[0] if size else None,
        height=size[1] if size else None,
    )
    kept = replace(kept, **more)
    world.attachments[kept.id] = kept
    return kept


def say(world: World, user: User, channel: Channel, content: str, files: Sequence[Upload]) -> Message:
    """See ``World.say``."""
    message = Message(
        id=world.ids.make(),
        channel_id=channel.id,
        author=user,
        content=content,
        created_at=world.clock.now(),
        attachments=[store(world, f, channel.id) for f in files],
    )
    put_message(world, message)
    return message


def put_message(world: World, message: Message) -> None:
    """Adds a message to its channel and tells everybody."""
    world.messages.setdefault(message.channel_id, {})[message.id] = message
    channel = world.channels.get(message.channel_id)
    if channel is not None and not message.flags & Flags.EPHEMERAL:
        channel.last_message_id = message.id
    world.note_message("message_created", message)
