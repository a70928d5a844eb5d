"""The pretend Discord itself: what exists, what people do in it, and what they see. Law: knows no socket.

People act through ``World`` (``slash``, ``click``, …); each action returns an ``Interaction`` at once, whose ``wait_…``
methods await what the bot does with it. The wire (``server.Server``) attaches itself as a ``Sink``.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from sandbox.discord import ids, payloads, rights
from sandbox.discord.clock import RealClock
from sandbox.discord.commands import CommandBook
from sandbox.discord.model import (
    Attachment,
    Channel,
    ChannelType,
    Event,
    Guild,
    Interaction,
    InteractionType,
    Json,
    Member,
    Message,
    Modal,
    Overwrite,
    Role,
    Signal,
    Upload,
    User,
)
from sandbox.discord.people import actions
from sandbox.discord.town import Town, settle

Listener = Callable[[Event], None]


class Sink(Protocol):
    """Where gateway events go."""

    def dispatch(self, name: str, data: Json, guild_id: int | None) -> None:
        """Sends an event to every session of the guild's shard (None: shard 0)."""
        ...


class World:
    """A Discord with a town in it (``self.town``), one application (``bot``, ``token``) and no wire yet.

    ``clock`` may be a ``HandClock``; the 3 s and 15 min rules, ids and links follow it.
    ``origin`` is where attachments are served; the server sets it.
    """

    def __init__(self, *, clock: RealClock | None = None, app_name: str = "Easel") -> None:
        self.clock = clock or RealClock()
        self.ids = ids.Snowflakes(self.clock.now)
        self.application_id = ids.old_id(2023, 1, 7)
        self.bot = User(self.application_id, app_name.lower(), app_name, bot=True)
        self.token = ids.bot_token(self.bot.id)
        self.origin = "http://127.0.0.1"
        self.link_key = secrets.token_bytes(32)
        self.link_life_s = 24 * 3600.0
        self.users: dict[int, User] = {self.bot.id: self.bot}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.messages: dict[int, dict[int, Message]] = {}
        self.attachments: dict[int, Attachment] = {}
        self.interactions: dict[int, Interaction] = {}
        self.by_token: dict[str, Interaction] = {}
        self.commands = CommandBook()
        self.user_installs: set[int] = set()
        self.closed_dms: set[int] = set()
        self.entitlements: list[Json] = []
        self.changed = Signal()
        self.sinks: list[Sink] = []
        self._listeners: list[Listener] = []
        self.town: Town = settle(self)

    # --- looking -------------------------------------------------------------------------------------------------

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Calls ``listener`` (synchronously, must not raise) for every ``Event``; the answer ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def guild_of(self, channel: Channel) -> Guild | None:
        """The channel's server; None for direct messages."""
        return self.guilds[channel.guild_id] if channel.guild_id is not None else None

    def channels_of(self, guild: Guild) -> list[Channel]:
        """A server's channels and threads in their order."""
        return sorted((c for c in self.channels.values() if c.guild_id == guild.id), key=lambda c: c.position)

    def channels_for(self, user: User) -> list[Channel]:
        """Everything the person can open: visible channels of their servers, then direct messages with the bot."""
        mine = [c for g in self.guilds.values() if user.id in g.members for c in self.channels_of(g)]
        shown = [c for c in mine if self.permissions(user, c) & ids.VIEW_CHANNEL]
        return shown + [c for c in self.channels.values() if user in c.recipients]

    def history(self, channel: Channel, viewer: User | None = None) -> list[Message]:
        """Messages that exist, oldest first; with ``viewer`` only those that person may see."""
        return [m for m in self.messages.get(channel.id, {}).values() if viewer is None or m.visible_to(viewer.id)]

    def find_message(self, channel_id: int, message_id: int) -> Message | None:
        """The message, if it still exists (private ones too)."""
        return self.messages.get(channel_id, {}).get(message_id)

    def view(self, message: Message) -> Json:
        """The message as Discord's JSON (what the API answers), with fresh attachment links."""
        return payloads.message(self, message)

    def permissions(self, user: User, channel: Channel) -> int:
        """The permission bits of a person (or the bot) in a channel, by Discord's rules; 0 for strangers."""
        return rights.permissions(self, user, channel)

    def upload_limit(self, user: User, guild: Guild | None) -> int:
        """The largest single file in bytes for an answer to this person here."""
        return max(user.upload_limit, guild.upload_limit if guild else 0)

    def commands_for(self, user: User, channel: Channel) -> list[Json]:
        """Registered commands (all types, Discord's JSON) that the client would offer this person in this channel."""
        return rights.commands_for(self, user, channel)

    # --- people act ----------------------------------------------------------------------------------------------

    async def slash(
        self, user: User, channel: Channel, name: str, options: Mapping[str, Any] | None = None, **more: Any
    ) -> Interaction:
        """Runs a slash command; ``name`` is ``/imagine`` or ``/settings cooldown``.

        Values are what a person would have entered: str, int, float, bool, ``User``, ``Role``, ``Channel``, ``Upload``
        for an attachment. ``more`` are options, too. Checked as Discord's client does: raises ``actions.NotPossible``
        with a readable text (unknown command or option, missing, wrong type, not a choice, too long, no right).
        """
        return await actions.slash(self, user, channel, name, {**(options or {}), **more})

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
        return await actions.autocomplete(self, user, channel, name, focused, typed, dict(options or {}))

    async def click(self, message: Message, custom_id: str, user: User) -> Interaction:
        """Presses the button with this custom_id (or, if none has it, this label) on a message."""
        return await actions.click(self, message, custom_id, user)

    async def select(self, message: Message, custom_id: str, values: Sequence[Any], user: User) -> Interaction:
        """Chooses values in a select menu: strings, or ``User`` / ``Role`` / ``Channel`` for those kinds of menus."""
        return await actions.select(self, message, custom_id, values, user)

    async def submit_form(
        self,
        modal: Modal,
        values: Mapping[str, Any] | None = None,
        files: Mapping[str, Sequence[Upload]] | None = None,
        user: User | None = None,
    ) -> Interaction:
        """Sends a form. ``values``: custom_id → text, list of choices, or bool; fields left out keep their default.

        ``files``: custom_id of a file field → files. Checked as the client does; raises ``actions.NotPossible``.
        """
        return await actions.submit_form(self, modal, dict(values or {}), dict(files or {}), user)

    async def message_menu(self, user: User, message: Message, name: str) -> Interaction:
        """Picks Apps → ``name`` on a message."""
        return await actions.message_menu(self, user, message, name)

    def say(self, user: User, channel: Channel, content: str = "", files: Sequence[Upload] = ()) -> Message:
        """Posts an ordinary message of a person (pictures become usable by message menus)."""
        return actions.say(self, user, channel, content, files)

    def store(self, upload: Upload, channel_id: int, **more: Any) -> Attachment:
        """Keeps a file; ``more`` are fields of ``Attachment``."""
        return actions.store(self, upload, channel_id, **more)

    def delete_message(self, message: Message) -> None:
        """Removes a message as a moderator would."""
        if self.messages.get(message.channel_id, {}).pop(message.id, None) is not None:
            message.deleted = True
            for attachment in message.attachments:
                self.attachments.pop(attachment.id, None)
            self.note_message("message_deleted", message)

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

    def set_roles(self, guild: Guild, user: User, *roles: Role) -> None:
        """Gives a member exactly these roles."""
        guild.members[user.id].role_ids = tuple(r.id for r in roles)
        self.emit(Event("channels_changed"))

    def allow(self, channel: Channel, target: User | Role, *, allow: int = 0, deny: int = 0) -> None:
        """Sets a channel's overwrite for a person, the bot or a role, and tells the bot."""
        kind = 0 if isinstance(target, Role) else 1
        channel.overwrites[target.id] = Overwrite(target.id, 0 if kind == 0 else 1, allow, deny)
        self.dispatch("CHANNEL_UPDATE", payloads.channel(self, channel), channel.guild_id)
        self.emit(Event("channels_changed", channel_id=channel.id))

    def add_channel(self, guild: Guild, name: str, kind: ChannelType = ChannelType.TEXT, **more: Any) -> Channel:
        """A new channel; ``more`` are fields of ``Channel``."""
        channel = Channel(self.ids.make(), kind, name, guild.id, position=len(self.channels), **more)
        self.channels[channel.id] = channel
        event = "THREAD_CREATE" if channel.is_thread else "CHANNEL_CREATE"
        self.dispatch(event, payloads.channel(self, channel), guild.id)
        self.emit(Event("channels_changed", channel_id=channel.id))
        return channel

    def delete_channel(self, channel: Channel) -> None:
        """Removes a channel with all its messages."""
        self.channels.pop(channel.id, None)
        for message in self.messages.pop(channel.id, {}).values():
            message.deleted = True
        event = "THREAD_DELETE" if channel.is_thread else "CHANNEL_DELETE"
        self.dispatch(event, payloads.channel(self, channel), channel.guild_id)
        self.emit(Event("channels_changed", channel_id=channel.id))

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

    # --- for the wire --------------------------------------------------------------------------------------------

    def emit(self, event: Event) -> None:
        """Tells everybody who subscribed."""
        if event.interaction is not None:
            event.interaction.touch()
        if event.message is not None and event.message.interaction_id in self.interactions:
            self.interactions[event.message.interaction_id].touch()
        self.changed.fire()
        for listener in list(self._listeners):
            listener(event)

    def note_message(self, kind: Any, message: Message) -> None:
        """Emits a message event and sends it through the gateway to sessions that asked for messages."""
        names = {"message_created": "MESSAGE_CREATE", "message_edited": "MESSAGE_UPDATE"}
        channel = self.channels.get(message.channel_id)
        if not message.ephemeral and channel is not None and self.permissions(self.bot, channel) & ids.VIEW_CHANNEL:
            gone = {"id": str(message.id), "channel_id": str(message.channel_id)}
            if channel.guild_id is not None:
                gone["guild_id"] = str(channel.guild_id)
            data = gone if kind == "message_deleted" else payloads.message(self, message) | gone
            self.dispatch(names.get(kind, "MESSAGE_DELETE"), data, channel.guild_id)
        self.emit(Event(kind, message.channel_id, message, user_id=message.ephemeral_for))

    def dispatch(self, name: str, data: Json, guild_id: int | None) -> None:
        """Sends a gateway event to all that listen; events of servers without the bot go nowhere."""
        if guild_id is not None and name != "INTERACTION_CREATE" and name != "GUILD_DELETE":
            guild = self.guilds.get(guild_id)
            if guild is None or not guild.has_bot:
                return
        for sink in list(self.sinks):
            sink.dispatch(name, data, guild_id)

    def replay(self, interaction: Interaction) -> None:
        """Sends the very same INTERACTION_CREATE once more."""
        self.dispatch("INTERACTION_CREATE", interaction.payload, actions.shard_guild(interaction))

    def open_interactions(self, kind: InteractionType | None = None) -> list[Interaction]:
        """Those nobody has acknowledged yet."""
        return [i for i in self.interactions.values() if not i.acknowledged and (kind is None or i.type is kind)]
