"""``python -m bot restore``: a backup in the ledger's place, only while Easel does not run."""

from __future__ import annotations

import argparse
import os
import shutil
from datetime import datetime
from pathlib import Path

from bot.adapters.database import Fit
from bot.adapters.database.sqlite_file import copy, damage, fit_of, is_ledger
from bot.operator.backup import hold, pg_dump_command
from bot.operator.confirm import confirm
from bot.parts import now
from bot.ports import CannotStart
from bot.settings.model import Settings
from bot.settings.sources import load_settings


def restore(settings: Settings, file: Path, at: datetime) -> Path | None:
    """Puts ``file`` in the ledger's place and returns the copy of what stood there. Raises ``CannotStart``."""
    target = settings.sqlite_path
    if target is None:
        raise CannotStart(pg_restore_advice(settings, file))
    check_backup(file)
    target.parent.mkdir(parents=True, exist_ok=True)
    lock = hold(target)
    try:
        kept = _set_aside(target, settings.data_dir / "backups", at) if target.exists() else None
        part = target.with_name(target.name + ".restoring")
        shutil.copyfile(file, part)
        part.chmod(0o600)
        _sync(part)
        for suffix in ("-wal", "-shm"):
            target.with_name(target.name + suffix).unlink(missing_ok=True)
        part.replace(target)
        return kept
    except OSError as error:
        raise CannotStart(f"{file} could not be put in place ({error}).") from error
    finally:
        lock.release()


def check_backup(file: Path) -> None:
    """Raises ``CannotStart`` unless the file is a whole ledger that this Easel understands."""
    if not file.is_file():
        raise CannotStart(f"{file.absolute()} is not there. Backups are in DATA_DIR/backups.")
    problem = damage(file)
    if problem:
        raise CannotStart(f"{file} is no whole SQLite file ({problem}); the ledger was left as it is.")
    if not is_ledger(file):
        raise CannotStart(f"{file} is an SQLite file, but no ledger of Easel; nothing was changed.")
    if fit_of(file) is Fit.NEWER:
        raise CannotStart(f"{file} was written by a newer Easel; install that version first. Nothing was changed.")


def _set_aside(target: Path, folder: Path, at: datetime) -> Path:
    """Keeps what is there now, whole if it is whole, as it is otherwise."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept = folder / f"easel-before-restore-{at:%Y%m%d-%H%M%S-%f}.db"
    if not damage(target):
        return copy(target, kept)
    for suffix in ("", "-wal", "-shm"):
        piece = target.with_name(target.name + suffix)
        if piece.exists():
            shutil.copyfile(piece, kept.with_name(kept.name + suffix))
    return kept


def pg_restore_advice(settings: Settings, file: Path) -> str:
    command, _ = pg_dump_command(settings.database_url, file)
    line = f"pg_restore --clean --if-exists --no-owner --single-transaction --dbname={command[-1]} {file}"
    return f"The ledger is on PostgreSQL. Stop every Easel, then run: {line}"


def _sync(file: Path) -> None:
    handle = os.open(file, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def main(arguments: argparse.Namespace) -> int:
    """Asks, then restores."""
    settings = load_settings()
    file = Path(arguments.file)
    check_backup(file)
    if not arguments.yes and not confirm(f"Replace the ledger at {settings.sqlite_path} by {file}?"):
        return 1
    kept = restore(settings, file, now())
    print(f"Restored.{f' What was there before is kept as {kept}.' if kept else ''}")  # noqa: T201
    return 0
