"""Reminders that are due go out: each once, whichever process looks first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from bot.ports import Clock, OfferStore, Reminder

AT_ONCE = 20
TOO_LATE = timedelta(hours=12)
"""A reminder older than this says nothing any more: Easel did not run."""


class Reminders:
    """``tell`` sends one and never raises: somebody may have closed their direct messages. It is not tried again."""

    def __init__(self, offers: OfferStore, tell: Callable[[Reminder], Awaitable[None]], clock: Clock) -> None:
        self._offers = offers
        self._tell = tell
        self._clock = clock

    async def send_due(self) -> None:
        now = self._clock()
        for reminder in await self._offers.take_due(now, AT_ONCE):
            if now - reminder.due_at <= TOO_LATE:
                await self._tell(reminder)
