"""Group commit: one transaction for all that wait, and nobody feels their neighbours."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing

import pytest
from sqlalchemy import insert, text

from bot.adapters.database.schema.tables import facts
from bot.adapters.database.sqlite.statements import Prepared
from bot.rules.errors import Busy
from bot.rules.limits.decide import Refused
from bot.rules.limits.limit import Measure, Period, Quota, Scope
from bot.rules.people import Place

BACK = Prepared(text("ROLLBACK"))
NOTE = Prepared(insert(facts), ["key", "value"])


def writes(key, then=None):
    """An operation that writes a note, and then fails if it is told to."""

    def operation(desk):
        desk.run(NOTE, {"key": f"server {key}", "value": "here"})
        if then is not None:
            raise then
        return key

    return operation


def refuses(desk):
    raise ValueError("refused")


def at_once(store, *operations):
    return asyncio.gather(*(store.database.write_at_desk(one) for one in operations), return_exceptions=True)


async def while_busy(store, *asked):
    """What they return, all asked while the writer is in the middle of a transaction: so all of them wait together."""
    begun, go_on = threading.Event(), threading.Event()

    def held(desk):
        begun.set()
        go_on.wait(10)

    holding = asyncio.create_task(store.database.write_at_desk(held))
    await asyncio.to_thread(begun.wait, 10)
    waiting = [asyncio.create_task(one) for one in asked]
    asyncio.get_running_loop().call_soon(go_on.set)  # after the first step of each of them
    await holding
    return await asyncio.gather(*waiting)


@pytest.fixture
def commits(faults):
    """How often a transaction was committed since it was asked last."""
    counted = []
    faults.before_commit = counted.append

    def since():
        found = len(counted)
        counted.clear()
        return found

    return since


async def test_what_waits_is_written_in_one_transaction(commits, store, draft, now):
    commits()
    jobs = await while_busy(store, *(store.jobs.open([draft()], now) for _ in range(20)))
    assert commits() == 2  # what the writer was at, and all that waited
    await while_busy(store, *(store.jobs.dispatch(job, now) for [job] in jobs))
    assert commits() == 2
    assert await store.audit_sums() == []


async def test_who_is_refused_is_refused_alone(commits, store):
    commits()
    first, refused, last = await at_once(store, writes(1), refuses, writes(2))
    assert (first, last, commits()) == (1, 2, 1)
    assert isinstance(refused, ValueError)
    assert set(await store.notes.servers()) == {1, 2}


async def test_what_fails_after_it_wrote_is_taken_back_and_its_neighbours_are_kept(store):
    mine = RuntimeError("mine")
    first, failed, last = await at_once(store, writes(1), writes(2, mine), writes(3))
    assert (first, failed, last) == (1, mine, 3)
    assert set(await store.notes.servers()) == {1, 3}


@pytest.mark.parametrize("says", [True, False])
async def test_when_sqlite_takes_the_transaction_back_by_itself_the_neighbours_are_kept(store, says):
    """It may, for a full disk or an I/O error, in the middle of any statement."""

    def taken_back(desk):
        desk.run(BACK)
        if says:
            raise sqlite3.OperationalError("database or disk is full")

    first, lost, last = await at_once(store, writes(1), taken_back, writes(2))
    assert (first, type(lost).__name__, last) == (1, "StorageTrouble", 2)
    assert set(await store.notes.servers()) == {1, 2}


async def test_of_two_who_write_the_same_only_the_second_is_told(store):
    first, second, third = await at_once(store, writes(1), writes(1), writes(2))
    assert (first, third) == (1, 2)
    assert isinstance(second, sqlite3.IntegrityError)


async def test_when_a_commit_fails_each_is_tried_alone(faults, store):
    failures = [sqlite3.OperationalError("disk I/O error")]
    faults.before_commit = lambda connection: failures and (_ for _ in ()).throw(failures.pop())
    assert await at_once(store, writes(1), writes(2)) == [1, 2]
    assert set(await store.notes.servers()) == {1, 2}


async def test_a_transaction_that_cannot_begin_is_everybodys_trouble_and_only_once(faults, store):
    def busy(text):
        if text == "BEGIN IMMEDIATE":
            begun.append(text)
            raise sqlite3.OperationalError("database is locked")

    begun, faults.before_statement = [], busy
    found = await at_once(store, writes(1), writes(2), writes(3))
    assert [type(one).__name__ for one in found] == ["StorageTrouble"] * 3
    assert len(begun) == 1
    assert not any(isinstance(one, Busy) for one in found)  # it is the code that says so, and there was none


async def test_who_is_cancelled_before_the_commit_leaves_nothing_and_the_others_are_kept(store):
    begun, go_on = threading.Event(), threading.Event()

    def slow(desk):
        writes(1)(desk)
        begun.set()
        go_on.wait(10)

    slow_one, other = (asyncio.create_task(store.database.write_at_desk(one)) for one in (slow, writes(2)))
    await asyncio.to_thread(begun.wait, 10)
    slow_one.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow_one
    go_on.set()
    assert await other == 2
    assert set(await store.notes.servers()) == {2}


async def test_what_any_other_connection_committed_is_seen_at_once(store, draft, now, tmp_path):
    """The desk remembers counters and rules; the lock keeps others off the file, but not a person with a shell."""
    await store.jobs.open([draft()], now)
    with closing(sqlite3.connect(tmp_path / "easel.db")) as other, other:
        other.execute("UPDATE uses SET images = 100 WHERE subject LIKE 'm:%'")
        other.execute("INSERT INTO limits VALUES ('g10', 'everyone', 'images', 'day', 0, 0, 101)")
    await store.jobs.open([draft()], now)
    with pytest.raises(Refused) as refused:
        await store.jobs.open([draft()], now)
    assert refused.value.refusals[0].used == 101


async def test_a_limit_that_an_admin_set_holds_for_the_next_request(store, draft, now):
    await store.jobs.open([draft()], now)
    limit = Quota(Scope.EVERYONE, Measure.IMAGES, Period.DAY, 1)
    await store.servers.set_limit(Place(10, 1), limit, 9, now)
    with pytest.raises(Refused):
        await store.jobs.open([draft()], now)
    await store.servers.set_limit(Place(10, 1), limit, 9, now, remove=True)
    await store.jobs.open([draft()], now)
