"""What a forgotten person used in running windows stays under a keyed hash, and they may be forgotten once a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.ports import Clock, Store

FORGET_AGAIN_AFTER = timedelta(days=1)
"""Counters go with a person's data, so that forgetting twice a day would be a way around every limit."""


class Forgettings:
    """Who deleted their data lately, known by a keyed hash alone (``member_tag``) and for about a day."""

    def __init__(self, store: Store, clock: Clock, member_tag: Callable[[int], str]) -> None:
        self._store = store
        self._clock = clock
        self._member_tag = member_tag

    async def next_at(self, user_id: int) -> datetime | None:
        """When the person may delete again; None: now."""
        deleted = await self._store.notes.deleted(self._member_tag(user_id))
        again = deleted and deleted + FORGET_AGAIN_AFTER
        return again if again is not None and again > self._clock() else None

    async def note(self, user_id: int) -> None:
        """The person's data was just deleted."""
        await self._store.notes.set_deleted(self._member_tag(user_id), self._clock())

    async def tidy(self) -> None:
        """Forgets those whose day is over."""
        for tag, deleted in (await self._store.notes.deletions()).items():
            if deleted + FORGET_AGAIN_AFTER <= self._clock():
                await self._store.notes.set_deleted(tag, None)
