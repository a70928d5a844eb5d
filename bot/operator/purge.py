"""``python -m bot purge``: forgets what was stored, by age (then amounts stay in the ledger) or all of it."""

from __future__ import annotations

import argparse
import asyncio
import re
import shutil
from datetime import datetime, timedelta
from pathlib import Path

from bot.operator.backup import hold
from bot.operator.confirm import confirm
from bot.parts import files_of, now, secrets_of, store_of
from bot.ports import CannotStart
from bot.rules.overnight import Overnight
from bot.settings.model import Settings
from bot.settings.sources import load_settings

UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
STORED_BESIDE = ("pictures", "backups", "secret.key", "identity")

NIGHTS_LEFT = """
The image service still holds batches that were asked for overnight, with their prompts: {count}.
Their ids, and nothing else, were kept in {path}. Start Easel once more: it ends them and deletes
their prompts there, mostly within minutes; then purge again. Otherwise they are drawn and billed, and their prompts
stay there for 30 days.
"""


def parse_age(text: str) -> timedelta:
    """``36h``, ``90d`` or ``4w``. Raises ``ArgumentTypeError``."""
    match = re.fullmatch(r"([0-9]{1,5})([hdw])", text.strip().lower())
    if match is None:
        raise argparse.ArgumentTypeError(f"--older-than must look like 36h, 90d or 4w, not {text[:40]!r}.")
    return int(match[1]) * UNITS[match[2]]


async def purge_older(settings: Settings, before: datetime) -> int:
    """Forgets prompts, answers and pictures of jobs finished before; returns of how many. Raises ``CannotStart``."""
    try:
        store = await store_of(settings, secrets_of(settings), migrate=False)
    except CannotStart as error:
        raise CannotStart(f"{error}\nNothing was forgotten.") from error
    try:
        forgotten = await store.people.purge(before)
        files = files_of(settings)
        for job_id in forgotten:
            await files.remove(job_id)
        return len(forgotten)
    finally:
        await store.aclose()


async def delete_everything(settings: Settings) -> tuple[list[Path], list[Overnight]]:
    """Deletes ledger, pictures, backups and key. Raises ``CannotStart`` while Easel runs.

    Returns what was deleted, and the batches that image services still hold, with their prompts: a new ledger knows
    their ids, and nothing else, so that the next start clears them away.
    """
    nights = await _open_nights(settings)
    deleted = _delete_all(settings)
    if nights:
        store = await store_of(settings, secrets_of(settings))
        try:
            for night in nights:
                await store.notes.set_overnight(night)
        finally:
            await store.aclose()
    return deleted, nights


async def _open_nights(settings: Settings) -> list[Overnight]:
    path = settings.sqlite_path
    if path is None or not path.exists():
        return []
    try:
        store = await store_of(settings, secrets_of(settings), migrate=False)
    except CannotStart:  # in use, which is told where it is to be deleted; or of another version, and goes unread
        return []
    try:
        return await store.notes.overnights()
    finally:
        await store.aclose()


def _delete_all(settings: Settings) -> list[Path]:
    deleted: list[Path] = []
    path = settings.sqlite_path
    if path is None:
        raise CannotStart(
            "The ledger is on PostgreSQL, which Easel does not delete. Stop every Easel, drop its database there, "
            f"and delete {settings.data_dir.absolute()}."
        )
    if path.parent.exists():
        lock = hold(path)
        try:
            for suffix in ("", "-wal", "-shm"):
                piece = path.with_name(path.name + suffix)
                if piece.exists():
                    piece.unlink()
                    deleted.append(piece)
        finally:
            lock.release()
    for name in STORED_BESIDE:
        thing = settings.data_dir / name
        if thing.is_dir():
            shutil.rmtree(thing)
            deleted.append(thing)
        elif thing.exists():
            thing.unlink()
            deleted.append(thing)
    return deleted


def main(arguments: argparse.Namespace) -> int:
    """Asks, then forgets."""
    settings = load_settings()
    if bool(arguments.all) == bool(arguments.older_than):
        raise argparse.ArgumentTypeError("say what to forget: --older-than 90d, or --all.")
    if arguments.all:
        question = f"Delete ledger, pictures and backups in {settings.data_dir.absolute()} for ever?"
        if not arguments.yes and not confirm(question, "delete everything"):
            return 1
        deleted, nights = asyncio.run(delete_everything(settings))
        print("\n".join(f"deleted {path}" for path in deleted) or "There was nothing.")  # noqa: T201 - its output
        if nights:
            print(NIGHTS_LEFT.format(count=len(nights), path=settings.sqlite_path))  # noqa: T201
        return 0
    before = now() - parse_age(arguments.older_than)
    question = f"Forget prompts and pictures of jobs finished before {before:%Y-%m-%d %H:%M} UTC?"
    if not arguments.yes and not confirm(question):
        return 1
    print(f"Forgot prompts and pictures of {asyncio.run(purge_older(settings, before))} jobs.")  # noqa: T201
    return 0
