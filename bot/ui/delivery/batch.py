"""A batch's conversation with its maker: one progress message, groups of pictures in order, one summary.

Law: a group is never shown twice. Where the bot may post it does, with the batch's id and the group's number as nonce,
which Discord takes once; elsewhere a group is one more answer to the interaction and is tried once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Protocol

import discord

from bot.imaging.fit import CannotFit, Fitted, fit_for_upload
from bot.imaging.svg import svg_to_png
from bot.imaging.threads import offload
from bot.ports import Batch, BatchCounts, BatchPicture, CannotDeliver, Delivered
from bot.rules.ledger import Job
from bot.ui.components.batch_button import stop_view
from bot.ui.delivery.conversation import Reach
from bot.ui.delivery.files import MAX_FILES, SVG_PREVIEW_PX, file_name
from bot.ui.delivery.job import SHARES, WAITS_S, Looks, ReachLike
from bot.ui.delivery.progress import Pacer
from bot.ui.interactions.failures import TROUBLE, Verdict, verdict_on
from bot.ui.interactions.who import public_locale
from bot.ui.messages import CALL_LIMIT_S, REQUEST_LIMIT, UPLOAD_LIMIT_UNKNOWN, Letter, Sheet
from bot.ui.pages import batch as batch_words
from bot.ui.words.catalogue import say
from bot.ui.words.text import ALT_LIMIT, clean

log = logging.getLogger(__name__)

GROUP = 10


class BatchReachLike(ReachLike, Protocol):
    """What ``BatchReach`` offers; tests bring their own."""

    async def edit_by_bot(self, letter: Letter) -> None: ...


class BatchReach(Reach):
    """A batch outlives its interaction: its progress message is then edited with the bot's own rights."""

    async def edit_by_bot(self, letter: Letter) -> None:
        """Replaces the progress message. Raises one of ``TROUBLE``; does nothing where the bot may not."""
        if self.answer.message_id is None or not self.answer.can_post:
            return
        channel = self._client.get_partial_messageable(self.answer.channel_id)
        async with asyncio.timeout(CALL_LIMIT_S):
            await channel.get_partial_message(self.answer.message_id).edit(
                content=letter.content,
                embeds=[letter.embed] if letter.embed else [],
                view=letter.view,
                allowed_mentions=discord.AllowedMentions.none(),
            )


