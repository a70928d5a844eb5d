"""SQLite's transactions in threads: whole or not at all, also when nobody waits for them any more."""

from __future__ import annotations

import asyncio
import threading

import pytest

from bot.adapters.database.notes import write_note


async def test_a_write_whose_caller_is_cancelled_before_the_commit_leaves_nothing(store):
    begun, go_on = threading.Event(), threading.Event()

    async def slow(connection):
        await write_note(store.database, connection, "commands 1 global", "half")
        begun.set()
        go_on.wait(10)

    writing = asyncio.create_task(store.database.write(slow))
    await asyncio.to_thread(begun.wait, 10)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    go_on.set()
    await store.notes.set_commands(2, None, "kept")  # the one writing thread: it comes after
    assert await store.notes.commands(1, None) is None
    assert await store.notes.commands(2, None) == "kept"


async def test_work_that_waits_for_anything_but_statements_is_a_bug_and_keeps_nothing(store):
    async def waits(connection):
        await write_note(store.database, connection, "commands 1 global", "half")
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="no statement"):
        await store.database.write(waits)
    assert await store.notes.commands(1, None) is None
