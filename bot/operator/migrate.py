"""The ledger as the operator meets it: how it stands, and ``python -m bot migrate``: to this version, or elsewhere."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bot.adapters.database.sqlite_file import damage, unwritable
from bot.adapters.secrets import Secrets
from bot.operator.backup import backup
from bot.operator.doctor.context import LedgerLook, LedgerState
from bot.parts import now
from bot.ports import CannotStart, Setup
from bot.settings.model import Settings
from bot.settings.parsing import database_url
from bot.settings.sources import load_settings

if TYPE_CHECKING:
    from bot.adapters.database.moving.move import Moved

WAIT_S = 15.0


async def look_at_ledger(settings: Settings) -> LedgerLook:
    """How the database stands; changes nothing, also while Easel runs on it."""
    from bot.adapters.database import Fit, StoreUnusable, schema_state

    path = settings.sqlite_path
    if path is not None and path.exists():
        if path.is_file() and (hindered := unwritable(path)):
            return LedgerLook(LedgerState.UNWRITABLE, hindered)
        try:
            problem = _unusable(path) or await asyncio.to_thread(damage, path)
        except StoreUnusable as error:
            return LedgerLook(LedgerState.UNWRITABLE, str(error))
        if problem:
            return LedgerLook(LedgerState.UNREADABLE, f"{path} cannot be used: {problem}")
    try:
        async with asyncio.timeout(WAIT_S):
            state = await schema_state(settings.database_url)
    except StoreUnusable as error:
        return LedgerLook(LedgerState.UNREADABLE, str(error))
    except TimeoutError:
        return LedgerLook(LedgerState.UNREADABLE, "the database does not answer in time")
    match state.fit:
        case Fit.EMPTY:
            return LedgerLook(LedgerState.MISSING)
        case Fit.CURRENT:
            kind = "SQLite" if settings.is_sqlite else "PostgreSQL"
            return LedgerLook(LedgerState.CURRENT, f"{kind}, whole, at revision {state.found}")
        case Fit.OLDER:
            says = f"revision {state.found}, this version wants {state.newest}; the next start migrates it"
            return LedgerLook(LedgerState.OLDER, says)
        case Fit.NEWER:
            return LedgerLook(LedgerState.NEWER, f"a newer Easel wrote it (revision {state.found})")
        case Fit.HALF:
            what = f"half migrated: {', '.join(state.missing)} missing" if state.missing else "half moved here"
            return LedgerLook(LedgerState.UNREADABLE, what)


async def setups_on(settings: Settings, secrets: Secrets) -> list[Setup]:
    """What the processes that run on the database now say of themselves."""
    from bot.adapters.database import store_on
    from bot.adapters.database.engine import Database

    store = store_on(Database(settings.database_url), secrets)
    try:
        async with asyncio.timeout(WAIT_S):
            return await store.leases.setups()
    finally:
        await store.aclose()


def _unusable(path: Path) -> str:
    if not path.is_file():
        return "it is not a file"
    if path.stat().st_size == 0:
        return "it is empty"
    return ""


def main(arguments: argparse.Namespace) -> int:
    """Brings the schema up to this version, or the whole ledger to another address; says what it did."""
    if arguments.to is not None:
        return _move(load_settings(), arguments.to)
    from bot.adapters.database import Fit, migrate_store, schema_state

    settings = load_settings()
    state = asyncio.run(schema_state(settings.database_url))
    if state.fit is Fit.OLDER and not settings.is_sqlite and not arguments.no_backup:
        print(f"Backup: {_postgres_backup(settings)}")  # noqa: T201 - this is its output
    made = asyncio.run(migrate_store(settings.database_url, data_dir=settings.data_dir))
    if made is not None:
        print(f"Backup: {made}")  # noqa: T201
    was = f"from {state.found} " if state.found and state.found != state.newest else ""
    print(f"The database is {'brought ' + was + 'to' if state.fit is not Fit.CURRENT else 'at'} {state.newest}.")  # noqa: T201
    return 0


def _move(settings: Settings, address: str) -> int:
    from bot.adapters.database.moving.move import move_ledger

    try:
        target = database_url(address)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"--to {error}") from error
    bar = Bar()
    try:
        moved = asyncio.run(move_ledger(settings.database_url, target, bar.show))
    except KeyboardInterrupt:
        bar.end()
        print("Interrupted. The old ledger is as it was; the same command begins again.", file=sys.stderr)  # noqa: T201
        return 1
    bar.end()
    print(_said(moved, settings.data_dir))  # noqa: T201
    return 0


def _said(moved: Moved, data_dir: Path) -> str:
    rows = ", ".join(f"{count:,} {name}" for name, count in sorted(moved.rows.items()) if count)
    says = [f"Moved and compared, row by row: {rows or 'a ledger without a row'}."]
    if moved.unbalanced:
        says.append(f"{moved.unbalanced} counters do not say what their jobs say; nor did they in the old ledger.")
    says.append("Now set DATABASE_URL to the new address. The old ledger was not changed: keep it until all is well.")
    says.append(f"Pictures and keys stay in {data_dir}: the new ledger needs the same SECRET_KEY, or secret.key there.")
    return "\n".join(says)


class Bar:
    """How far something is, on one line of a terminal; nothing where there is none."""

    WIDTH = 40

    def __init__(self) -> None:
        self._percent = -1

    def show(self, done: int, of: int) -> None:
        percent = 100 * done // max(1, of)
        if percent == self._percent or not sys.stderr.isatty():
            return
        self._percent = percent
        filled = self.WIDTH * percent // 100
        print(f"\r[{'#' * filled}{' ' * (self.WIDTH - filled)}] {percent:3} %", end="", file=sys.stderr, flush=True)  # noqa: T201

    def end(self) -> None:
        if self._percent >= 0:
            print(file=sys.stderr)  # noqa: T201


def _postgres_backup(settings: Settings) -> Path:
    try:
        return backup(settings, now(), "before-migration")
    except CannotStart as error:
        raise CannotStart(f"{error}\nNothing was migrated. With a backup of your own, add --no-backup.") from error
