"""Amounts told in pictures."""

from __future__ import annotations

from dataclasses import replace

from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.catalogue.model import Model
from bot.rules.money import MicroUSD
from bot.rules.options.usual import Prices, pictures_for, usual_picture
from bot.rules.servers.access import Defaults, ServerSettings

CATALOGUE = load_catalogue(builtin_catalogue())


def flare() -> Model:
    model = CATALOGUE.get("gpt-image-2.5-flare")
    assert model is not None
    return model


def test_a_picture_by_the_servers_defaults_has_its_prices() -> None:
    plain = usual_picture(flare(), ServerSettings())
    dear = usual_picture(flare(), ServerSettings(defaults=Defaults(quality="max")))
    shown = usual_picture(flare(), ServerSettings(previews=True))
    assert plain is not None
    assert dear is not None
    assert shown is not None
    assert 13_000 < plain.usual < plain.most < 15_000
    assert dear.usual > 10 * plain.usual
    assert shown.most == plain.most + 2 * 100 * 30


def test_without_a_price_there_is_none() -> None:
    assert usual_picture(replace(flare(), pricing=None), ServerSettings()) is None


def test_an_amount_pays_for_as_many_pictures_as_have_room_one_after_another() -> None:
    prices = Prices(MicroUSD(13), MicroUSD(16))
    assert [pictures_for(MicroUSD(amount), prices) for amount in (0, 15, 16, 28, 29, 5000)] == [0, 0, 1, 1, 2, 384]
    assert pictures_for(MicroUSD(0), Prices(MicroUSD(0), MicroUSD(0))) is None
