"""Group commit: what waits is written as one transaction, and each caller is answered once it is durable.

Law: an operation never feels its neighbours. It decides before it writes, so that one which is refused leaves nothing;
one that fails later, or a COMMIT that does, takes the whole transaction back, and then each is tried alone, so that
each caller gets an error of their own. A caller who was cancelled before COMMIT leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.adapters.database.sqlite.desk import Desk

T = TypeVar("T")
MOST = 256
"""Operations in one transaction: more would make the first of them wait for the last."""


@dataclass(slots=True)
class Progress:
    """How far one write came. ``finished``: only COMMIT was missing. ``withdrawn``: nobody waits for it any more."""

    finished: bool = False
    withdrawn: bool = False


class Withdrawn(Exception):
    """The caller was cancelled before COMMIT: nothing is kept. Nobody sees it."""


@dataclass(slots=True, eq=False)
class _Waiting:
    """One operation and who waits for it. ``outcome``: what it returned or raised, once that is known."""

    operation: Callable[[Desk], Any]
    progress: Progress
    answer: asyncio.Future[Any]
    outcome: tuple[Any, BaseException | None] | None = None

    @property
    def is_refused(self) -> bool:
        return self.outcome is not None and self.outcome[1] is not None

    def tell(self) -> None:
        if self.answer.done() or self.outcome is None:
            return
        result, error = self.outcome
        if error is None:
            self.answer.set_result(result)
        else:
            self.answer.set_exception(error)


class Writer:
    """Operations of any number of tasks, written in ``thread`` on the one connection that ``connect`` opens there."""

    def __init__(self, thread: Executor, connect: Callable[[], sqlite3.Connection]) -> None:
        self._thread = thread
        self._connect = connect
        self._desk: Desk | None = None
        self._waiting: deque[_Waiting] = deque()
        self._called_on: asyncio.AbstractEventLoop | None = None

    async def write(self, operation: Callable[[Desk], T], progress: Progress) -> T:
        """What ``operation`` returns, durable. It may run more than once, and then from the beginning."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(operation, progress, loop.create_future())
        self._waiting.append(waiting)
        if self._called_on is not loop:
            self._called_on = loop
            loop.call_soon(self._call)  # whoever is about to write in this turn of the loop comes along
        try:
            found: T = await waiting.answer
        except asyncio.CancelledError:
            progress.withdrawn = True
            raise
        return found

    def _call(self) -> None:
        self._called_on = None
        try:
            self._thread.submit(self._write_waiting)
        except RuntimeError as error:  # closed
            self._answer(self._taken(), error)

    def _taken(self) -> list[_Waiting]:
        return [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]

    # in the thread

    def _write_waiting(self) -> None:
        while batch := self._taken():
            error: BaseException | None = None
            try:
                self._write_together(batch)
            except BaseException as problem:  # noqa: BLE001 - whatever it was, those who wait are told
                error = problem
            self._answer(batch, error)

    def _write_together(self, batch: Sequence[_Waiting]) -> None:
        """Gives each its outcome. Raises what kept the transaction from beginning: that is nobody's own."""
        batch = [one for one in batch if not one.progress.withdrawn]
        if not batch:
            return
        desk = self._desk = self._desk or Desk(self._connect())
        desk.begin()
        try:
            for one in batch:
                _run(desk, one)
            if any(one.progress.withdrawn for one in batch):
                raise Withdrawn
            for one in batch:
                one.progress.finished = not one.is_refused
            desk.commit()
        except BaseException as problem:  # noqa: BLE001 - it becomes the error of whose it is
            desk.roll_back()
            self._write_again(batch, problem)

    def _write_again(self, batch: Sequence[_Waiting], problem: BaseException) -> None:
        """After a transaction of which nothing was kept: without those who withdrew, else each alone."""
        if len(batch) == 1:
            batch[0].outcome = None, problem
            return
        for one in batch:
            one.progress.finished, one.outcome = False, None
        if isinstance(problem, Withdrawn):
            self._write_together(batch)
            return
        for one in batch:
            try:
                self._write_together([one])
            except BaseException as its_own:  # noqa: BLE001 - told to the one whose it is
                one.outcome = None, its_own

    def _answer(self, batch: Sequence[_Waiting], error: BaseException | None) -> None:
        loops: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
        for one in batch:
            one.outcome = one.outcome or (None, error or Withdrawn())
            loops.setdefault(one.answer.get_loop(), []).append(one)
        for loop, theirs in loops.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_tell, theirs)


def _run(desk: Desk, one: _Waiting) -> None:
    """Raises only what spoils the transaction: SQLite takes a whole one back for a full disk, without being asked."""
    before = desk.written
    try:
        one.outcome = one.operation(desk), None
        desk.still_open()
    except BaseException as error:
        if isinstance(error, sqlite3.Error | OSError) or desk.written != before:
            raise
        one.outcome = None, error


def _tell(answered: Sequence[_Waiting]) -> None:
    for one in answered:
        one.tell()
