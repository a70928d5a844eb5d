"""Where pictures are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Kept(StrEnum):
    """What may be kept of a job; each is kept, read and gone as one."""

    RESULTS = "results"
    INPUTS = "inputs"
    SMALL = "small"


@dataclass(frozen=True, slots=True)
class Bundle:
    """Files that are kept as one, whole or absent: (name, bytes) in their order, and what is written down with them."""

    files: tuple[tuple[str, bytes], ...]
    note: str | None = None


class Files(Protocol):
    """Pictures by job: originals until delivered and for later buttons, inputs, thumbnails.

    ``places`` names where they lie, each name the same for every process that sees the files there. New ones go to the
    first.
    """

    @property
    def places(self) -> tuple[str, ...]: ...

    def aside(self, job_id: str) -> str | None:
        """The place where a job's files had to be kept instead of the first one; None: they are where they belong."""
        ...

    async def keep(self, job_id: str, kept: Kept, bundle: Bundle) -> None:
        """Keeps it whole or not at all, over what was there; it survives a power cut from then on.

        Raises ``StorageTrouble``.
        """
        ...

    async def read(self, job_id: str, kept: Kept) -> Bundle | None:
        """What was kept; None if there is nothing. Raises ``StorageTrouble`` where nobody can tell."""
        ...

    async def remove(self, job_id: str) -> None:
        """Forgets everything of the job; nothing happens if there is nothing."""
        ...

    def jobs(self) -> AsyncIterator[str]:
        """Ids of the jobs of which something is kept, each once, in no order."""
        ...

    async def claim(self, ledger: str) -> None:
        """Once at start: the place is this ledger's. Raises ``CannotStart`` for one of another ledger."""
        ...

    async def catch_up(self) -> int:
        """Brings what was kept aside to where it belongs, as far as that is possible now; returns of how many jobs."""
        ...

    def is_full(self) -> bool:
        """Whether there is too little room to begin another picture. Raises ``StorageTrouble`` if nobody can tell."""
        ...
