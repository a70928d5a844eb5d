"""``python -m bot backup``: whole copies of the ledger, made while Easel runs.

A copy of an SQLite file made by ``cp`` lacks what is still in its write-ahead log; the copies made here do not.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from bot.adapters.database import AlreadyOpen, sqlite_file
from bot.parts import now
from bot.ports import CannotStart
from bot.settings.model import Settings
from bot.settings.sources import load_settings

KEY_ADVICE = (
    "Sealed values (servers' API keys) need the key they were sealed with: keep SECRET_KEY, or {folder}/secret.key, "
    "in a safe place apart from this file."
)

NO_KEY = (
    "No key was found: SECRET_KEY is not set, and {folder}/secret.key is not there. Is DATA_DIR the folder with which "
    "Easel runs? Without its key nobody can open the sealed values (servers' API keys) in this file."
)


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
        return sqlite_file.copy(source, folder / f"{stem}.db")
    return _dump(settings.database_url, folder / f"{stem}.dump")


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


def hold(target: Path) -> sqlite_file.Held:
    """Keeps every other Easel off the ledger. Raises ``CannotStart`` when one runs."""
    try:
        return sqlite_file.hold(target)
    except AlreadyOpen as error:
        raise CannotStart(f"{target} is in use: stop Easel first. Nothing was changed.") from error


def main(_arguments: argparse.Namespace) -> int:
    """Makes a backup and says where."""
    settings = load_settings()
    print(backup(settings, now()))  # noqa: T201 - this is its output
    has_key = bool(settings.secret_key) or (settings.data_dir / "secret.key").exists()
    print((KEY_ADVICE if has_key else NO_KEY).format(folder=settings.data_dir))  # noqa: T201
    return 0
