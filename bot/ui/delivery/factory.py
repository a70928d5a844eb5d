"""Makes the conversations in which results are shown, of live interactions and of what the ledger remembers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from weakref import WeakValueDictionary

import discord

from bot.core.servers.settings_cache import SettingsCache
from bot.core.tasks import Tasks
from bot.core.ttl_map import TtlMap
from bot.ports import Batch, Clock, Store
from bot.rules.errors import StorageTrouble
from bot.rules.ledger import Answer, Job
from bot.rules.limits.limit import Cooldown
from bot.rules.people import Asker
from bot.rules.uploads import Note
from bot.ui.delivery.batch import DiscordBatchDelivery
from bot.ui.delivery.conversation import DiscordConversation
from bot.ui.delivery.job import DiscordDelivery, ShowOptions
from bot.ui.delivery.post_once import PostOnce
from bot.ui.delivery.progress import ChannelPace, ProgressEdits
from bot.ui.delivery.review import Reviews
from bot.ui.messages import UPLOAD_LIMIT_UNKNOWN

NOTES_S = 7 * 24 * 60 * 60.0
NOTES_MOST = 1000
"""Of pictures that moderators look at first: what was done to the uploads is said as long as this process knows it."""


class DiscordDeliveries:
    """``shell.Deliveries`` over a connected client. ``name_of`` shortens the names of models; ``notice`` are the
    operator's words for "made with AI"."""

    def __init__(
        self,
        client: discord.Client,
        store: Store,
        settings_cache: SettingsCache,
        tasks: Tasks,
        clock: Clock,
        name_of: Callable[[str], str],
        notice: str | None = None,
    ) -> None:
        self._client = client
        self._store = store
        self._settings_of = settings_cache.looks
        self._reviews = Reviews(client, store)
        self._tasks = tasks
        self._clock = clock
        self._name_of = name_of
        self._notice = notice
        self._notes = TtlMap[str, tuple[Note, ...]](NOTES_S, NOTES_MOST)
        self._paces: WeakValueDictionary[int, ChannelPace] = WeakValueDictionary()

    def _edits(self, channel_id: int) -> ProgressEdits:
        pace = self._paces.setdefault(channel_id, ChannelPace())
        return ProgressEdits(self._tasks, pace)

    def of_job(
        self,
        job: Job,
        *,
        limit_bytes: int = UPLOAD_LIMIT_UNKNOWN,
        notes: tuple[Note, ...] = (),
        earlier: bool = False,
    ) -> DiscordDelivery:
        """The conversation about this job, of a live interaction or of an earlier process (``earlier``)."""
        if job.answer is None:
            raise LookupError(f"job {job.id} has no answer to deliver to")
        if notes and job.request.reviewed:
            self._notes.put(job.id, notes, asyncio.get_running_loop().time())
        return self._to(job.answer, self._options(limit_bytes, notes), earlier=earlier)

    def at(self, answer: Answer, *, limit_bytes: int = UPLOAD_LIMIT_UNKNOWN) -> DiscordDelivery:
        """The same for an answer that is not the job's own (a picture that waited)."""
        return self._to(answer, self._options(limit_bytes), earlier=False)

    def approved(self, job: Job, *, calls: bool = True) -> DiscordDelivery:
        """The lines of a batch share one answer, which stays theirs together: each gets a message of its own, which
        ``calls`` whoever asked, or nobody.
        """
        if job.answer is None:
            raise LookupError(f"job {job.id} has no answer to deliver to")
        answer = job.answer if job.batch_id is None else replace(job.answer, token="", message_id=None)
        notes = self._notes.get(job.id, asyncio.get_running_loop().time()) or ()
        return self._to(answer, replace(self._options(notes=notes), calls=calls), earlier=False)

    def _options(self, limit_bytes: int = UPLOAD_LIMIT_UNKNOWN, notes: tuple[Note, ...] = ()) -> ShowOptions:
        return ShowOptions(limit_bytes, notes, self._name_of, self._notice, self._free_from)

    async def _free_from(self, asker: Asker) -> datetime | None:
        """What cannot be read now is not worth the result."""
        now = self._clock()
        try:
            standings = await self._store.figures.standings(asker, now)
        except StorageTrouble:
            return None
        ends = [one.resets_at for one in standings if isinstance(one.limit, Cooldown) and one.resets_at is not None]
        return max((end for end in ends if end > now), default=None)

    def _to(self, answer: Answer, options: ShowOptions, *, earlier: bool) -> DiscordDelivery:
        post_check = PostOnce(self._client, self._store.notes, self._clock, answer, earlier=earlier)
        conversation = DiscordConversation(self._client, self._clock, answer)
        edits = self._edits(answer.channel_id)
        return DiscordDelivery(
            conversation, self._settings_of, edits, options, post_check=post_check, reviews=self._reviews
        )

    def of_batch(
        self, batch: Batch, jobs: Sequence[Job], *, limit_bytes: int = UPLOAD_LIMIT_UNKNOWN
    ) -> DiscordBatchDelivery:
        """The conversation about a batch, of a live interaction or of what its lines remember of one."""
        known = next((job.answer for job in jobs if job.answer is not None and job.answer.token), None)
        known = known or next((job.answer for job in jobs if job.answer is not None), None)
        application_id = self._client.application_id or 0
        answer = known or Answer(0, application_id, "", batch.channel_id, batch.created_at, can_post=False)
        answer = replace(answer, message_id=batch.message_id, private=batch.private)
        conversation = DiscordConversation(self._client, self._clock, answer)
        edits = self._edits(batch.channel_id)
        return DiscordBatchDelivery(
            conversation,
            self._settings_of,
            edits,
            limit_bytes=limit_bytes,
            notice=self._notice,
            reviews=self._reviews,
        )
