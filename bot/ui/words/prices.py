"""Prices and budgets as people think of them: what it usually costs, the most it can, and how many pictures that is."""

from __future__ import annotations

from bot.rules.money import MicroUSD
from bot.rules.options.usual import Prices, pictures_for
from bot.ui.words.catalogue import say
from bot.ui.words.numbers import money, number


def price_words(prices: Prices, locale: str) -> str:
    """``usually $0.013, at most $0.016``; one amount where they look alike."""
    usual, most = money(locale, prices.usual), money(locale, prices.most)
    return most if usual == most else say(locale, "price.usual", usual=usual, most=most)


def in_pictures(amount: MicroUSD, prices: Prices | None, locale: str) -> str:
    """``about 260 pictures``; empty where that says nothing."""
    count = None if prices is None else pictures_for(amount, prices)
    return "" if not count else say(locale, "price.pictures", count=count, shown=number(locale, count))


def budget_meaning(amount: MicroUSD, prices: Prices | None, locale: str) -> str:
    """What a budget is at today's defaults, or that it is less than one picture; empty where that says nothing."""
    if prices is None or amount == 0 or pictures_for(amount, prices) is None:
        return ""
    pictures = in_pictures(amount, prices, locale)
    if pictures:
        return say(locale, "price.budget", pictures=pictures)
    return say(locale, "price.below_one", price=price_words(prices, locale))
