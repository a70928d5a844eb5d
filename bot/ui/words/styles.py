"""What cannot be done with a saved look, in words."""

from __future__ import annotations

from bot.core.people.styles import BadStyle
from bot.rules.styles.style import NAME_CHARS, BadStyleName, NoSuchStyle, TooManyStyles
from bot.ui.words.catalogue import joined, say
from bot.ui.words.problems import problem_line
from bot.ui.words.text import inline


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
