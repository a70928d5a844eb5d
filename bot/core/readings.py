"""The time by which things are deleted for good: the clock's, as far as its reading of an earlier day bears it out."""

from __future__ import annotations

from datetime import datetime

from bot.ports import Clock, NoteStore
from bot.rules.instants import Readings


async def surely_now(notes: NoteStore, clock: Clock) -> datetime:
    """Reads the clock, notes it, and gives the time that has surely come. Who starts rarely is a start behind."""
    now = clock()
    before = await notes.readings() or Readings(now, now)
    after = before.next(now)
    if after != before or after.latest == now:
        await notes.set_readings(after)
    return after.surely(now)
