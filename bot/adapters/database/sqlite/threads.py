"""SQLite's transactions, each run whole in one thread: one hand-over a transaction instead of one a statement.

With a driver that hands over every statement, a transaction of eight statements waits sixteen times for whichever
thread has the interpreter. With small pictures, one hand-over saved a third of the bot's processor time.
The store's work is written for ``Connection``; here the same coroutines meet a connection whose every answer is
there at once, so they run from beginning to end without a loop.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

from sqlalchemy import Engine, PoolProxiedConnection

from bot.adapters.database.connection import Connection
from bot.adapters.database.sqlite.at_once import AtOnce
from bot.adapters.database.sqlite.memory import Memory
from bot.adapters.database.sqlite.reading import Reader
from bot.adapters.database.sqlite.writer import Progress, Withdrawn, Writer

T = TypeVar("T")
READERS = 4


def _run_through(coroutine: Coroutine[Any, Any, T]) -> T:
    try:
        coroutine.send(None)
    except StopIteration as done:
        return cast("T", done.value)
    coroutine.close()
    raise RuntimeError("work for the store waited for something that is no statement")


class Threads:
    """One thread that writes, in the order of asking, and a few that read. ``aclose`` ends them."""

    def __init__(self, writer: Engine, reader: Engine) -> None:
        self._writer = writer
        self._reader = reader
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="ledger writes")
        self._reading = ThreadPoolExecutor(READERS, thread_name_prefix="ledger reads")
        self._borrowed: PoolProxiedConnection | None = None
        self._here = threading.local()
        self._readers: list[Reader] = []
        self.desk = Writer(self._writing, self._borrow)
        """Beside ``write``, on a connection of its own in the same thread, for many small operations at once."""
        self.memory = Memory()

    def _borrow(self) -> sqlite3.Connection:
        self._borrowed = self._writer.raw_connection()
        return cast("sqlite3.Connection", self._borrowed.driver_connection)

    async def write(self, work: Callable[[Connection], Any], progress: Progress) -> Any:
        """What ``work`` returns, committed. A caller that is cancelled before COMMIT leaves nothing behind."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._writing, self._write, work, progress)
        except asyncio.CancelledError:
            progress.withdrawn = True
            raise

    async def read(self, work: Callable[[Connection], Any]) -> Any:
        """What ``work`` finds, all of it as of one moment."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, self._read, work)

    async def aclose(self) -> None:
        """Waits for what runs, then lets go of the file."""
        for executor in (self._writing, self._reading):
            await asyncio.to_thread(executor.shutdown)
        for reader in self._readers:
            reader.close()
        if self._borrowed is not None:
            self._borrowed.close()
        for engine in (self._writer, self._reader):
            await asyncio.to_thread(engine.dispose)

    def _write(self, work: Callable[[Connection], Any], progress: Progress) -> Any:
        if progress.withdrawn:
            raise Withdrawn
        try:
            with self._writer.begin() as connection:
                result = _run_through(work(AtOnce(connection)))
                if progress.withdrawn:
                    raise Withdrawn
                progress.finished = True
        finally:
            self.memory.written()
        return result

    def _read(self, work: Callable[[Connection], Any]) -> Any:
        reader = self._reader_here()
        with reader.moment():
            return _run_through(work(reader))

    def _reader_here(self) -> Reader:
        """This thread's own, opened when it first reads."""
        found: Reader | None = getattr(self._here, "reader", None)
        if found is None:
            found = self._here.reader = Reader(self._reader)
            self._readers.append(found)
        return found
