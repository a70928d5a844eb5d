"""How much of what people attached is in memory at once: from before it is fetched until it is made ready.

Law: one server's uploads never take more than half, so that another's find room; whoever waits is let in in order, but
for those who wait for their own server. A command that is larger than that half has it to itself.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

ROOM_BYTES = 256 * 1024**2


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    lane: str
    size: int
    turn: asyncio.Future[None]


class Room:
    """The room of a process. ``lane`` is a server's key."""

    def __init__(self, size: int = ROOM_BYTES) -> None:
        self._size = size
        self._share = size // 2
        self._held: Counter[str] = Counter()
        self._waiting: list[_Waiting] = []

    @asynccontextmanager
    async def hold(self, lane: str, size: int) -> AsyncIterator[None]:
        """Waits until so many bytes have room, and counts them until the block ends."""
        asked = _Waiting(lane, min(size, self._share), asyncio.get_running_loop().create_future())
        self._waiting.append(asked)
        self._let_in()
        try:
            await asked.turn
            yield
        finally:
            if asked in self._waiting:
                self._waiting.remove(asked)
            else:
                self._held -= Counter({lane: asked.size})  # keeps no lane that holds nothing
            self._let_in()

    def _let_in(self) -> None:
        for asked in list(self._waiting):
            if self._held[asked.lane] + asked.size > self._share:
                continue
            if self._held.total() + asked.size > self._size:
                return
            self._waiting.remove(asked)
            self._held[asked.lane] += asked.size
            if not asked.turn.done():
                asked.turn.set_result(None)
