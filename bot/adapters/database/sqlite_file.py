"""An SQLite file as a whole: held by one process, looked over for damage, and copied while it is written."""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import Literal

from filelock import BaseFileLock, FileLock, Timeout
from sqlalchemy import NullPool, create_engine

from bot.adapters.database.engine import StoreUnusable
from bot.adapters.database.schema.revisions import Fit, read_state

log = logging.getLogger(__name__)

READ_WHOLE_BYTES = 64 * 1024**2
NEWEST_ROWS = 1000
GROWING = frozenset({"jobs", "uses", "audit"})
"""Tables of which a start reads the newest rows alone, once the file is larger than that."""


class AlreadyOpen(StoreUnusable):
    """Another process holds this SQLite file."""


class Held:
    """A file that is held, whatever its name; ``release`` lets the next one in, once nothing of it is open any more."""

    def __init__(self, path: Path, beside: BaseFileLock, *, made: bool) -> None:
        self._path = path
        self._beside = beside
        self._made = made
        self._file: int | None = None
        self._identity: tuple[int, int] | None = None

    def hold_file(self) -> None:
        """Holds the file itself, once there is one: it may have other names (links, mounts). Raises ``AlreadyOpen``.

        Only Linux keeps this lock apart from those that SQLite itself takes.
        """
        if self._identity is not None:
            return
        if sys.platform == "linux":
            self._file = _locked(self._path)
        self._identity = _identity(self._path)

    def is_there(self) -> bool:
        """Whether the name still means the file that was held, not another one, and not nothing."""
        return self._identity is None or _identity(self._path) == self._identity

    def leave_no_trace(self) -> None:
        """Before ``release`` of what turned out to be somebody else's: the lock file goes, if it was made here.

        Whoever waits for it meanwhile sees that it is gone, and makes another.
        """
        if self._made:
            with suppress(OSError):  # Windows removes no file that is open
                Path(self._beside.lock_file).unlink()

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self._beside.release()


def hold(path: Path) -> Held:
    """Keeps every other Easel off the file until ``release``, or until this process ends, however. Raises
    ``AlreadyOpen``, and ``StoreUnusable`` where no lock can be had.

    One lock is a file beside it, which stays: removing it would let two hold locks on different files. Links are
    followed, so that two names of one file are one lock.
    """
    path = path.resolve()
    beside = _lock_of(path)
    made = not beside.exists()
    if not made and not path.exists():
        log.warning("there is no %s any more, although an Easel ran on it before: a new one will be begun", path)
    lock = FileLock(beside, timeout=0, mode=0o600, thread_local=False, preserve_lock_file=True)
    try:
        os.close(os.open(beside, os.O_RDWR | os.O_CREAT, 0o600))  # says what FileLock would only wait for
        lock.acquire()
    except Timeout:
        raise _in_use(path) from None
    except OSError as error:
        what = f"The folder {path.parent}" if made else f"The lock file {beside}"
        raise StoreUnusable(f"{what} cannot be written ({error.strerror}).") from error
    held = Held(path, lock, made=made)
    if path.is_file():
        try:
            held.hold_file()
        except BaseException:
            held.leave_no_trace()
            held.release()
            raise
    return held


def unwritable(path: Path) -> str:
    """What this user may not write, in a sentence: SQLite makes files beside a ledger, even to read it."""
    for what, thing in (("The folder ", path.parent), ("", path), ("The lock file ", _lock_of(path))):
        if thing.exists() and not os.access(thing, os.W_OK):
            return f"{what}{thing} cannot be written by this user."
    return ""


def _lock_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def _in_use(path: Path) -> AlreadyOpen:
    return AlreadyOpen(
        f"{path} is in use by another Easel. One SQLite file serves one process: stop "
        "the other one, or let both use PostgreSQL (DATABASE_URL=postgresql+asyncpg://…)."
    )


def _locked(path: Path) -> int | None:
    """The open file, locked; None where it cannot be (somebody else's, a file system without locks)."""
    import fcntl

    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None  # what cannot be opened is told with better words when it is looked over for damage
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise _in_use(path) from None
    except OSError:
        os.close(file)
        return None
    return file


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def damage(file: Path, check: Literal["integrity_check", "quick_check"] = "integrity_check") -> str:
    """What is wrong with the file, nothing if it is whole. Raises ``StoreUnusable`` where the disk lets nobody see."""
    try:
        with closing(_read_only(file)) as connection:
            answer = connection.execute(f"PRAGMA {check}(1)").fetchone()[0]
    except sqlite3.Error as error:
        return _said(error, file)
    return "" if answer == "ok" else str(answer)


def damage_at_start(file: Path) -> str:
    """What is wrong with the file as far as a start looks. A large one that was closed in order is not read whole:
    that takes longer the older it is. Its past is looked at by the doctor, by every backup, and by a move.
    """
    left = file.with_name(f"{file.name}-wal")
    if (left.exists() and left.stat().st_size) or file.stat().st_size <= READ_WHOLE_BYTES:
        return damage(file, "quick_check")
    try:
        with closing(_read_only(file)) as connection:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            for table in sorted(tables - GROWING):
                answer = connection.execute(f"PRAGMA quick_check('{table}')").fetchone()[0]
                if answer != "ok":
                    return str(answer)
            for table in sorted(tables & GROWING):
                newest = f"SELECT * FROM {table} ORDER BY rowid DESC LIMIT {NEWEST_ROWS}"  # noqa: S608  # ours
                connection.execute(newest).fetchall()
    except sqlite3.Error as error:
        return _said(error, file)
    return ""


def _said(error: sqlite3.Error, file: Path) -> str:
    if getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE):
        raise StoreUnusable(f"{file} cannot be opened while its disk is full: make room, then try again.") from error
    return str(error)


def fit_of(file: Path) -> Fit:
    """How the schema in a whole SQLite file stands to this program's; the file is left as it is."""
    engine = create_engine("sqlite://", creator=lambda: _read_only(file), poolclass=NullPool)
    with engine.connect() as connection:
        return read_state(connection).fit


def is_ledger(file: Path) -> bool:
    """Whether a whole SQLite file has Easel's tables."""
    with closing(_read_only(file)) as connection:
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return {"alembic_version", "jobs"} <= names


def copy(source: Path, target: Path) -> Path:
    """A copy with what is still in the write-ahead log, readable by its owner only: checked, and only then named so.

    Raises ``StoreUnusable``.
    """
    if not source.is_file():
        raise StoreUnusable(f"{source} is not there, so there is nothing to back up.")
    part = target.with_suffix(".part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(_read_only(source)) as old, closing(sqlite3.connect(part)) as new:
            old.backup(new, pages=1024)
            new.execute("PRAGMA journal_mode=DELETE")
        problem = damage(part)
        if problem:
            raise StoreUnusable(
                f"{source} is damaged ({problem}), so no backup was made of it. Restore an earlier one."
            )
        part.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise StoreUnusable(f"{source} could not be backed up ({error}).") from error
    finally:
        with suppress(OSError):  # a disk that is read-only now: what went wrong is told already
            part.unlink(missing_ok=True)
    return target


def _read_only(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
