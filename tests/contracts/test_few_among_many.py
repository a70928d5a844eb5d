"""What runs every 30 seconds finds its few jobs among all that ever were in an index of those few, on both engines."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event

from bot.adapters.database.schema.tables import jobs
from bot.adapters.secrets import Secrets
from bot.rules.people import Place
from tests.support.ledger import KEY, one_by_one

OLD = 3000
COPIES = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {old}) ",
    "postgresql": "WITH n(i) AS (SELECT generate_series(1, {old})) ",
}


@contextmanager
def spoken():
    """Every statement that is sent meanwhile, with its values."""
    said = []

    def listen(_connection, _cursor, statement, values, _context, _many):
        said.append((statement, values))

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", listen)


@pytest.fixture
async def aged(opened, sample, made):
    """A ledger with very many jobs of one server that ended long ago, and what the planner should know of it."""
    store = await opened(places=("here",))
    [job] = await store.jobs.open([sample.draft()], sample.now)
    await made(store, job)
    columns = [column.name for column in jobs.c if column.name not in ("id", "event_key")]
    copies = COPIES[store.database.url.get_backend_name()].format(old=OLD)
    listed = ", ".join(columns)
    rows = f"{copies} SELECT id || i, 'old ' || i, {listed} FROM jobs, n"
    await _run(store.database, f"INSERT INTO jobs (id, event_key, {listed}) {rows}")
    await _run(store.database, "ANALYZE")
    return one_by_one(store, Secrets((KEY,)))  # the desk's statements are the same, but are not told to SQLAlchemy


async def _run(database, statement, values=()):
    def work(connection):
        found = connection.exec_driver_sql(statement, values or None)
        return [" ".join(map(str, row)) for row in found] if found.returns_rows else []

    return await database.run_sync(work)


async def plans(store, said):
    """How the engine goes about each statement on jobs."""
    explain = "EXPLAIN QUERY PLAN " if store.database.is_sqlite else "EXPLAIN "
    return {
        statement: "\n".join(await _run(store.database, explain + statement, values))
        for statement, values in said
        if " jobs" in statement and statement.startswith(("SELECT", "UPDATE"))
    }


@pytest.mark.parametrize(
    ("what", "index"),
    [
        ("adopt", "ix_jobs_open"),
        ("unfinished", "ix_jobs_open"),
        ("heartbeat", "ix_jobs_token"),
        ("waiting", "ix_jobs_waiting"),
        ("forget_counters", "ix_jobs_open"),
        ("line of a batch", "ix_jobs_group"),
        ("unknown", "ix_jobs_unknown"),
    ],
)
async def test_the_few_are_found_in_their_index(aged, sample, what, index):
    place = Place(10, 1)
    lines = await aged.jobs.open(sample.batch(2), sample.now)
    work = {
        "adopt": aged.leases.adopt,
        "unfinished": aged.leases.unfinished,
        "heartbeat": aged.leases.heartbeat,
        "waiting": lambda: aged.jobs.waiting(place, 1),
        "forget_counters": lambda: aged.people.forget_counters(sample.now),
        "unknown": lambda: aged.leases.unknown_here(sample.now),
        "line of a batch": lambda: aged.jobs.release(lines[0], "", sample.now),
    }[what]
    with spoken() as said:
        await work()
    found = await plans(aged, said)
    assert found
    assert [plan for plan in found.values() if index in plan], found
    assert not [plan for plan in found.values() if "SCAN jobs\n" in plan + "\n" or "Seq Scan on jobs" in plan]
