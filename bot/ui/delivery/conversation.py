"""The ways to reach a person: edit the first answer, follow up, post in the channel, write a direct message.

An interaction can be answered for 15 minutes, by anyone who has its token, also in a later process. After that only
the channel is left, where the bot is a member, and a direct message.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol

import discord

from bot.ports import Clock, Delivered
from bot.rules.ledger import Answer
from bot.ui.interactions.failures import TROUBLE
from bot.ui.internals import webhook_of
from bot.ui.messages import CALL_LIMIT_S, Message, new_message, opened

log = logging.getLogger(__name__)

ORIGINAL: Any = "@original"
"""Names the first answer in the address where discord.py expects a message's number."""


class Conversation(Protocol):
    """The conversation behind one ``Answer``. Whatever sends raises one of ``TROUBLE``."""

    answer: Answer

    @property
    def is_live(self) -> bool:
        """Whether the interaction can still be answered."""
        ...

    async def edit(self, message: Message) -> Delivered:
        """Replaces the first answer. Repeating it does no harm."""
        ...

    async def follow(self, message: Message, *, private: bool) -> Delivered:
        """Sends one more answer. discord.py repeats it after a 5xx, so it may arrive twice: never for results that
        can go another way.
        """
        ...

    async def remove(self) -> None:
        """Deletes the first answer."""
        ...

    async def post(self, message: Message, *, nonce: str, user_id: int | None) -> Delivered:
        """Posts to the channel as the bot, once per nonce however often it is tried. It calls that person alone, or
        nobody.
        """
        ...

    async def edit_by_bot(self, message: Message) -> None:
        """Replaces the first answer with the bot's own rights; does nothing where it has none. Files stay."""
        ...

    async def remove_by_bot(self) -> None:
        """Deletes the first answer with the bot's own rights, where the interaction is over. Never raises."""
        ...

    async def direct(self, user_id: int, message: Message) -> None:
        """Writes a direct message."""
        ...

    async def whisper(self, message: Message, *, neutral: str) -> None:
        """Says something to the asker alone, after a defer.

        A first answer that everybody sees is made neutral before and deleted after: a follow-up to a bare "thinking"
        would take its place, for all to see.
        """
        ...


class DiscordConversation:
    """``Conversation`` in the process that got the interaction or in a later one."""

    def __init__(self, client: discord.Client, clock: Clock, answer: Answer) -> None:
        self.answer = answer
        self._client = client
        self._clock = clock
        self._webhook = webhook_of(client, answer.application_id, answer.token)

    @property
    def is_live(self) -> bool:
        return bool(self.answer.token) and self._clock() < self.answer.expires_at

    async def edit(self, message: Message) -> Delivered:
        with opened(message.files) as files:
            async with asyncio.timeout(CALL_LIMIT_S):
                sent = await self._webhook.edit_message(
                    ORIGINAL,
                    content=message.content,
                    embeds=[message.embed] if message.embed else [],
                    view=message.view,
                    allowed_mentions=discord.AllowedMentions.none(),
                    attachments=discord.utils.MISSING if message.keeps_files else files,
                )
        return Delivered(sent.id, sent.channel.id)

    async def follow(self, message: Message, *, private: bool) -> Delivered:
        with opened(message.files) as files:
            async with asyncio.timeout(CALL_LIMIT_S):
                sent = await self._webhook.send(
                    **new_message(message, files),
                    ephemeral=private,
                    wait=True,
                    allowed_mentions=discord.AllowedMentions.none(),
                )
        return Delivered(sent.id, sent.channel.id)

    async def remove(self) -> None:
        async with asyncio.timeout(CALL_LIMIT_S):
            await self._webhook.delete_message(ORIGINAL)

    async def post(self, message: Message, *, nonce: str, user_id: int | None) -> Delivered:
        channel = self._client.get_partial_messageable(self.answer.channel_id)
        with opened(message.files) as files:
            async with asyncio.timeout(CALL_LIMIT_S):
                sent = await channel.send(
                    **new_message(message, files),
                    nonce=nonce,
                    allowed_mentions=discord.AllowedMentions(
                        everyone=False,
                        roles=False,
                        replied_user=False,
                        users=[] if user_id is None else [discord.Object(user_id)],
                    ),
                )
        return Delivered(sent.id, sent.channel.id)

    async def edit_by_bot(self, message: Message) -> None:
        if self.answer.message_id is None or not self.answer.can_post:
            return
        channel = self._client.get_partial_messageable(self.answer.channel_id)
        async with asyncio.timeout(CALL_LIMIT_S):
            await channel.get_partial_message(self.answer.message_id).edit(
                content=message.content,
                embeds=[message.embed] if message.embed else [],
                view=message.view,
                allowed_mentions=discord.AllowedMentions.none(),
            )

    async def remove_by_bot(self) -> None:
        if self.answer.message_id is None or self.answer.private or not self.answer.can_post:
            return
        channel = self._client.get_partial_messageable(self.answer.channel_id)
        try:
            await channel.get_partial_message(self.answer.message_id).delete()
        except TROUBLE as error:
            log.info("an outlived answer could not be removed: %s", type(error).__name__)

    async def direct(self, user_id: int, message: Message) -> None:
        with opened(message.files) as files:
            async with asyncio.timeout(CALL_LIMIT_S):
                user = await self._client.fetch_user(user_id)
                await user.send(**new_message(message, files), allowed_mentions=discord.AllowedMentions.none())

    async def whisper(self, message: Message, *, neutral: str) -> None:
        if self.answer.private:
            await self.edit(message)
            return
        await self.edit(Message(content=neutral))
        await self.follow(message, private=True)
        try:
            await self.remove()
        except TROUBLE as error:
            log.info("an answer that is over could not be removed: %s", type(error).__name__)
