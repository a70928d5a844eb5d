"""Prices and budgets in words."""

from __future__ import annotations

from bot.rules.money import MicroUSD
from bot.rules.options.usual import Prices
from bot.ui.words.prices import budget_meaning, in_pictures, price_words

PRICES = Prices(MicroUSD(13_400), MicroUSD(16_200))
FREE = Prices(MicroUSD(0), MicroUSD(0))


def test_a_price_is_what_it_usually_is_and_the_most() -> None:
    assert price_words(PRICES, "en-US") == "usually $0.013, at most $0.016"
    assert price_words(PRICES, "de") == "meist 0,013 $, höchstens 0,016 $"
    assert price_words(Prices(MicroUSD(40_000), MicroUSD(40_000)), "en-US") == "$0.04"


def test_a_budget_is_told_in_pictures_and_warns_below_one() -> None:
    assert budget_meaning(MicroUSD(5_000_000), PRICES, "en-US") == (
        "That is about 372 pictures with the current defaults."
    )
    assert budget_meaning(MicroUSD(16_200), PRICES, "de") == "Das reicht mit den jetzigen Vorgaben für etwa 1 Bild."
    below = budget_meaning(MicroUSD(10_000), PRICES, "en-US")
    assert below.startswith("⚠️ That is less than one picture")
    assert "at most $0.016" in below


def test_where_pictures_say_nothing_nothing_is_said() -> None:
    for prices in (None, FREE):
        assert budget_meaning(MicroUSD(5), prices, "en-US") == in_pictures(MicroUSD(5), prices, "en-US") == ""
    assert budget_meaning(MicroUSD(0), PRICES, "en-US") == ""
