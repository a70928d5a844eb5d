"""Names and descriptions of commands in other languages: whatever ``locales/`` has under ``command``.

Not by discord.py's translator: it asks a coroutine for each word in each of Discord's locales, 9,500 at every start.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import discord

from bot.ui.words.catalogue import catalogue, language_of, names_in
from bot.ui.words.grammar.names import command_named, name_of

_UNDER = "command."


def in_every_language(part: Mapping[str, Any], above: tuple[str, ...] = ()) -> dict[str, Any]:
    """What Discord is to know of a command, an option or a choice, with all words in all languages.

    A language says ``"Make a picture" = "Mach ein Bild"`` under ``[command]``, and what it calls a command or an
    option under ``[name]``: by its name, or by the names that lead to it where one word is called differently there.
    """
    whole = dict(part)
    path = (*above, part["name"])
    names = _names(path) if part.get("description") else _translations(part["name"])
    for field, words in (("name", names), ("description", _translations(part.get("description")))):
        if words:
            whole[f"{field}_localizations"] = words
    for field in ("options", "choices"):
        if field in part:
            whole[field] = [in_every_language(one, path) for one in part[field]]
    return whole


def command_said(command: str, locale: str) -> str:
    """``/settings quota`` as the reader's Discord shows it."""
    return "/" + command_named(command.removeprefix("/"), names_in(language_of(locale)))


def option_said(option: str, locale: str) -> str:
    """``size`` as the reader's Discord shows it."""
    return names_in(language_of(locale)).get(option, option)


def _names(path: tuple[str, ...]) -> dict[str, str]:
    found = ((locale, name_of(path, names_in(language_of(locale)))) for locale in _locales())
    return {locale: name for locale, name in found if name is not None}


def _translations(text: object) -> dict[str, str]:
    found = ((locale, catalogue(language_of(locale)).get(f"{_UNDER}{text}")) for locale in _locales())
    return {locale: sentence.other for locale, sentence in found if sentence is not None}


@cache
def _locales() -> tuple[str, ...]:
    """Those of Discord's in whose language there are words for commands."""
    every = {locale.value: language_of(locale.value) for locale in discord.Locale}
    return tuple(
        one for one, ours in every.items() if names_in(ours) or any(k.startswith(_UNDER) for k in catalogue(ours))
    )
