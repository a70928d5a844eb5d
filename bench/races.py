"""Races for the last unit of every kind of limit, on both engines, with a reader that never stops checking.

    python -m bench.races [--tries NUMBER] [--processes 4] [--tasks 10] [--engine sqlite|postgres] [--postgres URL]

Every round is one unit and ``processes × tasks`` reservations that want it at the same moment; exactly one may get it.
The winner then goes on to a random end, so that money moves while the reader looks. On SQLite the bench opens the file
from several processes, which the bot itself refuses: the transactions must hold without that. Prints Markdown; exits 1
if a cap was passed, a unit was lost, an error or deadlock happened or the books did not balance at any moment.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import multiprocessing.synchronize
import os
import platform
import random
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.queues import Queue
from pathlib import Path

from sqlalchemy import select, text

from bench.servers import postgres
from bot.adapters.database import SqlStore, migrate_store, store_on
from bot.adapters.database.engine import Database
from bot.adapters.database.schema.tables import metadata, uses
from bot.adapters.secrets import Secrets
from bot.rules.ledger import Answer, Bill, Job, JobDraft
from bot.rules.limits.decide import Refused
from bot.rules.limits.limit import Cooldown, Limit, Measure, Period, Quota, Scope
from bot.rules.money import MicroUSD
from bot.rules.people import Asker, Place
from bot.rules.requests import Endpoint, ImageRequest, Kind

START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
TRIES = {"SQLite": 100_000, "PostgreSQL": 20_000}
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
ROLE, CHANNEL, PARENT = 7, 100, 50
CONTEXT = multiprocessing.get_context("spawn")

KINDS: dict[str, Limit] = {
    "everyone: cooldown": Cooldown(Scope.EVERYONE, 30),
    "everyone: requests per hour": Quota(Scope.EVERYONE, Measure.REQUESTS, Period.HOUR, 1),
    "everyone: images per day": Quota(Scope.EVERYONE, Measure.IMAGES, Period.DAY, 1),
    "everyone: dollars per month": Quota(Scope.EVERYONE, Measure.DOLLARS, Period.MONTH, 1),
    "everyone: jobs at once": Quota(Scope.EVERYONE, Measure.JOBS, Period.NOW, 1),
    "role: images per day": Quota(Scope.ROLE, Measure.IMAGES, Period.DAY, 1, ROLE),
    "member: dollars per day": Quota(Scope.MEMBER, Measure.DOLLARS, Period.DAY, 1, 1),
    "channel: images per hour": Quota(Scope.CHANNEL, Measure.IMAGES, Period.HOUR, 1, CHANNEL),
    "channel of a thread: dollars per month": Quota(Scope.CHANNEL, Measure.DOLLARS, Period.MONTH, 1, PARENT),
    "server: dollars per month": Quota(Scope.SERVER, Measure.DOLLARS, Period.MONTH, 1),
    "server: jobs at once": Quota(Scope.SERVER, Measure.JOBS, Period.NOW, 1),
    "operator: dollars per day": Quota(Scope.OPERATOR, Measure.DOLLARS, Period.DAY, 1),
}
SHARED = frozenset({Scope.CHANNEL, Scope.SERVER, Scope.OPERATOR})


@dataclass
class Tally:
    """What one process saw; sums up over processes."""

    granted: Counter[int] = field(default_factory=Counter)
    refused: int = 0
    errors: Counter[str] = field(default_factory=Counter)


@dataclass
class Row:
    """One line of the report."""

    kind: str
    tries: int
    rounds: int
    granted: int
    wrong_rounds: int
    errors: int
    looks: int
    over_cap: int
    unbalanced: int
    left_reserved: int
    deadlocks: int
    seconds: float

    @property
    def is_exact(self) -> bool:
        wrong = self.wrong_rounds + self.errors + self.over_cap + self.unbalanced + self.left_reserved + self.deadlocks
        return wrong == 0 and self.granted == self.rounds and self.looks > 0


@dataclass(frozen=True)
class Plan:
    url: str
    kind: str
    rounds: int
    processes: int
    tasks: int


def store_at(url: str, kind: str) -> SqlStore:
    """A store without the lock that keeps a second process away."""
    return store_on(Database(url), Secrets((KEY,)), (KINDS[kind],), clock=lambda: START)


def draft_of(plan: Plan, number: int, process: int, task: int) -> tuple[JobDraft, datetime]:
    limit = KINDS[plan.kind]
    # What is shared by many is wanted by many members; a member's share is wanted by many clicks of one.
    user = process * 100 + task + 1 if limit.scope in SHARED else 1
    asker = Asker(user, Place(1000 + number, user), CHANNEL, parent_id=PARENT, role_ids=frozenset({ROLE}))
    now = START + timedelta(days=number) if limit.scope is Scope.OPERATOR else START
    answer = Answer(1, 2, "token", CHANNEL, now + timedelta(minutes=15))
    request = ImageRequest(Kind.IMAGINE, Endpoint.GENERATIONS, "model", "a fox")
    return JobDraft(f"{number}-{process}-{task}", asker, request, MicroUSD(1), answer), now


async def attempt(store: SqlStore, plan: Plan, number: int, process: int, task: int, tally: Tally) -> Job | None:
    draft, now = draft_of(plan, number, process, task)
    try:
        [job] = await store.jobs.open([draft], now)
    except Refused:
        tally.refused += 1
        return None
    except Exception as error:  # noqa: BLE001  # whatever it is, it is counted and fails the run
        tally.errors[f"{type(error).__name__}: {error}"[:200]] += 1
        return None
    tally.granted[number] += 1
    return job


async def ending(store: SqlStore, job: Job, chance: random.Random) -> None:
    now = job.created_at
    match chance.choice(["release", "refuse", "lose", "settle"]):
        case "release":
            await store.jobs.release(job, "", now)
        case "refuse":
            await store.jobs.refuse(await store.jobs.dispatch(job, now), "", now)
        case "lose":
            await store.jobs.lose(await store.jobs.dispatch(job, now), "", now)
        case _:
            job = await store.jobs.produce(await store.jobs.dispatch(job, now), Bill(MicroUSD(1), 1), None, now)
            await store.jobs.conclude(job, 1, 1, now)


async def race(plan: Plan, process: int, barrier: multiprocessing.synchronize.Barrier) -> Tally:
    store, tally, chance = store_at(plan.url, plan.kind), Tally(), random.Random(process)
    for number in range(plan.rounds):
        await asyncio.to_thread(barrier.wait, 120)
        racers = (attempt(store, plan, number, process, task, tally) for task in range(plan.tasks))
        jobs = await asyncio.gather(*racers)
        # Nobody lets go before everybody has tried, else a unit would rightly be given twice.
        await asyncio.to_thread(barrier.wait, 120)
        for job in jobs:
            if job is not None:
                await ending(store, job, chance)
    await store.aclose()
    return tally


def racer(plan: Plan, process: int, barrier: multiprocessing.synchronize.Barrier, results: Queue[object]) -> None:
    results.put(asyncio.run(race(plan, process, barrier)))


async def over_cap(store: SqlStore, kind: str) -> int:
    """How many counters of this kind hold more than their cap at this moment."""
    limit = KINDS[kind]
    if isinstance(limit, Cooldown):
        return 0
    prefix = {Scope.CHANNEL: "c:%", Scope.SERVER: "s:%", Scope.OPERATOR: "o"}.get(limit.scope, "m:%")
    if limit.scope is Scope.CHANNEL:
        prefix = f"c:%:{limit.subject_id}"
    window = {Period.HOUR: "h%", Period.DAY: "d%", Period.MONTH: "m%", Period.NOW: "now"}[limit.period]
    value = {
        Measure.REQUESTS: uses.c.requests,
        Measure.IMAGES: uses.c.images,
        Measure.DOLLARS: uses.c.spent + uses.c.reserved,
        Measure.JOBS: uses.c.running,
    }[limit.measure]
    query = select(uses.c.subject).where(uses.c.subject.like(prefix), uses.c.window_key.like(window), value > 1)
    return len(await store.database.rows(query))


async def watch(plan: Plan, stop: multiprocessing.synchronize.Event) -> tuple[int, int, int]:
    store, looks, over, unbalanced = store_at(plan.url, plan.kind), 0, 0, 0
    while not stop.is_set():
        began = time.monotonic()
        over += await over_cap(store, plan.kind)
        unbalanced += len(await store.audit_sums())
        looks += 1
        # The more there is to add up, the longer a look takes: a fifth of one core at most, the rest is for racing.
        await asyncio.sleep(4 * (time.monotonic() - began))
    await store.aclose()
    return looks, over, unbalanced


def watcher(plan: Plan, stop: multiprocessing.synchronize.Event, results: Queue[object]) -> None:
    results.put(asyncio.run(watch(plan, stop)))


async def at_rest(plan: Plan) -> tuple[int, int, int]:
    """What is still reserved or running, what does not balance, and PostgreSQL's own count of deadlocks."""
    store = store_at(plan.url, plan.kind)
    rows = await store.database.rows(select(uses.c.reserved, uses.c.running))
    left = sum(abs(row["reserved"]) + abs(row["running"]) for row in rows)
    unbalanced = len(await store.audit_sums())
    deadlocks = 0
    if plan.url.startswith("postgresql"):
        async with store.database.reading() as connection:
            query = text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
            deadlocks = (await connection.execute(query)).scalar_one()
    await store.aclose()
    return left, unbalanced, deadlocks


