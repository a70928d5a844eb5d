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
from datetime import datetime
from typing import Protocol

from bot.ports import CannotDeliver, Delivered, Progress, Stage, WhyKept
from bot.rules.errors import Cancelled, Interrupted
from bot.rules.ledger import Job
from bot.rules.people import Asker, Place
from bot.rules.requests import Kind, Made, Partial
from bot.rules.servers.access import ServerSettings
from bot.rules.uploads import Note
from bot.ui.components.job_buttons import cancel_view, claim_view
from bot.ui.components.result_view import result_view
from bot.ui.components.words import own_words_view
from bot.ui.delivery.conversation import Conversation
from bot.ui.delivery.files import NamedPicture, alt_of, file_stem, pack
from bot.ui.delivery.progress import ProgressEdits
from bot.ui.delivery.review import Reviews
from bot.ui.delivery.show import WAITS_S, Send, Sleep, cannot, show
from bot.ui.delivery.words import words_message
from bot.ui.interactions.failures import TROUBLE, Failure, failure_of
from bot.ui.interactions.who import public_locale
from bot.ui.messages import UPLOAD_LIMIT_UNKNOWN, File, Message
from bot.ui.pages import result as pages
from bot.ui.pages.progress import is_news, progress_text
from bot.ui.words.catalogue import say
from bot.ui.words.errors import words
from bot.ui.words.text import cut_at_word
from bot.ui.words.titles import title_of

log = logging.getLogger(__name__)

NAMED_ROOM = 150
"""Characters of the prompt that tell which picture is meant."""

SettingsOf = Callable[[Place], Awaitable[ServerSettings]]
FreeFrom = Callable[[Asker], Awaitable[datetime | None]]
"""When the cooldown of this person ends; None where none is running."""


class PostCheck(Protocol):
    """What ``post_once.PostOnce`` answers."""

    async def before(self, job: Job, *, tried: bool) -> Delivered | None: ...


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """How to show: the channel's upload limit, what was done to the uploads, what models are called for short, the
    operator's words for "made with AI", how long to try, and whether a new message calls whoever asked.
    """

    limit_bytes: int = UPLOAD_LIMIT_UNKNOWN
    notes: tuple[Note, ...] = ()
    name_of: Callable[[str], str] = str
    notice: str | None = None
    free_from: FreeFrom | None = None
    waits_s: tuple[float, ...] = WAITS_S
    calls: bool = True


