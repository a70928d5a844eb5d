"""``python -m bot backup``: whole copies of the ledger, made while Easel runs.

A copy of an SQLite file made by ``cp`` lacks what is still in its write-ahead log; the copies made here do not.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from bot.adapters.database.lockfile import FileLock
from bot.adapters.database.problems import AlreadyOpen
from bot.parts import now
from bot.ports import CannotStart
from bot.settings.model import Settings
from bot.settings.sources import load_settings

KEY_ADVICE = (
    "Sealed values (servers' API keys) need the key they were sealed with: keep SECRET_KEY, or {folder}/secret.key, "
    "in a safe place apart from this file."
)

LOCK_SUFFIX = ".lock"


def backup(settings: Settings, at: datetime, reason: str = "") -> Path:
    """A checked copy in ``DATA_DIR/backups``, readable by its owner only. Raises ``CannotStart``."""
    folder = settings.data_dir / "backups"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise CannotStart(f"{folder} cannot be made ({error.strerror}).") from error
    stem = "-".join(filter(None, ("easel", reason, f"{at:%Y%m%d-%H%M%S-%f}")))
    if settings.is_sqlite:
        source = settings.sqlite_path
        if source is None:
            raise CannotStart("DATABASE_URL: a database in memory cannot be backed up.")
        return copy(source, folder / f"{stem}.db")
    return _dump(settings.database_url, folder / f"{stem}.dump")


def copy(source: Path, target: Path) -> Path:
    """Copies with SQLite's online backup, checks the copy, and only then gives it its name."""
    if not source.is_file():
        raise CannotStart(f"{source} is not there, so there is nothing to back up.")
    part = target.with_suffix(".part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(read_only(source)) as old, closing(sqlite3.connect(part)) as new:
            old.backup(new, pages=1024)
            new.execute("PRAGMA journal_mode=DELETE")
        problem = damage(part)
        if problem:
            raise CannotStart(f"{source} is damaged ({problem}), so no backup was made of it. Restore an earlier one.")
        part.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise CannotStart(f"{source} could not be backed up ({error}).") from error
    finally:
        part.unlink(missing_ok=True)
    return target


def pg_dump_command(address: str, target: Path) -> tuple[list[str], dict[str, str]]:
    """The command line without a password, and the environment that carries it."""
    parts = urlsplit(address)
    host = parts.hostname or "localhost"
    netloc = "".join((f"{parts.username}@" if parts.username else "", host, f":{parts.port}" if parts.port else ""))
    plain = urlunsplit(("postgresql", netloc, parts.path, "", ""))
    environment = {"PGPASSWORD": unquote(parts.password)} if parts.password else {}
    return ["pg_dump", "--format=custom", "--no-owner", f"--file={target}", plain], environment


def _dump(address: str, target: Path) -> Path:
    command, environment = pg_dump_command(address, target)
    if shutil.which("pg_dump") is None:
        raise CannotStart(f"pg_dump is not installed here. Where it is, run: {' '.join(command)}")
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True)  # noqa: S603 - no shell
    if done.returncode:
        target.unlink(missing_ok=True)
        raise CannotStart(f"pg_dump failed: {done.stderr.strip()[:500]}")
    target.chmod(0o600)
    return target


def damage(file: Path) -> str:
    """What is wrong with an SQLite file, nothing if it is whole."""
    try:
        with closing(read_only(file)) as connection:
            answer = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        return str(error)
    return "" if answer == "ok" else str(answer)


def hold(target: Path) -> FileLock:
    """Keeps every other Easel off the ledger. Raises ``CannotStart`` when one runs."""
    try:
        return FileLock(target.with_name(target.name + LOCK_SUFFIX))
    except AlreadyOpen as error:
        raise CannotStart(f"{target} is in use: stop Easel first. Nothing was changed.") from error


def read_only(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=10)


def main(_arguments: argparse.Namespace) -> int:
    """Makes a backup and says where."""
    settings = load_settings()
    print(backup(settings, now()))  # noqa: T201 - this is its output
    print(KEY_ADVICE.format(folder=settings.data_dir))  # noqa: T201
    return 0
