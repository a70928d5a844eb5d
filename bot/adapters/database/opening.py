"""The store: how its eight parts are put together, opened and closed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from bot.adapters.database.codec import Sealer
from bot.adapters.database.connection import Connection
from bot.adapters.database.counting.audit_sums import Difference, audit_sums
from bot.adapters.database.counting.budgets import Watch
from bot.adapters.database.engine import Database, StoreUnusable, is_full
from bot.adapters.database.figures import SqlFigures
from bot.adapters.database.jobs import SqlJobs
from bot.adapters.database.keeping.offers import SqlOffers
from bot.adapters.database.keeping.reviews import SqlReviews
from bot.adapters.database.keeping.styles import SqlStyles
from bot.adapters.database.leases import Life, SqlLeases
from bot.adapters.database.notes import CHECKED, SqlNotes, write_note
from bot.adapters.database.people import SqlPeople
from bot.adapters.database.reserving import Reserving
from bot.adapters.database.schema.revisions import (
    BACKUPS,
    NEWEST,
    Fit,
    SchemaState,
    migrate_once,
    read_state,
    refuse_unusable,
)
from bot.adapters.database.servers import SqlServers
from bot.adapters.database.sqlite.steps import QuickSteps
from bot.adapters.database.sqlite_file import Held, copy, damage_at_start, hold, unwritable
from bot.adapters.database.steps import SqlSteps, Steps
from bot.ports import Clock, Setup, Store
from bot.rules.errors import Busy, StorageFull, StorageTrouble
from bot.rules.limits.limit import Limit, check_limit


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class SqlStore(Store):
    """A ``Store`` on SQLAlchemy Core. Opened by ``open_store``; ``aclose`` lets go of the SQLite file."""

    database: Database
    lock: Held | None = None

    async def check(self) -> None:
        """Raises ``StoreUnusable`` for a schema that does not fit, ``Busy`` or ``StorageFull`` when writing fails."""

        async def work(connection: Connection) -> SchemaState:
            await write_note(self.database, connection, CHECKED, NEWEST)
            return await connection.run_sync(read_state)

        state = await self.database.write(work)
        if state.fit is not Fit.CURRENT:
            refuse_unusable(state)
            raise StoreUnusable(f"The database is at revision {state.found}, not {state.newest}: run migrate.")

    async def audit_sums(self) -> list[Difference]:
        """Every counter that differs from its jobs; empty when the books balance."""
        return await audit_sums(self.database)

    async def schema_state(self) -> SchemaState:
        return await self.database.run_sync(read_state)

    async def aclose(self) -> None:
        await self.database.aclose()
        if self.lock is not None:
            self.lock.release()


def store_on(
    database: Database,
    secrets: Sealer,
    defaults: Sequence[Limit] = (),
    *,
    life: Life | None = None,
    clock: Clock = _utc_now,
    lock: Held | None = None,
) -> SqlStore:
    """The eight parts on a database that can be used as it is; it is closed with the store."""
    life = life or Life()
    steps: Steps
    watch = Watch() if database.has_desk else None
    if watch is not None:
        steps = QuickSteps(database, secrets, defaults, life, watch)
    else:
        steps = SqlSteps(database, secrets, Reserving(database, secrets, defaults, life))
        if not database.is_sqlite:
            from bot.adapters.database.postgres.steps import BatchedSteps

            steps = BatchedSteps(database, secrets, defaults, life, steps)
    return SqlStore(
        jobs=SqlJobs(database, secrets, steps, life),
        servers=SqlServers(database, secrets, defaults, watch),
        figures=SqlFigures(database, secrets, defaults),
        leases=SqlLeases(database, secrets, life, clock),
        people=SqlPeople(database, secrets, clock),
        notes=SqlNotes(database),
        styles=SqlStyles(database),
        offers=SqlOffers(database, secrets),
        reviews=SqlReviews(database),
        database=database,
        lock=lock,
    )


async def open_store(
    url: str | URL,
    *,
    data_dir: Path,
    secrets: Sealer,
    defaults: Sequence[Limit] = (),
    process_id: str | None = None,
    places: tuple[str, ...] = (),
    setup: Setup | None = None,
    clock: Clock = _utc_now,
    migrate: bool = True,
) -> SqlStore:
    """A store ready for use. ``defaults`` hold wherever no admin said otherwise; the operator's cap is one of them.
    ``places`` names where this process keeps pictures, the first one new ones; ``setup`` is what it says of itself.

    Raises ``StoreUnusable`` (its text is for the operator) for an address that is none, a file that is damaged, locked
    by another process or newer than this program, a full disk, and a server that cannot be reached.
    """
    for limit in defaults:
        check_limit(limit)
    database = Database(url)
    path = None if not database.is_sqlite or database.in_memory else Path(str(database.url.database))
    lock = None
    try:
        if path is not None:
            lock = await asyncio.to_thread(_prepare_file, path)
        await _make_usable(database, data_dir, clock(), migrate=migrate)
        if lock is not None:
            lock.hold_file()
            database.only_while(lock.is_there)
        named = {"process": process_id} if process_id else {}
        life = Life(**named, places=places, setup=setup)
        store = store_on(database, secrets, defaults, life=life, clock=clock, lock=lock)
        await store.leases.heartbeat()
    except BaseException as error:
        await database.aclose()
        if lock is not None:
            lock.release()
        if isinstance(error, StorageTrouble) and not isinstance(error, Busy):
            raise _unreachable(database, error) from error
        raise
    return store


async def migrate_store(url: str | URL, *, data_dir: Path, clock: Clock = _utc_now) -> Path | None:
    """Brings a database up to date and returns the backup made before, if there was anything to lose."""
    database = Database(url)
    lock = None
    try:
        if database.is_sqlite and not database.in_memory:
            lock = await asyncio.to_thread(_prepare_file, Path(str(database.url.database)))
        return await _make_usable(database, data_dir, clock(), migrate=True)
    finally:
        await database.aclose()
        if lock is not None:
            lock.release()


async def schema_state(url: str | URL) -> SchemaState:
    """How the schema stands, changing nothing, also while a bot runs on it."""
    database = Database(url)
    try:
        if database.is_sqlite and not await asyncio.to_thread(Path(str(database.url.database)).exists):
            return SchemaState(Fit.EMPTY, None, NEWEST)
        async with database.reading() as connection:
            return await connection.run_sync(read_state)
    except (SQLAlchemyError, OSError) as error:
        raise _unreachable(database, error) from error
    finally:
        await database.aclose()


async def _bring_up_to_date(database: Database, data_dir: Path, now: datetime) -> Path | None:
    """Migrates; returns the backup made before, if there was anything to lose. Raises on a newer or broken schema."""
    state = await database.run_sync(read_state)
    refuse_unusable(state)
    if state.fit is Fit.CURRENT:
        return None
    backup = None
    if state.fit is Fit.OLDER and database.is_sqlite and not database.in_memory:
        path, folder = Path(str(database.url.database)), data_dir / BACKUPS
        folder.mkdir(parents=True, exist_ok=True)
        backup = copy(path, folder / f"{path.stem}-{state.found}-{now:%Y%m%dT%H%M%S%f}.db")
    await database.run_sync(migrate_once)
    return backup


async def _make_usable(database: Database, data_dir: Path, now: datetime, *, migrate: bool) -> Path | None:
    try:
        if migrate:
            return await _bring_up_to_date(database, data_dir, now)
        state = await database.run_sync(read_state)
    except (SQLAlchemyError, OSError, Busy, StorageFull) as error:
        raise _unreachable(database, error) from error
    refuse_unusable(state)
    if state.fit is not Fit.CURRENT:
        raise StoreUnusable(f"The database is at revision {state.found or 'none'}: run `python -m bot migrate` first.")
    return None


def _unreachable(database: Database, error: Exception) -> StoreUnusable:
    if database.is_sqlite:
        if is_full(error):
            return StoreUnusable(f"The disk of {database.url.database} is full: make room, then start again.")
        return StoreUnusable(
            f"The database {database.url.database} cannot be read or written. Check that its folder is writable and "
            "the disk has room; if the file is damaged, restore a backup with `python -m bot restore`."
        )
    return StoreUnusable(
        f"PostgreSQL at {database.url.host}:{database.url.port or 5432} does not answer, or refuses this user or "
        "database. Check DATABASE_URL."
    )


def _prepare_file(path: Path) -> Held:
    """Locks the file against a second process and refuses what is no healthy SQLite database."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnusable(f"DATABASE_URL: the folder {path.parent} cannot be made ({error.strerror}).") from error
    lock = hold(path)
    try:
        if path.exists():
            _refuse_damaged(path)
    except BaseException:
        lock.release()
        raise
    return lock


def _refuse_damaged(path: Path) -> None:
    advice = "Should DATABASE_URL name it? Then restore a backup with `python -m bot restore`, or move it away."
    if not path.is_file():
        raise StoreUnusable(f"{path} is not a file. {advice}")
    if path.stat().st_size == 0:
        raise StoreUnusable(f"{path} is empty, which no database of Easel's ever is. {advice}")
    if hindered := unwritable(path):
        raise StoreUnusable(hindered)
    problem = damage_at_start(path)
    if problem:
        raise StoreUnusable(f"{path} is damaged ({problem}). {advice}")
