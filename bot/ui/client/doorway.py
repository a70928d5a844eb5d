"""A burst of commands: so many are worked on at once, some wait a moment for a place, the rest are refused in words.

All of them at once would share the three seconds in step, until none is answered in time.

Law: who will find no place in time is refused at once. A refusal has to be said within those three seconds, too, and a
line that is refused together at its end is a burst of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.rules.errors import Crowded

AT_ONCE = 64
WAITING = 300

WAIT_S = 1.2
"""What is left of the three seconds is for the command itself, and for the way there and back."""


@dataclass(slots=True)
class Pace:
    """How fast places get free, seen while somebody waits for one; kept for the next burst."""

    place_s: float = 0.02
    """Before anything was seen: what a command costs on a small machine."""
    began: float | None = None
    freed: int = 0

    def waits(self, now: float) -> None:
        if self.began is None:
            self.began, self.freed = now, 0

    def frees(self, now: float) -> None:
        if self.began is None:
            return
        self.freed += 1
        if self.freed >= LOOKS:
            self.place_s = (now - self.began) / self.freed

    def ends(self) -> None:
        self.began = None


LOOKS = 16
"""Places get free in bunches: fewer say nothing."""


class Doorway:
    """Who is refused here has cost nothing but the refusal. ``clock`` is the loop's, in seconds."""

    def __init__(
        self,
        at_once: int = AT_ONCE,
        waiting: int = WAITING,
        wait_s: float = WAIT_S,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._places = asyncio.Semaphore(at_once)
        self._most_waiting = waiting
        self._waiting = 0
        self._wait_s = wait_s
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._pace = Pace()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """One of the places, for as long as the block runs. Raises ``Crowded`` where none gets free in time."""
        if self._places.locked():
            await self._wait()
        else:
            await self._places.acquire()
        try:
            yield
        finally:
            self._places.release()
            self._pace.frees(self._clock())

    async def _wait(self) -> None:
        if self._waiting >= min(self._most_waiting, max(1, int(self._wait_s / self._pace.place_s))):
            raise Crowded
        self._waiting += 1
        self._pace.waits(self._clock())
        try:
            async with asyncio.timeout(self._wait_s):
                await self._places.acquire()
        except TimeoutError:
            raise Crowded from None
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._pace.ends()