class DiscordBatchDelivery:
    """``ports.BatchDelivery`` over Discord."""

    def __init__(
        self,
        reach: BatchReachLike,
        looks: Looks,
        pacer: Pacer,
        *,
        limit_bytes: int = UPLOAD_LIMIT_UNKNOWN,
        waits_s: tuple[float, ...] = WAITS_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._reach = reach
        self._looks = looks
        self._pacer = pacer
        self._limit_bytes = limit_bytes
        self._waits_s = waits_s
        self._sleep = sleep
        self._has_begun = False

    @property
    def repeatable(self) -> bool:
        return self._reach.answer.can_post

    # --- on the way ----------------------------------------------------------------------------------------------

    async def progress(self, batch: Batch, counts: BatchCounts) -> None:
        locale = self._locale(batch)
        view = None if counts.cancelled else stop_view(batch.id, locale)
        letter = Letter(content=batch_words.progress(batch, counts, locale), view=view)
        self._pacer.offer(lambda: self._replace(letter))

    async def _replace(self, letter: Letter) -> None:
        """Edits the progress message, the way that works now. A failure now is no reason not to try the next."""
        try:
            await self._edit(letter)
        except TROUBLE as error:
            log.info("the progress of a batch could not be shown: %s", verdict_on(error).name)

    async def _edit(self, letter: Letter) -> None:
        if self._reach.is_live:
            try:
                await self._reach.edit(letter)
            except TROUBLE as error:
                if verdict_on(error) is not Verdict.TOKEN_DEAD:
                    raise
            else:
                self._has_begun = True
                return
        await self._reach.edit_by_bot(letter)

    # --- the pictures --------------------------------------------------------------------------------------------

    async def group(self, batch: Batch, pictures: Sequence[BatchPicture]) -> Delivered:
        looks = await self._looks(batch.asker.place)
        locale = self._locale(batch)
        waits, shares = iter(self._waits_s), iter(SHARES)
        letter = await self._letter(batch, pictures, locale, spoiler=looks.spoiler, share=next(shares))
        while True:
            try:
                return await self._show(batch, letter, f"{batch.id}g{(pictures[0].line - 1) // GROUP}")
            except TROUBLE as error:
                verdict, cause = verdict_on(error), error
            match verdict:
                case Verdict.AGAIN if self.repeatable and (wait := next(waits, None)) is not None:
                    await self._sleep(wait)
                case Verdict.TOO_LARGE if (share := next(shares, None)) is not None:
                    letter = await self._letter(batch, pictures, locale, spoiler=looks.spoiler, share=share)
                case _:
                    raise CannotDeliver(verdict.name.lower()) from cause

    async def _show(self, batch: Batch, letter: Letter, nonce: str) -> Delivered:
        if self._reach.answer.can_post:
            return await self._reach.post(letter, nonce=nonce, user_id=batch.asker.user_id)
        if not self._reach.is_live:
            raise CannotDeliver("the interaction is over and the bot may not post here")
        if not self._has_begun:  # a further answer to a bare "thinking" would take its place
            await self._reach.edit(Letter(content=batch_words.head(batch, self._locale(batch))))
            self._has_begun = True
        return await self._reach.follow(letter, private=self._reach.answer.private)

    async def _letter(
        self, batch: Batch, pictures: Sequence[BatchPicture], locale: str, *, spoiler: bool, share: float
    ) -> Letter:
        fitted = await _fitted(await _drawn(pictures), int(self._limit_bytes * share), int(REQUEST_LIMIT * share))
        alts = {_name(picture): _alt(picture) for picture in pictures}
        sheets = tuple(Sheet(one.name, one.data, alts.get(one.name.partition(".")[0]), spoiler) for one in fitted)
        shown = {sheet.name.partition(".")[0] for sheet in sheets}
        embed = batch_words.group(batch, pictures, [p.line for p in pictures if _name(p) not in shown], locale)
        return Letter(embed=embed, sheets=sheets)

    # --- the end -------------------------------------------------------------------------------------------------

    async def summary(self, batch: Batch, counts: BatchCounts, lines: Sequence[Job]) -> None:
        await self._pacer.close()
        try:
            await self._sum_up(batch, counts, lines)
        except TROUBLE as error:
            log.warning("batch %s: its end could not be told: %s", batch.id, verdict_on(error).name)

    async def _sum_up(self, batch: Batch, counts: BatchCounts, lines: Sequence[Job]) -> None:
        locale = self._locale(batch)
        looks = await self._looks(batch.asker.place)
        sheet = Sheet("batch.txt", batch_words.table(lines, locale, show_cost=looks.show_cost).encode())
        embed = batch_words.summary(batch, counts, lines, locale, show_cost=looks.show_cost, links=self.repeatable)
        letter = Letter(embed=embed, sheets=(sheet,))
        if self.repeatable and await self._post_summary(batch, letter):
            await self._replace(Letter(content=batch_words.progress(batch, counts, locale)))
        elif self._reach.is_live:
            await self._reach.edit(letter)
        else:
            await self._reach.direct(batch.asker.user_id, batch_words.ended(counts, batch.asker.locale))

    async def _post_summary(self, batch: Batch, letter: Letter) -> bool:
        """Posts it below the pictures and calls the maker; False where the bot may not any more."""
        user = batch.asker.user_id
        named = replace(letter, content=say(self._locale(batch), "batch.ready", user=user))
        for wait in (*self._waits_s, None):
            try:
                await self._reach.post(named, nonce=f"{batch.id}s", user_id=user)
            except TROUBLE as error:
                verdict = verdict_on(error)
                if verdict is Verdict.FORBIDDEN:
                    return False
                if verdict is not Verdict.AGAIN or wait is None:
                    raise
                await self._sleep(wait)
            else:
                return True
        return False

    def _locale(self, batch: Batch) -> str:
        return batch.asker.locale if self._reach.answer.private else public_locale(batch.asker)


# --- files -------------------------------------------------------------------------------------------------------


def _name(picture: BatchPicture) -> str:
    """The file's name up to its ending: the line, and the job that made it."""
    return f"{picture.line:02}-{file_name(picture.job.id, 1, '').rstrip('.')}"


def _alt(picture: BatchPicture) -> str:
    return clean(picture.job.request.shown_prompt or picture.job.request.prompt, ALT_LIMIT)


async def _drawn(pictures: Sequence[BatchPicture]) -> list[tuple[str, bytes, str]]:
    """Every picture as (name, bytes, format), an SVG with a PNG of it where there is room for one more file."""
    room = MAX_FILES - len(pictures)
    drawn: list[tuple[str, bytes, str]] = []
    for picture in pictures[:MAX_FILES]:
        ending = "jpg" if picture.image.format == "jpeg" else picture.image.format
        drawn.append((f"{_name(picture)}.{ending}", picture.image.data, picture.image.format))
        if picture.image.format == "svg" and room > 0:
            preview = await offload(svg_to_png, picture.image.data, SVG_PREVIEW_PX)
            if preview is not None:
                drawn.append((f"{_name(picture)}.png", preview, "png"))
                room -= 1
    return drawn


async def _fitted(pictures: list[tuple[str, bytes, str]], per_file: int, total: int) -> list[Fitted]:
    """Within the limits. What cannot be made to fit is left out. Raises ``CannotDeliver`` where nothing is left."""
    while pictures:
        try:
            return await offload(fit_for_upload, pictures, per_file, total)
        except CannotFit as unfit:
            log.warning("%s", unfit)
            pictures = [picture for picture in pictures if picture[0] != unfit.name]
    raise CannotDeliver("no picture of the group fits")
