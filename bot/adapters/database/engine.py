"""Connections and transactions: the one place that knows how SQLite and PostgreSQL differ.

Law: whatever a database or its disk says comes as ``StorageTrouble``; only what the store's own work is to blame for
(a row that is there already, a value no column takes) comes as it is.

SQLite: every write begins with ``BEGIN IMMEDIATE`` on a single connection, in one thread, so that it waits instead of
failing half-way; reads see their own snapshot (WAL). PostgreSQL: READ COMMITTED with row locks; what loses a
serialization or deadlock is repeated, since nothing of it was kept.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping
from contextlib import asynccontextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from sqlalchemy import Connection as SyncConnection
from sqlalchemy import Engine, RowMapping, Select, StaticPool, Table, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ResourceClosedError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.adapters.database.connection import Connection
from bot.adapters.database.sqlite.desk import Desk
from bot.adapters.database.sqlite.threads import READERS, Threads
from bot.adapters.database.sqlite.writer import Progress
from bot.ports import CannotStart
from bot.rules.errors import Busy, StorageFull, StorageTrouble

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

Upsert: TypeAlias = "sqlite.Insert | postgresql.Insert"
T = TypeVar("T")
Work = Callable[[Connection], Awaitable[T]]

BUSY_TIMEOUT_S = 10.0
PAUSES_S = (0.02, 0.1, 0.3, 0.8, 1.5)
"""Before each further try: together long enough for a PostgreSQL that restarts, short enough for an interaction."""

_AGAIN = frozenset({"40001", "40P01", "57P01", "57P02", "57P03"})  # serialization, deadlock, shutting down, starting up
_BUSY = frozenset({"55P03", "57014", "53300"})  # lock not available in time, cancelled, too many connections
_FULL = frozenset({"53100"})

_TROUBLE = (DBAPIError, ResourceClosedError, PoolTimeout, OSError, sqlite3.Error)


class StoreUnusable(CannotStart):
    """The database is not in a state to run on; the text is for the operator and says what to do."""


class Database:
    """Engines for one database, and transactions on them. ``write`` and ``read`` are all the store uses."""

    def __init__(self, url: str | URL) -> None:
        self.url = checked_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._lane = asyncio.Lock()
        self._threads: Threads | None = None
        self._is_there: Callable[[], bool] | None = None
        if self.is_sqlite and not self.in_memory:
            self._threads = self._in_threads()

    def only_while(self, is_there: Callable[[], bool]) -> None:
        """From now on nothing is read or written while ``is_there`` says no: the file was moved, deleted or replaced.

        What is written to the file that was opened would be lost, and a new connection would begin an empty one.
        """
        self._is_there = is_there

    def _look(self) -> None:
        if self._is_there is None or self._is_there():
            return
        log.critical("%s is not the file that was opened any more; put it back, or restart", self.url.database)
        raise StorageTrouble("the database was moved, deleted or replaced while the bot ran: put it back, or restart")

    @property
    def in_memory(self) -> bool:
        return self.is_sqlite and self.url.database in (None, "", ":memory:")

    @cached_property
    def _engines(self) -> tuple[AsyncEngine, AsyncEngine]:
        """For writing and for reading. With threads only tools and migrations use them: made when they are needed."""
        from sqlalchemy.ext.asyncio import create_async_engine

        if not self.is_sqlite:
            only = create_async_engine(
                self.url,
                isolation_level="READ COMMITTED",
                pool_size=10,
                max_overflow=10,
                pool_timeout=BUSY_TIMEOUT_S,
                connect_args={"timeout": 5, "server_settings": {"lock_timeout": f"{BUSY_TIMEOUT_S:.0f}s"}},
            )
            return only, only
        if self.in_memory:
            only = create_async_engine(self.url, connect_args=_sqlite_args(), poolclass=StaticPool)
            _prepare(only.sync_engine, "BEGIN IMMEDIATE")
            return only, only
        how: dict[str, Any] = {"connect_args": _sqlite_args(), "pool_timeout": 60}
        writer = create_async_engine(self.url, pool_size=1, max_overflow=0, **how)
        reader = create_async_engine(self.url, pool_size=4, max_overflow=4, **how)
        _prepare(writer.sync_engine, "BEGIN IMMEDIATE")
        _prepare(reader.sync_engine, "BEGIN")
        return writer, reader

    def _in_threads(self) -> Threads:
        url = self.url.set(drivername="sqlite")
        writing = create_engine(url, connect_args=_sqlite_args(), pool_size=2, max_overflow=0)  # the desk has its own
        reading = create_engine(url, connect_args=_sqlite_args(), pool_size=READERS, max_overflow=0)
        _prepare(writing, "BEGIN IMMEDIATE")
        _prepare(reading, None)  # each thread begins by itself
        return Threads(writing, reading)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One write transaction: committed at the end of the block, rolled back by any exception.

        On SQLite for migrations and tools; what the bot does all day goes through ``write``, which is quicker.
        """
        if not self.is_sqlite:
            async with self._engines[0].begin() as connection:
                yield connection
            return
        try:
            async with self._lane, self._engines[0].begin() as connection:
                yield connection
        finally:
            self.forget_remembered()

    @asynccontextmanager
    async def reading(self, *, snapshot: bool = False) -> AsyncIterator[AsyncConnection]:
        """One read transaction. ``snapshot``: all its statements see the same moment (SQLite's always do)."""
        if self.in_memory:
            async with self.writing() as connection:
                yield connection
            return
        async with self._engines[1].connect() as connection:
            if snapshot and not self.is_sqlite:
                await connection.execution_options(isolation_level="REPEATABLE READ")
            async with connection.begin():
                yield connection

    async def write(self, work: Work[T], *, kept: Work[T | None] | None = None, within_s: float | None = None) -> T:
        """What ``work`` returns, its writes kept. Repeats what a deadlock or a lost connection undid.

        PostgreSQL: a try that takes longer than ``within_s`` hangs on a connection that nobody answers any more; it is
        given up and made again on another one. None for what may take its time.

        When the answer to COMMIT is lost nobody knows whether it happened: ``kept`` then looks, in a transaction of its
        own, and returns what ``work`` would have if it did. Raises ``StorageTrouble``: ``Busy`` when the database could
        not be written in time, ``StorageFull`` when it has no room.
        """
        return await self._patiently(partial(self._write_once, work, within_s=within_s), kept)

    @property
    def has_desk(self) -> bool:
        """Whether small operations can be written together (``sqlite/writer.py``)."""
        return self._threads is not None

    async def write_at_desk(self, operation: Callable[[Desk], T], *, kept: Work[T | None] | None = None) -> T:
        """``write``, for an operation that shares its transaction with whatever else waits."""
        if self._threads is None:
            raise RuntimeError("this database has no desk")
        return await self._patiently(partial(self._threads.desk.write, operation), kept)

    async def _patiently(self, write: Callable[[Progress], Awaitable[T]], kept: Work[T | None] | None) -> T:
        self._look()
        for pause_s in (*PAUSES_S, None):
            progress = Progress()
            try:
                return await write(progress)
            except _TROUBLE as error:
                if pause_s is not None and not progress.finished and _is_passing(error):
                    await asyncio.sleep(pause_s)
                    continue
                found = await self.read(kept) if progress.finished and kept is not None else None
                if found is not None:
                    return found
                raise _translated(error) from error
        raise AssertionError("unreachable")

    async def _write_once(self, work: Work[T], progress: Progress, within_s: float | None = None) -> T:
        if self._threads is not None:
            written: T = await self._threads.write(work, progress)
            return written
        async with asyncio.timeout(within_s), self.writing() as connection:
            result = await work(connection)
            progress.finished = True
        return result

    async def read(self, work: Work[T], *, snapshot: bool = False) -> T:
        """What ``work`` finds. Raises ``StorageTrouble``: ``Busy`` when the database does not answer in time."""
        self._look()
        for pause_s in (*PAUSES_S, None):
            try:
                if self._threads is not None:
                    found: T = await self._threads.read(work)
                    return found
                async with self.reading(snapshot=snapshot) as connection:
                    return await work(connection)
            except _TROUBLE as error:
                if pause_s is not None and _is_passing(error):
                    await asyncio.sleep(pause_s)
                    continue
                raise _translated(error) from error
        raise AssertionError("unreachable")

    @property
    def remembers(self) -> bool:
        """Whether what is ``remembered`` is read once and not each time."""
        return self._threads is not None

    async def remembered(self, key: Hashable, work: Work[T]) -> T:
        """What ``work`` finds, or found last where nothing has been written since but at the desk.

        Not for what is written at the desk, unless ``forget_remembered`` is told of it.
        """
        if self._threads is None:
            return await self.read(work)
        self._look()
        return await self._threads.memory.remembered(key, partial(self.read, work))

    def forget_remembered(self) -> None:
        if self._threads is not None:
            self._threads.memory.written()

    async def rows(self, query: Select[Any], values: Mapping[str, Any] | None = None) -> list[RowMapping]:
        """Every row one query finds."""

        async def work(connection: Connection) -> list[RowMapping]:
            return list((await connection.execute(query, values)).mappings())

        return await self.read(work)

    async def run_sync(self, work: Callable[[SyncConnection], T]) -> T:
        """Runs synchronous code (migrations) in one write transaction."""

        async def whole(connection: Connection) -> T:
            return await connection.run_sync(work)

        return await self._write_once(whole, Progress())

    def upsert(self, table: Table) -> Upsert:
        """An INSERT that takes ON CONFLICT; both dialects spell it alike."""
        if self.is_sqlite:
            return sqlite.insert(table)
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)

    async def aclose(self) -> None:
        if self._threads is not None:
            await self._threads.aclose()
        for engine in set(vars(self).get("_engines", ())):
            await engine.dispose()


