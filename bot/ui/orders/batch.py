"""From a file or a form of prompts to a running batch: every line checked, all of it reserved, then acknowledged."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import discord

from bot.core.jobs.batches import BatchLinesRefused
from bot.ports import Batch
from bot.rules.ledger import DuplicateEvent, Job
from bot.rules.options.prompts import read_prompt_file, split_batch
from bot.rules.options.table import RawOptions
from bot.ui.interactions.acknowledge import QUICK_S, Forgotten, acknowledge, received, take, tell
from bot.ui.interactions.who import answer_of, asker_of, check_can_answer
from bot.ui.orders.attachments import Source
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say
from bot.ui.words.errors import words
from bot.ui.words.text import CONTENT_LIMIT, length

log = logging.getLogger(__name__)

NAME = "file"


@dataclass(frozen=True, slots=True)
class BatchWish:
    """One ``/batch`` as it was given; ``read`` brings the text when its turn comes."""

    read: Callable[[], Awaitable[str]]
    raw: RawOptions
    model: str | None = None


def from_file(source: Source) -> Callable[[], Awaitable[str]]:
    async def read() -> str:
        return read_prompt_file(await source.read(), source.name)

    return read


async def take_on_batch(interaction: Interaction, wish: BatchWish) -> Batch | None:
    """Checks, reserves, acknowledges, starts, in that order while it is quick.

    None where nobody waits for it any more or lines were refused (told here, all of them). Raises ``UserError``;
    nothing was then spent.
    """
    take(interaction)
    shell = interaction.client.shell
    check_can_answer(interaction)
    asker = asker_of(interaction)
    private = wish.raw.private if wish.raw.private is not None else await shell.settings_cache.private(asker.place)
    answer = answer_of(interaction, private=private)

    async def reserve() -> tuple[Batch, list[Job]]:
        lines = [(line.number, line.prompt) for line in split_batch(await wish.read(), NAME)]
        raw = replace(wish.raw, private=private)
        quote = await shell.batches.prepare(asker, lines, raw, model=wish.model)
        return await shell.batches.open(asker, quote, answer, event_key=str(interaction.id))

    reserving = asyncio.ensure_future(reserve())  # awaited below, whatever happens
    try:
        return await _acknowledge_and_start(interaction, reserving, private)
    except BatchLinesRefused as refused:
        await _tell_lines(interaction, refused)
        return None
    except DuplicateEvent:
        log.info("interaction %s came twice; the batch of the first answers it", interaction.id)
        return None
    except Forgotten as reason:
        batch, jobs = await reserving
        log.info("batch %s: Discord forgot the interaction %s", batch.id, reason)
        await shell.batches.abandon(batch, jobs, "forgotten")
        return None
    finally:
        reserving.cancel()


async def _acknowledge_and_start(
    interaction: Interaction, reserving: asyncio.Future[tuple[Batch, list[Job]]], private: bool
) -> Batch:
    shell = interaction.client.shell
    spent = asyncio.get_running_loop().time() - received(interaction)
    await asyncio.wait({reserving}, timeout=max(0.0, QUICK_S - spent))
    acknowledge_first = not reserving.done()
    message_id = await acknowledge(interaction, private=private) if acknowledge_first else None
    batch, jobs = await reserving
    try:
        if not acknowledge_first:
            message_id = await acknowledge(interaction, private=private)
        if message_id is not None:
            batch = await shell.batches.set_message(batch, message_id)
    except Forgotten:
        raise
    except BaseException:
        await shell.batches.abandon(batch, jobs, "not acknowledged")
        raise
    delivery = shell.deliveries.of_batch(batch, jobs, limit_bytes=interaction.filesize_limit)
    shell.batches.start(batch, jobs, delivery)
    return batch


async def _tell_lines(interaction: Interaction, refused: BatchLinesRefused) -> None:
    """All faulty lines with their numbers, in private: in the message while they fit it, else as a text file too."""
    locale = str(interaction.locale)
    problems = [
        say(locale, "error.line", number=line, sentence=_flat(problem, locale)) for line, problem in refused.problems
    ]
    whole = "\n".join([say(locale, "error.lines"), *problems])
    if length(whole) <= CONTENT_LIMIT:
        await tell(interaction, whole)
        return
    await tell(
        interaction,
        words(refused, locale),
        files=[discord.File(io.BytesIO(whole.encode("utf-8", "replace")), filename="lines.txt")],
    )


def _flat(problem: Exception, locale: str) -> str:
    return " ".join(words(problem, locale).split())
