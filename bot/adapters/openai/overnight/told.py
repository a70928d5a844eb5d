"""What a server tells of files and batches, checked field by field, and a search through its list of batches.

Law: what is not there, or is of another kind, is a fault or unknown, never a guess. A list that cannot be seen to be
whole is no proof that something is not in it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from bot.adapters.openai.refusals.meanings import CODES
from bot.ports import Night
from bot.rules.faults import Billed, Fault, FaultKind, ServiceFault
from bot.rules.overnight import Counts, NightState

log = logging.getLogger(__name__)

MARK = "easel"
"""The key of the mark among a batch's metadata."""

_LONGEST_ID = 2000
"""LiteLLM's proxy puts the model, the deployment and the service's own id into its ids: 348 characters and more."""

_SLACK = timedelta(hours=1)
"""How far the service's clock may be behind ours."""

_STATES: Mapping[str, NightState] = {
    "validating": NightState.WORKING,
    "in_progress": NightState.WORKING,
    "finalizing": NightState.WORKING,
    "cancelling": NightState.CANCELLING,
    "canceling": NightState.CANCELLING,
    "completed": NightState.COMPLETED,
    "expired": NightState.EXPIRED,
    "cancelled": NightState.CANCELLED,
    "canceled": NightState.CANCELLED,
    "failed": NightState.FAILED,
}
_MOMENTS: Mapping[str, NightState] = {
    "failed_at": NightState.FAILED,
    "expired_at": NightState.EXPIRED,
    "cancelled_at": NightState.CANCELLED,
    "completed_at": NightState.COMPLETED,
}


def broken(what: str) -> ServiceFault:
    return ServiceFault(Fault(FaultKind.BROKEN_ANSWER, Billed.MAYBE, detail=what))


def text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ID or not value.isprintable() or "/" in value:
        raise broken(f"an object without {name}")
    return value


def rows_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = body.get("data")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise broken("a list without data")
    return rows


def night_of(row: Mapping[str, Any]) -> Night:
    counts = row.get("request_counts")
    told = counts if isinstance(counts, dict) else {}
    codes = _codes(row.get("errors"))
    return Night(
        id=text(row, "id"),
        state=_state(row),
        input=_file(row, "input_file_id"),
        output=_file(row, "output_file_id"),
        error=_file(row, "error_file_id"),
        counts=Counts(_count(told, "total"), _count(told, "completed"), _count(told, "failed")),
        ends_by=_moment(row.get("expires_at")),
        why=", ".join(codes)[:200],
        refused=next((CODES[code] for code in codes if code in CODES), FaultKind.BAD_REQUEST),
    )


def _state(row: Mapping[str, Any]) -> NightState:
    """Its state by its word; where nobody knows that, by what has happened to it, and else it is being worked on."""
    word = str(row.get("status"))[:40].lower()
    if word in _STATES:
        return _STATES[word]
    _tell_once(word)
    over = (state for name, state in _MOMENTS.items() if _moment(row.get(name)) is not None)
    return next(over, NightState.WORKING)


@lru_cache(maxsize=100)
def _tell_once(word: str) -> None:
    log.warning("the image service says of a batch that it is %r, which nobody here knows", word)


def _moment(value: object) -> datetime | None:
    """Seconds since 1970, or as ISO 8601 has it, where it names its zone."""
    if isinstance(value, str):
        try:
            at = datetime.fromisoformat(value[:40])
        except ValueError:
            return None
        return None if at.tzinfo is None else at
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 10**11
    return datetime.fromtimestamp(value, UTC) if is_number and isinstance(value, int | float) else None


def _file(row: Mapping[str, Any], name: str) -> str | None:
    return text(row, name) if row.get(name) else None


def _count(told: Mapping[str, Any], name: str) -> int:
    value = told.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**6 else 0


def _codes(errors: object) -> list[str]:
    """The codes of what was wrong with the input."""
    rows = errors.get("data") if isinstance(errors, dict) else None
    codes = [row.get("code") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return list(dict.fromkeys(code[:60] for code in codes if isinstance(code, str) and code.isprintable()))


class Search:
    """Every batch with that mark, or, where it has none, made of that file, of those begun since then; page by page.

    ``after`` is what the next page comes after. It is ``over`` where the service says that this was all, or where what
    follows is older; newest first is nowhere promised, so that is believed only where it was so until now.
    """

    def __init__(self, mark: str, file_id: str, since: datetime) -> None:
        self._mark, self._file_id, self._since = mark, file_id, since - _SLACK
        self._found: list[tuple[datetime, Night]] = []
        self._seen: set[str] = set()
        self._moments: list[datetime | None] = []
        self._obscure = False
        self.after: str | None = None
        self.over = False

    def take(self, page: Mapping[str, Any]) -> None:
        """Raises ``ServiceFault`` where pages come again and it was on none: nobody can tell what was not shown."""
        rows = rows_of(page)
        fresh = [row for row in rows if str(row.get("id")) not in self._seen]
        self._seen.update(str(row.get("id")) for row in fresh)
        for row in fresh:
            self._look_at(row)
        more = page.get("has_more")
        goes_round = not fresh
        if more is False or (more is None and not rows) or self._rest_is_older() or (goes_round and self._found):
            self.over = True
        elif goes_round:
            raise broken("a list of batches that does not go on")
        else:
            self.after = text(rows[-1], "id")

    def found(self) -> Sequence[Night]:
        """The oldest first. Raises ``ServiceFault`` where it is none, and one of them might have been it."""
        if self._obscure and not self._found:
            raise broken("batches that tell neither their metadata nor their file")
        return [night for _, night in sorted(self._found, key=lambda one: one[0])]

    def _look_at(self, row: Mapping[str, Any]) -> None:
        at = _moment(row.get("created_at"))
        self._moments.append(at)
        metadata = row.get("metadata")
        told = metadata.get(MARK) if isinstance(metadata, dict) else None
        is_ours = told == self._mark or (told is None and row.get("input_file_id") == self._file_id)
        if is_ours:
            self._found.insert(0, (at or self._since, night_of(row)))
        elif (at is None or at >= self._since) and not isinstance(metadata, dict):
            self._obscure |= not isinstance(row.get("input_file_id"), str)

    def _rest_is_older(self) -> bool:
        moments = [at for at in self._moments if at is not None]
        falls = moments == sorted(moments, reverse=True) and moments[:1] != moments[-1:]
        return falls and len(moments) == len(self._moments) and moments[-1] < self._since
