"""What is wrong with options, in the reader's language: every ``Problem`` of the rules as one line; and with a look."""

from __future__ import annotations

from bot.core.people.styles import BadStyle
from bot.rules.options.phrases import Phrase, Value, WordList
from bot.rules.options.problems import Problem
from bot.rules.styles.style import NAME_CHARS, BadStyleName, NoSuchStyle, TooManyStyles
from bot.ui.words.catalogue import joined, say
from bot.ui.words.commands import option_said
from bot.ui.words.numbers import decimal, number
from bot.ui.words.text import escaped, inline

SHOWN = 60
"""Characters of what somebody typed that are repeated."""


def problem_line(problem: Problem, model: str, locale: str) -> str:
    """``**size:** `model` cannot make 512x512: … Closest: 816x816.``"""
    key = "problem.size" if problem.option == "size" else "problem.other"
    sentence = say(locale, key, model=inline(model), asked=_told(problem.wanted, locale), why=_why(problem, locale))
    ending = (
        say(locale, "problem.leave_out")
        if problem.works is None
        else say(locale, "problem.nearest", nearest=_told(problem.works, locale))
    )
    return say(locale, "problem.line", option=option_said(problem.option, locale), sentence=f"{sentence} {ending}")


def _why(problem: Problem, locale: str) -> str:
    if problem.because:
        return joined(locale, [phrase_words(part, locale) for part in problem.because], last="and")
    if problem.takes is not None:
        return say(locale, "problem.allowed", allowed=phrase_words(problem.takes, locale))
    return say(locale, "problem.nothing")


def _told(what: str | Phrase, locale: str) -> str:
    return phrase_words(what, locale) if isinstance(what, Phrase) else escaped(what, SHOWN)


def phrase_words(phrase: Phrase, locale: str) -> str:
    """The phrase with its numbers written as the language does, foreign text escaped."""
    values = {name: _value(value, locale) for name, value in phrase.values}
    return say(locale, f"phrase.{phrase.key}", **values)


def _value(value: Value, locale: str) -> str:
    match value:
        case int():
            return number(locale, value)
        case float():
            return decimal(locale, value)
        case str():
            return escaped(value, 200)
        case WordList():
            words = [escaped(word, 100) for word in value.words]
            return joined(locale, words, last=value.last) if value.last else ", ".join(words)


# --- saved looks ---------------------------------------------------------------------------------------------------


def bad_style(error: BadStyle, locale: str) -> str:
    lines = [problem_line(problem, error.model, locale) for problem in error.problems]
    return "\n".join([say(locale, "problem.head_style"), *lines])


def no_such_style(error: NoSuchStyle, locale: str) -> str:
    nearest = joined(locale, [inline(name) for name in error.nearest])
    near = say(locale, "error.nearest", nearest=nearest) if nearest else ""
    return say(locale, "error.no_such_style", asked=inline(error.asked, 60), nearest=near)


def too_many_styles(error: TooManyStyles, locale: str) -> str:
    return say(locale, "error.server_styles_full" if error.servers else "error.own_styles_full", most=error.most)


def bad_style_name(error: BadStyleName, locale: str) -> str:
    return say(locale, "error.style_name", most=NAME_CHARS)
