"""How many pictures may be on their way in at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol


class Place(Protocol):
    """A place for one picture in memory, from its first byte until it is kept."""

    async def take(self, *, holds: bool = False) -> None:
        """Waits for its turn, once. Who ``holds`` a picture already goes before who has none."""
        ...


class Gate(Protocol):
    """Bounds how many pictures are read, checked and kept at once; what waits, waits in the network.

    Law: nobody waits for a place while they have one.
    """

    def place(self) -> AbstractAsyncContextManager[Place]:
        """One that is not taken yet; given back at the end of the block."""
        ...


class OpenGate:
    """Everybody goes in."""

    @asynccontextmanager
    async def place(self) -> AsyncIterator[Place]:
        yield self

    async def take(self, *, holds: bool = False) -> None: ...
