"""The message that shows words; those that do not fit hang there as a text file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from bot.rules.ledger import Job
from bot.rules.requests import Made
from bot.rules.servers.access import ServerSettings
from bot.rules.uploads import Note, NoteKind
from bot.ui.components.words import words_view
from bot.ui.messages import File, Message
from bot.ui.pages.result import note_line
from bot.ui.pages.words import is_whole, words_embed
from bot.ui.words.catalogue import say
from bot.ui.words.numbers import moment

OF_PROMPT = frozenset({NoteKind.FLAG_READ, NoteKind.FLAGS_LEFT_OUT})
"""What is told; what became of a picture that is only looked at is nobody's concern."""


def words_message(
    job: Job,
    made: Sequence[Made],
    locale: str,
    settings: ServerSettings,
    name_of: Callable[[str], str],
    notes: Sequence[Note] = (),
    free_from: datetime | None = None,
) -> Message:
    """``notes`` tell what was understood otherwise than typed; ``free_from`` is when a picture may be asked for."""
    words = "".join(one.words for one in made)
    embed = words_embed(job, words, locale, with_cost=settings.show_cost, name=name_of(job.request.model))
    files = () if is_whole(words) else (File("prompt.txt", words.encode("utf-8")),)
    told = [note_line(note, locale) for note in notes if note.kind in OF_PROMPT]
    told += [say(locale, "wording.cooldown", when=moment(free_from))] if free_from is not None else []
    return Message(" ".join(told) or None, embed, files, words_view(job, locale))
