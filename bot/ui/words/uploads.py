"""What is wrong with a file, and what was done to one, in the reader's language: every fact of the rules in words."""

from __future__ import annotations

from bot.rules.uploads import (
    BadUpload,
    Bytes,
    Count,
    Encoding,
    Fact,
    Format,
    Named,
    Note,
    Options,
    Pixels,
    Place,
    Size,
    Typed,
    UploadProblem,
)
from bot.ui.words.catalogue import has, joined, say
from bot.ui.words.commands import option_said
from bot.ui.words.numbers import number, size_of
from bot.ui.words.text import clean, escaped, inline

_IN_BRACKETS = frozenset({UploadProblem.WRONG_FORMAT, UploadProblem.NOT_TEXT, UploadProblem.MASK_TWICE})
"""Their sentences go without a fact too, so its brackets come with it."""

_NAMES = {"jpeg": "JPEG", "webp": "WebP", "jpeg2000": "JPEG 2000", "webm": "WebM"}
"""Formats that are not simply written in capitals."""


def upload_words(error: BadUpload, locale: str) -> str:
    """Why the file cannot be used, and that nothing was spent."""
    return f"{upload_fault(error, locale)} {say(locale, 'upload.nothing_spent')}"


def upload_fault(error: BadUpload, locale: str) -> str:
    """Why the file cannot be used."""
    detail = _facts(error.came, error.allowed, locale)
    if detail and error.problem in _IN_BRACKETS:
        detail = f" ({detail})"
    return say(locale, f"upload.{error.problem}", name=escaped(option_said(error.name, locale), 80), detail=detail)


def note_words(note: Note, locale: str) -> str:
    """What was done to the file or the wish, as plain text."""
    if isinstance(note.was, Typed):
        key = f"note.{note.kind}" if note.became is None else f"note.{note.kind}_nearest"
        became = note.became.text if isinstance(note.became, Typed) else ""
        return say(
            locale, key, name=option_said(note.name, locale), was=clean(note.was.text, 60), became=clean(became, 60)
        )
    facts = [fact_words(fact, locale) for fact in (note.was, note.became) if fact is not None]
    first, last = "".join(facts[:1]), "".join(facts[1:])
    name = clean(option_said(note.name, locale), 60)
    return say(locale, f"note.{note.kind}", name=name, detail=" / ".join(facts), was=first, became=last)


def _facts(came: Fact | None, allowed: Fact | None, locale: str) -> str:
    if came is None:
        return ""
    if allowed is None:
        return fact_words(came, locale)
    key = "upload.both" if isinstance(allowed, Size) else "upload.at_most"
    return say(locale, key, came=fact_words(came, locale), allowed=fact_words(allowed, locale))


def fact_words(fact: Fact, locale: str) -> str:
    """The fact with its numbers as the language writes them, foreign text escaped."""
    match fact:
        case Bytes():
            return size_of(locale, fact.count)
        case Pixels():
            return number(locale, fact.count)
        case Count():
            return number(locale, fact.number)
        case Size():
            return f"{fact.width}x{fact.height}"
        case Format():
            key = f"upload.is.{fact.name}"
            return say(locale, key) if has(key) else _NAMES.get(fact.name, fact.name.upper())
        case Encoding():
            return say(locale, "upload.is.encoding", name=fact.name)
        case Place():
            return say(locale, "upload.is.wrong_byte", byte=number(locale, fact.byte))
        case Options():
            return joined(locale, list(fact.names), last="and")
        case Typed():
            return inline(fact.text, 60)
        case Named():
            return clean(fact.name, 60)
