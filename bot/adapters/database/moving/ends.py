"""The two ends of a move: the old ledger, which is only read, and the new one, which is none until all has arrived.

Each is held while it is in use, and refused in one sentence where moving from it or to it would be wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import NullPool, exists, extract, func, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bot.adapters.database.engine import Database, StoreUnusable
from bot.adapters.database.leases import DEAD_AFTER
from bot.adapters.database.notes import CHECKED
from bot.adapters.database.schema.revisions import MOVING, Fit, migrate_once, read_state, refuse_unusable
from bot.adapters.database.schema.tables import facts, from_micros, metadata, processes, slots
from bot.adapters.database.sqlite_file import damage, hold, unwritable


@asynccontextmanager
async def old_ledger(database: Database) -> AsyncIterator[AsyncConnection]:
    """A reader of the whole ledger as it is at one moment. Raises ``StoreUnusable`` where it may not be moved."""
    if database.is_sqlite:
        path = file_of(database, "DATABASE_URL")
        if not path.is_file():
            raise StoreUnusable(f"{path} is not there, so there is no ledger to move.")
        lock = await asyncio.to_thread(hold, path)
        try:
            if hindered := unwritable(path):
                raise StoreUnusable(hindered)
            problem = await asyncio.to_thread(damage, path)
            if problem:
                raise StoreUnusable(f"{path} is damaged ({problem}): restore a backup with `python -m bot restore`.")
            async with _read_only(path) as connection:
                await _refuse_old(connection)
                yield connection
        finally:
            lock.release()
        return
    async with database.reading(snapshot=True) as connection:
        await _refuse_old(connection)
        await refuse_running(connection, "DATABASE_URL")
        yield connection


@asynccontextmanager
async def _read_only(path: Path) -> AsyncIterator[AsyncConnection]:
    """Neither the file nor its log is written, not even when the last one lets go of it."""
    engine = create_async_engine(_unwritten(path), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


def _unwritten(path: Path) -> URL:
    return URL.create("sqlite+aiosqlite", database=path.absolute().as_uri(), query={"mode": "ro", "uri": "true"})


async def _refuse_old(connection: AsyncConnection) -> None:
    state = await connection.run_sync(read_state)
    refuse_unusable(state)
    if state.fit is Fit.EMPTY:
        raise StoreUnusable("DATABASE_URL: there is no ledger in that database, so there is nothing to move.")
    if state.fit is not Fit.CURRENT:
        raise StoreUnusable(f"The ledger is at revision {state.found}: run `python -m bot migrate` first.")


async def refuse_running(connection: AsyncConnection, name: str) -> None:
    """PostgreSQL: raises ``StoreUnusable`` while a process is heard there; one that stopped counts for a minute."""
    last = await connection.scalar(select(func.max(processes.c.beat_at)))
    seconds = await connection.scalar(select(extract("epoch", func.clock_timestamp())))
    now = from_micros(int((seconds or 0) * 1_000_000))
    if last is not None and abs(now - last) < DEAD_AFTER:
        raise StoreUnusable(
            f"{name}: an Easel was heard there {abs(now - last).seconds} s ago. Stop it, wait a minute, and try again."
        )


@asynccontextmanager
async def new_ledger(database: Database) -> AsyncIterator[None]:
    """Tables without a row, which no Easel starts on. Raises ``StoreUnusable`` where somebody's ledger is already."""
    lock = None
    try:
        if database.is_sqlite:
            path = file_of(database, "--to")
            await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
            lock = await asyncio.to_thread(hold, path)
        try:
            await _make_room(database)
        except StoreUnusable:
            if lock is not None:
                lock.leave_no_trace()
            raise
        yield
    except (SQLAlchemyError, OSError) as error:
        raise _stopped(database, error) from error
    finally:
        if lock is not None:
            lock.release()


async def _make_room(database: Database) -> None:
    async with database.writing() as connection:
        state = await connection.run_sync(read_state)
        if state.found != MOVING:
            refuse_unusable(state)
            if state.fit is Fit.OLDER:
                raise StoreUnusable(f"--to: a ledger of revision {state.found} is there; name an empty database.")
            await connection.run_sync(migrate_once)
            if not database.is_sqlite:
                await refuse_running(connection, "--to")
            await _refuse_rows(connection)
        await mark(connection, MOVING)
        for table in metadata.sorted_tables:
            await connection.exec_driver_sql(f"{'DELETE FROM' if database.is_sqlite else 'TRUNCATE'} {table.name}")


async def _refuse_rows(connection: AsyncConnection) -> None:
    """What a start leaves without a job being made may go; everything else is somebody's."""
    for table in metadata.sorted_tables:
        if table in (processes, slots):
            continue
        mine = facts.c.key == CHECKED if table is facts else None
        found = select(exists().select_from(table).where(~mine) if mine is not None else exists().select_from(table))
        if await connection.scalar(found):
            raise StoreUnusable(
                f"--to: another ledger is there already (its table {table.name} has rows); name an empty database."
            )


async def mark(connection: AsyncConnection, revision: str) -> None:
    """The revision that a start finds there."""
    await connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")  # noqa: S608  # ours


def file_of(database: Database, name: str) -> Path:
    if database.in_memory:
        raise StoreUnusable(f"{name}: a database in memory cannot be moved, nor moved into.")
    return Path(str(database.url.database))


def _stopped(database: Database, error: Exception) -> StoreUnusable:
    where = database.url.database if database.is_sqlite else f"PostgreSQL at {database.url.host or 'its socket'}"
    said = str(getattr(error, "orig", None) or error).splitlines()[0][:200]
    return StoreUnusable(
        f"--to: {where} cannot be used ({said}). The old ledger is as it was; the same command begins again."
    )
