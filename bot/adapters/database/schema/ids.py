"""Ids that sort by time and are never guessed, as ``rules/job_ids.py`` writes them."""

from __future__ import annotations

import secrets
from datetime import datetime

from bot.adapters.database.schema.tables import to_micros
from bot.rules.job_ids import ALPHABET, CHANCE_BITS, LENGTH

_GAP_BITS = 30


class Ids:
    """Makes ids in rising order: a later millisecond sorts later, and so do later ids of one millisecond and maker."""

    def __init__(self) -> None:
        self._last = 0

    def make(self, now: datetime, how_many: int = 1) -> list[str]:
        return [self._next(max(0, to_micros(now) // 1000)) for _ in range(how_many)]

    def _next(self, millisecond: int) -> str:
        if self._last >> CHANCE_BITS == millisecond:
            self._last += 1 + secrets.randbits(_GAP_BITS)
        else:
            # the upper half of chance stays free at first, so that counting on does not spill into time
            self._last = millisecond << CHANCE_BITS | secrets.randbits(CHANCE_BITS - 1)
        return _encoded(self._last)


def _encoded(number: int) -> str:
    letters = []
    for _ in range(LENGTH):
        number, digit = divmod(number, 32)
        letters.append(ALPHABET[digit])
    return "".join(reversed(letters))
