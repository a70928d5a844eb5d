"""The ways to reach a person, and what a failed try means: edit the first answer, whisper, post, direct message.

An interaction can be answered for 15 minutes, by anyone who has its token, also in a later process. After that only
the channel is left, where the bot is a member, and a direct message.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import discord

from bot.ports import Clock, Delivered
from bot.rules.ledger import Answer
from bot.ui.interactions.failures import TROUBLE
from bot.ui.internals import webhook_of
from bot.ui.messages import CALL_LIMIT_S, Letter, _Files, _given

log = logging.getLogger(__name__)


ORIGINAL: Any = "@original"
"""Names the first answer in the address where discord.py expects a message's number."""


class Reach:
    """The conversation behind one ``Answer``, in the process that got it or in a later one."""

    def __init__(self, client: discord.Client, clock: Clock, answer: Answer) -> None:
        self._client = client
        self._clock = clock
        self.answer = answer
        self._webhook = webhook_of(client, answer.application_id, answer.token)

    @property
    def is_live(self) -> bool:
        """Whether the interaction can still be answered."""
        return bool(self.answer.token) and self._clock() < self.answer.expires_at

    async def edit(self, letter: Letter) -> Delivered:
        """Replaces the first answer. Raises one of ``TROUBLE``. Repeating it does no harm."""
        with _Files(letter.sheets) as files:
            async with asyncio.timeout(CALL_LIMIT_S):
                message = await self._webhook.edit_message(
                    ORIGINAL,
                    content=letter.content,
                    embeds=[letter.embed] if letter.embed else [],
                    attachments=files,
                    view=letter.view,
                    allowed_mentions=discord.AllowedMentions.none(),
                )
        return Delivered(message.id, message.channel.id)

    async def follow(self, letter: Letter, *, private: bool) -> Delivered:
        """Sends one more answer. discord.py repeats it after a 5xx, so it may arrive twice: never for results
        that can go another way. Raises one of ``TROUBLE``.
        """
        with _Files(letter.sheets) as files:
            async with asyncio.timeout(CALL_LIMIT_S):
                message = await self._webhook.send(
                    **_given(letter, files),
                    ephemeral=private,
                    wait=True,
                    allowed_mentions=discord.AllowedMentions.none(),
                )
        return Delivered(message.id, message.channel.id)

    async def remove(self) -> None:
        """Deletes the first answer. Raises one of ``TROUBLE``."""
        async with asyncio.timeout(CALL_LIMIT_S):
            await self._webhook.delete_message(ORIGINAL)

    async def post(self, letter: Letter, *, nonce: str, user_id: int) -> Delivered:
        """Posts to the channel as the bot, once per nonce however often it is tried. Raises one of ``TROUBLE``."""
        channel = self._client.get_partial_messageable(self.answer.channel_id)
        with _Files(letter.sheets) as files:
            async with asyncio.timeout(CALL_LIMIT_S):
                message = await channel.send(
                    **_given(letter, files),
                    nonce=nonce,
                    allowed_mentions=discord.AllowedMentions(
                        everyone=False, roles=False, replied_user=False, users=[discord.Object(user_id)]
                    ),
                )
        return Delivered(message.id, message.channel.id)

    async def remove_by_bot(self) -> None:
        """Deletes the first answer with the bot's own rights, where the interaction is over. Never raises."""
        if self.answer.message_id is None or self.answer.private or not self.answer.can_post:
            return
        channel = self._client.get_partial_messageable(self.answer.channel_id)
        try:
            await channel.get_partial_message(self.answer.message_id).delete()
        except TROUBLE as error:
            log.info("an outlived answer could not be removed: %s", type(error).__name__)

    async def direct(self, user_id: int, text: str) -> None:
        """Writes a direct message. Raises one of ``TROUBLE``."""
        async with asyncio.timeout(CALL_LIMIT_S):
            user = await self._client.fetch_user(user_id)
            await user.send(text, allowed_mentions=discord.AllowedMentions.none())

    async def whisper(self, text: str, *, neutral: str) -> None:
        """Says something to the asker alone, after a defer. Raises one of ``TROUBLE``.

        A first answer that everybody sees is made neutral before and deleted after: a follow-up to a bare "thinking"
        would take its place, for all to see.
        """
        if self.answer.private:
            await self.edit(Letter(content=text))
            return
        await self.edit(Letter(content=neutral))
        await self.follow(Letter(content=text), private=True)
        await self.remove()
