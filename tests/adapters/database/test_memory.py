"""What SQLite's ledger remembers from one job to the next is what it holds."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import delete

from bot.adapters.database.schema.tables import settings
from bot.adapters.database.sqlite.memory import Memory
from bot.rules.people import Place
from bot.rules.servers.access import Block
from bot.rules.servers.changes import Reset, Resettable

HERE = Place(10, 1)


async def blocked(store, user_id, now):
    changed = Reset(Resettable.SETTINGS)
    blocks = (Block(user_id, ""),)
    await store.servers.change_settings(HERE, lambda held: (replace(held, blocked=blocks), changed), 9, now)


async def test_whoever_changed_something_reads_the_change_however_many_read_beside(store, now):
    over = asyncio.Event()

    async def reads():
        while not over.is_set():
            await store.servers.settings(HERE)
            await asyncio.sleep(0)

    readers = [asyncio.create_task(reads()) for _ in range(4)]
    for user_id in range(1, 150):
        await blocked(store, user_id, now)
        assert [one.user_id for one in (await store.servers.settings(HERE)).blocked] == [user_id]
    over.set()
    await asyncio.gather(*readers)


async def test_what_was_read_before_a_write_and_comes_after_it_is_not_kept():
    memory, go_on = Memory(), asyncio.Event()

    async def slowly():
        await go_on.wait()
        return "old"

    async def quickly():
        return "new"

    reading = asyncio.create_task(memory.remembered("what", slowly))
    await asyncio.sleep(0)
    memory.written()
    go_on.set()
    assert await reading == "old"
    assert await memory.remembered("what", quickly) == "new"
    assert await memory.remembered("what", slowly) == "new"


async def test_a_failure_is_not_kept():
    memory = Memory()

    async def fails():
        raise RuntimeError

    async def works():
        return 1

    with pytest.raises(RuntimeError):
        await memory.remembered("what", fails)
    assert await memory.remembered("what", works) == 1


async def test_room_is_bounded(monkeypatch):
    monkeypatch.setattr("bot.adapters.database.sqlite.memory.MOST", 3)
    memory, asked = Memory(), []

    def find(number):
        async def found():
            asked.append(number)
            return number

        return found

    for number in (1, 2, 3, 1, 2, 3, 4, 1):
        assert await memory.remembered(number, find(number)) == number
    assert asked == [1, 2, 3, 4, 1]


async def test_settings_are_read_once(statements, store, now):
    await store.servers.settings(HERE)
    said = statements()
    assert await store.servers.settings(HERE) == (await store.servers.settings_of([HERE]))[0]
    assert statements() == said
    await blocked(store, 5, now)
    assert (await store.servers.settings(HERE)).blocked[0].user_id == 5
    assert statements() > said


async def test_what_a_tool_writes_makes_it_old_too(store, now):
    await blocked(store, 5, now)
    assert (await store.servers.settings(HERE)).blocked
    async with store.database.writing() as connection:
        await connection.execute(delete(settings))
    assert not (await store.servers.settings(HERE)).blocked


@pytest.fixture
def statements(faults):
    """How many statements were sent so far."""
    said = []
    faults.before_statement = said.append
    return lambda: len(said)
