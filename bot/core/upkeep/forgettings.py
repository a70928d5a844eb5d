"""Forgetting a person: what waits is given back, what is stored goes, and it can be asked for once a day.

What they used in running windows stays under a keyed hash, so that forgetting is no way around a limit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.jobs.batches import Batches
from bot.core.jobs.jobs import Jobs
from bot.core.tasks import Tasks
from bot.ports import Clock, Files, Store
from bot.rules.instants import left

FORGET_AGAIN_AFTER = timedelta(days=1)
"""Each time every row of a person is written anew; once a day is enough, and bounds what it costs everybody."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many jobs held something of the person, and how many of theirs were taken out of line for it."""

    jobs: int
    stopped: int


class Forgettings:
    """Who deleted their data lately, known by a keyed hash alone (``member_tag``) and for about a day."""

    def __init__(
        self,
        store: Store,
        files: Files,
        jobs: Jobs,
        batches: Batches,
        tasks: Tasks,
        clock: Clock,
        member_tag: Callable[[int], str],
    ) -> None:
        self._store = store
        self._files = files
        self._jobs = jobs
        self._batches = batches
        self._tasks = tasks
        self._clock = clock
        self._member_tag = member_tag

    async def forget(self, user_id: int) -> Forgotten:
        """Forgets the person. What is being drawn is still shown to them; what is kept of it goes right after."""
        stopped = await self._jobs.cancel_waiting_of(user_id)
        running = self._jobs.running_ids()
        gone = await self._store.people.forget(user_id)
        self._batches.look_again(user_id)
        await self._remove(gone)
        if gone:
            await self.note(user_id)
        later = [job_id for job_id in gone if job_id in running]
        if later:
            self._tasks.start(self._remove_when_ended(later), "forgetting what was being drawn")
        return Forgotten(jobs=len(gone), stopped=stopped)

    async def _remove_when_ended(self, job_ids: Sequence[str]) -> None:
        await self._jobs.until_ended(job_ids)
        await self._remove(job_ids)

    async def _remove(self, job_ids: Sequence[str]) -> None:
        for job_id in job_ids:
            await self._files.remove(job_id)

    async def next_at(self, user_id: int) -> datetime | None:
        """When the person may delete again; None: now."""
        deleted = await self._store.notes.deleted(self._member_tag(user_id))
        now = self._clock()
        return now + rest if deleted and (rest := left(deleted, now, FORGET_AGAIN_AFTER)) else None

    async def note(self, user_id: int) -> None:
        """The person's data was just deleted."""
        await self._store.notes.set_deleted(self._member_tag(user_id), self._clock())

    async def tidy(self) -> None:
        """Forgets those whose day is over."""
        for tag, deleted in (await self._store.notes.deletions()).items():
            if not left(deleted, self._clock(), FORGET_AGAIN_AFTER):
                await self._store.notes.set_deleted(tag, None)
