"""Edits of one message on its way to a result: the newest wins, none comes too soon, and all give way to the result."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from bot.core.tasks import Tasks
from bot.ui.interactions.failures import TROUBLE, Failure, failure_of

log = logging.getLogger(__name__)

FIRST_AFTER_S = 0.8
"""A result that comes at once needs no edit before it."""

EVERY_S = 3.0
"""Discord allows about 5 calls in 2 s per interaction and 30 a minute per channel; a channel may hold several jobs."""

RESULT_S = 2.0
"""Every call into a channel takes as much of its minute; a result takes its part from the progress of others."""

MOST_S = 60.0

STUCK_S = 12.0
"""discord.py waits inside a call when it is rate limited; an edit that takes this long was."""

GIVE_WAY_S = 4.0


class ChannelPace:
    """When the next edit of progress may begin in a channel, over all that is drawn there. Results never wait."""

    def __init__(self) -> None:
        self._free_at = 0.0
        self._line = asyncio.Lock()

    def wait_s(self, now: float) -> float:
        return max(0.0, self._free_at - now)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits in line, where only the first looks at the clock; what the block begins it takes before it ends."""
        loop = asyncio.get_running_loop()
        async with self._line:
            while True:
                wait_s = self.wait_s(loop.time())
                if not wait_s:
                    break
                await asyncio.sleep(wait_s)
            yield

    def take(self, now: float, seconds: float) -> None:
        self._free_at = min(max(self._free_at, now) + seconds, now + MOST_S)


class ProgressEdits:
    """Offers never block and never raise. After one failed edit there are no more: the result needs what is left."""

    def __init__(
        self,
        tasks: Tasks,
        pace: ChannelPace | None = None,
        *,
        first_after_s: float = FIRST_AFTER_S,
        every_s: float = EVERY_S,
    ) -> None:
        self._tasks = tasks
        self._pace = pace or ChannelPace()
        self._first_after_s = first_after_s
        self._every_s = every_s
        self._next: Callable[[], Awaitable[object]] | None = None
        self._pump: asyncio.Task[None] | None = None
        self._editing = False
        self._closed = False
        self._free_at: float | None = None

    def offer(self, edit: Callable[[], Awaitable[object]]) -> None:
        """This edit instead of any that still waits."""
        if self._closed:
            return
        self._next = edit
        if self._pump is None or self._pump.done():
            self._pump = self._tasks.start(self._run(), "progress edits")

    async def close(self) -> None:
        """No edit begins from here on; one on its way is waited for shortly, so that it cannot overtake the result."""
        self._closed = True
        self._next = None
        self._pace.take(asyncio.get_running_loop().time(), RESULT_S)
        if self._pump is None or self._pump.done():
            return
        if self._editing:
            await asyncio.wait({self._pump}, timeout=GIVE_WAY_S)
        self._pump.cancel()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._next is not None and not self._closed:
            free_at = self._free_at if self._free_at is not None else loop.time() + self._first_after_s
            await asyncio.sleep(max(0.0, free_at - loop.time()))
            async with self._pace.turn():
                edit = self._take()
                if edit is None:
                    return
                self._pace.take(loop.time(), self._every_s)
            await self._try(edit)
            self._free_at = loop.time() + self._every_s

    def _take(self) -> Callable[[], Awaitable[object]] | None:
        edit, self._next = self._next, None
        return None if self._closed else edit

    async def _try(self, edit: Callable[[], Awaitable[object]]) -> None:
        self._editing = True
        try:
            async with asyncio.timeout(STUCK_S):
                await edit()
        except TROUBLE as error:
            failure = failure_of(error)
            log.info("no more progress edits: %s", failure.name)
            self._closed = failure is not Failure.TOO_LARGE
        finally:
            self._editing = False
