"""A job while this process is at work on it, and what came of stopping one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum

from bot.core.jobs.queue import Ticket
from bot.ports import Delivery
from bot.rules.ledger import Job, JobState
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
class Live:
    """A started job in this process; ``job`` is the row as last written.

    ``drawing``: it may be on the bill by now. ``made``: there are pictures. ``shown``: the person has them.
    """

    job: Job
    inputs: Inputs
    delivery: Delivery
    task: asyncio.Task[None] | None = None
    cancelled_by_person: bool = False
    drawing: bool = False
    made: bool = False
    shown: bool = False
    ticket: Ticket | None = None
