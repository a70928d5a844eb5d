"""Pictures in a place that all machines see, and on this machine's disk while that place takes none.

Law: what is paid for is kept somewhere before anybody calls it kept. What had to be kept here is read like any other,
and is brought to its place as soon as that takes it; until then this process alone can show it (``aside``).
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING

from bot.ports import Bundle, CannotStart, Kept
from bot.rules.errors import StorageTrouble

if TYPE_CHECKING:
    from bot.adapters.files.disk import DiskFiles
    from bot.adapters.files.objects import ObjectFiles

log = logging.getLogger(__name__)


class ShelteredFiles:
    """``Files``: the object store first, the disk for what it does not take now."""

    def __init__(self, shared: ObjectFiles, disk: DiskFiles) -> None:
        self._shared = shared
        self._disk = disk
        self._aside: set[str] = set()
        self._unclaimed: str | None = None
        self.trouble: str | None = None
        """Why the shared place takes nothing now; None while it does."""

    @property
    def places(self) -> tuple[str, ...]:
        return (*self._shared.places, *self._disk.places)

    def aside(self, job_id: str) -> str | None:
        return self._disk.places[0] if job_id in self._aside else None

    async def keep(self, job_id: str, kept: Kept, bundle: Bundle) -> None:
        try:
            await self._claim()
            await self._shared.keep(job_id, kept, bundle)
        except (StorageTrouble, CannotStart) as trouble:
            self._note(str(trouble))
            await self._disk.keep(job_id, kept, bundle)
            self._aside.add(job_id)
        else:
            self._note(None)

    async def read(self, job_id: str, kept: Kept) -> Bundle | None:
        return await self._disk.read(job_id, kept) or await self._shared.read(job_id, kept)

    async def remove(self, job_id: str) -> None:
        await self._disk.remove(job_id)
        self._aside.discard(job_id)
        await self._shared.remove(job_id)

    async def jobs(self) -> AsyncIterator[str]:
        here = {job_id async for job_id in self._disk.jobs()}
        for job_id in here:
            yield job_id
        async for job_id in self._shared.jobs():
            if job_id not in here:
                yield job_id

    def is_full(self) -> bool:
        return self._disk.is_full()

    async def recover(self, now: datetime) -> list[str]:
        """Also looks whether the shared place takes anything: raises ``CannotStart`` where only the operator can mend
        it. One that does not answer is no reason not to start.
        """
        try:
            await self._shared.check()
        except StorageTrouble as trouble:
            self._note(str(trouble))
        adopted = await self._disk.recover(now)
        self._aside = {job_id async for job_id in self._disk.jobs()}
        return adopted

    async def claim(self, ledger: str) -> None:
        """A place that does not answer is claimed before anything is kept there."""
        self._unclaimed = ledger
        try:
            await self._claim()
        except StorageTrouble as trouble:
            self._note(str(trouble))

    async def _claim(self) -> None:
        if self._unclaimed is None:
            return
        await self._shared.claim(self._unclaimed)
        self._unclaimed = None

    async def catch_up(self) -> int:
        """Brings what lies here to the shared place; returns of how many jobs."""
        moved = 0
        try:
            if self.trouble is not None:
                await self._shared.check()
                await self._claim()
                self._note(None)
            async for job_id in self._disk.jobs():
                for kept in Kept:
                    if (bundle := await self._disk.read(job_id, kept)) is not None:
                        await self._shared.keep(job_id, kept, bundle)
                await self._disk.remove(job_id)
                self._aside.discard(job_id)
                moved += 1
        except (StorageTrouble, CannotStart) as trouble:
            self._note(str(trouble))
        if moved:
            log.info("brought the pictures of %d jobs to the place that all machines see", moved)
        return moved

    def _note(self, trouble: str | None) -> None:
        if trouble is not None and self.trouble is None:
            log.warning("%s; until it takes them, pictures are kept on this machine's disk", trouble)
        if trouble is None and self.trouble is not None:
            log.info("the place for pictures that all machines see takes them again")
        self.trouble = trouble
