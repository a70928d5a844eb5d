"""A job while this process is at work on it, and what came of stopping one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum

from bot.core.jobs.queue import Ticket
from bot.ports import Delivery
from bot.rules.ledger import HOLDING, Job, JobState
from bot.rules.requests import Inputs


class CancelOutcome(StrEnum):
    RELEASED = "released"  # it had not been sent: nothing is charged
    MAYBE_BILLED = "maybe_billed"  # the connection was closed; what may be billed stays charged
    TOO_LATE = "too_late"  # the pictures are there already


CANCELLED = {
    JobState.RELEASED: CancelOutcome.RELEASED,
    JobState.RESERVED: CancelOutcome.RELEASED,  # the ledger was busy: recovery releases it
    JobState.UNKNOWN: CancelOutcome.MAYBE_BILLED,
    JobState.DISPATCHED: CancelOutcome.MAYBE_BILLED,
}


@dataclass(eq=False, slots=True)
class RunningJob:
    """A started job in this process; ``job`` is the row as last written.

    ``maybe_billed``: it was sent. ``made``: there are pictures.
    """

    job: Job
    inputs: Inputs
    delivery: Delivery
    ticket: Ticket
    task: asyncio.Task[None] | None = None
    cancelled_by_person: bool = False
    maybe_billed: bool = False
    made: bool = False

    @property
    def can_be_cancelled(self) -> bool:
        return self.task is not None and not self.made and self.job.state in HOLDING

    @property
    def is_batch_line_in_line(self) -> bool:
        """A line of a batch that was not sent yet: an orderly end of the process leaves it to the next start."""
        return self.job.state is JobState.RESERVED and self.job.batch_id is not None
