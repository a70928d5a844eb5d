"""What stands under words: make a picture of them, change them first, or go by one's own after all.

Ids are ``e1:<what>:<job>``; the words are read from the ledger at each press. Only who asked is ever shown them.
"""

from __future__ import annotations

import discord

from bot.rules.errors import NotFound
from bot.rules.ledger import Job
from bot.rules.options.table import RawOptions
from bot.rules.requests import Kind
from bot.ui.components.forms import open_imagine
from bot.ui.components.job_buttons import JobItem, job_button
from bot.ui.interactions.ids import pattern
from bot.ui.orders.submit import take_on
from bot.ui.orders.wish import Wish, gather
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say


class WordsItem(JobItem, template=r"(?!)"):
    of_words = True
    of_pictures = False


class MakeOfWords(WordsItem, template=pattern("wmake")):
    """A picture of the words that were found."""

    async def press_of(self, job: Job, interaction: Interaction) -> None:
        await _make(interaction, job, _words_of(job))


class MakeOfMine(WordsItem, template=pattern("wmine")):
    """A picture of the person's own words, as they were."""

    async def press_of(self, job: Job, interaction: Interaction) -> None:
        await _make(interaction, job, job.request.own_words)


class ChangeWords(WordsItem, template=pattern("wform")):
    """The form for a picture, filled in."""

    is_harmless_twice = True  # it opens a form, which somebody may have closed again

    async def press_of(self, job: Job, interaction: Interaction) -> None:
        await open_imagine(interaction, _words_of(job), size=job.request.size, look=job.request.look or None)


WORDS_ITEMS: tuple[type[JobItem], ...] = (MakeOfWords, MakeOfMine, ChangeWords)


def _words_of(job: Job) -> str:
    """Raises ``NotFound`` where they were forgotten meanwhile."""
    if not job.revised_prompt:
        raise NotFound("prompt")
    return job.revised_prompt


async def _make(interaction: Interaction, job: Job, prompt: str) -> None:
    request = job.request
    wish = Wish(Kind.IMAGINE, RawOptions(prompt=prompt, size=request.size), look=request.look or None)
    await take_on(interaction, gather(interaction.client.shell, wish), private=None)


def words_view(job: Job, locale: str) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    improves = job.request.kind is Kind.IMPROVE
    change = "wording.change" if improves else "wording.use"
    primary = discord.ButtonStyle.primary
    view.add_item(MakeOfWords(job_button("wmake", job.id, say(locale, "wording.make"), "🎨", style=primary)))
    view.add_item(ChangeWords(job_button("wform", job.id, say(locale, change), "✏️")))
    if improves:
        view.add_item(_of_mine(job.id, locale))
    return view


def own_words_view(job_id: str, locale: str) -> discord.ui.View:
    """What stands under the reason why there are no better ones."""
    view = discord.ui.View(timeout=None)
    view.add_item(_of_mine(job_id, locale))
    return view


def _of_mine(job_id: str, locale: str) -> MakeOfMine:
    return MakeOfMine(job_button("wmine", job_id, say(locale, "wording.mine"), "↩️"))
