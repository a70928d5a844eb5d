"""Jobs and batches in the ledger: opened within the limits, taken step by step to their end, and found again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.rules.ledger import Bill, Job, JobDraft
from bot.rules.people import Asker, Place


@dataclass(frozen=True, slots=True)
class Batch:
    """A ``/batch``: its lines are jobs with ``batch_id``. ``lines`` are the prompts in order.

    ``overnight``: they are drawn together at the service, for less, and never one by one.
    """

    id: str
    asker: Asker
    lines: tuple[str, ...]
    created_at: datetime
    channel_id: int
    message_id: int | None = None
    cancelled: bool = False
    finished: bool = False
    private: bool = False
    overnight: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """A look into the gallery, newest first. ``next_before`` is where the next one goes on; None: nothing is older."""

    jobs: tuple[Job, ...]
    next_before: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What tells whether a job's pictures have been kept long enough."""

    created_at: datetime
    unshown: bool


class JobStore(Protocol):
    """What moves a job takes it as last seen, and raises ``LostLease`` when its epoch or state is no longer that."""

    async def open(self, drafts: Sequence[JobDraft], now: datetime) -> list[Job]:
        """Decides by all limits and reserves every draft, or none. Several drafts (a batch) share one asker.

        Raises ``DuplicateEvent``, ``Refused`` or ``AccessDenied`` (settings are read in the same transaction).
        A batch counts as one request, as the sum of its images and money, and as one job at once.
        """
        ...

    async def dispatch(self, job: Job, now: datetime) -> Job: ...
    async def produce(self, job: Job, bill: Bill, revised_prompt: str | None, now: datetime) -> Job: ...
    async def conclude(self, job: Job, message_id: int | None, channel_id: int | None, now: datetime) -> Job:
        """Delivered and settled in one write: nothing is to be known between the two."""
        ...

    async def settle(self, job: Job, now: datetime) -> Job:
        """Ends a job that an earlier version left delivered."""
        ...

    async def release(self, job: Job, reason: str, now: datetime) -> Job: ...
    async def refuse(self, job: Job, reason: str, now: datetime) -> Job: ...
    async def lose(self, job: Job, reason: str, now: datetime) -> Job: ...

    async def retrieve(self, job: Job, bill: Bill, revised_prompt: str | None, now: datetime) -> Job:
        """From *unknown* to *produced*: its pictures were found. This process holds it from now on."""
        ...

    async def set_waiting(self, job: Job, waiting: bool) -> Job:
        """Marks a produced job whose delivery failed: it is offered later."""
        ...

    async def set_pictures_at(self, job: Job, place: str) -> Job:
        """Remembers that its pictures had to be kept elsewhere than planned."""
        ...

    async def set_answer_message(self, job: Job, message_id: int) -> Job:
        """Remembers the id of the deferred message. A job that knows it tells with its first step, too."""
        ...

    async def mark_deleted(self, job_id: str) -> None: ...
    async def get(self, job_id: str) -> Job | None: ...
    async def shown_in(self, message_id: int | None, beginnings: Sequence[str]) -> list[Job]:
        """The jobs shown in that message (None: in any, or in none) whose ids begin so, oldest first."""
        ...

    async def waiting(self, place: Place, user_id: int) -> list[Job]:
        """A person's jobs whose pictures were made but could not be shown yet."""
        ...

    async def known(self, job_ids: Sequence[str]) -> dict[str, Known]:
        """Those of the jobs that the ledger knows."""
        ...

    async def gallery(
        self,
        place: Place,
        *,
        member_id: int | None,
        search: str | None,
        before: str | None,
        limit: int,
        favourites_of: int | None = None,
    ) -> Look:
        """Delivered, undeleted jobs of a place, newest first; ``before`` is a job id (keyset paging). ``search`` are
        words that all stand in the prompt.

        Private jobs are only returned when ``member_id`` is given (the caller passes the viewer's own id then), and to
        their maker among the favourites.
        However much there is, one look reaches only so far back: it may find fewer, even none, and still have a next.
        """
        ...

    async def mark(self, user_id: int, job_id: str, favourite: bool) -> None:
        """Puts the picture among a person's favourites, or takes it from them."""
        ...

    async def favourites_among(self, user_id: int, job_ids: Sequence[str]) -> frozenset[str]: ...

    # batches
    async def open_batch(self, batch: Batch, drafts: Sequence[JobDraft], now: datetime) -> list[Job]: ...
    async def get_batch(self, batch_id: str) -> Batch | None: ...
    async def save_batch(self, batch: Batch) -> None: ...
    async def unfinished_batches(self) -> list[Batch]: ...
    async def of_batch(self, batch_id: str) -> list[Job]:
        """The jobs of a batch in the order of its lines."""
        ...
