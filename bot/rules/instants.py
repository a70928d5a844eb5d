"""How long a stored moment still holds anybody back.

Law: time only bounds, it never locks. What began at a moment holds for its own interval from then on, and what lies in
a time to come holds nobody: the clock that wrote it ran ahead, or was set back since. Nothing else may compare a stored
moment with *now* to make somebody wait.
"""

from __future__ import annotations

from datetime import datetime, timedelta

APART = timedelta(seconds=10)
"""How far ahead a moment may lie and still be believed: two processes' clocks, a slow transaction."""

NONE = timedelta()


def left(since: datetime, now: datetime, interval: timedelta) -> timedelta:
    """What is left of an interval that began at ``since``: never more than the interval, and nothing beyond belief."""
    if since - now > min(APART, interval):
        return NONE
    return max(NONE, min(interval, since + interval - now))
