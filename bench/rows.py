"""What a ledger's age costs: everything that runs by itself, pages of the gallery, and ``/usage``.

    python -m bench.rows [1000 10000 100000 1000000]

Each ledger holds a year of ended jobs, half of them of one server, and the counters of the last sixty days. Measured is
processor time, of all threads. The large server's own past grows with the ledger, the small one's does not.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from bench.figures import median, table
from bot.adapters.database import SqlStore, migrate_store, open_store
from bot.adapters.database.codec import job_from_draft, job_values
from bot.adapters.database.notes import COUNTERS_FORGOTTEN
from bot.adapters.database.schema.ids import Ids
from bot.adapters.database.schema.tables import to_micros
from bot.adapters.secrets import Secrets
from bot.ports import Look
from bot.rules.ledger import Answer, JobDraft, JobState
from bot.rules.limits.limit import Measure, Period, Quota, Scope
from bot.rules.limits.windows import window_key
from bot.rules.money import MicroUSD
from bot.rules.people import Asker, Place
from bot.rules.requests import Endpoint, ImageRequest, Kind
from bot.ui.pages import usage
from bot.ui.panels.gallery import Filter, Page, read_page

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
LIMITS = (
    Quota(Scope.EVERYONE, Measure.IMAGES, Period.DAY, 10**6),
    Quota(Scope.SERVER, Measure.DOLLARS, Period.MONTH, 10**12),
    Quota(Scope.OPERATOR, Measure.DOLLARS, Period.MONTH, 10**12),
)
SIZES = (1_000, 10_000, 100_000, 1_000_000)
YEAR = timedelta(days=365)
LARGE, SMALL = 10, 20
SMALL_JOBS = 300
SERVERS = 400
TIMES = 7
KEPT = 200
"""Pictures on disk that the daily clearing asks about."""

_SUBJECTS = (
    "'m:' || place_key || ':' || user_id",
    "'c:' || place_key || ':' || channel_id",
    "'s:' || place_key",
    "'o'",
)
_AT = "created_at / 1000000, 'unixepoch'"
_WINDOWS = {
    f"'h' || strftime('%Y-%m-%dT%H', {_AT})": timedelta(hours=1),
    f"'d' || strftime('%Y-%m-%d', {_AT})": timedelta(days=1),
    f"'m' || strftime('%Y-%m', {_AT})": timedelta(days=31),
    "'now'": None,
}
"""How a window is named, and how long one is: the first that is kept is counted from its beginning."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that is done, and its processor time in seconds by jobs in the ledger. ``bounded``: the goal is 2."""

    what: str
    cpu_s: Mapping[int, float]
    bounded: bool = True

    @property
    def growth(self) -> float:
        """From the smallest ledger to the largest."""
        return self.cpu_s[max(self.cpu_s)] / self.cpu_s[min(self.cpu_s)]


