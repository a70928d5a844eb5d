"""Ledgers for tests: empty ones, and looks into them that no part of the bot needs."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import RowMapping, Select, func, select, update

from bot.adapters.database import SqlStore, migrate_store
from bot.adapters.database.codec import Sealer
from bot.adapters.database.connection import Connection
from bot.adapters.database.engine import Database, Work
from bot.adapters.database.figures import use_of
from bot.adapters.database.jobs import SqlJobs
from bot.adapters.database.keeping.reviews import SqlReviews
from bot.adapters.database.leases import Life
from bot.adapters.database.reserving import Reserving
from bot.adapters.database.schema.tables import jobs, metadata
from bot.adapters.database.servers import SqlServers
from bot.adapters.database.steps import SqlSteps
from bot.adapters.secrets import Secrets
from bot.operator.sandbox.environment import sqlite_url
from bot.rules.ledger import Job, JobState, advance
from bot.rules.limits.decide import Use
from bot.rules.limits.limit import Limit
from bot.rules.people import Asker

T = TypeVar("T")
PARTS = ("jobs", "servers", "figures", "leases", "people", "notes")
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@cache
def _nursery() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="easel-tests-")


async def empty_ledger(folder: Path) -> str:
    """The address of an empty ledger in that folder: a copy of one that is migrated once a process.

    Two thirds of what opening a new one costs are its migrations.
    """
    model = Path(_nursery().name)
    if not (model / "easel.db").exists():
        await migrate_store(sqlite_url(model), data_dir=model)
    shutil.copyfile(model / "easel.db", folder / "easel.db")
    return sqlite_url(folder)


@cache
def _opened() -> Database:
    return Database(sqlite_url(Path(_nursery().name) / "open"))


async def emptied_ledger() -> Database:
    """The one ledger that stays open for as long as the tests run, without a row.

    To open one, and to put its statements together, costs more than most tests do with it.
    """
    folder = Path(_nursery().name) / "open"
    if not folder.exists():
        folder.mkdir()
        await empty_ledger(folder)

    async def empty(connection: Connection) -> None:
        for table in reversed(metadata.sorted_tables):
            await connection.execute(table.delete())

    database = _opened()
    await database.write(empty)
    return database


def each_part(store: SqlStore, wrap: Callable[[Any], Any]) -> SqlStore:
    """The same ledger with something in front of each of its parts."""
    parts: dict[str, Any] = {name: wrap(getattr(store, name)) for name in PARTS}
    return replace(store, **parts)


class ThroughSqlalchemy:
    """A database that is read the general way, also where SQLite has a quicker one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    remembers = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def remembered(self, key: object, work: Work[T]) -> T:
        return await self.read(work)

    async def read(self, work: Work[T], *, snapshot: bool = False) -> T:
        async with self._database.reading(snapshot=snapshot) as connection:
            return await work(connection)

    async def rows(self, query: Select[Any], values: Mapping[str, Any] | None = None) -> list[RowMapping]:
        async with self._database.reading() as connection:
            return list((await connection.execute(query, values)).mappings())


def one_by_one(store: SqlStore, sealer: Sealer, *defaults: Limit) -> SqlStore:
    """The same ledger, its jobs written and read the general way: each step by itself, through SQLAlchemy."""
    database = cast("Database", ThroughSqlalchemy(store.database))
    life = Life()
    steps = SqlSteps(database, sealer, Reserving(database, sealer, defaults, life))
    return replace(store, jobs=SqlJobs(database, sealer, steps, life))


def read_through_sqlalchemy(store: SqlStore, sealer: Sealer, *defaults: Limit) -> SqlStore:
    """The same ledger, of which nothing is remembered and everything is asked for the general way."""
    general = one_by_one(store, sealer, *defaults)
    database = cast("Database", ThroughSqlalchemy(store.database))
    return replace(general, servers=SqlServers(database, sealer, defaults), reviews=SqlReviews(database))


async def left_delivered(store: SqlStore, job: Job) -> Job:
    """The job between the two writes that were made of *delivered* and *settled* once."""
    advance(job.state, JobState.DELIVERED)
    shown = {"state": JobState.DELIVERED.value, "message_id": 5, "message_channel_id": 100, "waiting": False}

    async def work(connection: Connection) -> None:
        await connection.execute(update(jobs).where(jobs.c.id == job.id).values(shown))

    await store.database.write(work)
    found = await store.jobs.get(job.id)
    assert found is not None
    return found


async def counts_by_state(store: SqlStore) -> dict[JobState, int]:
    """How many jobs there are in each state."""
    query = select(jobs.c.state, func.count().label("count")).group_by(jobs.c.state)
    counts = {row["state"]: row["count"] for row in await store.database.rows(query)}
    return {state: counts.get(state.value, 0) for state in JobState}


async def use_now(store: SqlStore, asker: Asker, now: datetime) -> Use:
    """What counts against a person's limits."""
    limits = await store.servers.limits(asker.place)

    async def work(connection: Connection) -> Use:
        return await use_of(connection, limits, asker, now, Secrets((KEY,)))

    return await store.database.read(work)
