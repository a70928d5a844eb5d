"""Limits in words: what one is set for, for whom, and how much."""

from __future__ import annotations

from bot.rules.limits.limit import Cooldown, Limit, Measure, Period, Quota, Slot, is_open, slot_of
from bot.ui.words.catalogue import say
from bot.ui.words.numbers import money, number


def slot(slot: Slot, locale: str) -> str:
    """What a limit is and for whom: ``Pictures per day for @artists``."""
    if slot.quota is None:
        what = say(locale, "limit.cooldown")
    else:
        measure, period = slot.quota
        what = say(locale, f"limit.{measure}", window=window(period, locale))
    return say(locale, "limit.slot", what=what, whose=whose(slot, locale))


def window(period: Period, locale: str) -> str:
    """``hour``, ``day``, ``month``."""
    return say(locale, f"window.{period}")


def whose(slot: Slot, locale: str) -> str:
    """For whom it holds, told about others: ``for @artists``, ``for the whole server``."""
    return say(locale, f"limit.whose.{slot.scope}", subject=slot.subject_id)


def amount(limit: Limit | None, locale: str) -> str:
    """How much: ``$12.50``, ``50``, ``30 s``, ``no limit``; ``not set`` for None."""
    if limit is None:
        return say(locale, "limit.not_set")
    if is_open(limit):
        return say(locale, "limit.none")
    match limit:
        case Quota():
            return plain_amount(limit, limit.amount or 0, locale)
        case Cooldown():
            return exact_duration(locale, limit.seconds or 0)


def plain_amount(limit: Limit, count: int, locale: str) -> str:
    """A number of what the limit counts: dollars as money, the rest as it is."""
    return money(locale, count) if limit.measure is Measure.DOLLARS else number(locale, count)


def exact_duration(locale: str, seconds: int) -> str:
    """``90 s``, ``5 min``, ``2 h``: never rounded, for it is what holds."""
    for unit, word in ((3600, "h"), (60, "min")):
        if seconds >= 2 * unit and seconds % unit == 0:
            return f"{number(locale, seconds // unit)} {word}"
    return f"{number(locale, seconds)} s"


def counted(limit: Limit, locale: str) -> str:
    """What it counts, without for whom: Discord shows no mentions on buttons and in menus."""
    where = slot_of(limit)
    if where.quota is None:
        return say(locale, "limit.cooldown")
    measure, period = where.quota
    return say(locale, f"limit.{measure}", window=window(period, locale))
