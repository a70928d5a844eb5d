"""The life of a job and of its money. Anything not in ``NEXT`` is an error and changes nothing.

    reserved ──► dispatched ──► produced ──► delivered ──► settled
       │             │ ├──► refused    the service's safety system said no (charge 0)
       │             │ ├──► released   it certainly was not billed (charge 0)
       └► released   │ └──► unknown    it may have been billed: the reservation stays charged
                     │         └──► produced   its pictures lay on the disk of a process that came back
                     └ (a step back never happens; nothing that may have been billed is sent twice)

Money: ``reserved_micro_usd`` counts against every budget from *reserved* on. ``produce`` turns it into
``charged_micro_usd`` in the same transaction; ``release`` and ``refuse`` give it back; ``lose`` keeps it as charged.
Requests, images and cooldowns count what was sent: only ``release`` gives them back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.rules.money import MicroUSD
from bot.rules.people import Asker
from bot.rules.requests import ImageRequest, Usage


class JobState(StrEnum):
    RESERVED = "reserved"
    DISPATCHED = "dispatched"
    PRODUCED = "produced"
    DELIVERED = "delivered"
    SETTLED = "settled"
    REFUSED = "refused"
    RELEASED = "released"
    UNKNOWN = "unknown"


NEXT: dict[JobState, frozenset[JobState]] = {
    JobState.RESERVED: frozenset({JobState.DISPATCHED, JobState.RELEASED}),
    JobState.DISPATCHED: frozenset({JobState.PRODUCED, JobState.REFUSED, JobState.RELEASED, JobState.UNKNOWN}),
    JobState.PRODUCED: frozenset({JobState.DELIVERED}),
    JobState.DELIVERED: frozenset({JobState.SETTLED}),
    JobState.SETTLED: frozenset(),
    JobState.REFUSED: frozenset(),
    JobState.RELEASED: frozenset(),
    JobState.UNKNOWN: frozenset({JobState.PRODUCED}),
}

FINAL = frozenset({JobState.SETTLED, JobState.REFUSED, JobState.RELEASED, JobState.UNKNOWN})
"""States in which nobody works on a job any more. Only what was *unknown* may still turn out to be known."""

HOLDING = frozenset({JobState.RESERVED, JobState.DISPATCHED})
"""States in which money is reserved and the job counts as one of the jobs at once."""

GIVEN_BACK = frozenset({JobState.RELEASED})
"""States that count for nothing. What was sent counts in requests, images and cooldowns, whatever came of it: else
being refused by the safety system, or cancelling once the previews are there, would be a way around them."""

CHARGED = frozenset({JobState.PRODUCED, JobState.DELIVERED, JobState.SETTLED, JobState.UNKNOWN})
"""States whose charge is on the bill."""


WITH_PICTURES = frozenset({JobState.PRODUCED, JobState.DELIVERED, JobState.SETTLED})


class EndReason(StrEnum):
    """Why a job ended without pictures, where it was neither a fault of the service nor an error."""

    CANCELLED = "cancelled"  # by a person
    PAUSED = "paused"  # the server was, meanwhile
    BLOCKED = "blocked"  # the person was, meanwhile
    DENIED = "denied"  # the server does not allow it any more for another reason
    KEY_GONE = "key_gone"  # the server's own key, which was to pay, was removed
    STOPPED = "stopped"  # the process ended in an orderly way
    RESTART = "restart"  # the process died
    FORGOTTEN = "forgotten"  # Discord forgot the interaction before it was acknowledged
    NOT_ACKNOWLEDGED = "not acknowledged"


TAKEN_BACK = frozenset({EndReason.CANCELLED, EndReason.PAUSED, EndReason.BLOCKED, EndReason.DENIED})
"""Somebody ended it on purpose: it did not fail."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How to reach the one who asked: the interaction (15 minutes from ``expires_at`` back) and the channel.

    ``token`` is a secret: the store seals it, nothing logs it.
    """

    interaction_id: int
    application_id: int
    token: str = field(repr=False)
    channel_id: int
    expires_at: datetime
    message_id: int | None = None
    private: bool = False
    can_post: bool = True


@dataclass(frozen=True, slots=True)
class JobDraft:
    """What a new job is made from. ``event_key`` is unique per click or command: the same event makes one job.

    ``batch_id`` and ``batch_line`` place it in a batch. ``upper_micro_usd`` is the price bound that is reserved.
    ``own_key`` says the server's own API key pays: the operator's budget is not touched.
    """

    event_key: str
    asker: Asker
    request: ImageRequest
    upper_micro_usd: MicroUSD
    answer: Answer
    parent_id: str | None = None
    parent_index: int | None = None
    batch_id: str | None = None
    batch_line: int | None = None
    own_key: bool = False


@dataclass(frozen=True, slots=True)
class Bill:
    """What a finished attempt cost. ``estimated`` where the service reported no usage. ``images`` really made.

    ``drawn_by``: the model that drew in place of the one that was asked.
    """

    charged_micro_usd: MicroUSD
    images: int
    usage: Usage | None = None
    estimated: bool = False
    request_id: str | None = None
    drawn_by: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A row of the ledger. ``id`` has 20 characters (Discord takes nonces of up to 25). ``epoch`` is the lease.

    ``pictures_at`` names the place where its pictures are kept, from *dispatched* on: other machines may not see it.
    """

    id: str
    state: JobState
    epoch: int
    asker: Asker
    request: ImageRequest
    answer: Answer | None
    reserved_micro_usd: MicroUSD
    charged_micro_usd: MicroUSD
    created_at: datetime
    event_key: str = ""
    dispatched_at: datetime | None = None
    produced_at: datetime | None = None
    finished_at: datetime | None = None
    bill: Bill | None = None
    revised_prompt: str | None = None
    message_id: int | None = None
    message_channel_id: int | None = None
    parent_id: str | None = None
    parent_index: int | None = None
    batch_id: str | None = None
    batch_line: int | None = None
    own_key: bool = False
    waiting: bool = False
    deleted: bool = False
    reason: str = ""
    pictures_at: str = ""

    @property
    def was_taken_back(self) -> bool:
        """Whether somebody ended it on purpose before it cost anything."""
        return self.state is JobState.RELEASED and self.reason in TAKEN_BACK

    @property
    def was_cancelled(self) -> bool:
        """Whether a person took it back before it was sent: it cost nothing."""
        return self.state is JobState.RELEASED and self.reason == EndReason.CANCELLED


class LostLease(Exception):
    """Another process holds the job now, or it has moved on: the caller must do nothing more with it."""


class DuplicateEvent(Exception):
    """The event made a job already; ``job_id`` is that one. The store raises it before any limit is looked at."""

    def __init__(self, job_id: str) -> None:
        super().__init__(job_id)
        self.job_id = job_id


class IllegalStep(Exception):
    """A step that ``NEXT`` does not know: a bug. Nothing was changed."""


def advance(state: JobState, to: JobState) -> JobState:
    """The state after the step. Raises ``IllegalStep`` where ``NEXT`` does not know it."""
    if to not in NEXT[state]:
        raise IllegalStep(f"{state} -> {to}")
    return to