def _sqlite_args() -> dict[str, Any]:
    return {"timeout": BUSY_TIMEOUT_S, "isolation_level": None}


def checked_url(url: str | URL) -> URL:
    """The parsed address. Raises ``StoreUnusable`` without repeating it: it may hold a password."""
    try:
        parsed = make_url(url)
    except Exception as error:
        raise StoreUnusable("DATABASE_URL is not a database address.") from error
    if parsed.drivername not in ("sqlite+aiosqlite", "postgresql+asyncpg"):
        raise StoreUnusable(
            f"DATABASE_URL starts with {parsed.drivername}://, but Easel speaks sqlite+aiosqlite:// and "
            "postgresql+asyncpg://."
        )
    return parsed


def _prepare(engine: Engine, begin: str | None) -> None:
    @event.listens_for(engine, "connect")
    def pragmas(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT_S * 1000)}")
        cursor.close()

    if begin is None:
        return

    @event.listens_for(engine, "begin")
    def begin_it(connection: SyncConnection) -> None:
        connection.exec_driver_sql(begin)


def sqlstate(error: BaseException) -> str | None:
    """PostgreSQL's five characters, None for everything else."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return state if isinstance(state, str) else None


def is_full(error: BaseException) -> bool:
    """Whether the database says that its disk has no room."""
    return isinstance(error, StorageFull) or sqlstate(error) in _FULL or _sqlite_code(error) == sqlite3.SQLITE_FULL


def _is_passing(error: BaseException) -> bool:
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or sqlstate(error) in _AGAIN
    return isinstance(error, OSError)


def _translated(error: Exception) -> Exception:
    if isinstance(error, IntegrityError | DataError | sqlite3.IntegrityError):
        return error
    if is_full(error):
        return StorageFull("the database has no room")
    busy = sqlstate(error) in _BUSY or _sqlite_code(error) in _SQLITE_BUSY
    if busy or _is_passing(error) or isinstance(error, PoolTimeout):
        return Busy("the database did not answer in time")
    said = getattr(error, "orig", None) or error
    kind = sqlstate(error) or getattr(said, "sqlite_errorname", type(said).__name__)
    log.error("the database is in trouble: %s", kind)  # its words may hold what people wrote
    return StorageTrouble(f"the database is in trouble: {kind}")


_SQLITE_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def _sqlite_code(error: BaseException) -> int | None:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    if code is None:
        code = getattr(getattr(getattr(error, "orig", None), "__cause__", None), "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None
