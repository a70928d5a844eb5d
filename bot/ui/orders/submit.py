"""From an interaction to a running job: check, reserve, acknowledge, start."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from bot.core.jobs.intake import Quote
from bot.rules.ledger import DuplicateEvent, Job
from bot.rules.people import Asker
from bot.rules.requests import Inputs
from bot.rules.uploads import Note
from bot.ui.interactions.acknowledge import QUICK_S, Forgotten, acknowledge, received, take
from bot.ui.interactions.who import answer_of, asker_of, check_can_answer
from bot.ui.shell import Interaction

log = logging.getLogger(__name__)


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


async def take_on(
    interaction: Interaction, gather: Gather, *, private: bool | None, parent: Parent | None = None
) -> Started | None:
    """Checks, reserves, acknowledges, starts. Returns None where nobody is waiting for it any more.

    Checks come before the acknowledgement while they are quick, so that refusals are private from the first moment;
    when they are not, the acknowledgement goes first. Raises ``UserError``; nothing was then spent.
    """
    take(interaction)
    shell = interaction.client.shell
    check_can_answer(interaction)
    asker = asker_of(interaction)
    hidden = await shell.settings_cache.private(asker.place) if private is None else private
    answer = answer_of(interaction, private=hidden)

    async def reserve() -> tuple[Job, Order]:
        order = await gather(asker, hidden)
        job = await shell.intake.open(
            asker,
            order.quote,
            answer,
            event_key=str(interaction.id),
            parent_id=parent.job_id if parent else None,
            parent_index=parent.index if parent else None,
        )
        return job, order

    reserving = asyncio.ensure_future(reserve())  # awaited below, whatever happens
    try:
        return await _acknowledge_and_start(interaction, reserving, hidden)
    except DuplicateEvent as duplicate:
        log.info("interaction %s came twice; job %s answers it", interaction.id, duplicate.job_id)
        return None
    except Forgotten as reason:
        job, _ = await reserving
        log.info("job %s: Discord forgot the interaction %s", job.id, reason)
        await shell.intake.abandon(job, "forgotten")
        return None
    finally:
        reserving.cancel()


async def _acknowledge_and_start(
    interaction: Interaction, reserving: asyncio.Future[tuple[Job, Order]], private: bool
) -> Started | None:
    shell = interaction.client.shell
    spent = asyncio.get_running_loop().time() - received(interaction)
    await asyncio.wait({reserving}, timeout=max(0.0, QUICK_S - spent))
    acknowledge_first = not reserving.done()
    message_id = await acknowledge(interaction, private=private) if acknowledge_first else None
    job, order = await reserving
    try:
        if not acknowledge_first:
            message_id = await acknowledge(interaction, private=private)
        if message_id is not None and job.answer is not None:
            job = replace(job, answer=replace(job.answer, message_id=message_id))
            job = await shell.store.jobs.set_answer_message(job, message_id)
    except Forgotten:
        raise
    except BaseException:
        await shell.intake.abandon(job, "not acknowledged")
        raise
    delivery = interaction.client.shell.deliveries.of_job(
        job, limit_bytes=interaction.filesize_limit, notes=order.notes
    )
    return Started(job, interaction.client.shell.jobs.start(job, order.inputs, delivery))
