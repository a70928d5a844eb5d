"""Telling people: progress, results, failures, batches, and what nobody asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from bot.ports.jobs import Batch
from bot.ports.servers import AuditEntry, BudgetWarning
from bot.rules.ledger import Job
from bot.rules.overnight import Overnight
from bot.rules.people import Place
from bot.rules.requests import Made, MadeImage, Partial


class Stage(StrEnum):
    """How far a job is that somebody waits for."""

    QUEUED = "queued"
    DRAWING = "drawing"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a job stands. ``position`` counts from 1; ``ready_at`` is the honest estimate of the result's time, and
    ``share`` how much of the drawing is over by then, below 1."""

    stage: Stage
    position: int | None = None
    ready_at: datetime | None = None
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class Delivered:
    """Where a result ended up. ``message_id`` None: Discord took it but told no id. ``posted``: by a new message."""

    message_id: int | None
    channel_id: int | None
    posted: bool = False


class WhyKept(StrEnum):
    """Why a result could not be shown where it was asked for."""

    NOT_TAKEN = "not_taken"
    CONTENT = "content"
    RIGHTS = "rights"
    GONE = "gone"
    LATE = "late"
    TOO_LARGE = "too_large"
    ELSEWHERE = "elsewhere"
    REVIEW = "review"


class CannotDeliver(Exception):
    """The result cannot be shown now (permission, channel gone, Discord down too long): keep it, offer it later."""

    def __init__(self, problem: str, why: WhyKept = WhyKept.NOT_TAKEN) -> None:
        super().__init__(problem)
        self.why = why


class Delivery(Protocol):
    """One job's conversation with the person who asked. All but ``result`` are best effort and never raise."""

    async def progress(self, job: Job, progress: Progress) -> None: ...
    async def preview(self, job: Job, partial: Partial) -> None: ...

    async def result(self, job: Job, made: Sequence[Made], took_s: float) -> Delivered | None:
        """Shows the pictures exactly once, however often it has to try. Raises ``CannotDeliver``.

        None: somebody else shows them and closes the job (a batch).
        """
        ...

    async def kept(self, job: Job, why: WhyKept) -> None:
        """Ends the line and tells the person, in private, why the pictures wait, with the way to them."""
        ...

    async def failed(self, job: Job, error: Exception) -> None:
        """Tells the person, in private, why there is no picture; never twice."""
        ...


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """How far a batch is; ``eta_s`` until its end. ``back``: lines that somebody took back, which cost nothing."""

    total: int
    done: int
    failed: int
    eta_s: float
    cancelled: bool = False
    back: int = 0

    @property
    def left(self) -> int:
        return self.total - self.done - self.failed - self.back


@dataclass(frozen=True, slots=True)
class BatchPicture:
    """A picture of a batch with the number of its line (from 1)."""

    line: int
    job: Job
    image: MadeImage


class BatchDelivery(Protocol):
    """A batch's conversation: one progress message, groups of pictures, one summary."""

    @property
    def repeatable(self) -> bool:
        """Whether ``group`` of the same lines can be called again without showing them twice."""
        ...

    async def progress(self, batch: Batch, counts: BatchCounts) -> None:
        """Best effort, paced; never raises."""
        ...

    async def overnight(self, batch: Batch, night: Overnight, *, keyless: bool, late: bool) -> None:
        """The same of a batch that is drawn overnight: how it stands there. ``keyless``: nobody can look, for the key
        of the server that pays for it is gone; ``late``: it takes longer than was promised.
        """
        ...

    async def group(self, batch: Batch, pictures: Sequence[BatchPicture]) -> Delivered:
        """Posts up to ten pictures as one message, once. Raises ``CannotDeliver``."""
        ...

    async def summary(self, batch: Batch, counts: BatchCounts, lines: Sequence[Job]) -> None:
        """Says how it ended, with a link to each group and a file of line, result and cost. Never raises."""
        ...

    async def withdrawn(self, batch: Batch) -> None:
        """Its maker asked to be forgotten: its message promises nothing any more. Never raises."""
        ...


class Notifier(Protocol):
    """Tells admins and the operator things nobody asked for. Best effort; never raises."""

    async def budget(self, place: Place, warning: BudgetWarning) -> None: ...

    async def service(self, place: Place | None, *, working: bool, why: str, model: str | None) -> None:
        """The service stopped taking the operator's key (``place`` None) or a server's own, or takes it again.

        ``model``: for that one alone; None: for every model.
        """
        ...

    async def changed(self, place: Place, *entries: AuditEntry) -> None:
        """A setting was changed: for the log channel, if there is one."""
        ...

    async def model_ends(self, model_id: str, ends_on: date, successor: str | None) -> None: ...
