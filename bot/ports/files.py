"""Where pictures are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol


class Files(Protocol):
    """Pictures on disk by job: originals until delivered and for later buttons, inputs, thumbnails."""

    async def keep(self, job_id: str, name: str, data: bytes) -> None:
        """Writes whole or not at all (temporary file, fsync, rename). Raises ``StorageTrouble``."""
        ...

    async def read(self, job_id: str, name: str) -> bytes | None: ...
    async def names(self, job_id: str) -> list[str]: ...
    async def remove(self, job_id: str) -> None: ...
    def jobs(self) -> AsyncIterator[str]: ...

    def is_full(self) -> bool:
        """Whether there is too little room to begin another picture. Raises ``StorageTrouble`` if nobody can tell."""
        ...
