"""What exists in the pretend Discord, and who is told when it changes. Law: knows no socket."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from sandbox.discord import ids, sniff
from sandbox.discord.clock import RealClock, Signal
from sandbox.discord.commands import CommandBook
from sandbox.discord.model import (
    Attachment,
    Channel,
    Event,
    Guild,
    Interaction,
    Json,
    Message,
    Upload,
    User,
)

Listener = Callable[[Event], None]


class Sink(Protocol):
    """Where gateway events go."""

    def dispatch(self, name: str, data: Json, guild_id: int | None) -> None:
        """Sends an event to every session of the guild's shard (None: shard 0)."""
        ...


class State:
    """One application (``bot``, ``token``) and everything around it; empty at first.

    ``clock`` may be a ``HandClock``; the 3 s and 15 min rules, ids and links follow it.
    ``origin`` is where attachments are served; the server sets it.
    """

    def __init__(self, clock: RealClock, app_name: str) -> None:
        self.clock = clock
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
        self.crowd: set[int] = set()  # people one meets, and cannot be
        self.closed_dms: set[int] = set()
        self.entitlements: list[Json] = []
        self.changed = Signal()
        self.sinks: list[Sink] = []
        self._listeners: list[Listener] = []

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

    def history(self, channel: Channel, viewer: User | None = None) -> list[Message]:
        """Messages that exist, oldest first; with ``viewer`` only those that person may see."""
        return [m for m in self.messages.get(channel.id, {}).values() if viewer is None or m.visible_to(viewer.id)]

    def find_message(self, channel_id: int, message_id: int) -> Message | None:
        """The message, if it still exists (private ones too)."""
        return self.messages.get(channel_id, {}).get(message_id)

    def upload_limit(self, user: User, guild: Guild | None) -> int:
        """The largest single file in bytes for an answer to this person here."""
        return max(user.upload_limit, guild.upload_limit if guild else 0)

    def store(self, upload: Upload, channel_id: int, **more: Any) -> Attachment:
        """Keeps a file; ``more`` are fields of ``Attachment``."""
        size = sniff.size_px(upload.data)
        kept = Attachment(
            id=self.ids.make(),
            channel_id=channel_id,
            filename=upload.filename,
            data=upload.data,
            content_type=sniff.content_type(upload.filename, upload.data, upload.content_type),
            width=size[0] if size else None,
            height=size[1] if size else None,
        )
        kept = replace(kept, **more)
        self.attachments[kept.id] = kept
        return kept

    def emit(self, event: Event) -> None:
        """Tells everybody who subscribed."""
        if event.interaction is not None:
            event.interaction.touch()
        if event.message is not None and event.message.interaction_id in self.interactions:
            self.interactions[event.message.interaction_id].touch()
        self.changed.fire()
        for listener in list(self._listeners):
            listener(event)

    def dispatch(self, name: str, data: Json, guild_id: int | None) -> None:
        """Sends a gateway event to all that listen; events of servers without the bot, or in an outage, go nowhere."""
        if guild_id is not None and name != "INTERACTION_CREATE" and name != "GUILD_DELETE":
            guild = self.guilds.get(guild_id)
            if guild is None or not guild.has_bot or guild.is_out:
                return
        for sink in list(self.sinks):
            sink.dispatch(name, data, guild_id)
