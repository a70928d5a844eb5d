"""A batch's conversation with its maker: one progress message, groups of pictures in order, one summary.

Law: a group is never shown twice. Where the bot may post it does, with the batch's id and the group's number as nonce,
which Discord takes once; elsewhere a group is one more answer to the interaction and is tried once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from bot.ports import Batch, BatchCounts, BatchPicture, CannotDeliver, Delivered, WhyKept
from bot.rules.ledger import Job
from bot.rules.overnight import OVER, Overnight
from bot.ui.components.batch_button import overnight_view, stop_view
from bot.ui.delivery.conversation import Conversation
from bot.ui.delivery.files import NamedPicture, alt_of, file_stem, pack
from bot.ui.delivery.job import SettingsOf
from bot.ui.delivery.progress import ProgressEdits
from bot.ui.delivery.review import Reviews
from bot.ui.delivery.show import WAITS_S, Sleep, show
from bot.ui.interactions.failures import TROUBLE, Failure, failure_of
from bot.ui.interactions.who import public_locale
from bot.ui.messages import UPLOAD_LIMIT_UNKNOWN, File, Message
from bot.ui.pages import batch as batch_words
from bot.ui.pages.result import ai_notice
from bot.ui.words.catalogue import say

log = logging.getLogger(__name__)

GROUP = 10


class DiscordBatchDelivery:
    """``ports.BatchDelivery`` over Discord."""

    def __init__(
        self,
        conversation: Conversation,
        settings_of: SettingsOf,
        edits: ProgressEdits,
        *,
        limit_bytes: int = UPLOAD_LIMIT_UNKNOWN,
        notice: str | None = None,
        reviews: Reviews | None = None,
        waits_s: tuple[float, ...] = WAITS_S,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._conversation = conversation
        self._settings_of = settings_of
        self._edits = edits
        self._limit_bytes = limit_bytes
        self._notice = notice
        self._reviews = reviews
        self._waits_s = waits_s
        self._sleep = sleep
        self._has_begun = False

    @property
    def repeatable(self) -> bool:
        return self._conversation.answer.can_post

    # --- on the way ----------------------------------------------------------------------------------------------

    async def progress(self, batch: Batch, counts: BatchCounts) -> None:
        locale = self._locale(batch)
        view = None if counts.cancelled else stop_view(batch.id, locale)
        message = Message(content=batch_words.progress(batch, counts, locale), view=view)
        self._edits.offer(lambda: self._replace(message))

    async def overnight(self, batch: Batch, night: Overnight, *, keyless: bool, late: bool) -> None:
        locale = self._locale(batch)
        is_over = night.read or (night.state in OVER and not keyless)
        view = None if is_over else overnight_view(batch, locale)
        message = Message(content=batch_words.overnight(batch, night, locale, keyless=keyless, late=late), view=view)
        self._edits.offer(lambda: self._replace(message))

    async def _replace(self, message: Message) -> None:
        """Edits the progress message, the way that works now. A failure now is no reason not to try the next."""
        try:
            await self._edit(message)
        except TROUBLE as error:
            log.info("the progress of a batch could not be shown: %s", failure_of(error).name)

    async def _edit(self, message: Message) -> None:
        if self._conversation.is_live:
            try:
                await self._conversation.edit(message)
            except TROUBLE as error:
                if failure_of(error) is not Failure.TOKEN_DEAD:
                    raise
            else:
                self._has_begun = True
                return
        await self._conversation.edit_by_bot(message)

    # --- the pictures --------------------------------------------------------------------------------------------

    async def group(self, batch: Batch, pictures: Sequence[BatchPicture]) -> Delivered:
        settings = await self._settings_of(batch.asker.place)

        async def message_of(share: float) -> Message:
            return await self._group(batch, pictures, spoiler=settings.spoiler, share=share)

        async def of_jobs(ids: frozenset[str], share: float) -> Message:
            some = [one for one in pictures if one.job.id in ids]
            return await self._group(batch, some, spoiler=settings.spoiler, share=share)

        if self._reviews is not None and (channel_id := await self._reviews.channel_for(pictures[0].job)) is not None:
            held = [one.job for one in pictures]
            await self._reviews.hold(held, channel_id, of_jobs, public_locale(batch.asker), sleep=self._sleep)

        async def send(message: Message) -> Delivered:
            return await self._send(batch, message, f"{batch.id}g{(pictures[0].line - 1) // GROUP}")

        waits_s = self._waits_s if self.repeatable else ()
        return await show(message_of, send, waits_s=waits_s, sleep=self._sleep)

    async def _send(self, batch: Batch, message: Message, nonce: str) -> Delivered:
        if self._conversation.answer.can_post:
            return await self._conversation.post(message, nonce=nonce, user_id=batch.asker.user_id)
        if not self._conversation.is_live:
            raise CannotDeliver("the interaction is over and the bot may not post here", WhyKept.LATE)
        if not self._has_begun:  # a further answer to a bare "thinking" would take its place
            await self._conversation.edit(Message(content=batch_words.head(batch, self._locale(batch))))
            self._has_begun = True
        return await self._conversation.follow(message, private=self._conversation.answer.private)

    async def _group(self, batch: Batch, pictures: Sequence[BatchPicture], *, spoiler: bool, share: float) -> Message:
        locale = self._locale(batch)
        named = {one.line: NamedPicture(_stem(one), alt_of(one.job, locale), one.image) for one in pictures}
        packed = await pack(
            list(named.values()),
            limit_bytes=self._limit_bytes,
            spoiler=spoiler,
            lane=batch.asker.place.key,
            share=share,
        )
        left_out = [line for line, picture in named.items() if not packed.has(picture)]
        notices = [ai_notice(self._notice, locale)]
        notices += [say(locale, "result.unmarked")] if packed.unmarked else []
        embed = batch_words.group(batch, pictures, left_out, locale, notices=notices)
        return Message(embed=embed, files=packed.files)

    # --- the end -------------------------------------------------------------------------------------------------

    async def summary(self, batch: Batch, counts: BatchCounts, lines: Sequence[Job]) -> None:
        await self._edits.close()
        try:
            await self._sum_up(batch, counts, lines)
        except TROUBLE as error:
            log.warning("batch %s: its end could not be told: %s", batch.id, failure_of(error).name)

    async def withdrawn(self, batch: Batch) -> None:
        await self._edits.close()
        await self._replace(Message(content=say(self._locale(batch), "batch.withdrawn")))

    async def _sum_up(self, batch: Batch, counts: BatchCounts, lines: Sequence[Job]) -> None:
        locale = self._locale(batch)
        shows = (await self._settings_of(batch.asker.place)).show_cost
        held = frozenset[str]() if self._reviews is None else await self._reviews.undecided(lines)
        file = File("batch.txt", batch_words.table(lines, locale, show_cost=shows, held=held).encode())
        embed = batch_words.summary(batch, counts, lines, locale, show_cost=shows, links=self.repeatable, held=held)
        message = Message(embed=embed, files=(file,))
        if self.repeatable and await self._post_summary(batch, counts, message):
            await self._replace(Message(content=batch_words.progress(batch, counts, locale)))
            return
        if self._conversation.is_live:
            try:
                await self._conversation.edit(message)
            except TROUBLE as error:
                log.info("batch %s: its end could not stand in its answer: %s", batch.id, failure_of(error).name)
            else:
                return
        ended = Message(content=batch_words.ended(counts, batch.asker.locale, held))
        await self._conversation.direct(batch.asker.user_id, ended)

    async def _post_summary(self, batch: Batch, counts: BatchCounts, message: Message) -> bool:
        """Posts it below the pictures and calls the maker; False where Discord does not take it."""
        user = None if batch.overnight else batch.asker.user_id
        named = replace(message, content=batch_words.calling(batch, counts, self._locale(batch)))

        async def message_of(_: float) -> Message:
            return named

        async def post(message: Message) -> Delivered:
            return await self._conversation.post(message, nonce=f"{batch.id}s", user_id=user)

        try:
            await show(message_of, post, waits_s=self._waits_s, sleep=self._sleep)
        except CannotDeliver as problem:
            log.info("batch %s: its end could not be posted: %s", batch.id, problem)
            return False
        return True

    def _locale(self, batch: Batch) -> str:
        return batch.asker.locale if self._conversation.answer.private else public_locale(batch.asker)


def _stem(picture: BatchPicture) -> str:
    """The file's name up to its ending: the line, and the job that made it."""
    return f"{picture.line:02}-{file_stem(picture.job.id)}"
