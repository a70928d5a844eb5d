"""A file lock that lives exactly as long as its process: a second one on the same SQLite file is refused."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from bot.adapters.database.problems import AlreadyOpen


class FileLock:
    """Held from construction to ``release``. The operating system lets go by itself when the process ends, however."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(self._file)
        except OSError:
            os.close(self._file)
            raise AlreadyOpen(
                f"{path.with_suffix('')} is in use by another Easel. One SQLite file serves one process: stop "
                "the other one, or let both use PostgreSQL (DATABASE_URL=postgresql+asyncpg://…)."
            ) from None

    def release(self) -> None:
        """Lets the next one in. The file stays: removing it would let two hold locks on different files."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: int) -> None:
        # flock belongs to this opening of the file, so a second store in this very process is refused too
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
