"""Discord's request limits as far as they are known, per bucket: 5 in 2 s per webhook token and 30 a minute
per channel of webhooks, 5 in 5 s per channel.

Sources: discord-api-docs #2701, #3763 (webhooks), measured route limits (channels); edits of old messages #4413.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Rate:
    """``amount`` requests in ``window_s``."""

    amount: int
    window_s: float


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a bucket stands after a request; ``allowed`` says whether that one still fitted."""

    bucket: str
    rate: Rate
    remaining: int
    reset_at: datetime
    reset_after_s: float
    allowed: bool

    def headers(self) -> dict[str, str]:
        """Discord's X-RateLimit headers."""
        return {
            "X-RateLimit-Limit": str(self.rate.amount),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": f"{self.reset_at.timestamp():.3f}",
            "X-RateLimit-Reset-After": f"{self.reset_after_s:.3f}",
            "X-RateLimit-Bucket": self.bucket,
        }


WEBHOOKS_OF_A_CHANNEL = Rate(30, 60.0)


class RateLimits:
    """Fixed windows per bucket. ``rates`` may be changed; a kind that is missing is not limited.

    So is at first ``webhook channel``, which all interactions of a channel share: a test that draws much would wait.

    ``global_rate`` counts everything with a bot token (interaction endpoints are exempt).
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.rates: dict[str, Rate] = {
            "webhook": Rate(5, 2.0),
            "send": Rate(5, 5.0),
            "edit": Rate(5, 5.0),
            "old edit": Rate(30, 3600.0),
        }
        self.global_rate = Rate(50, 1.0)
        self._windows: dict[tuple[str, str], tuple[datetime, int]] = {}

    def count(self, kind: str, key: str) -> Standing | None:
        """Counts a request of a kind (``webhook``, ``send``, …) under a key (a token, a channel id)."""
        rate = self.global_rate if kind == "global" else self.rates.get(kind)
        if rate is None:
            return None
        now = self._now()
        started, used = self._windows.get((kind, key), (now, 0))
        window = timedelta(seconds=rate.window_s)
        if now - started >= window:
            started, used = now, 0
        allowed = used < rate.amount
        if allowed:
            used += 1
            self._windows[kind, key] = (started, used)
        reset_at = started + window
        bucket = hashlib.sha256(kind.encode()).hexdigest()[:32]
        return Standing(bucket, rate, rate.amount - used, reset_at, (reset_at - now).total_seconds(), allowed)
