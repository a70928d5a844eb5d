"""Pictures on disk by job: ``Files`` on a directory. The only file that knows where they lie.

    <DATA_DIR>/pictures/<first two of the id>/<job id>/<name>

Law: whatever the disk says comes as ``StorageTrouble``; a folder that vanished is made again.

A file is whole or absent: it is written under ``<name>.<checksum>.part``, synced, and renamed. What a crash left behind
is adopted at the next start if its checksum is right (the picture was paid for) and removed when it is old and broken.
Several processes may share the directory.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import logging
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from bot.rules.errors import StorageFull, StorageTrouble

log = logging.getLogger(__name__)

FLOOR_BYTES = 256 * 1024**2
"""Below this much free room no new picture is begun: what is left is for those that were, and for the ledger."""

STALE_AFTER = timedelta(minutes=15)

_JOB_ID = re.compile(r"[A-Za-z0-9_-]{2,64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,80}(\.[A-Za-z0-9]{1,8})?")
_PART = re.compile(r"(?P<name>.+)\.(?P<sum>[0-9a-f]{32})\.part")
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextlib.contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull("the disk is full") from error
        raise StorageTrouble(f"the disk for pictures: {error.strerror}") from error


def _free_on_disk(directory: Path) -> int:
    return shutil.disk_usage(directory).free


class DiskFiles:
    """Keeps pictures under ``data_dir / "pictures"``, which is made when missing.

    ``is_full`` below ``floor_bytes`` of free room. A picture that was begun is kept there all the same; only a disk
    without any room raises ``StorageFull``.
    Ids and names are Easel's own; one that could leave the directory is a bug and raises ``ValueError``.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        floor_bytes: int = FLOOR_BYTES,
        free: Callable[[Path], int] = _free_on_disk,
    ) -> None:
        self._root = data_dir / "pictures"
        self._root.mkdir(parents=True, exist_ok=True)
        self._floor_bytes = floor_bytes
        self._free = free

    async def keep(self, job_id: str, name: str, data: bytes) -> None:
        """Writes whole or not at all, over what was there under that name. Raises ``StorageTrouble``."""
        path = self._directory(job_id) / _checked(name)
        await asyncio.to_thread(self._write, path, data)

    async def read(self, job_id: str, name: str) -> bytes | None:
        """The bytes that were kept; None if there are none."""
        return await asyncio.to_thread(_read, self._directory(job_id) / _checked(name))

    async def names(self, job_id: str) -> list[str]:
        """Names of the job's whole files, sorted."""
        return await asyncio.to_thread(_names, self._directory(job_id))

    async def remove(self, job_id: str) -> None:
        """Forgets everything of the job; nothing happens if there is nothing."""
        await asyncio.to_thread(_remove, self._directory(job_id))

    async def jobs(self) -> AsyncIterator[str]:
        """Ids of the jobs that have a directory, in no order."""
        for job_id in await asyncio.to_thread(self._job_ids):
            yield job_id

    def is_full(self) -> bool:
        """Whether there is too little room to begin another picture. Raises ``StorageTrouble`` if nobody can tell."""
        with _in_our_words():
            self._root.mkdir(parents=True, exist_ok=True)
            return self._free(self._root) < self._floor_bytes

    async def recover(self, now: datetime) -> list[tuple[str, str]]:
        """Brings order to what a crash left: (job id, name) of each file that was adopted.

        Call it once at start. Broken leftovers younger than 15 minutes may be another process's work and stay.
        """
        return await asyncio.to_thread(self._recover, now)

    def _directory(self, job_id: str) -> Path:
        if not _JOB_ID.fullmatch(job_id):
            raise ValueError("not a job id")
        return self._root / job_id[:2] / job_id

    def _job_ids(self) -> list[str]:
        with _in_our_words():
            folders = [entry for entry in self._root.glob("*/*") if entry.is_dir()]
        return [entry.name for entry in folders if _JOB_ID.fullmatch(entry.name)]

    def _write(self, path: Path, data: bytes) -> None:
        part = path.with_name(f"{path.name}.{_checksum(data)}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
            _sync_directory(path.parent)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink()
            with _in_our_words():
                raise error

    def _recover(self, now: datetime) -> list[tuple[str, str]]:
        adopted = []
        for part in list(self._root.glob("*/*/*.part")):
            try:
                if name := _adopted(part, now):
                    adopted.append((part.parent.name, name))
            except (StorageTrouble, OSError):
                log.exception("%s could not be looked at; the next start tries again", part)
        return adopted


def _adopted(part: Path, now: datetime) -> str | None:
    """The name under which a whole left-over is kept now; a broken one is removed once it is old."""
    match = _PART.fullmatch(part.name)
    data = _read(part)
    if data is None:
        return None
    if match is None or _checksum(data) != match["sum"] or not _NAME.fullmatch(match["name"]):
        _remove_if_stale(part, now)
        return None
    with contextlib.suppress(FileNotFoundError):  # another process was quicker
        part.replace(part.with_name(match["name"]))
        _sync_directory(part.parent)
        return match["name"]
    return None


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name) or name.endswith(".part"):
        raise ValueError("not a name of ours")
    return name


def _checksum(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _read(path: Path) -> bytes | None:
    with _in_our_words(), contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return path.read_bytes()
    return None


def _names(directory: Path) -> list[str]:
    with _in_our_words(), contextlib.suppress(FileNotFoundError):
        return sorted(entry.name for entry in directory.iterdir() if _NAME.fullmatch(entry.name) and entry.is_file())
    return []


def _remove(directory: Path) -> None:
    with _in_our_words(), contextlib.suppress(FileNotFoundError):
        shutil.rmtree(directory)


def _remove_if_stale(part: Path, now: datetime) -> None:
    with contextlib.suppress(FileNotFoundError):
        if part.stat().st_mtime < (now - STALE_AFTER).timestamp():
            part.unlink()


def _sync_directory(directory: Path) -> None:
    """Makes a rename survive a power cut; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
