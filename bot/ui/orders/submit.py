"""From an interaction to a running job: check, reserve, acknowledge, start."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from bot.core.jobs.intake import Quote
from bot.rules.ledger import DuplicateEvent, EndReason, Job
from bot.rules.people import Asker
from bot.rules.requests import Inputs
from bot.rules.uploads import Note
from bot.ui.interactions.deadline import within
from bot.ui.interactions.who import answer_of, asker_of, check_can_answer
from bot.ui.shell import Interaction

log = logging.getLogger(__name__)

_TAKEN_ON = "easel taken on"


@dataclass(frozen=True, slots=True)
class Order:
    """What a command gathered: a checked request, its pictures, and what was done to them."""

    quote: Quote
    inputs: Inputs = field(default_factory=Inputs)
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Parent:
    """The job, and which of its pictures, that a new job goes on from."""

    job_id: str
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """A job on its way; ``ended`` is done when its person has been answered."""

    job: Job
    ended: asyncio.Task[None]


Gather = Callable[[Asker, bool], Awaitable[Order]]
"""Checks everything and fetches what is needed, for this asker; the bool says whether the answer is private."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What an interaction asked for, so that a refusal can offer what would work instead."""

    gather: Gather
    private: bool | None
    parent: Parent | None


def taken_by(interaction: Interaction) -> Taken | None:
    """What this interaction asked for, if it came so far."""
    taken: Taken | None = interaction.extras.get(_TAKEN_ON)
    return taken


async def take_on(
    interaction: Interaction,
    gather: Gather,
    *,
    private: bool | None,
    parent: Parent | None = None,
    event_key: str | None = None,
) -> Started | None:
    """Checks, reserves, acknowledges, starts. None where the very same interaction came before, or one with the same
    ``event_key``.

    Raises ``UserError``, or ``Forgotten`` where nobody is waiting for it any more; nothing was then spent.
    """
    shell = interaction.client.shell
    interaction.extras[_TAKEN_ON] = Taken(gather, private, parent)
    check_can_answer(interaction)
    asker = asker_of(interaction)
    hidden = await shell.settings_cache.private(asker) if private is None else private
    answer = answer_of(interaction, private=hidden)

    async def reserve() -> tuple[Job, Order]:
        order = await gather(asker, hidden)
        job = await shell.intake.open(
            asker,
            order.quote,
            answer,
            event_key=event_key or str(interaction.id),
            parent_id=parent.job_id if parent else None,
            parent_index=parent.index if parent else None,
        )
        return job, order

    async def abandon(reserved: tuple[Job, Order], reason: EndReason) -> None:
        await shell.intake.abandon(reserved[0], reason)

    try:
        reserved = await within(interaction, reserve(), private=hidden, abandon=abandon)
    except DuplicateEvent as duplicate:
        log.info("interaction %s came twice; job %s answers it", interaction.id, duplicate.job_id)
        return None
    job, order = reserved.value
    job = _with_message(job, reserved.message_id)
    delivery = shell.deliveries.of_job(job, limit_bytes=interaction.filesize_limit, notes=order.notes)
    return Started(job, shell.jobs.start(job, order.inputs, delivery))


def _with_message(job: Job, message_id: int | None) -> Job:
    """The job, which knows now the message that will show it; the ledger hears of it with the next step."""
    if message_id is None or job.answer is None:
        return job
    return replace(job, answer=replace(job.answer, message_id=message_id))
