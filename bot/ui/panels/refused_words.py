"""``/settings words``: the list for admins alone, one word by the command, many by a form.

Law: the words are shown only in private to who may change them, and never stand in a change or a log.
"""

from __future__ import annotations

import re
from typing import Any

import discord
from discord import app_commands

from bot.rules.servers.changes import words_between
from bot.rules.servers.edits import SetAndRemoved, refusing
from bot.rules.servers.words.words import MOST_WORDS, word_of, words_in
from bot.ui.components.forms import TEXT_LIMIT, Form
from bot.ui.components.press import Press, button
from bot.ui.interactions.acknowledge import acknowledged
from bot.ui.interactions.deadline import answer
from bot.ui.interactions.ids import VERSION
from bot.ui.interactions.who import asker_of, check_admin
from bot.ui.messages import File, Message
from bot.ui.orders.choices import LONGEST, MOST_CHOICES, Choices
from bot.ui.panels.server.answers import changed
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say
from bot.ui.words.changes import change_line
from bot.ui.words.numbers import number
from bot.ui.words.text import escaped

SHOWN = 1500
WORDS = re.compile(rf"{VERSION}:words:(?P<nonce>\d+)")


async def words(interaction: Interaction, add: str | None, remove: str | None, *, clear: bool) -> Message:
    """Changes the list, or shows it where nothing is asked for. Raises ``BadWord``, ``TooManyWords``."""
    if add is None and remove is None and not clear:
        return await _list(interaction)
    if remove is not None and clear:
        raise SetAndRemoved
    more = frozenset() if add is None else frozenset({word_of(add)})
    fewer = frozenset() if remove is None else frozenset({word_of(remove)})
    return await _kept(interaction, more, fewer, clear=clear)


async def _kept(
    interaction: Interaction, more: frozenset[str], fewer: frozenset[str] = frozenset(), *, clear: bool = False
) -> Message:
    edit = refusing(more, fewer, clear=clear)
    return changed(interaction, await interaction.client.shell.admin.change(asker_of(interaction), edit))


async def _list(interaction: Interaction) -> Message:
    """How many there are, how often they were used, and which they are: behind a spoiler, or in a file."""
    shell, locale, place = interaction.client.shell, str(interaction.locale), asker_of(interaction).place
    held = (await shell.store.servers.settings(place)).refused_words
    refused = await shell.store.servers.words_refused(place, shell.clock())
    every = sorted(held, key=str.casefold)
    shown = escaped(", ".join(every), SHOWN * 2)
    lines = [
        change_line(words_between(held, held), locale),
        say(locale, "words.refused", count=number(locale, refused)),
    ]
    files: tuple[File, ...] = ()
    if len(shown) > SHOWN:
        files = (File("SPOILER_words.txt", "\n".join(every).encode("utf-8", "replace")),)
    elif every:
        lines.append(f"||{shown}||")
    lines.append(say(locale, "words.how", most=MOST_WORDS))
    view = discord.ui.View(timeout=None)
    view.add_item(AddWords(button(f"{VERSION}:words", say(locale, "words.add"), emoji="➕")))
    return Message("\n".join(lines), files=files, view=view)


async def complete_word(interaction: discord.Interaction[Any], typed: str) -> Choices:
    """The words that are on the list. Only who may use the command is asked."""
    settings = await interaction.client.shell.settings_cache.looks(asker_of(interaction).place)
    found = (word for word in sorted(settings.refused_words) if typed.casefold() in word.casefold())
    return [app_commands.Choice(name=word, value=word) for word in found if len(word) <= LONGEST][:MOST_CHOICES]


class AddWords(Press, template=rf"{VERSION}:words"):
    """Opens the form for many."""

    is_harmless_twice = True

    async def press(self, interaction: Interaction) -> None:
        check_admin(interaction)
        await interaction.response.send_modal(WordsForm(interaction.id, str(interaction.locale)))
        acknowledged(interaction)


class WordsForm(Form):
    """A word or phrase a line, put on the list."""

    def __init__(self, nonce: int, locale: str) -> None:
        super().__init__(say(locale, "words.form_title"), f"{VERSION}:words:{nonce}")
        self._lines: discord.ui.TextInput[Any] = discord.ui.TextInput(
            custom_id="words", style=discord.TextStyle.paragraph, min_length=1, max_length=TEXT_LIMIT
        )
        self.ask(self._lines, say(locale, "words.form_lines"), say(locale, "words.form_note"))

    async def submitted(self, interaction: Interaction) -> None:
        check_admin(interaction)
        await answer(interaction, _kept(interaction, words_in(str(self._lines.value))))
