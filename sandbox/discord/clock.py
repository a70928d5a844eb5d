"""The sandbox's time: the real one, or one that a test moves by hand so that 15 minutes pass at once; and waiting."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Cancel = Callable[[], None]


class RealClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """The present, as aware UTC."""
        return datetime.now(UTC)

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Cancel:
        """Calls back once after ``delay_s``; the answer cancels it."""
        return asyncio.get_running_loop().call_later(delay_s, callback).cancel


class HandClock(RealClock):
    """Real time plus what ``advance`` added. Callbacks come only by ``advance``, in order, never by waiting."""

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._pending: dict[int, tuple[datetime, Callable[[], None]]] = {}
        self._numbers = itertools.count()

    def now(self) -> datetime:
        """The present as the test moved it."""
        return datetime.now(UTC) + self._ahead

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Cancel:
        """Keeps the callback until ``advance`` passes its time."""
        number = next(self._numbers)
        self._pending[number] = (self.now() + timedelta(seconds=delay_s), callback)
        return lambda: void(self._pending.pop(number, None))

    def advance(self, seconds: float) -> None:
        """Moves time on and runs what became due, earliest first."""
        self._ahead += timedelta(seconds=seconds)
        now = self.now()
        due = sorted((at, number) for number, (at, _) in self._pending.items() if at <= now)
        for _, number in due:
            entry = self._pending.pop(number, None)
            if entry is not None:
                entry[1]()


def void(_: object) -> None:
    """Takes a value and does nothing with it."""


class Signal:
    """Wakes everyone who waits for a condition whenever something may have changed it."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def fire(self) -> None:
        """Says that something changed."""
        waiting, self._waiting = self._waiting, set()
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def until(self, condition: Callable[[], bool], timeout_s: float, what: str) -> None:
        """Returns when ``condition`` holds; raises ``TimeoutError`` naming ``what`` after ``timeout_s``."""
        try:
            async with asyncio.timeout(timeout_s):
                while not condition():
                    future = asyncio.get_running_loop().create_future()
                    self._waiting.add(future)
                    try:
                        await future
                    finally:
                        self._waiting.discard(future)
        except TimeoutError:
            raise TimeoutError(f"{what} did not happen within {timeout_s:g} s") from None
