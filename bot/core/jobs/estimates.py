"""How long a picture takes, learnt from the ones made: the honest part of "about 40 s"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.core.jobs.queue import Ticket
from bot.core.service.lanes import lane_at, lane_of
from bot.rules.catalogue.model import DEFAULT_SERVICE
from bot.rules.people import Asker
from bot.rules.requests import ImageRequest

FIRST_GUESS_S = {"low": 12.0, "medium": 20.0, "high": 40.0, "xhigh": 60.0, "max": 90.0, "standard": 12.0, "hd": 20.0}
"""Seconds by quality until something was measured (rounded from the figures in the model pages and user reports)."""

UNKNOWN_GUESS_S = 30.0
WEIGHT = 0.3
"""What the newest measurement weighs in the moving average."""


@dataclass(slots=True)
class Estimates:
    """``service_of``: where a model lives."""

    service_of: Callable[[str], str] = lambda _model: DEFAULT_SERVICE
    _seconds: dict[tuple[str, str | None], float] = field(default_factory=dict)

    def of(self, model: str, quality: str | None) -> float:
        measured = self._seconds.get((model, quality))
        return measured if measured is not None else FIRST_GUESS_S.get(quality or "", UNKNOWN_GUESS_S)

    def ticket_for(self, asker: Asker, request: ImageRequest, *, own_key: bool, job_id: str = "") -> Ticket:
        """A place in line as long as the request is expected to take. Services and servers' own keys have lanes."""
        lane = lane_of(asker.place) if own_key else lane_at(self.service_of(request.model))
        seconds = self.of(request.model, request.quality)
        return Ticket(job_id, asker.place.key, asker.user_id, request.count, seconds, lane)

    def learn(self, model: str, quality: str | None, seconds: float) -> None:
        before = self._seconds.get((model, quality), seconds)
        self._seconds[model, quality] = before + WEIGHT * (seconds - before)