def run_kind(plan: Plan, deadlocks_before: int) -> Row:
    """One kind of limit from the first round to rest."""
    barrier, stop = CONTEXT.Barrier(plan.processes), CONTEXT.Event()
    tallies: Queue[object] = CONTEXT.Queue()
    seen: Queue[object] = CONTEXT.Queue()
    watching = CONTEXT.Process(target=watcher, args=(plan, stop, seen))
    racing = [CONTEXT.Process(target=racer, args=(plan, n, barrier, tallies)) for n in range(plan.processes)]
    began = time.monotonic()
    for process in (watching, *racing):
        process.start()
    total = Tally()
    for _ in racing:
        found = tallies.get(timeout=3600)
        assert isinstance(found, Tally)
        total.granted += found.granted
        total.refused += found.refused
        total.errors += found.errors
    seconds = time.monotonic() - began
    stop.set()
    watched = seen.get(timeout=120)
    assert isinstance(watched, tuple)
    looks, over, unbalanced = watched
    for process in (watching, *racing):
        process.join()
    for error, times in total.errors.items():
        print(f"{plan.kind}: {times} × {error}", file=sys.stderr)
    left, unbalanced_at_rest, deadlocks = asyncio.run(at_rest(plan))
    return Row(
        kind=plan.kind,
        tries=sum(total.granted.values()) + total.refused + sum(total.errors.values()),
        rounds=plan.rounds,
        granted=sum(total.granted.values()),
        wrong_rounds=sum(total.granted[number] != 1 for number in range(plan.rounds)),
        errors=sum(total.errors.values()),
        looks=looks,
        over_cap=over,
        unbalanced=unbalanced + unbalanced_at_rest,
        left_reserved=left,
        deadlocks=deadlocks - deadlocks_before,
        seconds=seconds,
    )


