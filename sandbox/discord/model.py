"""What the pretend Discord consists of. People and roles are frozen; channels, messages and interactions live."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any, Literal

from sandbox.discord.clock import Signal

Json = dict[str, Any]

MIB = 1024 * 1024
DEFAULT_UPLOAD_LIMIT = 20 * MIB
"""Per file since September 2026 (discord-api-docs #8572)."""


class ChannelType(IntEnum):
    TEXT = 0
    DM = 1
    VOICE = 2
    GROUP_DM = 3
    CATEGORY = 4
    ANNOUNCEMENT = 5
    ANNOUNCEMENT_THREAD = 10
    THREAD = 11
    PRIVATE_THREAD = 12
    STAGE = 13
    FORUM = 15
    MEDIA = 16


THREADS = frozenset({ChannelType.ANNOUNCEMENT_THREAD, ChannelType.THREAD, ChannelType.PRIVATE_THREAD})
WITHOUT_MESSAGES = frozenset({ChannelType.CATEGORY, ChannelType.FORUM, ChannelType.MEDIA})
"""Forums hold posts, which are threads, and no words of their own."""


class InteractionType(IntEnum):
    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


class Flags:
    """Message flags."""

    EPHEMERAL = 64
    LOADING = 128
    SUPPRESS_EMBEDS = 4
    SUPPRESS_NOTIFICATIONS = 4096
    HAS_SNAPSHOT = 16384
    COMPONENTS_V2 = 32768


@dataclass(frozen=True, slots=True)
class User:
    """A person or a bot, the same whatever they speak. ``upload_limit`` is what their subscription allows, in bytes."""

    id: int
    name: str
    display_name: str
    bot: bool = False
    locale: str = field(default="en-US", compare=False)
    upload_limit: int = field(default=DEFAULT_UPLOAD_LIMIT, compare=False)


@dataclass(frozen=True, slots=True)
class Role:
    id: int
    name: str
    permissions: int
    position: int = 1
    color: int = 0
    managed: bool = False


@dataclass(frozen=True, slots=True)
class Overwrite:
    """What a channel allows and denies a role (``kind`` 0) or a member (``kind`` 1), as permission bits."""

    id: int
    kind: Literal[0, 1]
    allow: int = 0
    deny: int = 0


@dataclass(slots=True)
class Member:
    """A user in a guild. ``role_ids`` leaves out @everyone. May be changed; then call ``World.member_changed``."""

    user: User
    guild_id: int
    role_ids: tuple[int, ...] = ()
    nick: str | None = None
    joined_at: datetime | None = None
    timed_out_until: datetime | None = None


@dataclass(slots=True)
class Channel:
    """A channel, thread or direct message. ``recipients`` are the people of a DM or private thread besides the bot."""

    id: int
    type: ChannelType
    name: str
    guild_id: int | None = None
    parent_id: int | None = None
    nsfw: bool = False
    position: int = 0
    topic: str | None = None
    overwrites: dict[int, Overwrite] = field(default_factory=dict)
    recipients: tuple[User, ...] = ()
    has_bot: bool = True  # false in a private thread to which the bot was not added
    archived: bool = False
    locked: bool = False
    last_message_id: int | None = None

    @property
    def is_thread(self) -> bool:
        return self.type in THREADS

    @property
    def holds_messages(self) -> bool:
        return self.type not in WITHOUT_MESSAGES


@dataclass(slots=True)
class Guild:
    """A server. ``has_bot`` is false where the app can only come as someone's own (user install)."""

    id: int
    name: str
    owner_id: int
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    has_bot: bool = True
    is_out: bool = False  # in an outage: Discord tells nothing of it
    upload_limit: int = DEFAULT_UPLOAD_LIMIT
    locale: str = "en-US"
    premium_tier: int = 0
    system_channel_id: int | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A stored file. ``temporary`` ones are options of commands and files of forms, not of messages."""

    id: int
    channel_id: int
    filename: str
    data: bytes = field(repr=False)
    content_type: str
    description: str | None = None
    title: str | None = None
    width: int | None = None
    height: int | None = None
    ephemeral: bool = False
    temporary: bool = False
    spoiler: bool = False

    @property
    def size(self) -> int:
        return len(self.data)


@dataclass(slots=True)
class Message:
    """A message as stored. ``embeds`` and ``components`` are Discord's JSON, as it would be answered.

    ``ephemeral_for`` is the one person who sees it (None: everybody who sees the channel). ``loading`` is the
    "is thinking…" state. ``deleted`` stays true on the object a test still holds.
    """

    id: int
    channel_id: int
    author: User
    content: str = ""
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    flags: int = 0
    type: int = 0
    created_at: datetime | None = None
    edited_at: datetime | None = None
    ephemeral_for: int | None = None
    interaction_id: int | None = None
    interaction_metadata: Json | None = None
    webhook_id: int | None = None
    reference: Json | None = None
    forwards: Message | None = None
    mentions: tuple[int, ...] = ()
    mention_roles: tuple[int, ...] = ()
    mention_everyone: bool = False
    nonce: str | int | None = None
    edits: int = 0
    deleted: bool = False

    @property
    def loading(self) -> bool:
        return bool(self.flags & Flags.LOADING)

    @property
    def is_v2(self) -> bool:
        return bool(self.flags & Flags.COMPONENTS_V2)

    @property
    def ephemeral(self) -> bool:
        return self.ephemeral_for is not None

    def visible_to(self, user_id: int) -> bool:
        """Whether this person sees it, given that they see the channel."""
        return self.ephemeral_for is None or self.ephemeral_for == user_id


@dataclass(frozen=True, slots=True)
class Modal:
    """A form the bot opened: ``components`` is Discord's JSON (labels around inputs, or action rows)."""

    custom_id: str
    title: str
    components: tuple[Json, ...]
    interaction: Interaction = field(repr=False)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file somebody gives: to an attachment option, a form or a message."""

    filename: str
    data: bytes = field(repr=False)
    content_type: str | None = None


EventKind = Literal[
    "message_created",
    "message_edited",
    "message_deleted",
    "modal_opened",
    "acknowledged",
    "choices",
    "interaction_failed",
    "typing",
    "commands_changed",
    "channels_changed",
    "gateway",
    "wire",
]


@dataclass(frozen=True, slots=True)
class Event:
    """Something a person looking at Discord could notice. Fields not of its kind are None.

    ``interaction_failed``: three seconds passed unanswered. ``gateway``: ``detail`` is "connected" or "gone".
    ``wire``: a new entry stands in ``Server.wire``.
    """

    kind: EventKind
    channel_id: int | None = None
    message: Message | None = None
    interaction: Interaction | None = None
    modal: Modal | None = None
    user_id: int | None = None
    detail: str = ""


@dataclass(slots=True, eq=False)
class Interaction:
    """One thing a person did (command, click, form, completion) and all that the bot answered to it.

    ``ack_s`` is the real time between the event leaving and the answer arriving. ``answer`` is the message @original
    stands for. ``failed`` is what a person sees as "The application did not respond".
    """

    id: int
    token: str = field(repr=False)
    type: InteractionType
    user: User
    channel: Channel
    guild: Guild | None
    created_at: datetime
    sent_s: float
    payload: Json = field(repr=False)
    user_install_only: bool = False
    source_message: Message | None = None
    opener: Interaction | None = None
    changed: Signal = field(default_factory=Signal, repr=False)
    ack_type: int | None = None
    ack_at: datetime | None = None
    ack_s: float | None = None
    answer: Message | None = None
    modal: Modal | None = None
    choices: list[Json] | None = None
    followups: list[Message] = field(default_factory=list)
    followups_made: int = 0
    failed: bool = False
    deferred_update: bool = False
    ephemeral_defer: bool = False
    revision: int = 0

    @property
    def acknowledged(self) -> bool:
        return self.ack_type is not None

    @property
    def answered(self) -> bool:
        """Whether there is something to see: a message that no longer loads, a form, or an updated message."""
        if self.failed or self.modal is not None or self.choices is not None:
            return True
        if self.answer is not None:
            return self.answer.deleted or not self.answer.loading
        return self.ack_type in {6, 7}

    @property
    def messages(self) -> list[Message]:
        """The answer and the follow-ups that still exist and no longer load, in order."""
        every = [self.answer, *self.followups] if self.ack_type in {4, 5} else list(self.followups)
        return [m for m in every if m is not None and not m.deleted and not m.loading]

    async def wait_acknowledged(self, timeout_s: float = 10) -> Interaction:
        """Waits until the bot answered at all (or three seconds passed without: ``failed``)."""
        await self.changed.until(lambda: self.acknowledged or self.failed, timeout_s, "the acknowledgement")
        return self

    async def wait_answer(self, timeout_s: float = 30) -> Message:
        """Waits for the first thing that replaces "is thinking…" and returns that message.

        Raises ``LookupError`` if the application did not respond or opened a form instead.
        """
        await self.changed.until(lambda: self.answered, timeout_s, "the answer")
        visible = self.messages
        if visible:
            return visible[0]
        if self.answer is not None:
            return self.answer
        raise LookupError("the application did not respond" if self.failed else "there is no message in the answer")

    async def wait_until(
        self, condition: Callable[[Interaction], bool], timeout_s: float = 30, what: str = "what was waited for"
    ) -> Interaction:
        """Waits for a condition over this interaction, looked at whenever one of its messages changes."""
        await self.changed.until(lambda: condition(self), timeout_s, what)
        return self

    async def wait_modal(self, timeout_s: float = 10) -> Modal:
        """Waits for the form; ``LookupError`` if something else came."""
        await self.changed.until(lambda: self.answered, timeout_s, "the form")
        if self.modal is None:
            raise LookupError("the bot opened no form")
        return self.modal

    async def wait_choices(self, timeout_s: float = 10) -> list[Json]:
        """Waits for the completions: ``[{"name", "value"}, …]``; ``LookupError`` if none came in time."""
        await self.changed.until(lambda: self.choices is not None or self.failed, timeout_s, "the completions")
        if self.choices is None:
            raise LookupError("the bot gave no completions")
        return self.choices

    async def wait_idle(self, quiet_s: float = 0.3, timeout_s: float = 60) -> Interaction:
        """Waits until it is answered and nothing of it changed for ``quiet_s``."""
        async with asyncio.timeout(timeout_s):
            while True:
                await self.changed.until(lambda: self.answered, timeout_s, "the answer")
                seen = self.revision
                try:
                    await self.changed.until(lambda seen=seen: self.revision != seen, quiet_s, "a change")  # type: ignore[misc]  # bound per turn
                except TimeoutError:
                    return self

    def touch(self) -> None:
        """Counts a change and wakes who waits."""
        self.revision += 1
        self.changed.fire()
