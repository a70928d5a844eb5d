"""Holding pictures back until moderators have looked at them.

Law: fails closed. What is to be looked at first is shown to nobody else, whatever cannot be read, written or posted.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import NoReturn

import discord

from bot.core.ttl_map import TtlMap
from bot.ports import CannotDeliver, Delivered, Store, WhyKept
from bot.rules.errors import StorageTrouble
from bot.rules.ledger import Job
from bot.rules.servers.review import Review
from bot.ui.components.review_buttons import review_view
from bot.ui.delivery.show import Sleep, show
from bot.ui.interactions.failures import TROUBLE
from bot.ui.messages import Message, new_message, opened
from bot.ui.words.catalogue import say

log = logging.getLogger(__name__)

TOLD_AGAIN_S = 24 * 60 * 60.0
TOLD_MOST = 1000

MessageOf = Callable[[frozenset[str], float], Awaitable[Message]]
"""What shows the pictures of these jobs, in a share of the limits."""


class Reviews:
    """Whether something is held back, and the moderators' message about it."""

    def __init__(self, client: discord.Client, store: Store) -> None:
        self._client = client
        self._store = store
        self._told = TtlMap[int, bool](TOLD_AGAIN_S, TOLD_MOST)

    async def channel_for(self, job: Job) -> int | None:
        """Where moderators look at it first; None: it may be shown. Raises ``CannotDeliver``."""
        if not job.asker.place.is_server:
            return None
        try:
            channel_id, held = await self._store.reviews.of_job(job)
        except StorageTrouble:
            if job.request.reviewed:
                raise _waits() from None
            return None
        if held is not None and held.approved:
            return None
        if held is not None and channel_id is None:
            raise _waits()  # it was to be looked at when it came: turning that off shows nothing by itself
        return channel_id

    async def is_nobodys(self, job: Job) -> bool:
        """Whether whoever asked has deleted their data meanwhile: nobody could be shown what moderators post."""
        known = await self._store.jobs.get(job.id)
        return known is not None and known.asker.user_id <= 0

    async def undecided(self, jobs: Sequence[Job]) -> frozenset[str]:
        """Those of the jobs whose pictures wait for the moderators."""
        return frozenset([job.id for job in jobs if job.waiting and await self._is_undecided(job)])

    async def _is_undecided(self, job: Job) -> bool:
        try:
            _, held = await self._store.reviews.of_job(job)
        except StorageTrouble:
            return job.request.reviewed
        return held is not None and not held.approved

    async def hold(
        self, jobs: Sequence[Job], channel_id: int, message_of: MessageOf, locale: str, *, sleep: Sleep
    ) -> NoReturn:
        """Puts the pictures before the moderators, once. Raises ``CannotDeliver``: nobody else sees them."""
        unseen = await self._store.reviews.open(jobs)
        if not unseen:
            raise _waits()
        group_id, ids = unseen[0].group_id, frozenset(one.job_id for one in unseen)
        first = next(job for job in jobs if job.id in ids)
        asked = say(locale, "review.asked", user=first.asker.user_id, channel=first.asker.channel_id)

        async def message(share: float) -> Message:
            made = await message_of(ids, share)
            text = "\n".join(line for line in (asked, made.content) if line)
            return Message(text, made.embed, made.files, review_view(group_id, locale))

        async def send(message: Message) -> Delivered:
            channel = self._client.get_partial_messageable(channel_id, guild_id=first.asker.place.guild_id)
            with opened(message.files) as files:
                sent = await channel.send(
                    **new_message(message, files), nonce=f"{group_id}r", allowed_mentions=discord.AllowedMentions.none()
                )
            return Delivered(sent.id, channel_id)

        try:
            shown = await show(message, send, sleep=sleep)
        except CannotDeliver as problem:
            log.warning("job %s waits: its review cannot be posted (%s)", group_id, problem)
            await self._tell_admins(first, channel_id, locale)
            raise _waits() from problem
        self._told.forget(channel_id)
        await self._store.reviews.stands(group_id, channel_id, shown.message_id)
        raise _waits()

    async def _tell_admins(self, job: Job, channel_id: int, locale: str) -> None:
        """In the log channel, else to the owner of the server: once for all that waits, until it works again."""
        now = asyncio.get_running_loop().time()
        if self._told.get(channel_id, now):
            return
        self._told.put(channel_id, True, now)
        text = say(locale, "review.cannot", channel=channel_id)
        settings = await self._store.servers.settings(job.asker.place)
        try:
            if settings.log_channel_id is not None:
                await self._client.get_partial_messageable(settings.log_channel_id).send(text)
            elif (guild := self._client.get_guild(job.asker.place.guild_id or 0)) is not None and guild.owner_id:
                await (await self._client.fetch_user(guild.owner_id)).send(text)
        except TROUBLE as error:
            log.warning("nobody of %s could be told: %s", job.asker.place.key, type(error).__name__)


async def withdraw(client: discord.Client, held: Sequence[Review]) -> None:
    """Takes the moderators' messages about these away."""
    for channel_id, message_id in {(one.channel_id, one.message_id) for one in held}:
        if not channel_id or not message_id:
            continue
        try:
            await client.get_partial_messageable(channel_id).get_partial_message(message_id).delete()
        except TROUBLE as error:
            log.info("a review's message could not be taken away: %s", type(error).__name__)


def _waits() -> CannotDeliver:
    return CannotDeliver("it waits for the moderators", WhyKept.REVIEW)