# --- databases ---------------------------------------------------------------------------------------------------


async def emptied(url: str, folder: Path) -> None:
    """Migrates and takes out every row."""
    await migrate_store(url, data_dir=folder)
    database = Database(url)
    async with database.writing() as connection:
        for table in metadata.tables.values():
            await connection.execute(table.delete())
    await database.aclose()


def tries_of(options: argparse.Namespace, engine: str) -> int:
    return int(options.tries or TRIES[engine])


def run_engine(name: str, url_of: Callable[[str], str], options: argparse.Namespace, folder: Path) -> list[Row]:
    rows = []
    rounds = max(1, tries_of(options, name) // (options.processes * options.tasks))
    for kind in KINDS:
        if options.only and options.only not in kind:
            continue
        plan = Plan(url_of(kind), kind, rounds, options.processes, options.tasks)
        asyncio.run(emptied(plan.url, folder))
        deadlocks = asyncio.run(at_rest(plan))[2]
        rows.append(run_kind(plan, deadlocks))
        print(f"{name}: {kind}: {'exact' if rows[-1].is_exact else 'NOT EXACT'}", file=sys.stderr)
    return rows


HEADINGS = (
    "limit, one unit left",
    "tries",
    "units",
    "granted",
    "rounds not exactly one",
    "errors",
    "deadlocks",
    "looks by the reader",
    "over cap",
    "unbalanced",
    "left reserved",
    "tries/s",
)


def report(engine: str, rows: list[Row]) -> str:
    lines = [
        f"## {engine}",
        "",
        f"| {' | '.join(HEADINGS)} |",
        "|---" * len(HEADINGS) + "|",
    ]
    for row in rows:
        numbers = (row.tries, row.rounds, row.granted, row.wrong_rounds, row.errors, row.deadlocks)
        watched = (row.looks, row.over_cap, row.unbalanced, row.left_reserved, round(row.tries / row.seconds))
        lines.append(f"| {row.kind} | " + " | ".join(str(number) for number in (*numbers, *watched)) + " |")
    return "\n".join([*lines, ""])


def parsed(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.races", description=__doc__.split("\n", 1)[0])
    usual = ", ".join(f"{tries} on {engine}" for engine, tries in TRIES.items())
    parser.add_argument("--tries", type=int, help=f"per kind of limit and engine; without it {usual}")
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--tasks", type=int, default=10, help="per process")
    parser.add_argument("--engine", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--postgres", metavar="URL", help="an empty database; without it a server is started")
    parser.add_argument("--only", help="kinds whose name holds this")
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> int:
    options = parsed(words)
    warnings.simplefilter("ignore")
    found: dict[str, list[Row]] = {}
    with tempfile.TemporaryDirectory(prefix="easel-races-") as name:
        folder = Path(name)
        if options.engine != "postgres":
            names = {kind: f"{number}.db" for number, kind in enumerate(KINDS)}
            found["SQLite"] = run_engine(
                "SQLite", lambda kind: f"sqlite+aiosqlite:///{folder}/{names[kind]}", options, folder
            )
        if options.engine != "sqlite":
            with postgres(options.postgres) as url:
                if url is None:
                    raise SystemExit("there is no PostgreSQL here: name an empty database with --postgres")
                found["PostgreSQL"] = run_engine("PostgreSQL", lambda _: url, options, folder)
    print("# Races for the last unit\n")
    print(
        f"`python -m bench.races`, {options.processes} processes of {options.tasks} tasks "
        f"on {platform.system()}, Python {platform.python_version()}, {os.cpu_count()} CPUs.\n"
    )
    for engine, rows in found.items():
        print(report(engine, rows))
    exact = all(row.is_exact for rows in found.values() for row in rows)
    print("Every unit was given exactly once." if exact else "**NOT EXACT: see the columns that are not 0.**")
    return 0 if exact else 1


if __name__ == "__main__":
    sys.exit(main())