class DiscordDelivery:
    """``ports.Delivery`` over Discord."""

    def __init__(
        self,
        conversation: Conversation,
        settings_of: SettingsOf,
        edits: ProgressEdits,
        options: ShowOptions = ShowOptions(),  # frozen
        *,
        post_check: PostCheck | None = None,
        reviews: Reviews | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._conversation = conversation
        self._settings_of = settings_of
        self._edits = edits
        self._options = options
        self._post_check = post_check
        self._reviews = reviews
        self._sleep = sleep
        self._edit_tried = False
        self._told = False
        self._progress: Progress | None = None
        self._preview: File | None = None
        self._shows = False

    # --- on the way ----------------------------------------------------------------------------------------------

    async def progress(self, job: Job, progress: Progress) -> None:
        if is_news(progress, self._progress):
            self._progress = progress
            self._offer(job)

    async def preview(self, job: Job, partial: Partial) -> None:
        settings = await self._settings_of(job.asker.place)
        if job.request.reviewed or settings.review_channel_id is not None:
            return
        if len(partial.data) > self._options.limit_bytes:
            return
        name = f"easel-preview-{partial.index}.{partial.format.replace('jpeg', 'jpg')}"
        if self._progress is None or self._progress.stage is Stage.QUEUED:
            self._progress = Progress(Stage.DRAWING)
        self._preview = File(name, partial.data, alt_of(job, self._locale(job.asker)), settings.spoiler)
        self._offer(job)

    def _offer(self, job: Job) -> None:
        """What there is to see by the time of the edit; most never come to it: a result is there first."""

        async def edit() -> None:
            locale, preview, progress = self._locale(job.asker), self._preview, self._progress
            self._preview = None
            text = progress_text(job.request, progress, locale) if progress is not None else None
            files = (preview,) if preview is not None else ()
            message = Message(text, None, files, cancel_view(job.id, locale), keeps_files=self._shows and not files)
            await self._conversation.edit(message)
            self._shows = self._shows or bool(files)

        self._edits.offer(edit)

    # --- the result ----------------------------------------------------------------------------------------------

    async def result(self, job: Job, made: Sequence[Made], took_s: float) -> Delivered:
        await self._edits.close()
        settings = await self._settings_of(job.asker.place)

        async def message_of(share: float) -> Message:
            return await self._result(job, made, took_s, settings, share)

        if (
            self._reviews is not None
            and not job.request.is_words
            and (channel_id := await self._reviews.channel_for(job)) is not None
        ):
            if await self._reviews.is_nobodys(job):
                await self._tell(job, Message(content=say(job.asker.locale, "kept.nobodys")), "kept.removed")
                return Delivered(None, None)
            await self._reviews.hold(
                [job], channel_id, lambda _, share: message_of(share), public_locale(job.asker), sleep=self._sleep
            )

        async def post(message: Message) -> Delivered:
            return await self._post(job, message)

        starts_with_edit = self._conversation.is_live

        def otherwise(failure: Failure) -> Send | None:
            """After an edit that cannot be: a post; where the bot may not post, one more answer."""
            if not starts_with_edit or failure not in (Failure.TOKEN_DEAD, Failure.MESSAGE_GONE):
                return None
            if self._conversation.answer.can_post:
                return post
            return self._follow if failure is Failure.MESSAGE_GONE and self._conversation.is_live else None

        first = self._edit if starts_with_edit else post
        return await show(message_of, first, otherwise=otherwise, waits_s=self._options.waits_s, sleep=self._sleep)

    async def _edit(self, message: Message) -> Delivered:
        try:
            return await self._conversation.edit(message)
        except TROUBLE as error:
            self._edit_tried = self._edit_tried or failure_of(error) is Failure.AGAIN
            raise

    async def _post(self, job: Job, message: Message) -> Delivered:
        if not self._conversation.answer.can_post or self._conversation.answer.private:
            raise CannotDeliver("the interaction is over and the bot may not post here", WhyKept.LATE)
        checking = self._post_check
        shown = await checking.before(job, tried=self._edit_tried) if checking is not None else None
        if shown is not None:
            return shown
        locale = self._locale(job.asker)
        calling = say(locale, "result.ready", user=job.asker.user_id)
        named = replace(message, content="\n".join(line for line in (calling, message.content) if line))
        user_id = job.asker.user_id if self._options.calls else None
        delivered = await self._conversation.post(named, nonce=job.id, user_id=user_id)
        await self._conversation.remove_by_bot()
        return replace(delivered, posted=True)

    async def _follow(self, message: Message) -> Delivered:
        """The first answer was deleted and the bot may not post: one more answer, once, is the only way left."""
        try:
            return await self._conversation.follow(message, private=self._conversation.answer.private)
        except TROUBLE as error:
            raise cannot(failure_of(error)) from error

    async def _result(
        self, job: Job, made: Sequence[Made], took_s: float, settings: ServerSettings, share: float
    ) -> Message:
        locale, notes = self._locale(job.asker), self._options.notes
        if job.request.is_words:
            free_from = await self._options.free_from(job.asker) if self._options.free_from is not None else None
            return words_message(job, made, locale, settings, self._options.name_of, notes, free_from)
        images = [image for one in made for image in one.images]
        looks = pages.Looks(settings.show_cost, settings.layout, self._options.name_of, self._options.notice)
        told = pages.result(job, made, took_s, locale, looks, notes=notes)
        packed = await pack(
            [
                NamedPicture(file_stem(job.id, number), alt_of(job, locale), image)
                for number, image in enumerate(images, 1)
            ],
            limit_bytes=self._options.limit_bytes,
            spoiler=settings.spoiler,
            lane=job.asker.place.key,
            text=told.full_text,
            share=share,
        )
        if packed.shrunk:
            told = pages.result(job, made, took_s, locale, looks, notes=notes, shrunk=True, unmarked=packed.unmarked)
        view = result_view(job, len(images), locale, hidden=settings.hidden_buttons)
        return Message(told.content, told.embed, packed.files, view)

    # --- or why there is none ------------------------------------------------------------------------------------

    async def kept(self, job: Job, why: WhyKept) -> None:
        locale, count = job.asker.locale, job.request.count
        if job.request.is_words:
            text = say(locale, "kept.words", why=say(locale, f"kept.{why}"))
            await self._tell(job, Message(content=text, view=claim_view([job], locale)), "kept.removed")
            return
        if why is WhyKept.REVIEW:
            await self._tell(job, Message(content=say(locale, "kept.review", count=count)), "kept.reviewing")
            return
        if why is WhyKept.ELSEWHERE:
            await self._tell(job, Message(content=say(locale, "kept.elsewhere", count=count)), "kept.removed")
            return
        text = say(locale, "kept.ready", count=count, why=say(locale, f"kept.{why}"))
        await self._tell(job, Message(content=text, view=claim_view([job], locale)), "kept.removed")

    async def failed(self, job: Job, error: Exception) -> None:
        said = words(error, job.asker.locale, of_words=job.request.is_words)
        title = cut_at_word(title_of(job.request, job.asker.locale), NAMED_ROOM)
        if title and isinstance(error, Interrupted):  # long after it was typed, and perhaps one of several
            said = f"{pages.bold(title)}\n{said}"
        may_draw = job.request.kind is Kind.IMPROVE and self._conversation.is_live and not isinstance(error, Cancelled)
        view = own_words_view(job.id, job.asker.locale) if may_draw else None
        await self._tell(job, Message(content=said, view=view), "error.removed")

    async def _tell(self, job: Job, message: Message, neutral: str) -> None:
        """Once, in private: where the interaction still lives in its place, else by direct message."""
        if self._told:
            return
        self._told = True
        await self._edits.close()
        try:
            if not await self._whisper(message, neutral=say(self._locale(job.asker), neutral)):
                await self._conversation.remove_by_bot()
                await self._conversation.direct(job.asker.user_id, message)
        except TROUBLE as trouble:
            log.info("job %s: the person could not be told: %s", job.id, failure_of(trouble).name)

    async def _whisper(self, message: Message, *, neutral: str) -> bool:
        """In the answer's place; False where Discord takes nothing there any more."""
        if not self._conversation.is_live:
            return False
        try:
            await self._conversation.whisper(message, neutral=neutral)
        except TROUBLE as trouble:
            if failure_of(trouble) is not Failure.MESSAGE_GONE:
                return False
        else:
            return True
        try:
            await self._conversation.follow(message, private=True)
        except TROUBLE:
            return False
        return True

    def _locale(self, asker: Asker) -> str:
        return asker.locale if self._conversation.answer.private else asker.guild_locale or asker.locale
