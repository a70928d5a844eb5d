"""A map that forgets: each value is held for a while, and only so many of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class TtlMap(Generic[Key, Value]):
    """Holds a value for ``ttl_s`` seconds, and at most ``most`` values: the oldest goes first.

    Time is the caller's: any clock that only goes forward, in seconds.
    """

    def __init__(self, ttl_s: float, most: int) -> None:
        self._ttl_s = ttl_s
        self._most = most
        self._held: OrderedDict[Key, tuple[float, Value]] = OrderedDict()

    def get(self, key: Key, now: float) -> Value | None:
        held = self._held.get(key)
        return held[1] if held is not None and now < held[0] else None

    def put(self, key: Key, value: Value, now: float) -> None:
        self._held[key] = (now + self._ttl_s, value)
        self._held.move_to_end(key)
        while len(self._held) > self._most:
            self._held.popitem(last=False)

    def forget(self, key: Key) -> None:
        self._held.pop(key, None)
