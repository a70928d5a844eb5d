"""The least a durable ledger can be: one thread, one transaction for everything that waits, synced once.

A reservation is one guarded counter and one row of 600 bytes. It decides nothing and says nothing of limits.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

MOST = 256
BODY = "x" * 600
COUNT = "INSERT INTO u VALUES ('s', 1) ON CONFLICT (k) DO UPDATE SET n = n + 1 WHERE n < 1000000000"
RESERVE = "INSERT INTO j VALUES (?, 'reserved', ?)"
STEP = "UPDATE j SET state = ? WHERE id = ?"


class Write(NamedTuple):
    """Statements that belong together, and who waits for them."""

    statements: tuple[tuple[str, Sequence[object]], ...]
    durable: bool
    done: asyncio.Future[None]


class Ledger:
    def __init__(self, path: Path) -> None:
        self._queue: queue.SimpleQueue[Write | None] = queue.SimpleQueue()
        self._path = path
        self._thread = threading.Thread(target=self._write, name="ledger", daemon=True)
        self._thread.start()

    async def reserve(self, number: int) -> None:
        await self._ask(((COUNT, ()), (RESERVE, (number, BODY))))

    async def step(self, number: int, state: str, *, durable: bool = True) -> None:
        await self._ask(((STEP, (state, number)),), durable=durable)

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join()

    async def _ask(self, statements: tuple[tuple[str, Sequence[object]], ...], *, durable: bool = True) -> None:
        done = asyncio.get_running_loop().create_future()
        self._queue.put(Write(statements, durable, done))
        await done

    def _write(self) -> None:
        database = sqlite3.connect(self._path, isolation_level=None, cached_statements=32)
        for line in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL"):
            database.execute(line)
        database.execute("CREATE TABLE u (k TEXT PRIMARY KEY, n INTEGER)")
        database.execute("CREATE TABLE j (id INTEGER PRIMARY KEY, state TEXT, body TEXT)")
        full, ended = True, False
        while not ended:
            batch, ended = self._next()
            if not batch:
                continue
            durable = any(one.durable for one in batch)
            if durable != full:
                database.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
                full = durable
            database.execute("BEGIN IMMEDIATE")
            for one in batch:
                for statement in one.statements:
                    database.execute(*statement)
            database.execute("COMMIT")
            batch[0].done.get_loop().call_soon_threadsafe(_settle, batch)
        database.close()

    def _next(self) -> tuple[list[Write], bool]:
        """What waits, at least one; and whether nothing comes after it."""
        batch: list[Write] = []
        one = self._queue.get()
        while one is not None:
            batch.append(one)
            if len(batch) == MOST or self._queue.empty():
                return batch, False
            one = self._queue.get()
        return batch, True


def _settle(batch: list[Write]) -> None:
    for one in batch:
        if not one.done.done():
            one.done.set_result(None)
