"""At most one public result per job: what is looked at before a result is posted to its channel.

A post is remembered before it is sent. While Discord still compares nonces it may be sent again; afterwards nobody
knows whether it arrived, and the pictures wait to be fetched in private. Where an edit of the first answer may have
been taken without anyone here knowing (a lost answer, a process that died), that message is looked at first.
"""

from __future__ import annotations

import logging
from typing import Protocol

import discord

from bot.core.jobs.post_marks import PostMarks
from bot.ports import CannotDeliver, Clock, Delivered, NoteStore
from bot.rules.ledger import Answer, Job
from bot.ui.delivery.files import job_stem
from bot.ui.interactions.failures import TROUBLE, Failure, failure_of

log = logging.getLogger(__name__)


class Messages(Protocol):
    """What is needed of the client."""

    def get_partial_messageable(self, id: int, /) -> discord.PartialMessageable: ...  # noqa: A002  # discord.py's word


class PostOnce:
    """The question before a post, for one answer. ``earlier``: a process that is gone may have shown the result."""

    def __init__(
        self, client: Messages, notes: NoteStore, clock: Clock, answer: Answer, *, earlier: bool = False
    ) -> None:
        self._client = client
        self._marks = PostMarks(notes, clock)
        self._answer = answer
        self._earlier = earlier

    async def before(self, job: Job, *, tried: bool) -> Delivered | None:
        """None: post now. Otherwise the message that shows the result already. Raises ``CannotDeliver``.

        ``tried``: an edit of the first answer was sent and its outcome is not known.
        """
        if (tried or self._earlier) and not await self._marks.has_begun(job.id) and await self._shows(job):
            return Delivered(self._answer.message_id, self._answer.channel_id)
        await self._marks.begin(job.id)
        return None

    async def _shows(self, job: Job) -> bool:
        """Whether the first answer carries the pictures. Raises ``CannotDeliver`` where that cannot be seen."""
        if self._answer.message_id is None:
            raise CannotDeliver("nobody knows whether the first answer shows it")
        channel = self._client.get_partial_messageable(self._answer.channel_id)
        try:
            message = await channel.fetch_message(self._answer.message_id)
        except TROUBLE as error:
            if failure_of(error) is Failure.MESSAGE_GONE:
                return False
            raise CannotDeliver(f"the first answer cannot be looked at: {failure_of(error).name.lower()}") from error
        return any(attachment.filename.startswith(job_stem(job.id)) for attachment in message.attachments)
