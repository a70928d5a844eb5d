"""What Easel says, by language: one catalogue a language in ``locales/``, keys with ``str.format`` fields.

A language that lacks a key falls back to English; a test keeps the catalogues complete. Numbers and money follow the
language, points in time are left to Discord (``<t:…:R>``), which knows the reader's clock.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib import resources
from typing import Any

LANGUAGES = ("en", "de")
_DECIMAL_COMMA = frozenset({"de"})


def language_of(locale: str) -> str:
    """The catalogue for a Discord locale such as ``en-GB`` or ``de``."""
    language = locale.partition("-")[0]
    return language if language in LANGUAGES else "en"


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Every sentence of a language by its dotted key."""
    text = resources.files("bot.ui.words").joinpath("locales", f"{language}.toml").read_text(encoding="utf-8")
    return dict(_flatten("", tomllib.loads(text)))


def _flatten(prefix: str, table: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for key, value in table.items():
        name = f"{prefix}.{key}" if prefix else key
        pairs += _flatten(name, value) if isinstance(value, dict) else [(name, str(value))]
    return pairs


def say(locale: str, key: str, **fields: object) -> str:
    """The sentence ``key`` in the reader's language. Fields are put in as they are: escape foreign text before."""
    sentence = catalogue(language_of(locale)).get(key)
    return (catalogue("en")[key] if sentence is None else sentence).format(**fields)


def has(key: str) -> bool:
    return key in catalogue("en")


def money(locale: str, micro_usd: int) -> str:
    """Dollars with as many digits as the amount needs: $12.50, $0.013, $0.0004."""
    dollars = micro_usd / 1_000_000
    digits = 2 if micro_usd == 0 or abs(dollars) >= 1 else max(2, 2 - math.ceil(math.log10(abs(dollars))))
    figure = f"{dollars:,.{min(digits, 6)}f}"
    while len(figure.partition(".")[2]) > 2 and figure.endswith("0"):
        figure = figure[:-1]
    if language_of(locale) in _DECIMAL_COMMA:
        return figure.translate(str.maketrans(",.", ".,")) + " $"
    return f"${figure}" if micro_usd >= 0 else f"-${figure[1:]}"


def number(locale: str, value: int) -> str:
    figure = f"{value:,}"
    return figure.replace(",", ".") if language_of(locale) in _DECIMAL_COMMA else figure


def decimal(locale: str, value: float) -> str:
    """As short as it can be: ``3``, ``2.5``."""
    figure = f"{value:g}"
    return figure.replace(".", ",") if language_of(locale) in _DECIMAL_COMMA else figure


def size_of(locale: str, byte_count: int) -> str:
    """``3.4 MB`` or ``812 KB``, by thousands of 1024."""
    if byte_count >= 1024 * 1024:
        figure = f"{byte_count / 1024 / 1024:.1f}"
        return (figure.replace(".", ",") if language_of(locale) in _DECIMAL_COMMA else figure) + " MB"
    return f"{max(1, round(byte_count / 1024))} KB"


def duration(locale: str, seconds: float) -> str:
    """``40 s``, ``2 min``, ``3 h``."""
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 100 * 60 else f"{round(seconds / 3600)} h"


def ordinal(locale: str, position: int) -> str:
    if language_of(locale) == "de":
        return f"{position}."
    ending = "th" if 10 <= position % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(position % 10, "th")
    return f"{position}{ending}"


def day(locale: str, on: date) -> str:
    """``2026-05-12``, which no English reader takes for another day; ``12.05.2026``."""
    return f"{on:%d.%m.%Y}" if language_of(locale) == "de" else on.isoformat()


def moment(at: datetime) -> str:
    """A point in time as Discord shows it to each reader: ``in 3 minutes``."""
    return f"<t:{math.ceil(at.timestamp())}:R>"


def joined(locale: str, words: list[str], *, last: str = "or") -> str:
    """``a, b or c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {say(locale, f'word.{last}')} {words[-1]}"
