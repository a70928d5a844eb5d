"""The ways to reach a person, and what a failed try means: edit the first answer, whisper, post, direct message.

An interaction can be answered for 15 minutes, by anyone who has its token, also in a later process. After that only
the channel is left, where the bot is a member, and a direct message.
"""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

import aiohttp
import discord

from bot.ports import Delivered
from bot.rules.ledger import Answer

if TYPE_CHECKING:
    from bot.ui.client.client import Easel

log = logging.getLogger(__name__)

UPLOAD_LIMIT_UNKNOWN = 10 * 1024 * 1024
REQUEST_LIMIT = 24 * 1024 * 1024
"""Discord takes 25 MiB for a whole request; the rest is for the form around the files."""

CALL_LIMIT_S = 120.0

ORIGINAL: Any = "@original"
"""Names the first answer in the address where discord.py expects a message's number."""

TROUBLE = (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError)
"""Everything a call to Discord fails with: a reset connection is no Discord exception."""


class Verdict(Enum):
    """What a failed call to Discord means for the next one."""

    AGAIN = auto()  # Discord or the way to it is ill; the same call may be repeated
    TOO_LARGE = auto()
    TOKEN_DEAD = auto()  # the interaction can be answered no more
    MESSAGE_GONE = auto()  # somebody deleted the answer
    FORBIDDEN = auto()
    BROKEN = auto()  # Discord will never take this


_BY_CODE = {
    10003: Verdict.FORBIDDEN,  # unknown channel
    10004: Verdict.FORBIDDEN,  # unknown guild
    10008: Verdict.MESSAGE_GONE,
    10015: Verdict.TOKEN_DEAD,  # unknown webhook
    10062: Verdict.TOKEN_DEAD,  # unknown interaction
    40005: Verdict.TOO_LARGE,
    50001: Verdict.FORBIDDEN,
    50007: Verdict.FORBIDDEN,
    50013: Verdict.FORBIDDEN,
    50027: Verdict.TOKEN_DEAD,
}
_BY_STATUS = {
    401: Verdict.TOKEN_DEAD,
    403: Verdict.FORBIDDEN,
    404: Verdict.TOKEN_DEAD,
    408: Verdict.AGAIN,
    413: Verdict.TOO_LARGE,
    429: Verdict.AGAIN,
}


def verdict_on(error: BaseException) -> Verdict:
    """What to do after this failure of a call to Discord."""
    if not isinstance(error, discord.HTTPException):
        return Verdict.AGAIN
    by_code = _BY_CODE.get(error.code)
    if by_code is not None:
        return by_code
    if error.status >= 500:
        return Verdict.AGAIN
    return _BY_STATUS.get(error.status, Verdict.BROKEN)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file to attach, made anew for every try (discord.py closes what it sends)."""

    name: str
    data: bytes
    alt: str | None = None
    spoiler: bool = False


@dataclass(frozen=True, slots=True)
class Letter:
    """A message in full. What is None or empty is not there afterwards either."""

    content: str | None = None
    embed: discord.Embed | None = None
    sheets: tuple[Sheet, ...] = ()
    view: discord.ui.View | None = None


class _Files:
    """discord.py's files for one try; their memory is given back at the end of it, not at the next collection."""

    def __init__(self, sheets: Sequence[Sheet]) -> None:
        self._buffers = [io.BytesIO(sheet.data) for sheet in sheets]
        self._sheets = sheets

    def __enter__(self) -> list[discord.File]:
        return [
            discord.File(buffer, filename=sheet.name, description=sheet.alt or None, spoiler=sheet.spoiler)
            for buffer, sheet in zip(self._buffers, self._sheets, strict=True)
        ]

    def __exit__(self, *_: object) -> None:
        for buffer in self._buffers:
            buffer.close()


class Reach:
    """The conversation behind one ``Answer``, in the process that got it or in a later one."""

    def __init__(self, client: Easel, answer: Answer) -> None:
        self._client = client
        self.answer = answer
        self._webhook = discord.Webhook.from_state(
            data={"id": answer.application_id, "type": 3, "token": answer.token},
            state=client._connection,
        )

    @property
    def is_live(self) -> bool:
        """Whether the interaction can still be answered."""
        return bool(self.answer.token) and bool(self._client.clock() < self.answer.expires_at)

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


def _given(letter: Letter, files: list[discord.File]) -> dict[str, Any]:
    given = {"content": letter.content, "embed": letter.embed, "view": letter.view, "files": files}
    return {name: value for name, value in given.items() if value}
