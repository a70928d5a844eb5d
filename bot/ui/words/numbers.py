"""Numbers, money, sizes, dates and times as the reader's language writes them.

Law: how a language writes them stands in its catalogue under ``written``, ``rules`` and ``ordinal``; no language is
named here. Points in time are left to Discord (``<t:…:R>``), which knows the reader's clock.
"""

from __future__ import annotations

import math
from datetime import date, datetime

from bot.ui.words.catalogue import say


def number(locale: str, value: int) -> str:
    return _written(locale, f"{value:,}")


def decimal(locale: str, value: float) -> str:
    """As short as it can be: ``3``, ``2.5``."""
    return _written(locale, f"{value:g}")


def _written(locale: str, figure: str) -> str:
    """A figure of the form ``1,234.5`` with the marks of the language."""
    return figure.translate(str.maketrans(",.", say(locale, "written.thousands") + say(locale, "written.decimal")))


def money(locale: str, micro_usd: int) -> str:
    """Dollars with as many digits as the amount needs: $12.50, $0.013, $0.0004."""
    dollars = abs(micro_usd) / 1_000_000
    digits = 2 if micro_usd == 0 or dollars >= 1 else max(2, 2 - math.ceil(math.log10(dollars)))
    figure = f"{dollars:,.{min(digits, 6)}f}"
    while len(figure.partition(".")[2]) > 2 and figure.endswith("0"):
        figure = figure[:-1]
    return ("-" if micro_usd < 0 else "") + say(locale, "written.dollars", figure=_written(locale, figure))


def size_of(locale: str, byte_count: int) -> str:
    """``3.4 MB`` or ``812 KB``, by thousands of 1024."""
    if byte_count >= 1024 * 1024:
        return f"{_written(locale, f'{byte_count / 1024 / 1024:.1f}')} MB"
    return f"{max(1, round(byte_count / 1024))} KB"


def duration(locale: str, seconds: float) -> str:
    """``40 s``, ``2 min``, ``3 h``."""
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 100 * 60 else f"{round(seconds / 3600)} h"


def ordinal(locale: str, position: int) -> str:
    """``1st``, ``22nd``, ``13th``; ``3.``"""
    return say(locale, "ordinal", position=position)


def day(locale: str, on: date) -> str:
    """``2026-05-12``, which no English reader takes for another day; ``12.05.2026``."""
    return on.strftime(say(locale, "written.day"))


def moment(at: datetime) -> str:
    """A point in time as Discord shows it to each reader: ``in 3 minutes``."""
    return f"<t:{math.ceil(at.timestamp())}:R>"
