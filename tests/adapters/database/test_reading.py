"""Queries that SQLite's reading threads ask without SQLAlchemy say what SQLAlchemy says."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import bindparam, select
from sqlalchemy.exc import MultipleResultsFound

from bot.adapters.database.counting.counters import tally
from bot.adapters.database.keeping.reviews import OF_JOB
from bot.adapters.database.schema.tables import jobs, uses
from bot.adapters.database.servers import LIMITS_OF, SETTINGS_OF
from bot.adapters.database.sqlite.reading import lasting
from bot.rules.ledger import Bill
from bot.rules.limits.limit import Cooldown, Measure, Period, Quota, Scope
from bot.rules.money import MicroUSD
from bot.rules.people import Place
from bot.rules.servers.changes import Reset, Resettable
from tests.support.ledger import ThroughSqlalchemy

HERE = Place(10, 1)
JOBS_OF = lasting(select(jobs).where(jobs.c.user_id == bindparam("user")).order_by(jobs.c.id))
"""Every kind of column there is, with and without a value."""


@pytest.fixture
async def full(store, draft, now):
    """A ledger with something of each kind."""
    ended, waits, begun = await store.jobs.open([draft(), draft(), draft()], now)
    for job in (ended, waits):
        job = await store.jobs.dispatch(job, now + timedelta(microseconds=1))
        job = await store.jobs.produce(job, Bill(MicroUSD(3), 1), "ein Füchslein", now)
        await (store.jobs.conclude(job, 5, 100, now) if job.id == ended.id else store.jobs.set_waiting(job, True))
    await store.jobs.dispatch(begun, now)
    await store.reviews.open([await store.jobs.get(ended.id)])
    paused = Reset(Resettable.SETTINGS)
    await store.servers.change_settings(HERE, lambda held: (replace(held, paused=True), paused), 9, now)
    await store.servers.set_limit(HERE, Quota(Scope.SERVER, Measure.DOLLARS, Period.MONTH, None), 9, now)
    await store.servers.set_limit(HERE, Cooldown(Scope.EVERYONE, 40), 9, now)
    return store, ended


async def test_every_lasting_query_says_what_sqlalchemy_says(full):
    store, ended = full
    general = ThroughSqlalchemy(store.database)
    for query, values in [
        (SETTINGS_OF, {"place": HERE.key}),
        (SETTINGS_OF, {"place": "g11"}),
        (LIMITS_OF, {"place": HERE.key}),
        (OF_JOB, {"job": ended.id}),
        (OF_JOB, {"job": ""}),
        (JOBS_OF, {"user": 1}),
    ]:
        quick = await store.database.rows(query, values)
        assert quick == [dict(row) for row in await general.rows(query, values)]
        assert quick or set(values.values()) & {"g11", ""}


async def test_counters_are_those_that_sqlalchemy_finds(full):
    store, _ = full
    rows = [(row["subject"], row["window_key"]) for row in await store.database.rows(select(uses))]
    for asked in (rows, rows[:1], [("m:nobody", "x"), *rows[-2:]]):
        quick = await store.database.read(lambda connection, asked=asked: tally(connection, asked))
        general = await ThroughSqlalchemy(store.database).read(lambda connection, asked=asked: tally(connection, asked))
        assert quick == general
        assert quick.keys() >= set(asked) & set(rows)


async def test_both_ways_see_the_same_moment(full, draft, now):
    store, _ = full
    plain = select(jobs.c.id).where(jobs.c.user_id == 1).order_by(jobs.c.id)

    async def look(connection):
        first = [row[0] for row in await connection.execute(plain)]
        _written_beside(store.database.url.database)
        quick = [row["id"] for row in (await connection.execute(JOBS_OF, {"user": 1})).mappings()]
        return first, quick, [row[0] for row in await connection.execute(plain)]

    first, quick, again = await store.database.read(look)
    assert first == quick == again
    assert await store.database.rows(JOBS_OF, {"user": 1}) == []


def _written_beside(path):
    """Another process takes the jobs away, and keeps that."""
    with sqlite3.connect(path) as other:
        other.execute("DELETE FROM jobs")
    other.close()


async def test_more_rows_than_one_are_a_fault_where_one_is_asked_for(full):
    store, _ = full

    async def look(connection):
        return (await connection.execute(JOBS_OF, {"user": 1})).mappings().one_or_none()

    with pytest.raises(MultipleResultsFound):
        await store.database.read(look)
