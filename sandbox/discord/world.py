"""The pretend Discord with people in it: what they do, what they see, and how its servers change. Law: knows no socket.

Each thing a person does returns an ``Interaction`` at once, whose ``wait_…`` methods await what the bot does with it.
The wire (``server.Server``) attaches itself as a ``Sink``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.discord import ids, payloads, rights
from sandbox.discord.clock import RealClock
from sandbox.discord.components import ENTITY_SELECTS
from sandbox.discord.model import (
    Channel,
    ChannelType,
    Event,
    Flags,
    Guild,
    Interaction,
    InteractionType,
    Json,
    Member,
    Message,
    Modal,
    Overwrite,
    Role,
    Upload,
    User,
)
from sandbox.discord.people import forms
from sandbox.discord.people.commands import command_data, find_command, find_entry
from sandbox.discord.people.interactions import begin, shard_guild
from sandbox.discord.people.options import NotPossible, Resolved, check
from sandbox.discord.state import State
from sandbox.discord.town import Town, settle


class World(State):
    """A Discord with a town in it (``self.town``) and no wire yet. Whoever only reads takes a ``State``.

    ``clock`` may be a ``HandClock``. ``app_name`` is the bot's, and its first server's.

    What a person cannot do raises ``NotPossible`` with a readable text, as Discord's client would not let them.
    """

    def __init__(self, *, clock: RealClock | None = None, app_name: str = "App") -> None:
        super().__init__(clock or RealClock(), app_name)
        self.town: Town = settle(self)

    # --- people act ----------------------------------------------------------------------------------------------

    async def slash(
        self, user: User, channel: Channel, name: str, options: Mapping[str, Any] | None = None, /, **more: Any
    ) -> Interaction:
        """Runs a slash command; ``name`` is ``/draw`` or ``/level set``.

        Values are what a person would have entered: str, int, float, bool, ``User``, ``Role``, ``Channel``, ``Upload``
        for an attachment. ``more`` are options, too.
        """
        command, path, leaf = find_command(self, user, channel, name)
        resolved = Resolved(self, channel)
        entered = check(leaf.get("options") or [], {**(options or {}), **more}, resolved, user)
        data = command_data(command, path, entered) | resolved.data
        return begin(self, InteractionType.COMMAND, user, channel, data)

    async def wait_command(self, name: str, timeout_s: float = 10) -> None:
        """Waits until the bot has registered a command of this name for everybody; many do so once they are ready."""
        await self.changed.until(
            lambda: any(one["name"] == name for one in self.commands.everything(None)), timeout_s, f"/{name}"
        )

    async def autocomplete(
        self,
        user: User,
        channel: Channel,
        name: str,
        focused: str,
        typed: str = "",
        options: Mapping[str, Any] | None = None,
    ) -> Interaction:
        """Asks the bot for completions of option ``focused`` after ``typed``; then ``await itx.wait_choices()``.

        ``options`` are the other ones as far as they are filled in (not checked, as in the client).
        """
        command, path, leaf = find_command(self, user, channel, name)
        known = {o["name"]: o for o in leaf.get("options") or []}
        if focused not in known or not known[focused].get("autocomplete"):
            raise NotPossible(f"`{focused}` has no completion")
        others = {key: value for key, value in (options or {}).items() if key != focused}
        resolved = Resolved(self, channel)
        entered = check(list(known.values()), others, resolved, user, complete=False)
        entered.append({"name": focused, "type": known[focused]["type"], "value": typed, "focused": True})
        data = command_data(command, path, entered) | resolved.data
        return begin(self, InteractionType.AUTOCOMPLETE, user, channel, data)

    async def message_menu(self, user: User, message: Message, name: str) -> Interaction:
        """Picks Apps → ``name`` on a message."""
        channel = self.channels[message.channel_id]
        data = command_data(find_entry(self, user, channel, name), (), [])
        self._must_see(user, message)
        del data["options"]
        data |= {
            "target_id": str(message.id),
            "resolved": {"messages": {str(message.id): payloads.message(self, message)}},
        }
        return begin(self, InteractionType.COMMAND, user, channel, data, source=message)

    async def click(self, message: Message, custom_id: str, user: User) -> Interaction:
        """Presses the button with this custom_id (or, if none has it, this label) on a message."""
        self._must_see(user, message)
        button = forms.find_button(message, custom_id)
        data = {"custom_id": button["custom_id"], "component_type": button["type"], "id": button["id"]}
        channel = self.channels[message.channel_id]
        return begin(self, InteractionType.COMPONENT, user, channel, data, source=message)

    async def select(self, message: Message, custom_id: str, values: Sequence[Any], user: User) -> Interaction:
        """Chooses values in a select menu: strings, or ``User`` / ``Role`` / ``Channel`` for those kinds of menus."""
        self._must_see(user, message)
        channel = self.channels[message.channel_id]
        menu = forms.find_menu(message, custom_id)
        resolved = Resolved(self, channel)
        data: Json = {
            "custom_id": custom_id,
            "component_type": menu["type"],
            "id": menu["id"],
            "values": forms.chosen(menu, values, resolved, user),
        }
        if menu["type"] in ENTITY_SELECTS:
            data["resolved"] = resolved.parts
        return begin(self, InteractionType.COMPONENT, user, channel, data, source=message)

    async def submit_form(
        self,
        modal: Modal,
        values: Mapping[str, Any] | None = None,
        files: Mapping[str, Sequence[Upload]] | None = None,
        user: User | None = None,
    ) -> Interaction:
        """Sends a form. ``values``: custom_id → text, list of choices, or bool; fields left out keep their default.

        ``files``: custom_id of a file field → files.
        """
        opener = modal.interaction
        person = user or opener.user
        resolved = Resolved(self, opener.channel)
        filled = forms.fill(modal, values or {}, files or {}, resolved, person)
        data: Json = {"custom_id": modal.custom_id, "components": filled} | resolved.data
        source = opener.source_message if opener.type is InteractionType.COMPONENT else None
        return begin(self, InteractionType.MODAL, person, opener.channel, data, source=source, opener=opener)

    def _must_see(self, user: User, message: Message) -> None:
        if message.deleted or self.find_message(message.channel_id, message.id) is None:
            raise NotPossible("the message does not exist any more")
        if not message.visible_to(user.id):
            raise NotPossible("only somebody else can see that message")
        if not rights.permissions(self, user, self.channels[message.channel_id]) & ids.VIEW_CHANNEL:
            raise NotPossible("the person cannot see that channel")

    def replay(self, interaction: Interaction) -> None:
        """Sends the very same INTERACTION_CREATE once more."""
        self.dispatch("INTERACTION_CREATE", interaction.payload, shard_guild(interaction))

    # --- messages and channels -----------------------------------------------------------------------------------

    def forward(self, user: User, channel: Channel, message: Message) -> Message:
        """Forwards a message: it has no words and files of its own."""
        place = {"message_id": str(message.id), "channel_id": str(message.channel_id)}
        forwarding = Message(
            id=self.ids.make(),
            channel_id=channel.id,
            author=user,
            flags=Flags.HAS_SNAPSHOT,
            created_at=self.clock.now(),
            reference={"type": 1, **place},
            forwards=message,
        )
        self.put_message(forwarding)
        return forwarding

    def say(self, user: User, channel: Channel, content: str = "", files: Sequence[Upload] = ()) -> Message:
        """Posts an ordinary message of a person, or of another bot (pictures become usable by message menus).

        Afterwards it may be given ``embeds`` and ``components`` that show its files (``links.stored``).
        """
        message = Message(
            id=self.ids.make(),
            channel_id=channel.id,
            author=user,
            content=content,
            created_at=self.clock.now(),
            attachments=[self.store(f, channel.id) for f in files],
        )
        self.put_message(message)
        return message

    def put_message(self, message: Message) -> None:
        """Adds a message to its channel and tells everybody."""
        self.messages.setdefault(message.channel_id, {})[message.id] = message
        channel = self.channels.get(message.channel_id)
        if channel is not None and not message.flags & Flags.EPHEMERAL:
            channel.last_message_id = message.id
            if channel.archived and not channel.locked:
                self.open_thread(channel)
        self.note_message("message_created", message)

    def note_message(self, kind: Any, message: Message) -> None:
        """Emits a message event and sends it through the gateway to sessions that asked for messages."""
        names = {"message_created": "MESSAGE_CREATE", "message_edited": "MESSAGE_UPDATE"}
        channel = self.channels.get(message.channel_id)
        if (
            not message.ephemeral
            and channel is not None
            and rights.permissions(self, self.bot, channel) & ids.VIEW_CHANNEL
        ):
            gone = {"id": str(message.id), "channel_id": str(message.channel_id)}
            if channel.guild_id is not None:
                gone["guild_id"] = str(channel.guild_id)
            data = gone if kind == "message_deleted" else payloads.message(self, message) | gone
            self.dispatch(names.get(kind, "MESSAGE_DELETE"), data, channel.guild_id)
        self.emit(Event(kind, message.channel_id, message, user_id=message.ephemeral_for))

    def delete_message(self, message: Message) -> None:
        """Removes a message as a moderator would."""
        if self.messages.get(message.channel_id, {}).pop(message.id, None) is not None:
            message.deleted = True
            for attachment in message.attachments:
                self.attachments.pop(attachment.id, None)
            self.note_message("message_deleted", message)

    def channels_for(self, user: User) -> list[Channel]:
        """Everything the person can open: visible channels of their servers, then direct messages with the bot."""
        mine = [c for g in self.guilds.values() if user.id in g.members for c in self.channels_of(g)]
        shown = [c for c in mine if rights.permissions(self, user, c) & ids.VIEW_CHANNEL]
        return shown + [c for c in self.channels.values() if c.guild_id is None and user in c.recipients]

    def dm(self, user: User) -> Channel:
        """The direct message channel between the bot and a person; opened if there is none."""
        for channel in self.channels.values():
            if channel.type is ChannelType.DM and user in channel.recipients:
                return channel
        channel = Channel(self.ids.make(), ChannelType.DM, user.display_name, recipients=(user,))
        self.channels[channel.id] = channel
        self.emit(Event("channels_changed", channel_id=channel.id))
        return channel

    def group_dm(self, *people: User) -> Channel:
        """A private group without the bot: only user-installed apps work there."""
        channel = Channel(self.ids.make(), ChannelType.GROUP_DM, "friends", recipients=people)
        self.channels[channel.id] = channel
        return channel

    # --- the world changes ---------------------------------------------------------------------------------------

    def add_role(self, guild: Guild, name: str, permissions: int = 0) -> Role:
        """A new role, told to the bot."""
        role = Role(self.ids.make(), name, permissions, position=len(guild.roles))
        guild.roles[role.id] = role
        self.dispatch("GUILD_ROLE_CREATE", {"guild_id": str(guild.id), "role": payloads.role(role)}, guild.id)
        return role

    def set_role(self, guild: Guild, role: Role) -> None:
        """Replaces a role of the same id (roles are frozen: use ``dataclasses.replace``)."""
        guild.roles[role.id] = role
        self.dispatch("GUILD_ROLE_UPDATE", {"guild_id": str(guild.id), "role": payloads.role(role)}, guild.id)

    def delete_role(self, guild: Guild, role: Role) -> None:
        """Deletes a role: who had it has it no more, and overwrites for it are gone."""
        guild.roles.pop(role.id, None)
        for member in guild.members.values():
            member.role_ids = tuple(one for one in member.role_ids if one != role.id)
        for channel in self.channels_of(guild):
            channel.overwrites.pop(role.id, None)
        self.dispatch("GUILD_ROLE_DELETE", {"guild_id": str(guild.id), "role_id": str(role.id)}, guild.id)

    def add_member(self, guild: Guild, user: User, *roles: Role) -> Member:
        """Lets a person join."""
        self.users.setdefault(user.id, user)
        member = Member(user, guild.id, tuple(r.id for r in roles), joined_at=self.clock.now())
        guild.members[user.id] = member
        return member

    def new_user(self, name: str) -> User:
        """A person who is nowhere yet."""
        user = User(self.ids.make(), name.lower(), name)
        self.users[user.id] = user
        return user

    def speak(self, user: User, locale: str) -> User:
        """Lets a person set their client to another language; who they are from then on."""
        speaking = dataclasses.replace(self.users[user.id], locale=locale)
        self.users[user.id] = speaking
        for guild in self.guilds.values():
            if user.id in guild.members:
                guild.members[user.id].user = speaking
        for channel in self.channels.values():
            channel.recipients = tuple(speaking if one.id == user.id else one for one in channel.recipients)
        return speaking

    def allow(self, channel: Channel, target: User | Role, *, allow: int = 0, deny: int = 0) -> None:
        """Sets a channel's overwrite for a person, the bot or a role, and tells the bot."""
        kind = 0 if isinstance(target, Role) else 1
        channel.overwrites[target.id] = Overwrite(target.id, 0 if kind == 0 else 1, allow, deny)
        self.channel_changed(channel)

    def channel_changed(self, channel: Channel) -> None:
        """Tells the bot of a channel whose fields were changed."""
        self.dispatch("CHANNEL_UPDATE", payloads.seen_channel(self, channel), channel.guild_id)
        self.emit(Event("channels_changed", channel_id=channel.id))

    def add_channel(self, guild: Guild, name: str, kind: ChannelType = ChannelType.TEXT, **more: Any) -> Channel:
        """A new channel; ``more`` are fields of ``Channel``."""
        channel = Channel(self.ids.make(), kind, name, guild.id, position=len(self.channels), **more)
        self.channels[channel.id] = channel
        if not channel.is_thread:
            self.dispatch("CHANNEL_CREATE", payloads.seen_channel(self, channel), guild.id)
        elif payloads.may_view(self, channel):
            self.dispatch("THREAD_CREATE", payloads.channel(self, channel), guild.id)
        self.emit(Event("channels_changed", channel_id=channel.id))
        return channel

    def delete_channel(self, channel: Channel) -> None:
        """Removes a channel with all its messages and threads. What stood below a category stays, below none."""
        self.channels.pop(channel.id, None)
        below = [one for one in self.channels.values() if one.parent_id == channel.id]
        for thread in [one for one in below if one.is_thread]:
            self.delete_channel(thread)
        for message in self.messages.pop(channel.id, {}).values():
            message.deleted = True
        event = "THREAD_DELETE" if channel.is_thread else "CHANNEL_DELETE"
        self.dispatch(event, payloads.channel(self, channel), channel.guild_id)
        self.emit(Event("channels_changed", channel_id=channel.id))
        for orphan in [one for one in below if not one.is_thread]:
            orphan.parent_id = None
            self.channel_changed(orphan)

    def close_thread(self, thread: Channel, *, locked: bool = False) -> None:
        """Archives a thread; a locked one can be opened again by moderators alone."""
        thread.archived, thread.locked = True, locked
        self._thread_changed(thread)

    def open_thread(self, thread: Channel) -> None:
        """Opens a thread again, as any message does in one that is not locked."""
        thread.archived = thread.locked = False
        self._thread_changed(thread)

    def _thread_changed(self, thread: Channel) -> None:
        if payloads.may_view(self, thread):
            self.dispatch("THREAD_UPDATE", payloads.channel(self, thread), thread.guild_id)
        self.emit(Event("channels_changed", channel_id=thread.id))

    def outage(self, guild: Guild) -> None:
        """Discord loses sight of a server: it is unavailable, and nothing is told of it until ``recover``."""
        self.dispatch("GUILD_DELETE", {"id": str(guild.id), "unavailable": True}, guild.id)
        guild.is_out = True

    def recover(self, guild: Guild) -> None:
        """Ends an outage: the server is told as when the bot connects."""
        guild.is_out = False
        self.dispatch("GUILD_CREATE", payloads.guild_create(self, guild), guild.id)

    def remove_bot(self, guild: Guild) -> None:
        """Kicks the bot."""
        guild.has_bot = False
        guild.members.pop(self.bot.id, None)
        self.dispatch("GUILD_DELETE", {"id": str(guild.id)}, guild.id)

    def add_bot(self, guild: Guild) -> None:
        """Invites the bot."""
        guild.has_bot = True
        self.add_member(guild, self.bot)
        self.dispatch("GUILD_CREATE", payloads.guild_create(self, guild), guild.id)
