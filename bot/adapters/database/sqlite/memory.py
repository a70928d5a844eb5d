"""What was read from an SQLite ledger and is read again by every job: kept as long as it cannot have changed.

Law: the file has one Easel (``sqlite_file.py``), and whatever it writes passes here. Every write that is not at the
desk makes all of this old, once it is kept and before its caller hears of it; the desk never changes what is remembered
(or says so). What somebody changes by hand with a tool of their own is seen after the next heartbeat; the desk, where
limits are decided, sees it at once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar, cast

T = TypeVar("T")

MOST = 5000
"""Answers; then all is read again."""


class Memory:
    """Answers by key, each with the number of writes it was read after."""

    def __init__(self) -> None:
        self._writes = 0
        self._known: dict[Hashable, tuple[int, Any]] = {}

    def written(self) -> None:
        """Something was written, or may have been. From any thread."""
        self._writes += 1

    async def remembered(self, key: Hashable, find: Callable[[], Awaitable[T]]) -> T:
        """What ``find`` found last. What a write overtook while it was looked for is not kept."""
        writes = self._writes
        known = self._known.get(key)
        if known is not None and known[0] == writes:
            return cast("T", known[1])
        found = await find()
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[key] = writes, found
        return found
