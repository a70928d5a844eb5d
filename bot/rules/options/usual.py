"""What one picture comes to where nobody chose anything: so that amounts can be told in pictures."""

from __future__ import annotations

from dataclasses import dataclass

from bot.rules.catalogue.model import Model
from bot.rules.catalogue.pricing import UnknownPrice, upper_bound, usual_price
from bot.rules.money import MicroUSD
from bot.rules.options.build import build_request
from bot.rules.options.problems import InvalidOptions
from bot.rules.options.table import RawOptions
from bot.rules.requests import Kind
from bot.rules.servers.access import ServerSettings

SOME_WORDS = "a red fox in the snow, " * 4
"""Stands for a prompt."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Of one picture: what it usually costs, and the most it can, which is what needs room in a budget."""

    usual: MicroUSD
    most: MicroUSD


def usual_picture(model: Model, settings: ServerSettings) -> Prices | None:
    """One picture from words by this model, with the server's defaults. None where there is no such thing."""
    try:
        request = build_request(
            RawOptions(SOME_WORDS),
            model,
            Kind.IMAGINE,
            defaults=settings.defaults,
            previews_allowed=settings.previews,
            moderation_floor=settings.moderation,
        )
        return Prices(usual_price(request, model), upper_bound(request, model))
    except (InvalidOptions, UnknownPrice):
        return None


def pictures_for(amount: MicroUSD, prices: Prices) -> int | None:
    """How many pictures an amount pays for, each made where the most it could cost had room. None: they are free."""
    if prices.most == 0:
        return None
    return 0 if amount < prices.most else 1 + (amount - prices.most) // max(prices.usual, 1)
