"""Options as people read them: their names and values in the reader's language, where it has words of its own.

Law: for reading only. What somebody is to type stays as one types it.
"""

from __future__ import annotations

from bot.ui.words.catalogue import has, say
from bot.ui.words.numbers import number
from bot.ui.words.text import escaped


def option_told(name: str, value: object, locale: str) -> str:
    """``size landscape``, ``private: yes``; ``Größe Querformat``, ``privat: ja``."""
    key = "option.answered" if isinstance(value, bool) else "option.told"
    return say(locale, key, name=say(locale, f"option.{name}"), value=value_told(value, locale))


def value_told(value: object, locale: str) -> str:
    match value:
        case bool():
            return say(locale, "word.yes" if value else "word.no")
        case int():
            return number(locale, value)
        case _:
            word = f"choice.{value}"
            return say(locale, word) if has(word) else escaped(str(value), 100)
