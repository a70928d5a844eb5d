"""One job's conversation with the person who asked: where it stands, previews, the result, or why there is none.

Works from a live interaction and, in a later process, from what the ledger holds. Law: the result is shown once,
by an edit (repeating it is harmless) or by a post with the job's id as nonce; everything else is best effort and
gives way to it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from bot.imaging.fit import CannotFit
from bot.ports import CannotDeliver, Delivered, Progress
from bot.rules.ledger import Answer, Job
from bot.rules.people import Asker, Place
from bot.rules.requests import Made, Partial
from bot.rules.servers.access import ServerSettings
from bot.rules.uploads import Note
from bot.ui.components.job_buttons import cancel_view, result_view
from bot.ui.delivery.files import pack
from bot.ui.delivery.progress import Pacer
from bot.ui.interactions.failures import TROUBLE, Verdict, verdict_on
from bot.ui.messages import UPLOAD_LIMIT_UNKNOWN, Letter, Sheet
from bot.ui.pages import result as embeds
from bot.ui.words.catalogue import say
from bot.ui.words.errors import words

log = logging.getLogger(__name__)

WAITS_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Between tries of showing a result; afterwards it waits on disk and is offered later."""

SHARES = (1.0, 0.7, 0.4, 0.2)
"""Of the limits Discord named, should it find the parcel too large all the same."""


class ReachLike(Protocol):
    """What ``reach.Reach`` offers; tests bring their own."""

    answer: Answer

    @property
    def is_live(self) -> bool: ...
    async def edit(self, letter: Letter) -> Delivered: ...
    async def follow(self, letter: Letter, *, private: bool) -> Delivered: ...
    async def remove(self) -> None: ...
    async def post(self, letter: Letter, *, nonce: str, user_id: int) -> Delivered: ...
    async def remove_by_bot(self) -> None: ...
    async def direct(self, user_id: int, text: str) -> None: ...
    async def whisper(self, text: str, *, neutral: str) -> None: ...


Looks = Callable[[Place], Awaitable[ServerSettings]]


class PostingLike(Protocol):
    """What ``posting.Posting`` answers."""

    async def before(self, job: Job, *, tried: bool) -> Delivered | None: ...


@dataclass(frozen=True, slots=True)
class Manner:
    """How to show: the channel's upload limit, what was done to the uploads, and how long to try."""

    limit_bytes: int = UPLOAD_LIMIT_UNKNOWN
    notes: tuple[Note, ...] = ()
    waits_s: tuple[float, ...] = WAITS_S


