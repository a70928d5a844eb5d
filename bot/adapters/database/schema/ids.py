"""Ids that sort by time and are never guessed: 20 characters of Crockford's base 32, ten of time, ten of chance."""

from __future__ import annotations

import secrets
from datetime import datetime

from bot.adapters.database.schema.tables import to_micros

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 20
_CHANCE_BITS = 50
_GAP_BITS = 30


class Ids:
    """Makes ids in rising order: a later millisecond sorts later, and so do later ids of one millisecond and maker."""

    def __init__(self) -> None:
        self._last = 0

    def make(self, now: datetime, how_many: int = 1) -> list[str]:
        return [self._next(max(0, to_micros(now) // 1000)) for _ in range(how_many)]

    def _next(self, millisecond: int) -> str:
        if self._last >> _CHANCE_BITS == millisecond:
            self._last += 1 + secrets.randbits(_GAP_BITS)
        else:
            # the upper half of chance stays free at first, so that counting on does not spill into time
            self._last = millisecond << _CHANCE_BITS | secrets.randbits(_CHANCE_BITS - 1)
        return _encoded(self._last)


def _encoded(number: int) -> str:
    letters = []
    for _ in range(LENGTH):
        number, digit = divmod(number, 32)
        letters.append(ALPHABET[digit])
    return "".join(reversed(letters))
