"""How long things are kept: once a day, what nobody needs any more goes.

Law: what a job still waits to show is never removed, and nothing of a job that is younger than ``KEEP_ORIGINALS``,
whatever the clock says this once.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from bot.core.readings import surely_now
from bot.core.upkeep.forgettings import Forgettings
from bot.ports import Clock, Files, Store
from bot.rules.job_ids import made_at

log = logging.getLogger(__name__)

KEEP_ORIGINALS = timedelta(days=30)
"""After that, Vary and Edit take the picture from its message, and Again of an edit asks for the picture."""

KEEP_COUNTERS = timedelta(days=60)
"""Limits look at the present hour, day and month only; the rest is for who wants to compare with a bill."""

KEEP_OFFERS = timedelta(days=1)
"""What a refused command could be made with: its buttons work no longer either."""

ASKED_AT_ONCE = 500
"""Jobs the ledger is asked for together: a busy month leaves pictures of very many."""


class Retention:
    """``prompts_kept_days`` None: prompts are kept until somebody deletes them."""

    def __init__(
        self,
        store: Store,
        files: Files,
        clock: Clock,
        forgettings: Forgettings,
        *,
        prompts_kept_days: int | None = None,
    ) -> None:
        self._words_kept = None if prompts_kept_days is None else timedelta(days=prompts_kept_days)
        self._store = store
        self._files = files
        self._clock = clock
        self._forgettings = forgettings

    async def tidy(self) -> int:
        """Removes pictures of jobs that ended, or were made unknown to the ledger, long ago; returns how many jobs'."""
        now = await surely_now(self._store.notes, self._clock)
        await self._store.people.forget_counters(now - KEEP_COUNTERS)
        await self._store.offers.forget_offers(now - KEEP_OFFERS)
        await self._forgettings.tidy()
        if self._words_kept is not None:
            await self._forget_words(now - self._words_kept)
        over = await self._over(now - KEEP_ORIGINALS)
        for job_id in over:
            await self._files.remove(job_id)
        if over:
            log.info("removed the originals of %d jobs", len(over))
        return len(over)

    async def _forget_words(self, before: datetime) -> None:
        """Of jobs that ended before: prompts, and the pictures with them. What they cost stays."""
        count = 0
        while gone := await self._store.people.forget_words(before, ASKED_AT_ONCE):
            count += len(gone)
            for job_id in gone:
                await self._files.remove(job_id)
        if count:
            log.info("forgot the prompts of %d jobs", count)

    async def _over(self, oldest: datetime) -> list[str]:
        """Jobs whose originals have been kept long enough. What the ledger does not know is as old as its id says: the
        ledger may be an older copy. One that knows none of them is not believed at all: it may have been begun anew
        where another one was, and that one may come back.
        """
        kept = [job_id async for job_id in self._files.jobs()]
        over, unknown, known = [], [], False
        for first in range(0, len(kept), ASKED_AT_ONCE):
            asked = kept[first : first + ASKED_AT_ONCE]
            found = await self._store.jobs.known(asked)
            known = known or bool(found)
            unknown += [job_id for job_id in asked if job_id not in found]
            over += [job_id for job_id, job in found.items() if not job.unshown and job.created_at <= oldest]
        if unknown and not known:
            log.error("the ledger knows none of the %d jobs that have pictures here: they are left alone", len(unknown))
            return []
        return over + [job_id for job_id in unknown if (made := made_at(job_id)) is not None and made <= oldest]
