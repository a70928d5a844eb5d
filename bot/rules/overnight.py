"""Half price overnight: which step comes next for a batch at the service, and what a line that is missing means.

    uploaded ─► asked for ─► known ─► over ─► read ─► cleared away
                    └─ the answer was lost: looked for by its mark, and asked for again only where it is certainly not

Law: *asked for* is written down before it is sent. What was asked for and is not known is looked for, never sent again
by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.rules.errors import UserError
from bot.rules.faults import Billed
from bot.rules.instants import NONE, left
from bot.rules.money import MicroUSD

SURELY_ARRIVED = timedelta(minutes=2)
"""A request that was sent this long ago has arrived or never will, and whoever sent it has given up on its answer."""

LONGEST = timedelta(days=3)
"""The service takes a day, and a little. Whoever knows nothing after so long gives up."""

A_DAY = timedelta(days=1)
"""What was promised. What could not be begun by then is given back."""

READ_WITHIN = timedelta(days=14)
"""So long a result file that cannot be read is asked for again."""

CLEARED_WITHIN = timedelta(days=21)
"""So long files are tried to be removed; the service removes them by itself after 30 days."""

FIRST_LOOK_S, LAST_LOOK_S = 5.0, 600.0
READ_AGAIN_S = 300.0
"""Before results that were not whole are read again: a service may say that it is over before its files are there."""

SOONER = 10
"""It is looked at again when a tenth of the time it has taken is over once more."""


class NightState(StrEnum):
    """How a batch stands at the service."""

    WORKING = "working"
    CANCELLING = "cancelling"
    COMPLETED = "completed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"


OVER = frozenset({NightState.COMPLETED, NightState.EXPIRED, NightState.CANCELLED, NightState.FAILED})


@dataclass(frozen=True, slots=True)
class Counts:
    """Lines, as the service counts them."""

    total: int = 0
    completed: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Overnight:
    """What is remembered of a batch that is drawn overnight; nothing of people.

    ``server_id``: the server whose own key pays; None: the operator. ``mark`` is written on it at the service.
    ``asked_at``: it was, or is just being, asked for. ``night_id``: what the service calls it. ``files`` lie there
    until they are removed. ``percent`` is what it costs of the price. ``read``: every line is closed in the ledger.
    """

    batch_id: str
    service: str
    mark: str
    began_at: datetime
    percent: int = 50
    server_id: int | None = None
    file_id: str | None = None
    asked_at: datetime | None = None
    night_id: str | None = None
    state: NightState = NightState.WORKING
    counts: Counts = field(default_factory=Counts)
    ends_by: datetime | None = None
    files: tuple[str, ...] = ()
    read: bool = False

    @property
    def is_out(self) -> bool:
        """Whether it may be at the service: from here on it may cost money."""
        return self.asked_at is not None or self.night_id is not None


class Step(StrEnum):
    UPLOAD = "upload"
    ASK = "hand in"
    SEARCH = "search"
    LOOK = "look"
    READ = "read"
    GIVE_UP = "give up"
    CLEAR = "clear"


def _patience(night: Overnight) -> timedelta:
    if not night.is_out:
        return A_DAY
    return READ_WITHIN if night.state in OVER else LONGEST


def promised_by(night: Overnight) -> datetime:
    """When it is there at the latest, as the service says or has always said."""
    return night.ends_by or night.began_at + A_DAY


def is_late(night: Overnight, now: datetime) -> bool:
    """Whether it takes longer than was promised."""
    return night.state not in OVER and not night.read and now > promised_by(night)


def gives_up_at(night: Overnight) -> datetime:
    """When it ends as unclear, where nothing is heard of it."""
    return night.began_at + _patience(night)


def next_step(night: Overnight, now: datetime) -> Step:
    if night.read:
        return Step.CLEAR
    if not left(night.began_at, now, _patience(night)):
        return Step.GIVE_UP
    if night.state in OVER:
        return Step.READ
    if night.night_id is not None:
        return Step.LOOK
    if night.asked_at is not None:
        return Step.SEARCH
    return Step.ASK if night.file_id is not None else Step.UPLOAD


def not_found(night: Overnight, now: datetime) -> Overnight:
    """After a search that saw everything and found nothing: asked for again only once the first has surely arrived.

    A moment that has not come yet says nothing of that: it counts as this one.
    """
    if night.asked_at is not None and night.asked_at > now:
        return replace(night, asked_at=now)
    has_arrived = night.asked_at is not None and left(night.asked_at, now, SURELY_ARRIVED) == NONE
    return replace(night, asked_at=None) if has_arrived else night


def look_again_s(night: Overnight, now: datetime) -> float:
    """Seconds until it is looked at again."""
    age_s = max((now - night.began_at).total_seconds(), 0.0)
    return min(max(age_s / SOONER, FIRST_LOOK_S), LAST_LOOK_S)


def missing_line(state: NightState, counts: Counts, *, seen: int, whole: bool) -> Billed:
    """Whether a line that stands in no result file may have been billed.

    The service bills completed requests, and each has its line. So where as many were seen as it counts, the others
    were not completed. ``seen``: lines with an answer that was billed; ``whole``: every line could be read. A batch
    whose input was refused drew nothing.
    """
    if state is NightState.FAILED and not counts.completed:
        return Billed.NO
    certain = whole and counts.total > 0 and seen >= counts.completed
    return Billed.NO if certain else Billed.MAYBE


def overnight_price(price: int, percent: int) -> MicroUSD:
    """That price in a batch, rounded up."""
    return MicroUSD(-(-price * percent // 100))


class Why(StrEnum):
    """Why something cannot be made overnight."""

    MODEL = "model"
    SERVICE = "service"
    CHANNEL = "channel"
    PRIVATE = "private"


class NotOvernight(UserError):
    """It can be made now, not overnight. ``others`` are models that can."""

    def __init__(self, why: Why, model: str, others: tuple[str, ...] = ()) -> None:
        super().__init__(f"{why}: {model}")
        self.why = why
        self.model = model
        self.others = others
