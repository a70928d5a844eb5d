"""Pictures on disk: ``Files`` on a directory. The only file that knows where they lie.

    <DATA_DIR>/pictures/<shelf>/<job id>.results, .inputs, .small     one file each (``bundle.py``)
    <DATA_DIR>/pictures/arriving/<job id>.results.<something>         being written
    <DATA_DIR>/pictures/<first two of the id>/<job id>/…              as older versions kept them (``older.py``)

Law: whatever the disk says comes as ``StorageTrouble``; a folder that vanished is made again.

A file is whole or absent: it is written where it arrives, synced, renamed onto its shelf, and the shelf is synced: from
then on it survives a power cut. Of what a crash left arriving, results that are whole are adopted at the next start
(they were paid for); the rest is removed when it is old. No start looks at the shelves, however much lies there.
Several processes may share the directory.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import re
import secrets
import shutil
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from bot.adapters.files.bundle import NoBundle, pieces_of, read_bundle
from bot.adapters.files.identity import identity_of
from bot.adapters.files.older import older_folder, read_older
from bot.ports import Bundle, Kept
from bot.rules.errors import StorageFull, StorageTrouble

log = logging.getLogger(__name__)

FLOOR_BYTES = 256 * 1024**2
"""Below this much free room no new picture is begun: what is left is for those that were, and for the ledger."""

STALE_AFTER = timedelta(minutes=15)

SHELVES = 256
"""A million jobs are four thousand on each."""

ARRIVING = "arriving"

_JOB_ID = re.compile(r"[A-Za-z0-9_-]{2,64}")
_FILE = re.compile(rf"(?P<job>[A-Za-z0-9_-]{{2,64}})\.(?P<kept>{'|'.join(Kept)})")
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
    without any room raises ``StorageFull``. ``is_whole`` looks at the bytes of a picture that a crash left.
    Ids are Easel's own; one that could leave the directory is a bug and raises ``ValueError``.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        floor_bytes: int = FLOOR_BYTES,
        free: Callable[[Path], int] = _free_on_disk,
        is_whole: Callable[[bytes], bool] = bool,
    ) -> None:
        self._root = data_dir / "pictures"
        _make(self._root)
        self._data_dir = data_dir
        self._floor_bytes = floor_bytes
        self._free = free
        self._is_whole = is_whole
        self.trouble: str | None = None
        """Why pictures cannot be kept where they belong; a disk has no other place."""

    @cached_property
    def places(self) -> tuple[str, ...]:
        """Raises ``CannotStart`` where the name can neither be read nor written."""
        return (identity_of(self._data_dir),)

    def aside(self, job_id: str) -> str | None:
        return None

    async def keep(self, job_id: str, kept: Kept, bundle: Bundle) -> None:
        await asyncio.to_thread(self._keep, self._path(job_id, kept), bundle)

    async def read(self, job_id: str, kept: Kept) -> Bundle | None:
        return await asyncio.to_thread(self._read, job_id, kept)

    async def remove(self, job_id: str) -> None:
        await asyncio.to_thread(self._remove, job_id)

    async def jobs(self) -> AsyncIterator[str]:
        for shelf in await asyncio.to_thread(self._shelves):
            for job_id in await asyncio.to_thread(_job_ids, shelf):
                yield job_id

    async def claim(self, ledger: str) -> None:
        """A folder is only ever of one: the ledger's address and ``DATA_DIR`` are set together."""

    async def catch_up(self) -> int:
        return 0

    def is_full(self) -> bool:
        with _in_our_words():
            _make(self._root)
            return self._free(self._root) < self._floor_bytes

    async def recover(self, now: datetime) -> list[str]:
        """Brings order to what a crash left arriving: ids of the jobs whose results were adopted.

        Call it once at start. Leftovers younger than 15 minutes may be another process's work and stay.
        """
        return await asyncio.to_thread(self._recover, now)

    def _path(self, job_id: str, kept: Kept) -> Path:
        if not _JOB_ID.fullmatch(job_id):
            raise ValueError("not a job id")
        return self._root / f"{zlib.crc32(job_id.encode()) % SHELVES:02x}" / f"{job_id}.{kept}"

    def _keep(self, path: Path, bundle: Bundle) -> None:
        part = self._root / ARRIVING / f"{path.name}.{secrets.token_hex(4)}"
        try:
            _write(part, pieces_of(bundle))
            _shelve(part, path)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink()
            with _in_our_words():
                raise error

    def _read(self, job_id: str, kept: Kept) -> Bundle | None:
        path = self._path(job_id, kept)
        with _in_our_words():
            try:
                with path.open("rb") as file:
                    return read_bundle(file)
            except FileNotFoundError:
                return read_older(older_folder(self._root, job_id), kept)
            except NoBundle as broken:
                log.error("%s is damaged (%s): taken as not there", path, broken)
                return None

    def _remove(self, job_id: str) -> None:
        with _in_our_words():
            for path in [self._path(job_id, kept) for kept in Kept]:
                path.unlink(missing_ok=True)
            for path, match in _files(self._root / ARRIVING):
                if match["job"] == job_id:
                    path.unlink(missing_ok=True)
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(older_folder(self._root, job_id))

    def _shelves(self) -> list[Path]:
        with _in_our_words(), contextlib.suppress(FileNotFoundError):
            return [entry for entry in self._root.iterdir() if entry.name != ARRIVING and entry.is_dir()]
        return []

    def _recover(self, now: datetime) -> list[str]:
        adopted = []
        for part, match in _files(self._root / ARRIVING):
            try:
                if match["kept"] == Kept.RESULTS and self._all_whole(part):
                    with contextlib.suppress(FileNotFoundError):  # another process was quicker
                        _shelve(part, self._path(match["job"], Kept.RESULTS))
                        adopted.append(match["job"])
                else:
                    _remove_if_stale(part, now)
            except OSError:
                log.exception("%s could not be looked at; the next start tries again", part)
        return adopted

    def _all_whole(self, part: Path) -> bool:
        try:
            with part.open("rb") as file:
                return all(self._is_whole(data) for _, data in read_bundle(file).files)
        except (NoBundle, FileNotFoundError):
            return False


