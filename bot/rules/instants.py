"""How long a stored moment still holds anybody back.

Law: time only bounds, it never locks. What began at a moment holds for its own interval from then on, and what lies in
a time to come holds nobody: the clock that wrote it ran ahead, or was set back since. Nothing else may compare a stored
moment with *now* to make somebody wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

APART = timedelta(seconds=10)
"""How far ahead a moment may lie and still be believed: two processes' clocks, a slow transaction."""

NONE = timedelta()


def left(since: datetime, now: datetime, interval: timedelta) -> timedelta:
    """What is left of an interval that began at ``since``: never more than the interval, and nothing beyond belief."""
    if since - now > min(APART, interval):
        return NONE
    return max(NONE, min(interval, since + interval - now))


# --- what deletes for good ------------------------------------------------------------------------------------------

A_DAY_LATER = timedelta(hours=20)
"""As far apart as two readings have to be for one to bear out the other: the daily tidying, a little early."""

AHEAD = timedelta(days=2)
"""How far beyond the last reading that was borne out a clock is believed."""


@dataclass(frozen=True, slots=True)
class Readings:
    """What the clock said: last time, and the last one that a reading of a later day bore out."""

    borne_out: datetime
    latest: datetime

    def next(self, now: datetime) -> Readings:
        """The readings with this one. One that lies before the latest shows that the latest ran ahead."""
        if now < self.latest:
            return Readings(min(self.borne_out, now), now)
        return Readings(self.latest, now) if now - self.latest >= A_DAY_LATER else self

    def surely(self, now: datetime) -> datetime:
        """The time that has surely come: a clock that ran weeks ahead deletes nothing weeks early."""
        return min(now, self.borne_out + AHEAD)
