"""The message that shows words; those that do not fit hang there as a text file."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.rules.ledger import Job
from bot.rules.requests import Made
from bot.rules.servers.access import ServerSettings
from bot.rules.uploads import Note
from bot.ui.components.words import words_view
from bot.ui.messages import File, Message
from bot.ui.pages.result import note_line
from bot.ui.pages.words import is_whole, words_embed


def words_message(
    job: Job,
    made: Sequence[Made],
    locale: str,
    settings: ServerSettings,
    name_of: Callable[[str], str],
    notes: Sequence[Note] = (),
) -> Message:
    """``notes`` tell what was understood otherwise than typed."""
    words = "".join(one.words for one in made)
    embed = words_embed(job, words, locale, with_cost=settings.show_cost, name=name_of(job.request.model))
    files = () if is_whole(words) else (File("prompt.txt", words.encode("utf-8")),)
    told = " ".join(line for note in notes if (line := note_line(note, locale)))
    return Message(told or None, embed, files, words_view(job, locale))
