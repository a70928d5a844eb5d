"""What keeps a post to a channel from being shown twice: a mark that it began, written before it is sent.

Law: a marked post is sent again only while Discord still compares nonces; afterwards nobody knows whether it arrived.
"""

from __future__ import annotations

from datetime import timedelta

from bot.ports import CannotDeliver, Clock, NoteStore
from bot.rules.instants import left

NONCE_LIFE = timedelta(minutes=2)
"""Discord compares nonces over "the past few minutes"; this is surely less."""


class PostMarks:
    """Marks by what is posted: a job's id, or a batch's with its first line."""

    def __init__(self, notes: NoteStore, clock: Clock) -> None:
        self._notes = notes
        self._clock = clock

    async def has_begun(self, what: str) -> bool:
        return await self._notes.posting(what) is not None

    async def begin(self, what: str) -> None:
        """Marks it. Raises ``CannotDeliver`` where an earlier post of it can no longer be repeated safely."""
        began = await self._notes.posting(what)
        now = self._clock()
        if began is None:
            await self._notes.set_posting(what, now)
        elif not left(began, now, NONCE_LIFE):
            raise CannotDeliver("it may have been posted before")

    async def forget(self, what: str) -> None:
        """The ledger knows by now how it ended: the mark has done its work."""
        await self._notes.set_posting(what, None)
