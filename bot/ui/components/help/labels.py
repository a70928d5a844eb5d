"""What a remedy changes, in a few words: for a button."""

from __future__ import annotations

from bot.rules.catalogue.catalogue import Catalogue
from bot.rules.options.remedies import MODEL, Remedy, Value
from bot.ui.words.catalogue import has, joined, say
from bot.ui.words.commands import option_said


def remedy_words(remedy: Remedy, catalogue: Catalogue, locale: str) -> str:
    """``2.6 flare``, ``816x816``, ``quality low and no previews``."""
    return joined(locale, [_change(option, value, catalogue, locale) for option, value in remedy.changes], last="and")


def _change(option: str, value: Value, catalogue: Catalogue, locale: str) -> str:
    if option == MODEL:
        model = catalogue.get(str(value))
        return (model.short_name if model is not None else "") or str(value)
    named = option_said(option, locale)
    if value is None or value is False:
        return say(locale, "remedy.without", option=named)
    key = f"remedy.option.{option}"
    return say(locale, key, value=value, count=value) if has(key) else f"{named} {value}"
