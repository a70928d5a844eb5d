"""A gate of two for pictures that arrive: one is read or checked while another is being kept.

Law: sixty pictures that come in one moment take the memory of a few; what waits lies with the network, unread. Who
holds a picture goes before who would read the next. A place counts for ``PATIENCE_S`` and no longer: a sender that
trickles, or a disk that hangs, keeps nobody else waiting. An upload to Discord has no place.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

PLACES = 2
PATIENCE_S = 0.5
"""A picture of 2 MB takes 20 ms from its first byte to the disk; one of 4K that must be decoded, 300."""


class Arrivals:
    """The gate of a process."""

    def __init__(self, places: int = PLACES, patience_s: float = PATIENCE_S) -> None:
        self._free = places
        self._patience_s = patience_s
        self._holding: deque[asyncio.Future[None]] = deque()
        self._reading: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[_Place]:
        place = _Place(self, self._patience_s)
        try:
            yield place
        finally:
            place.leave()

    async def enter(self, *, holds: bool) -> None:
        """Counts one in as soon as there is room."""
        if self._free > 0:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        (self._holding if holds else self._reading).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        """Counts one out; its room goes to the next in line."""
        for line in (self._holding, self._reading):
            while line:
                turn = line.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._free += 1


class _Place:
    """See ``ports.Place``."""

    def __init__(self, arrivals: Arrivals, patience_s: float) -> None:
        self._arrivals = arrivals
        self._patience_s = patience_s
        self._taken = False
        self._patience: asyncio.TimerHandle | None = None

    async def take(self, *, holds: bool = False) -> None:
        if not self._taken:
            await self._arrivals.enter(holds=holds)
            self._taken = True
            self._patience = asyncio.get_running_loop().call_later(self._patience_s, self.leave)

    def leave(self) -> None:
        """Gives it back, once: it is not taken a second time."""
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
            self._arrivals.leave()
