"""What Easel says, by language: one catalogue a language in ``locales/``, with plurals.

Law: only look-ups, and no language by its name: another language is another file. One that lacks a key falls back to
English; a test keeps the catalogues complete. Why not Babel: docs/decisions/0008-own-words.md.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

_LOCALES = resources.files("bot.ui.words").joinpath("locales")
LANGUAGES = tuple(sorted(entry.name.removesuffix(".toml") for entry in _LOCALES.iterdir()))


@cache
def language_of(locale: str) -> str:
    """The catalogue for a Discord locale such as ``en-GB`` or ``de``."""
    language = locale.partition("-")[0]
    return language if language in LANGUAGES else "en"


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is said, with ``str.format`` fields; ``one`` instead of ``other`` where the field ``by`` is the number 1."""

    other: str
    one: str | None = None
    by: str = "count"

    def of(self, fields: Mapping[str, object]) -> str:
        """The sentence with its fields filled in; the number that decides may be written out already."""
        text = self.other if self.one is None or str(fields[self.by]) != "1" else self.one
        return text.format(**fields)


@cache
def catalogue(language: str) -> Mapping[str, Sentence]:
    """Every sentence of a language by its dotted key."""
    text = _LOCALES.joinpath(f"{language}.toml").read_text(encoding="utf-8")
    return dict(_flatten("", tomllib.loads(text)))


def _flatten(prefix: str, table: Mapping[str, Any]) -> list[tuple[str, Sentence]]:
    pairs: list[tuple[str, Sentence]] = []
    for key, value in table.items():
        name = f"{prefix}.{key}" if prefix else key
        if not isinstance(value, dict):
            pairs.append((name, Sentence(str(value))))
        elif {"one", "other"} <= value.keys() <= {"one", "other", "by"}:
            pairs.append((name, Sentence(**value)))
        else:
            pairs += _flatten(name, value)
    return pairs


def say(locale: str, key: str, **fields: object) -> str:
    """The sentence ``key`` in the reader's language. Fields are put in as they are: escape foreign text before."""
    return (catalogue(language_of(locale)).get(key) or catalogue("en")[key]).of(fields)


def has(key: str) -> bool:
    return key in catalogue("en")


def joined(locale: str, words: list[str], *, last: str = "or") -> str:
    """``a, b or c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {say(locale, f'word.{last}')} {words[-1]}"