def _write(part: Path, pieces: list[bytes]) -> None:
    try:
        file = part.open("xb")
    except FileNotFoundError:
        _make(part.parent)
        file = part.open("xb")
    with file:
        file.writelines(pieces)
        file.flush()
        sync_bytes(file.fileno())


def _shelve(part: Path, path: Path) -> None:
    """From the place where it arrived to its shelf, for good."""
    _make(path.parent)
    try:
        part.replace(path)
    except FileNotFoundError:  # a process that starts has adopted it meanwhile
        if not path.exists():
            raise
    _sync_directory(path.parent)


def _make(folder: Path) -> None:
    """The folder and those around it, if they are missing, so that a power cut takes none of them."""
    if folder.is_dir():
        return
    _make(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_directory(folder.parent)


def _files(folder: Path) -> Iterator[tuple[Path, re.Match[str]]]:
    with contextlib.suppress(FileNotFoundError):
        for path in folder.iterdir():
            if match := _FILE.match(path.name):
                yield path, match


def _job_ids(shelf: Path) -> set[str]:
    with _in_our_words(), contextlib.suppress(FileNotFoundError), os.scandir(shelf) as entries:
        return {found for entry in entries if (found := _job_id(entry))}
    return set()


def _job_id(entry: os.DirEntry[str]) -> str | None:
    if match := _FILE.fullmatch(entry.name):
        return match["job"]
    return entry.name if _JOB_ID.fullmatch(entry.name) and entry.is_dir() else None  # an older version's folder


def _remove_if_stale(part: Path, now: datetime) -> None:
    with contextlib.suppress(FileNotFoundError):
        if part.stat().st_mtime < (now - STALE_AFTER).timestamp():
            part.unlink()


sync_bytes: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)
"""The bytes and the length of a file; not the time of its last change."""


def _sync_directory(directory: Path) -> None:
    """Makes a rename survive a power cut; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
