"""What Easel says, by language: one catalogue a language in ``locales/``, with plurals.

Law: only look-ups, and no language by its name: another language is another file. One that lacks a key falls back to
English; a test keeps the catalogues complete. Why not Babel: docs/decisions/0008-own-words.md.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any

from bot.ui.words.grammar.names import renamed, with_commands
from bot.ui.words.grammar.plurals import FORMS, OTHER, form_of

_LOCALES = resources.files("bot.ui.words").joinpath("locales")
LANGUAGES = tuple(sorted(entry.name.removesuffix(".toml") for entry in _LOCALES.iterdir()))


@cache
def language_of(locale: str) -> str:
    """The catalogue for a Discord locale such as ``en-GB`` or ``de``."""
    language = locale.partition("-")[0]
    return language if language in LANGUAGES else "en"


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is said, with ``str.format`` fields. Where a number decides, ``forms`` has what is said instead of
    ``other``, by CLDR's names; ``by`` is the field with the number, ``rules`` say which form it takes."""

    other: str
    forms: Mapping[str, str] = field(default_factory=dict)
    by: str = "count"
    rules: Mapping[str, str] = field(default_factory=dict)
    thousands: str = ""

    def of(self, fields: Mapping[str, object]) -> str:
        """The sentence with its fields filled in; the number that decides may be written out already."""
        return (self._form(fields) if self.forms else self.other).format(**fields)

    def _form(self, fields: Mapping[str, object]) -> str:
        figure = str(fields[self.by]).replace(self.thousands, "")
        form = form_of(self.rules, int(figure)) if figure.isdecimal() else OTHER
        return self.forms.get(form, self.other)


@cache
def catalogue(language: str) -> Mapping[str, Sentence]:
    """Every sentence of a language by its dotted key."""
    file, names = _file(language), names_in(language)
    written = _Written(file.get("rules", {}), file.get("written", {}).get("thousands", ""))
    return {key: _renamed(key, one, names) for key, one in _flatten("", file, written)}


def _renamed(key: str, one: Sentence, names: Mapping[str, str]) -> Sentence:
    """In faults of an imported file a lone word is a field of it, so only commands are renamed there."""
    rename = with_commands if key.startswith("misfit.") else renamed
    return replace(one, other=rename(one.other, names), forms={k: rename(v, names) for k, v in one.forms.items()})


@cache
def names_in(language: str) -> Mapping[str, str]:
    """What the language calls commands and options, by their own names or paths; empty where it leaves them."""
    names: Mapping[str, str] = _file(language).get("name", {})
    return names


@cache
def _file(language: str) -> dict[str, Any]:
    return tomllib.loads(_LOCALES.joinpath(f"{language}.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class _Written:
    """What a file says of its numbers: rules by name (``count``, ``order``), and the mark between thousands."""

    rules: Mapping[str, Mapping[str, str]]
    thousands: str


def _flatten(prefix: str, table: Mapping[str, Any], written: _Written) -> list[tuple[str, Sentence]]:
    pairs: list[tuple[str, Sentence]] = []
    for key, value in table.items():
        name = f"{prefix}.{key}" if prefix else key
        if name in ("rules", "name"):
            continue
        if not isinstance(value, dict):
            pairs.append((name, Sentence(str(value))))
        elif OTHER in value and value.keys() <= FORMS | {"by", "rule"}:
            pairs.append((name, _counted(value, written)))
        else:
            pairs += _flatten(name, value, written)
    return pairs


def _counted(table: Mapping[str, str], written: _Written) -> Sentence:
    forms = {form: text for form, text in table.items() if form in FORMS and form != OTHER}
    rules = written.rules.get(table.get("rule", "count"), {})
    return Sentence(table[OTHER], forms, table.get("by", "count"), rules, written.thousands)


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
