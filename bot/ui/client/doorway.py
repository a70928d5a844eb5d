"""A burst of commands: so many are worked on at once, some wait a moment for a place, the rest are refused in words.

All of them at once would share the three seconds in step, until none is answered in time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.rules.errors import Crowded

AT_ONCE = 64
WAITING = 300
"""A command that is answered at once takes a few hundredths of a second: so many find a place in time."""

WAIT_S = 1.8


class Doorway:
    """Who is refused here has cost nothing but the refusal."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING, wait_s: float = WAIT_S) -> None:
        self._places = asyncio.Semaphore(at_once)
        self._most_waiting = waiting
        self._waiting = 0
        self._wait_s = wait_s

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

    async def _wait(self) -> None:
        if self._waiting >= self._most_waiting:
            raise Crowded
        self._waiting += 1
        try:
            async with asyncio.timeout(self._wait_s):
                await self._places.acquire()
        except TimeoutError:
            raise Crowded from None
        finally:
            self._waiting -= 1
