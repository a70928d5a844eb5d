"""A circuit per service and key, and per model where a gateway may have a key for each.

It is opened by faults that every further job would meet, and closed by the first success. While open, one job a probe
interval is sent; the rest are refused before anything is reserved, or released if they waited in line already.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.core.service.lanes import service_of
from bot.rules.catalogue.model import DEFAULT_SERVICE
from bot.rules.faults import FaultKind
from bot.rules.instants import left

OPENING = frozenset({FaultKind.OUT_OF_FUNDS, FaultKind.BAD_KEY})
PROVES_THE_KEY = frozenset({FaultKind.MODERATION})
"""Faults that a service gives only to a key it takes and whose funds suffice: they close the circuit like a success."""

MODEL = " for "

FIRST_PROBE = timedelta(seconds=60)
LAST_PROBE = timedelta(minutes=15)


@dataclass(slots=True)
class _Open:
    kind: FaultKind
    since: datetime
    interval: timedelta


@dataclass(slots=True)
class Circuit:
    """Keys are pacing lanes. ``by_model`` are the services that only speak OpenAI's API, where behind one key may stand
    another for each model: what one of them meets says nothing of the others.
    """

    by_model: frozenset[str] = frozenset()

    _open: dict[str, _Open] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)

    def key_of(self, lane: str, model: str) -> str:
        return f"{lane}{MODEL}{model}" if service_of(lane) in self.by_model else lane

    def named(self, lane: str, model: str) -> str | None:
        """The model that people are told of, where not everything made with the operator's key is meant."""
        service = service_of(lane)
        return model if service in self.by_model or service != DEFAULT_SERVICE else None

    def is_open(self, lane: str) -> bool:
        """Whether the key is refused: for some model, and for none that was asked for is it taken."""
        refused, taken = (any(key.partition(MODEL)[0] == lane for key in keys) for keys in (self._open, self._taken))
        return refused and not taken

    def renew(self, lane: str) -> None:
        """Another key stands behind the lane: what the one before it met says nothing of this one."""
        for key in [key for key in self._open if key.partition(MODEL)[0] == lane]:
            del self._open[key]

    def may_try(self, key: str, now: datetime) -> bool:
        """Whether new work may be taken: the circuit is closed, or a probe is due. Takes nothing."""
        state = self._open.get(key)
        return state is None or not left(state.since, now, state.interval)

    def lets_through(self, key: str, now: datetime) -> bool:
        """Whether a job may be sent. While open, true once per interval, and that job is the probe."""
        state = self._open.get(key)
        if state is None:
            return True
        if left(state.since, now, state.interval):
            return False
        state.since = now
        return True

    def failed(self, key: str, kind: FaultKind, now: datetime) -> bool:
        """Notes a fault; true when it has just opened the circuit (tell people once)."""
        if kind not in OPENING:
            return False
        self._taken.discard(key)
        state = self._open.get(key)
        if state is None:
            self._open[key] = _Open(kind, now, FIRST_PROBE)
            return True
        state.interval = min(state.interval * 2, LAST_PROBE)
        state.since = now
        return False

    def succeeded(self, key: str) -> bool:
        """Notes a success; true when it has just closed the circuit."""
        self._taken.add(key)
        return self._open.pop(key, None) is not None
