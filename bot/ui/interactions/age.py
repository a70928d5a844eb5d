"""Whether an interaction came too late to be answered, though our clock and Discord's may differ.

Discord waits 3 s. The smallest age seen lately is taken for the difference of the clocks; what is much older than that
is late. Several late ones in a row mean that the clock moved, not that everything is late. An age that no clock
explains says nothing (something on the way makes ids of its own); then the answer to the acknowledgement decides.
"""

from __future__ import annotations

from collections import deque

LATE_S = 2.5
REMEMBERED = 64
CLOCK_MOVED = 3
CREDIBLE_S = 600.0
"""Beyond this an age is no clock's fault and no delay: Discord replays events for minutes at most."""


class InteractionAges:
    def __init__(self, late_s: float = LATE_S) -> None:
        self._late_s = late_s
        self._ages: deque[float] = deque(maxlen=REMEMBERED)
        self._late_in_a_row = 0

    def is_late(self, age_s: float) -> bool:
        """Takes the age by our clock (negative where ours is slow) and remembers it."""
        if abs(age_s) > CREDIBLE_S:
            return False
        least = min(self._ages, default=None)
        late = least is not None and age_s - max(least, 0.0) > self._late_s and age_s > self._late_s
        if not late:
            self._late_in_a_row = 0
            self._ages.append(age_s)
            return False
        self._late_in_a_row += 1
        if self._late_in_a_row < CLOCK_MOVED:
            return True
        self._ages.clear()
        self._ages.append(age_s)
        self._late_in_a_row = 0
        return False
