"""The folder of a sandbox: gone when it ends, and if it was killed, when the next one starts.

Law: a folder is removed only if it is ours and nobody holds its lock; the lock ends with the process that held it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "easel-sandbox-"
LOCK = "sandbox.lock"


@contextmanager
def own_folder(parent: Path | None = None) -> Iterator[Path]:
    """A new folder in ``parent`` (where temporary files go), locked as long as this process uses it."""
    place = Path(parent or tempfile.gettempdir())
    sweep(place)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=place, ignore_cleanup_errors=True) as name:
        lock = _held(Path(name))
        try:
            yield Path(name)
        finally:
            if lock is not None:
                os.close(lock)


def sweep(place: Path) -> list[Path]:
    """Removes what killed sandboxes left behind; which folders."""
    gone = [folder for folder in sorted(place.glob(f"{PREFIX}*")) if _is_left(folder)]
    for folder in gone:
        shutil.rmtree(folder, ignore_errors=True)
    return gone


def _held(folder: Path) -> int | None:
    """The lock of a new folder, which appears there only once it is held."""
    unlocked = folder / f"{LOCK}.new"
    file = os.open(unlocked, os.O_CREAT | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o600)
    if not _lock(file):
        os.close(file)
        return None
    unlocked.rename(folder / LOCK)
    return file


def _is_left(folder: Path) -> bool:
    if os.name == "nt" or folder.is_symlink() or not folder.is_dir() or folder.stat().st_uid != os.geteuid():
        return False
    try:
        file = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False  # none of ours, or one that is being made
    try:
        return _lock(file)
    finally:
        os.close(file)


def _lock(file: int) -> bool:
    """Takes the lock if nobody has it. Where there are no such locks nothing is taken, and nothing ever removed."""
    with contextlib.suppress(ImportError, OSError):
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
