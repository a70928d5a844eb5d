"""How the id of a job is written: 20 characters of Crockford's base 32, ten of time, ten of chance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 20
CHANCE_BITS = 50

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_MS = 1 << 45
"""Some thousand years: what is later is no time."""


def made_at(job_id: str) -> datetime | None:
    """The moment in which an id was made, to the millisecond; None for what is no id of a job."""
    if len(job_id) != LENGTH or not set(job_id) <= set(ALPHABET):
        return None
    number = 0
    for letter in job_id:
        number = number * 32 + ALPHABET.index(letter)
    milliseconds = number >> CHANCE_BITS
    return _EPOCH + timedelta(milliseconds=milliseconds) if milliseconds < _LATEST_MS else None
