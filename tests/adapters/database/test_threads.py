"""SQLite's transactions in threads: whole or not at all, also when nobody waits for them any more."""

from __future__ import annotations

import asyncio
import threading

import pytest


async def test_a_write_whose_caller_is_cancelled_before_the_commit_leaves_nothing(store):
    begun, go_on = threading.Event(), threading.Event()

    async def slow(connection):
        await store._set_fact(connection, "half", "done")
        begun.set()
        go_on.wait(10)

    writing = asyncio.create_task(store._db.write(slow))
    await asyncio.to_thread(begun.wait, 10)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    go_on.set()
    await store.set_fact("next", "kept")  # the one writing thread: it comes after
    assert await store.fact("half") is None
    assert await store.fact("next") == "kept"


async def test_work_that_waits_for_anything_but_statements_is_a_bug_and_keeps_nothing(store):
    async def waits(connection):
        await store._set_fact(connection, "half", "done")
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="no statement"):
        await store._db.write(waits)
    assert await store.fact("half") is None
