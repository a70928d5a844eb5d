"""From a file or a form of prompts to a running batch: every line checked, all of it reserved, then acknowledged."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bot.core.jobs.batches import BatchLinesRefused
from bot.ports import Batch
from bot.rules.ledger import DuplicateEvent, EndReason, Job
from bot.rules.options.prompts import read_prompt_file, split_batch
from bot.rules.options.table import RawOptions
from bot.rules.uploads import Note
from bot.ui.interactions.acknowledge import tell
from bot.ui.interactions.deadline import within
from bot.ui.interactions.who import answer_of, asker_of, check_can_answer
from bot.ui.messages import File
from bot.ui.orders.attachments import Source
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say
from bot.ui.words.errors import words
from bot.ui.words.text import CONTENT_LIMIT, length
from bot.ui.words.uploads import note_words

log = logging.getLogger(__name__)

NAME = "file"


@dataclass(frozen=True, slots=True)
class BatchWish:
    """One ``/batch`` as it was given; ``read`` brings the text when its turn comes."""

    read: Callable[[], Awaitable[str]]
    raw: RawOptions
    model: str | None = None
    look: str | None = None
    overnight: bool = False


def from_file(source: Source) -> Callable[[], Awaitable[str]]:
    async def read() -> str:
        return read_prompt_file(await source.read(), source.name)

    return read


async def take_on_batch(interaction: Interaction, wish: BatchWish) -> Batch | None:
    """Checks, reserves, acknowledges, starts.

    None where the very same interaction came before or lines were refused (told here, all of them). Raises
    ``UserError``, or ``Forgotten`` where nobody is waiting for it any more; nothing was then spent.
    """
    shell = interaction.client.shell
    check_can_answer(interaction)
    asker = asker_of(interaction)
    private = wish.raw.private if wish.raw.private is not None else await shell.settings_cache.private(asker)
    answer = answer_of(interaction, private=private)

    notes: set[Note] = set()

    async def reserve() -> tuple[Batch, list[Job]]:
        lines = [(line.number, line.prompt) for line in split_batch(await wish.read(), NAME)]
        raw = replace(wish.raw, private=private)
        quotes = await shell.batches.prepare(
            asker, lines, raw, model=wish.model, look=wish.look, overnight=wish.overnight
        )
        notes.update(note for quote in quotes for note in quote.notes)
        return await shell.batches.open(asker, quotes, answer, event_key=str(interaction.id), overnight=wish.overnight)

    async def abandon(reserved: tuple[Batch, list[Job]], reason: EndReason) -> None:
        await shell.batches.abandon(*reserved, reason)

    try:
        reserved = await within(interaction, reserve(), private=private, abandon=abandon)
    except BatchLinesRefused as refused:
        await _tell_lines(interaction, refused)
        return None
    except DuplicateEvent:
        log.info("interaction %s came twice; the batch of the first answers it", interaction.id)
        return None
    batch, jobs = reserved.value
    if reserved.message_id is not None:
        try:
            batch = await shell.batches.set_message(batch, reserved.message_id)
        except BaseException:
            await shell.batches.abandon(batch, jobs, EndReason.NOT_ACKNOWLEDGED)
            raise
    shell.batches.start(batch, jobs, shell.deliveries.of_batch(batch, jobs, limit_bytes=interaction.filesize_limit))
    if notes:
        await tell(interaction, "\n".join(sorted(note_words(note, asker.locale) for note in notes)))
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
        files=[File("lines.txt", whole.encode("utf-8", "replace"))],
    )


def _flat(problem: Exception, locale: str) -> str:
    return " ".join(words(problem, locale).split())
