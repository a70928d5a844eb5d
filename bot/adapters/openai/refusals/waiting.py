"""How long a service asks to wait: in a header, in the details of its error, or in the words of its message."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_LONGEST_WAIT_S = 31 * 86_400.0
_UNIT_S: Mapping[str, float] = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_AMOUNT = r"\d+(?:\.\d+)?"
_UNIT = r"(?:ms|milli(?:s|seconds?)?|s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?|d(?:ays?)?)(?![a-z])"
_PARTS = re.compile(rf"({_AMOUNT})\s*({_UNIT})", re.IGNORECASE)
_ASKED = r"(?:try again|retry|resets?|wait|available(?: again)?)"
_IN_TEXT = re.compile(
    rf"{_ASKED}\s+(?:(?:in|after|for|at least|about)\s+)*~?((?:{_AMOUNT}\s*{_UNIT}[\s,]*(?:and\s+)?){{1,4}})",
    re.IGNORECASE,
)
_MOMENT_IN_TEXT = re.compile(
    rf"{_ASKED}\s+(?:(?:at|after|until|on)\s+)+"
    r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?\s?(?:Z|UTC|[+-]\d\d:?\d\d)?)",
    re.IGNORECASE,
)


def retry_after(headers: Mapping[str, str], delay: str, message: str, now: datetime) -> float | None:
    """Seconds to wait, from ``retry-after-ms``, ``retry-after`` (seconds, a date, a duration), ``delay`` or words."""
    after = headers.get("retry-after") or ""
    for seconds in (
        _number(headers.get("retry-after-ms"), 0.001),
        _number(after, 1.0),
        _date(after, headers.get("date"), now),
        _duration(after),
        _duration(delay),
        spoken(message, now),
    ):
        if seconds is not None and math.isfinite(seconds) and 0 <= seconds <= _LONGEST_WAIT_S:
            return round(seconds, 3)
    return None


def spoken(message: str, now: datetime) -> float | None:
    """The seconds that a sentence asks to wait: "try again in 12s", "will reset after 2h23m59s"."""
    if found := _IN_TEXT.search(message):
        return _duration(found[1])
    if found := _MOMENT_IN_TEXT.search(message):
        return _date(found[1], None, now)
    return None


def _number(value: str | None, unit_s: float) -> float | None:
    try:
        return float(value) * unit_s if value else None
    except ValueError:
        return None


def _duration(value: str) -> float | None:
    parts = _PARTS.findall(value)
    return sum(float(amount) * _unit_s(unit.lower()) for amount, unit in parts) if parts else None


def _unit_s(unit: str) -> float:
    return _UNIT_S["ms" if unit.startswith(("ms", "milli")) else unit[0]]


def _date(value: str, sent: str | None, now: datetime) -> float | None:
    until = _moment(value)
    if until is None:
        return None
    return max(0.0, (until - (_moment(sent or "") or now)).total_seconds())


def _moment(value: str) -> datetime | None:
    """A date of HTTP or of ISO 8601; without a zone it is UTC."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(value.strip().replace(" UTC", "+00:00") if read is not parsedate_to_datetime else value)
        except (ValueError, OverflowError, TypeError):
            continue
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return None
