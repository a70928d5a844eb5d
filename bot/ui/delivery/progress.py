"""Edits of one message on its way to a result: the newest wins, none comes too soon, and all give way to the result."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from weakref import WeakSet

from bot.core.tasks import Tasks
from bot.ui.interactions.failures import TROUBLE, Failure, failure_of

log = logging.getLogger(__name__)

FIRST_AFTER_S = 0.8
"""A result that comes at once needs no edit before it."""

EVERY_S = 3.0
"""Discord allows about 5 calls in 2 s per interaction; a channel may hold several jobs."""

SLOWER, SLOWEST_S = 1.5, 10.0
"""Each edit of the same message waits longer for the next: most pictures are there before the fifth."""

CALLS, MINUTE_S = 28, 60.0
"""Discord takes about 30 calls a minute into a channel from all interactions there; two are left for other answers."""

MOST_PROGRESS = 10
"""Edits of progress in a channel's minute, so that whoever comes next finds room for a result."""

LOOK_S = 5.0

STUCK_S = 12.0
"""discord.py waits inside a call when it is rate limited; an edit that takes this long was."""

GIVE_WAY_S = 4.0


class ChannelPace:
    """When the next edit of progress may begin in a channel, over all that is drawn there. Results never wait.

    Law: of a minute's calls one is kept for each result that is still to come.
    """

    def __init__(self) -> None:
        self._free_at = 0.0
        self._line = asyncio.Lock()
        self._calls: deque[float] = deque()
        self._progress: deque[float] = deque()
        self._owed: WeakSet[object] = WeakSet()

    def owe(self, result: object) -> None:
        """A result is to come; it is forgotten where nobody holds it any more."""
        self._owed.add(result)

    def pay(self, result: object, now: float) -> None:
        """It takes its call now."""
        self._owed.discard(result)
        self._calls.append(now)

    def take(self, now: float, every_s: float) -> None:
        """An edit of progress takes its call now; the next comes no sooner than ``every_s`` later."""
        self._calls.append(now)
        self._progress.append(now)
        self._free_at = now + every_s

    def wait_s(self, now: float) -> float:
        """How long an edit of progress has to wait, as it looks now."""
        room = CALLS - len(self._owed)
        return max(
            0.0, self._free_at - now, _full_s(self._calls, room, now), _full_s(self._progress, MOST_PROGRESS, now)
        )

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits in line, where only the first looks at the clock; what the block begins it takes before it ends."""
        loop = asyncio.get_running_loop()
        async with self._line:
            while True:
                wait_s = self.wait_s(loop.time())
                if not wait_s:
                    break
                await asyncio.sleep(min(wait_s, LOOK_S))
            yield


def _full_s(calls: deque[float], room: int, now: float) -> float:
    """How long until fewer calls than ``room`` lie within the last minute."""
    while calls and calls[0] <= now - MINUTE_S:
        calls.popleft()
    if len(calls) < room:
        return 0.0
    return calls[-room] + MINUTE_S - now if room > 0 else MINUTE_S


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
        self._every_s = self._gap_s = every_s
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
        self._pace.owe(self)
        if self._pump is None or self._pump.done():
            self._pump = self._tasks.start(self._run(), "progress edits")

    async def close(self) -> None:
        """No edit begins from here on; one on its way is waited for shortly, so that it cannot overtake the result."""
        self._closed = True
        self._next = None
        self._pace.pay(self, asyncio.get_running_loop().time())
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
            self._free_at = loop.time() + self._gap_s
            self._gap_s = min(self._gap_s * SLOWER, max(self._every_s, SLOWEST_S))

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