def write_year(path: Path, jobs: int) -> None:
    """Fills an empty ledger, past the bot and without its care for power cuts; the indexes are made at the end."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous=OFF")
        indexes = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
        db.execute("BEGIN")
        for name, _ in indexes:
            db.execute(f"DROP INDEX {name}")
        rows = _year(jobs)
        first = next(rows)
        names, marks = ", ".join(first), ", ".join("?" * len(first))
        into = f"INSERT INTO jobs ({names}) VALUES ({marks})"  # column names
        db.execute(into, tuple(first.values()))
        db.executemany(into, (tuple(row.values()) for row in rows))
        for _, sql in indexes:
            db.execute(sql)
        _count(db)
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _count(db: sqlite3.Connection) -> None:
    """The counters of these jobs as the ledger would have them, those purged that ended sixty days ago."""
    edge = START - timedelta(days=60)
    for subject in _SUBJECTS:
        for window, at_least in _WINDOWS.items():
            since = 0 if at_least is None else to_micros(edge - at_least)
            sums = f"SELECT {subject}, {window}, count(*), sum(made_images), sum(charged_micro_usd), 0, 0 FROM jobs"
            db.execute(f"INSERT INTO uses {sums} WHERE created_at > {since} GROUP BY 1, 2")
    for period in (Period.HOUR, Period.DAY, Period.MONTH):
        key = window_key(period, edge)
        db.execute("DELETE FROM uses WHERE window_key >= ? AND window_key < ?", (key[0], key))
    db.execute("INSERT INTO facts VALUES (?, ?)", (COUNTERS_FORGOTTEN, str(to_micros(edge))))


def _year(jobs: int) -> Iterator[dict[str, object]]:
    """Rows of ended jobs, the oldest first."""
    ids, numbers = Ids(), count(1)
    models = {guild: _row_of(guild) for guild in (LARGE, SMALL)}
    small_every = max(2, jobs // SMALL_JOBS)
    for number in range(jobs):
        moment = START - YEAR + YEAR * (number + 1) / (jobs + 1)
        guild = SMALL if number % small_every == 1 else LARGE if number % 2 == 0 else 1000 + number % SERVERS
        row, job_id, n = dict(models.get(guild, models[LARGE])), ids.make(moment)[0], next(numbers)
        user, at = 1 + n % 50, to_micros(moment)
        row |= {"id": job_id, "group_id": job_id, "event_key": f"old {n}", "place_key": f"g{guild}", "user_id": user}
        row |= {"created_at": at, "dispatched_at": at, "produced_at": at, "finished_at": at, "token_expires_at": at}
        yield row


def _row_of(guild: int) -> dict[str, object]:
    request = ImageRequest(Kind.IMAGINE, Endpoint.GENERATIONS, "model", "a fox", "a fox", size="1024x1024")
    answer = Answer(1, 2, "interaction-token", 100, START)
    draft = JobDraft("old", Asker(1, Place(guild, 1), 100), request, MicroUSD(5000), answer)
    job = job_from_draft(draft, "0" * 20, START)
    row = job_values(job, group_id=job.id, grouped=False, holder="gone:1", sealer=Secrets((KEY,)))
    ended = {"state": JobState.SETTLED.value, "reserved_micro_usd": 0, "charged_micro_usd": 4000, "made_images": 1}
    return {**row, **ended, "token": None, "message_id": 5, "message_channel_id": 6}


Work = Callable[[], Awaitable[object]]


def works(store: SqlStore) -> dict[str, tuple[Work, bool]]:
    """What is measured, and whether it is to cost the same however much there is."""
    later = count(1)
    large, small = (Asker(1, Place(guild, 1), 100) for guild in (LARGE, SMALL))

    async def page(asker: Asker, wanted: Filter) -> Page:
        async def look(wanted: Filter, before: str | None, limit: int) -> Look:
            return await store.jobs.gallery(
                asker.place, member_id=wanted.member_id, search=wanted.search or None, before=before, limit=limit
            )

        return await read_page(look, wanted, lambda _: True)

    async def kept() -> None:
        newest = await store.jobs.gallery(large.place, member_id=None, search=None, before=None, limit=KEPT)
        await store.jobs.known([job.id for job in newest.jobs])

    async def forget() -> None:
        await store.people.forget_counters(START - timedelta(days=60) + timedelta(hours=next(later)))

    async def used(asker: Asker) -> None:
        figures = await usage.read_figures(store, asker, START, whole_server=True)
        await usage.page(figures, usage.View("en-US", whole_server=True, with_money=True), lane="bench")

    return {
        "heartbeat (every 15 s)": (store.leases.heartbeat, True),
        "adopt (every 30 s)": (store.leases.adopt, True),
        "unfinished (every 30 s)": (store.leases.held, True),
        "unknown that may turn up (every 30 s)": (lambda: store.leases.unknown_here(START - timedelta(days=30)), True),
        "unfinished batches (every 30 s)": (store.jobs.unfinished_batches, True),
        "forget counters (daily; an hour of them)": (forget, True),
        f"{KEPT} pictures asked about (daily)": (kept, True),
        "gallery page, large server": (lambda: page(large, Filter()), True),
        "gallery page of a member": (lambda: page(large, Filter(member_id=7)), True),
        "gallery page, small server": (lambda: page(small, Filter()), True),
        "gallery, a search without a hit": (lambda: page(large, Filter(search="zebra")), False),
        "pictures that wait for a member": (lambda: store.jobs.waiting(large.place, 1), True),
        "/limits": (lambda: store.figures.standings(large, START), True),
        "/usage with its chart, small server": (lambda: used(small), True),
        "/usage with its chart, large server": (lambda: used(large), False),
    }


async def rows(sizes: Sequence[int] = SIZES, times: int = TIMES) -> list[Row]:
    """Every work on a ledger of each size, the median of so many times."""
    found: dict[str, dict[int, float]] = {}
    bounded: dict[str, bool] = {}
    for jobs in sizes:
        with tempfile.TemporaryDirectory(prefix="easel-rows-") as folder:
            for what, (cpu_s, is_bounded) in (await _one_size(Path(folder), jobs, times)).items():
                found.setdefault(what, {})[jobs] = cpu_s
                bounded[what] = is_bounded
    return [Row(what, by_size, bounded[what]) for what, by_size in found.items()]


async def _one_size(folder: Path, jobs: int, times: int) -> dict[str, tuple[float, bool]]:
    path = folder / "easel.db"
    url = f"sqlite+aiosqlite:///{path}"
    await migrate_store(url, data_dir=folder)
    await asyncio.to_thread(write_year, path, jobs)
    found: dict[str, tuple[float, bool]] = {}

    async def opening() -> None:
        store = await open_store(url, data_dir=folder, secrets=Secrets((KEY,)), clock=_now)
        await store.aclose()

    found["opening the ledger (start)"] = (await _cpu_s(opening, times), True)
    store = await open_store(url, data_dir=folder, secrets=Secrets((KEY,)), defaults=LIMITS, clock=_now)
    try:
        for what, (work, is_bounded) in works(store).items():
            found[what] = (await _cpu_s(work, times), is_bounded)
    finally:
        await store.aclose()
    return found


def _now() -> datetime:
    return START


async def _cpu_s(work: Work, times: int) -> float:
    await work()
    took = []
    for _ in range(times):
        begun = time.process_time()
        await work()
        took.append(time.process_time() - begun)
    return median(took)


def told(found: Sequence[Row]) -> str:
    """The table; what is not bounded by nature has no goal."""
    sizes = sorted(found[0].cpu_s)
    head = ["CPU, ms", *(f"{size:,} jobs" for size in sizes), "growth", "goal"]
    lines = [
        [row.what, *(f"{row.cpu_s[size] * 1000:.2f}" for size in sizes), f"{row.growth:.1f}", 2 if row.bounded else "-"]
        for row in found
    ]
    return table(head, lines)


if __name__ == "__main__":
    print(told(asyncio.run(rows([int(size) for size in sys.argv[1:]] or SIZES))))