class DiscordDelivery:
    """``ports.Delivery`` over Discord."""

    def __init__(
        self,
        reach: ReachLike,
        looks: Looks,
        pacer: Pacer,
        manner: Manner = Manner(),  # frozen
        *,
        posting: PostingLike | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._posting = posting
        self._edit_tried = False
        self._reach = reach
        self._looks = looks
        self._pacer = pacer
        self._manner = manner
        self._sleep = sleep
        self._told = False
        self._line = ""

    # --- on the way ----------------------------------------------------------------------------------------------

    async def progress(self, job: Job, progress: Progress) -> None:
        locale = self._locale(job.asker)
        line = embeds.progress_line(progress, locale)
        if line == self._line:
            return
        self._line = line
        letter = Letter(content=line, view=cancel_view(job.id, locale))
        self._pacer.offer(lambda: self._reach.edit(letter))

    async def preview(self, job: Job, partial: Partial) -> None:
        locale = self._locale(job.asker)
        looks = await self._looks(job.asker.place)
        if len(partial.data) > self._manner.limit_bytes:
            return
        name = f"easel-preview-{partial.index}.{partial.format.replace('jpeg', 'jpg')}"
        letter = Letter(
            content=say(locale, "progress.drawing"),
            sheets=(Sheet(name, partial.data, spoiler=looks.spoiler),),
            view=cancel_view(job.id, locale),
        )
        self._pacer.offer(lambda: self._reach.edit(letter))

    # --- the result ----------------------------------------------------------------------------------------------

    async def result(self, job: Job, made: Sequence[Made], took_s: float) -> Delivered:
        await self._pacer.close()
        looks = await self._looks(job.asker.place)
        waits = iter(self._manner.waits_s)
        shares = iter(SHARES)
        letter = await self._letter(job, made, took_s, looks, next(shares))
        by_post = False
        while True:
            try:
                return await self._show(job, letter, by_post=by_post)
            except TROUBLE as error:
                verdict = verdict_on(error)
                log.info("job %s: showing it failed (%s: %s)", job.id, verdict.name, type(error).__name__)
                cause = error
            self._edit_tried = self._edit_tried or (verdict is Verdict.AGAIN and not by_post)
            match verdict:
                case Verdict.AGAIN:
                    wait = next(waits, None)
                    if wait is None:
                        raise CannotDeliver("Discord did not take it in time") from cause
                    await self._sleep(wait)
                case Verdict.TOO_LARGE:
                    share = next(shares, None)
                    if share is None:
                        raise CannotDeliver("Discord finds it too large") from cause
                    letter = await self._letter(job, made, took_s, looks, share)
                case Verdict.TOKEN_DEAD | Verdict.MESSAGE_GONE if not by_post and self._reach.answer.can_post:
                    by_post = True
                case Verdict.MESSAGE_GONE if not by_post and self._reach.is_live:
                    return await self._follow(letter)
                case _:
                    raise CannotDeliver(f"{verdict.name.lower()}") from cause

    async def _show(self, job: Job, letter: Letter, *, by_post: bool) -> Delivered:
        if not by_post and self._reach.is_live:
            return await self._reach.edit(letter)
        if not self._reach.answer.can_post or self._reach.answer.private:
            raise CannotDeliver("the interaction is over and the bot may not post here")
        shown = await self._posting.before(job, tried=self._edit_tried) if self._posting is not None else None
        if shown is not None:
            return shown
        locale = self._locale(job.asker)
        named = replace(letter, content=say(locale, "result.ready", user=job.asker.user_id))
        delivered = await self._reach.post(named, nonce=job.id, user_id=job.asker.user_id)
        await self._reach.remove_by_bot()
        return replace(delivered, posted=True)

    async def _follow(self, letter: Letter) -> Delivered:
        """The first answer was deleted and the bot may not post: one more answer is the only way left."""
        try:
            return await self._reach.follow(letter, private=self._reach.answer.private)
        except TROUBLE as error:
            raise CannotDeliver(verdict_on(error).name.lower()) from error

    async def _letter(
        self, job: Job, made: Sequence[Made], took_s: float, looks: ServerSettings, share: float
    ) -> Letter:
        locale = self._locale(job.asker)
        images = [image for one in made for image in one.images]
        told = embeds.result(job, made, took_s, locale, show_cost=looks.show_cost, notes=self._manner.notes)
        try:
            parcel = await pack(
                job,
                images,
                limit_bytes=self._manner.limit_bytes,
                spoiler=looks.spoiler,
                text=told.full_text,
                share=share,
            )
        except CannotFit as unfit:
            raise CannotDeliver(str(unfit)) from unfit
        if parcel.shrunk:
            told = embeds.result(
                job, made, took_s, locale, show_cost=looks.show_cost, notes=self._manner.notes, shrunk=True
            )
        return Letter(embed=told.embed, sheets=parcel.sheets, view=result_view(job, len(images), locale))

    # --- or why there is none ------------------------------------------------------------------------------------

    async def failed(self, job: Job, error: Exception) -> None:
        """Once, in private: where the interaction still lives in its place, else by direct message."""
        if self._told:
            return
        self._told = True
        await self._pacer.close()
        text = words(error, job.asker.locale)
        try:
            await self._whisper(job, text)
        except TROUBLE as trouble:
            log.info("job %s: the person could not be told: %s", job.id, verdict_on(trouble).name)

    async def _whisper(self, job: Job, text: str) -> None:
        if self._reach.is_live:
            try:
                await self._reach.whisper(text, neutral=say(self._locale(job.asker), "error.removed"))
            except TROUBLE as trouble:
                verdict = verdict_on(trouble)
                if verdict is Verdict.MESSAGE_GONE:
                    await self._reach.follow(Letter(content=text), private=True)
                    return
                if verdict is not Verdict.TOKEN_DEAD:
                    raise
            else:
                return
        await self._reach.remove_by_bot()
        await self._reach.direct(job.asker.user_id, text)

    def _locale(self, asker: Asker) -> str:
        return asker.locale if self._reach.answer.private else asker.guild_locale or asker.locale
