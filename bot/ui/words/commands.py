"""Names and descriptions of commands in other languages: whatever ``locales/`` has under ``command``.

Not by discord.py's translator: it asks a coroutine for each word in each of Discord's locales, 9,500 at every start.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import discord

from bot.ui.words.catalogue import catalogue, language_of

_UNDER = "command."


def in_every_language(part: Mapping[str, Any]) -> dict[str, Any]:
    """What Discord is to know of a command, an option or a choice, with all words in all languages.

    A language says ``"Make a picture" = "Mach ein Bild"`` under ``[command]``.
    """
    whole = dict(part)
    for field in ("name", "description"):
        if words := _translations(part.get(field)):
            whole[f"{field}_localizations"] = words
    for field in ("options", "choices"):
        if field in part:
            whole[field] = [in_every_language(one) for one in part[field]]
    return whole


def _translations(text: object) -> dict[str, str]:
    found = ((locale, catalogue(language_of(locale)).get(f"{_UNDER}{text}")) for locale in _locales())
    return {locale: sentence.other for locale, sentence in found if sentence is not None}


@cache
def _locales() -> tuple[str, ...]:
    """Those of Discord's in whose language there are words for commands."""
    every = [locale.value for locale in discord.Locale]
    return tuple(one for one in every if any(key.startswith(_UNDER) for key in catalogue(language_of(one))))
