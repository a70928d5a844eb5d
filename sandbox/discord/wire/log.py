"""A log of everything that went over the wire, kept short, shown without secrets."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sandbox.discord.model import Json

Lane = Literal["rest", "gateway in", "gateway out", "attachment"]

KEPT = 2000
HIDDEN = "…hidden…"
SECRET_KEYS = frozenset({"token", "authorization", "Authorization"})
_IN_PATH = re.compile(r"(/(?:webhooks|interactions)/\d+/)([^/?@]+)")
_SIGNED = re.compile(r"(hm=)[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class WireEntry:
    """One request with its answer, or one gateway frame. ``request`` and ``answer`` may hold secrets: use ``shown``.

    ``files`` are ``(name, bytes)`` of a multipart request. ``status`` 0: the connection was dropped.
    """

    number: int
    at: datetime
    lane: Lane
    title: str = field(repr=False)
    status: int | None = None
    request: Any = field(default=None, repr=False)
    answer: Any = field(default=None, repr=False)
    files: tuple[tuple[str, int], ...] = ()
    took_s: float = 0.0
    interaction_id: int | None = None

    def shown(self) -> Json:
        """The entry as JSON for people: no token anywhere."""
        return {
            "number": self.number,
            "at": self.at.isoformat(),
            "lane": self.lane,
            "title": redact(self.title),
            "status": self.status,
            "request": redact(self.request),
            "answer": redact(self.answer),
            "files": [{"name": name, "bytes": size} for name, size in self.files],
            "took_ms": round(self.took_s * 1000, 1),
            "interaction_id": None if self.interaction_id is None else str(self.interaction_id),
        }


def redact(value: Any) -> Any:
    """The same without tokens: in paths, in links, and under the keys that hold them."""
    if isinstance(value, str):
        return _SIGNED.sub(rf"\1{HIDDEN}", _IN_PATH.sub(rf"\1{HIDDEN}", value))
    if isinstance(value, dict):
        return {key: HIDDEN if key in SECRET_KEYS else redact(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [redact(inner) for inner in value]
    return value


class WireLog:
    """The newest ``KEPT`` entries, oldest first."""

    def __init__(self, told: Callable[[], None], now: Callable[[], datetime]) -> None:
        self._told, self._now = told, now
        self._number = 0
        self.entries: deque[WireEntry] = deque(maxlen=KEPT)

    def add(self, lane: Lane, title: str, **more: Any) -> WireEntry:
        """Appends an entry; ``more`` are its fields."""
        self._number += 1
        entry = WireEntry(self._number, self._now(), lane, title, **more)
        self.entries.append(entry)
        self._told()
        return entry

    def since(self, number: int = 0) -> list[WireEntry]:
        """Entries after this number."""
        return [e for e in self.entries if e.number > number]

    def requests(self, method: str, part: str = "") -> list[WireEntry]:
        """REST entries of a method whose path contains ``part``; for tests."""
        return [e for e in self.entries if e.lane == "rest" and e.title.startswith(f"{method} ") and part in e.title]

    def of(self, interaction_ids: Iterable[int]) -> list[WireEntry]:
        """Entries that belong to these interactions."""
        wanted = set(interaction_ids)
        return [e for e in self.entries if e.interaction_id in wanted]
