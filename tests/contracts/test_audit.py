"""The audit of all sums, which every other test leans on, sees what is wrong in a counter or a job."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, insert, update

from bot.adapters.database.counting.audit_sums import Difference
from bot.adapters.database.counting.counters import NOTHING
from bot.adapters.database.schema.tables import jobs, uses

MINE = uses.c.subject == "m:g10:1"
ODD = {"subject": "s:g99", "window_key": "n", "requests": 0, "images": 0, "spent": 7, "reserved": 0, "running": 0}


async def differences(store, statement) -> list[Difference]:
    async with store.database.writing() as connection:
        await connection.execute(statement)
    return await store.audit_sums()


@pytest.fixture
async def books(store, sample):
    """A ledger with a job that is reserved, one that is unknown and one that was given back: all sums are right."""
    await store.jobs.open([sample.draft(micro_usd=50, images=2)], sample.now)
    for end in (store.jobs.lose, store.jobs.release):
        [job] = await store.jobs.open([sample.draft(micro_usd=50)], sample.now)
        await end(await store.jobs.dispatch(job, sample.now), "why", sample.now)
    assert await store.audit_sums() == []
    return store


@pytest.mark.parametrize("column", ["requests", "images", "spent", "reserved", "running"])
async def test_a_counter_that_says_one_more_is_found(books, column):
    found = await differences(books, update(uses).where(MINE).values({column: uses.c[column] + 1}))
    assert {one.subject for one in found} == {"m:g10:1"}
    assert {getattr(one.actual, column) - getattr(one.expected, column) for one in found} == {1}


async def test_a_counter_that_is_missing_is_found(books):
    found = await differences(books, delete(uses).where(MINE))
    assert {(one.subject, one.actual) for one in found} == {("m:g10:1", NOTHING)}
    assert all(one.expected for one in found)


async def test_a_counter_of_nobody_is_found(books):
    (found,) = await differences(books, insert(uses).values(ODD))
    assert (found.subject, found.expected, found.actual.spent) == ("s:g99", NOTHING, 7)


@pytest.mark.parametrize("values", [{"charged_micro_usd": 51}, {"made_images": 0, "images": 0}, {"state": "released"}])
async def test_a_job_that_says_something_else_is_found(books, values):
    found = await differences(books, update(jobs).where(jobs.c.state == "unknown").values(values))
    assert {one.subject[0] for one in found} >= {"m", "s", "c", "o"}
