"""An SQLite file as a whole: held by one process, looked over for damage, and copied while it is written."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Literal

from filelock import BaseFileLock, FileLock, Timeout
from sqlalchemy import NullPool, create_engine

from bot.adapters.database.engine import StoreUnusable
from bot.adapters.database.schema.revisions import Fit, read_state

Held = BaseFileLock
"""A file that is held: ``release`` lets the next one in."""


class AlreadyOpen(StoreUnusable):
    """Another process holds this SQLite file."""


def hold(path: Path) -> Held:
    """Keeps every other Easel off the file until ``release``, or until this process ends, however. Raises
    ``AlreadyOpen``.

    The lock is a file beside it, which stays: removing it would let two hold locks on different files.
    """
    lock = FileLock(
        path.with_name(f"{path.name}.lock"), timeout=0, mode=0o600, thread_local=False, preserve_lock_file=True
    )
    try:
        lock.acquire()
    except Timeout:
        raise AlreadyOpen(
            f"{path} is in use by another Easel. One SQLite file serves one process: stop "
            "the other one, or let both use PostgreSQL (DATABASE_URL=postgresql+asyncpg://…)."
        ) from None
    return lock


def damage(file: Path, check: Literal["integrity_check", "quick_check"] = "integrity_check") -> str:
    """What is wrong with the file, nothing if it is whole."""
    try:
        with closing(_read_only(file)) as connection:
            answer = connection.execute(f"PRAGMA {check}(1)").fetchone()[0]
    except sqlite3.Error as error:
        return str(error)
    return "" if answer == "ok" else str(answer)


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
        part.unlink(missing_ok=True)
    return target


def _read_only(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
