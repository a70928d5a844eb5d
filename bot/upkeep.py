"""Housekeeping once a day: originals that nobody needs any more leave the disk. The ledger keeps its rows."""

from __future__ import annotations

import logging
from datetime import timedelta

from bot.ports import Clock, Files, Store

log = logging.getLogger(__name__)

KEEP_ORIGINALS = timedelta(days=30)
"""After that, Vary and Edit take the picture from its message, and Again of an edit asks for the picture."""


class Upkeep:
    def __init__(self, store: Store, files: Files, clock: Clock) -> None:
        self._store = store
        self._files = files
        self._clock = clock

    async def tidy(self) -> int:
        """Removes pictures of jobs that ended long ago or that the ledger does not know; returns how many jobs'."""
        removed = 0
        oldest = self._clock() - KEEP_ORIGINALS
        async for job_id in self._files.jobs():
            job = await self._store.get_job(job_id)
            if job is not None and (job.waiting or job.created_at > oldest):
                continue
            await self._files.remove(job_id)
            removed += 1
        if removed:
            log.info("removed the originals of %d jobs", removed)
        return removed
