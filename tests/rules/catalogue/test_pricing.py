"""Prices: OpenAI's published figures, a bound that holds, and whole micro-dollars throughout."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.catalogue.model import Model
from bot.rules.catalogue.pricing import (
    MAX_INPUT_TOKENS,
    PARTIAL_TOKENS,
    TEMPLATE_TOKENS,
    UnknownPrice,
    charge,
    grid_tokens,
    is_usable,
    picture_price,
    previews_add_little,
    upper_bound,
    usage_price,
)
from bot.rules.money import MicroUSD, TokenPrices
from bot.rules.options.build import build_request
from bot.rules.options.checks import Uploaded
from bot.rules.options.problems import InvalidOptions
from bot.rules.options.sizes import Size, SizeRule, is_legal, nearest_size, parse_size
from bot.rules.options.table import RawOptions
from bot.rules.requests import PICTURES, Endpoint, ImageRequest, Kind, Usage

CATALOGUE = load_catalogue(builtin_catalogue())
MODELS = list(CATALOGUE)
TOKEN_MODELS = [model for model in MODELS if model.pricing and model.pricing.tokens]
FLARE, SUN, TWO, NEW, OLD = (
    "gpt-image-2.5-flare",
    "gpt-image-2.5-sunburst",
    "gpt-image-2",
    "gpt-image-2.6-flare",
    "gpt-image-1",
)


def named(name: str) -> Model:
    model = CATALOGUE.get(name)
    assert model is not None
    return model


def sized(text: str) -> Size:
    size = parse_size(text)
    assert isinstance(size, Size)
    return size


def asked(name: str, **fields: Any) -> ImageRequest:
    return replace(ImageRequest(Kind.IMAGINE, Endpoint.GENERATIONS, name, "a red fox"), **fields)


# --- the formula -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "quality", "size", "tokens"),
    [
        (TWO, "low", "1024x1024", 196),
        (TWO, "medium", "1024x1024", 1756),
        (TWO, "high", "1024x1024", 7024),
        (TWO, "low", "1536x1024", 158),
        (TWO, "high", "1536x1024", 5488),
        (TWO, "high", "1024x1536", 5488),
        (TWO, "high", "1792x1024", 5063),
        (TWO, "low", "2560x1440", 205),
        (TWO, "high", "3840x2160", 13342),
        (FLARE, "low", "1024x1024", 196),
        (FLARE, "medium", "1024x1024", 439),
        (FLARE, "high", "1024x1024", 1756),
        (FLARE, "xhigh", "1024x1024", 3122),
        (FLARE, "max", "1024x1024", 7024),
        (FLARE, "medium", "1792x1024", 323),
        (SUN, "xhigh", "3840x2160", 5930),
        (NEW, "high", "2048x2048", 3568),
        (NEW, "max", "1536x1024", 5488),
    ],
)
def test_tokens_are_those_of_openais_calculator(name: str, quality: str, size: str, tokens: int) -> None:
    pricing = named(name).pricing
    assert pricing is not None
    assert grid_tokens(pricing.quality_g[quality], sized(size)) == tokens


@pytest.mark.parametrize(
    ("name", "quality", "size", "dollars"),
    [
        (TWO, "low", "1024x1024", "0.006"),
        (TWO, "medium", "1024x1024", "0.053"),
        (TWO, "high", "1024x1024", "0.211"),
        (FLARE, "low", "1024x1024", "0.006"),
        (FLARE, "medium", "1024x1024", "0.013"),
        (FLARE, "max", "1024x1024", "0.211"),
        (OLD, "low", "1024x1024", "0.011"),
        (OLD, "medium", "1024x1536", "0.063"),
        (OLD, "high", "1024x1024", "0.166"),
        ("gpt-image-1.5", "low", "1024x1024", "0.009"),
        ("gpt-image-1.5", "high", "1024x1024", "0.133"),
        ("gpt-image-1-mini", "low", "1024x1024", "0.005"),
        ("gpt-image-1-mini", "high", "1536x1024", "0.052"),
        ("dall-e-3", "hd", "1792x1024", "0.120"),
        ("dall-e-2", None, "512x512", "0.018"),
    ],
)
def test_a_picture_costs_what_is_published(name: str, quality: str | None, size: str, dollars: str) -> None:
    price = picture_price(named(name), quality, sized(size))
    assert price is not None
    assert f"{price / 1e6:.3f}" == dollars


@pytest.mark.parametrize(("side", "other"), [(1, 0), (3, 2), (5, 2), (7, 4)])
def test_half_a_cell_rounds_to_the_even_number(side: int, other: int) -> None:
    assert grid_tokens(side, Size(2000, 1000)) == side * other


@given(st.integers(1, 200), st.integers(1, 4000), st.integers(1, 4000))
def test_the_formula_in_whole_numbers_is_the_formula(side: int, width: int, height: int) -> None:
    other = round(Fraction(side * min(width, height), max(width, height)))  # rounds half to even
    exact = Fraction(side * other * (2_000_000 + width * height), 4_000_000)
    assert grid_tokens(side, Size(width, height)) == ceil(exact)
    assert grid_tokens(side, Size(width, height)) == grid_tokens(side, Size(height, width))


# --- the bound ---------------------------------------------------------------------------------------------------


def test_the_bound_of_a_plain_picture_is_its_parts_rounded_up() -> None:
    prompt, template = len("a red fox"), TEMPLATE_TOKENS
    request = asked(FLARE, quality="low", size="1024x1024")
    assert upper_bound(request, named(FLARE)) == 196 * 30 + (prompt + template) * 5
    edit = replace(request, endpoint=Endpoint.EDITS, inputs=2, has_mask=True, partial_images=2)
    more = 3 * MAX_INPUT_TOKENS * 8 + 2 * PARTIAL_TOKENS * 30
    assert upper_bound(edit, named(FLARE)) == upper_bound(request, named(FLARE)) + more
    assert upper_bound(replace(edit, count=3), named(FLARE)) == 3 * upper_bound(edit, named(FLARE))


def test_what_the_service_may_choose_is_priced_at_its_dearest() -> None:
    dearest = upper_bound(asked(FLARE, quality="max", size="1024x1024"), named(FLARE))
    for size in (None, "auto", "1024x1024"):
        for quality in (None, "auto", "max"):
            assert upper_bound(asked(FLARE, quality=quality, size=size), named(FLARE)) == dearest
    assert upper_bound(asked(OLD), named(OLD)) == upper_bound(asked(OLD, quality="high", size="1024x1536"), named(OLD))


def test_pictures_with_a_fixed_price_cost_it_each() -> None:
    assert upper_bound(asked("dall-e-2", size="256x256", count=3), named("dall-e-2")) == 48_000
    three = asked("dall-e-3", size="1792x1024", quality="hd", count=4, calls=4)
    assert upper_bound(three, named("dall-e-3")) == 480_000
    assert upper_bound(asked("dall-e-3"), named("dall-e-3")) == 120_000


def test_a_gif_costs_its_sheet_and_an_svg_its_writing() -> None:
    still = upper_bound(asked(NEW, quality="low", size="1024x1024", prompt=""), named(NEW))
    output = 988 * 30
    gif = asked(NEW, quality="low", size="960x960", prompt="", format="gif", frames=4)
    sheet = ceil(grid_tokens(36, sized("2880x2880")) * 1.1) * 30
    assert upper_bound(gif, named(NEW)) == still - output + sheet
    assert upper_bound(replace(gif, frames=None), named(NEW)) > upper_bound(gif, named(NEW))
    svg = replace(gif, size="1024x1024", format="svg", frames=None)
    assert upper_bound(svg, named(NEW)) == still + 16_384 * 30


def test_high_fidelity_costs_more_input() -> None:
    low = asked(OLD, inputs=1, fidelity="low")
    assert upper_bound(replace(low, fidelity="high"), named(OLD)) - upper_bound(low, named(OLD)) == 62_400


def test_a_model_without_a_price_cannot_be_reserved_for() -> None:
    model = replace(named(FLARE), pricing=None)
    with pytest.raises(UnknownPrice) as refused:
        upper_bound(asked(FLARE), model)
    assert refused.value.model == FLARE
    with pytest.raises(UnknownPrice):
        charge(asked(FLARE), model, Usage(output_tokens=5), 1)
    assert picture_price(model) is None


def test_a_size_or_quality_without_a_price_is_not_guessed() -> None:
    for request in (asked(OLD, size="512x512"), asked(OLD, quality="max"), asked(FLARE, quality="hd")):
        with pytest.raises(UnknownPrice):
            upper_bound(request, named(request.model))
    assert picture_price(named("dall-e-3"), "standard", Size(1, 1)) is None


def test_a_free_model_costs_nothing() -> None:
    catalogue = load_catalogue(builtin_catalogue(), '[models.mine]\nlike = "gpt-image-2"\nfree = true')
    mine = catalogue.get("mine")
    assert mine is not None
    assert upper_bound(asked("mine", count=10), mine) == 0
    assert previews_add_little(asked("mine", quality="high"), mine, 3)
    assert charge(asked("mine"), mine, Usage(output_tokens=10**9), 1) == 0
    assert picture_price(mine) == 0


# --- the charge --------------------------------------------------------------------------------------------------


def test_a_charge_is_the_usage_at_its_price() -> None:
    usage = Usage(input_text_tokens=10, input_image_tokens=1024, output_tokens=196)
    assert charge(asked(FLARE), named(FLARE), usage, 1) == 10 * 5 + 1024 * 8 + 196 * 30


def test_cached_tokens_are_part_of_the_input_and_cheaper() -> None:
    usage = Usage(100, 1000, 200, cached_text_tokens=40, cached_image_tokens=5000)
    assert charge(asked(FLARE), named(FLARE), usage, 1) == 60 * 5 + 50 + 1000 * 2 + 200 * 30
    assert usage_price(TokenPrices(5_000_000, 8_000_000, 30_000_000), usage) == 100 * 5 + 1000 * 8 + 200 * 30


def test_a_part_of_a_micro_dollar_is_a_whole_one() -> None:
    assert usage_price(TokenPrices(1, 1, 1), Usage(output_tokens=1)) == 1
    assert usage_price(TokenPrices(1, 1, 1), Usage(1, 1, 1)) == 1
    assert usage_price(TokenPrices(0, 0, 0), Usage(1, 1, 1)) == 0


@pytest.mark.parametrize("usage", [None, Usage(), Usage(input_text_tokens=9)])
def test_without_usable_usage_the_pictures_made_cost_their_bound(usage: Usage | None) -> None:
    request = asked(FLARE, quality="low", size="1024x1024", count=4)
    assert not is_usable(usage, 3)
    assert charge(request, named(FLARE), usage, 3) == upper_bound(replace(request, count=3), named(FLARE))
    assert charge(request, named(FLARE), None, 0) == 0


def test_a_fixed_price_is_charged_for_the_pictures_made() -> None:
    request = asked("dall-e-2", size="512x512", count=4)
    assert charge(request, named("dall-e-2"), None, 3) == 54_000
    assert charge(request, named("dall-e-2"), Usage(1, 1, 1), 2) == 36_000


def test_a_mad_report_is_neither_negative_nor_endless() -> None:
    mad = Usage(-5, -5, 10**30, -5, 10**30)
    assert charge(asked(FLARE), named(FLARE), mad, 1) == 30 * 10**9
    assert charge(asked(FLARE), named(FLARE), Usage(5, -(10**9), 1), 1) == 5 * 5 + 30


# --- always ------------------------------------------------------------------------------------------------------

token_models = st.sampled_from(TOKEN_MODELS)
requests = st.builds(
    ImageRequest,
    kind=st.just(Kind.EDIT),
    endpoint=st.just(Endpoint.EDITS),
    model=st.just("any"),
    prompt=st.text(max_size=50),
    count=st.integers(1, 10),
    size=st.one_of(st.none(), st.builds(lambda w, h: f"{w}x{h}", st.integers(1, 5000), st.integers(1, 5000))),
    quality=st.sampled_from([None, "auto", "low", "medium", "high", "xhigh", "max"]),
    fidelity=st.sampled_from([None, "low", "high"]),
    format=st.sampled_from([None, "png", "gif", "svg"]),
    frames=st.sampled_from([None, 2, 16]),
    partial_images=st.integers(0, 3),
    inputs=st.integers(0, 16),
    has_mask=st.booleans(),
)


def legal(request: ImageRequest, model: Model) -> ImageRequest:
    """The request with a size and quality the model has."""
    assume(request.quality is None or request.quality in model.qualities)
    size = parse_size(request.size or "")
    return replace(request, size=str(nearest_size(model.sizes, size)) if isinstance(size, Size) else None)


@pytest.mark.slow
@given(requests, token_models)
def test_the_bound_is_whole_and_grows_with_whatever_is_added(request: ImageRequest, model: Model) -> None:
    request = legal(request, model)
    bound = upper_bound(request, model)
    assert isinstance(bound, int)
    assert bound > 0
    for more in (
        {"count": request.count + 1},
        {"prompt": request.prompt + "🦊"},
        {"partial_images": request.partial_images + 1},
        {"inputs": request.inputs + 1},
    ):
        assert upper_bound(replace(request, **more), model) > bound
    assert upper_bound(replace(request, quality=None), model) >= bound
    gifs = [upper_bound(replace(request, format="gif", frames=frames), model) for frames in (2, 3, 16)]
    assert gifs == sorted(gifs)


@given(
    st.sampled_from([m for m in TOKEN_MODELS if isinstance(m.sizes, SizeRule)]),
    st.integers(51, 180),
    st.integers(51, 180),
)
def test_better_quality_never_costs_less(model: Model, width: int, height: int) -> None:
    size = Size(width * 16, height * 16)
    assume(is_legal(model.sizes, size))
    prices = [picture_price(model, quality, size) for quality in model.qualities if quality != "auto"]
    known = [price for price in prices if price is not None]
    assert len(known) == len(prices)
    assert known == sorted(known)


@given(requests, token_models, st.data())
def test_usage_by_the_formula_never_costs_more_than_was_reserved(
    request: ImageRequest, model: Model, data: st.DataObject
) -> None:
    request = replace(legal(request, model), format=None, frames=None, fidelity=None)
    size = sized(request.size) if request.size else data.draw(st.sampled_from([Size(1024, 1024), Size(1536, 1024)]))
    qualities = [quality for quality in model.qualities if quality != "auto"]
    quality = request.quality if request.quality in qualities else data.draw(st.sampled_from(qualities))
    made = data.draw(st.integers(1, request.count))
    one = picture_tokens(model, quality, size)
    inputs = request.inputs * data.draw(st.integers(1, MAX_INPUT_TOKENS))
    usage = Usage(
        input_text_tokens=data.draw(st.integers(0, len(request.prompt.encode()))),
        input_image_tokens=inputs,
        output_tokens=(one + PARTIAL_TOKENS * data.draw(st.integers(0, request.partial_images))) * made,
    )
    price = charge(request, model, usage, made)
    assert isinstance(price, int)
    assert 0 < price <= upper_bound(request, model)


def picture_tokens(model: Model, quality: str | None, size: Size) -> int:
    pricing = model.pricing
    assert pricing is not None
    if pricing.output_tokens:
        return pricing.output_tokens[quality or "", size]
    return grid_tokens(pricing.quality_g[quality or ""], size)


@given(st.sampled_from(MODELS), st.integers(-2, 10), st.builds(Usage, *[st.integers(-10, 10**12)] * 5))
def test_a_charge_is_whole_and_never_below_zero(model: Model, made: int, usage: Usage) -> None:
    price = charge(asked(model.id, size=model.default_size), model, usage, made)
    assert isinstance(price, int)
    assert price >= 0


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
@pytest.mark.parametrize("kind", PICTURES)
def test_whatever_passes_the_options_has_a_price(model: Model, kind: Kind) -> None:
    uploaded = Uploaded() if kind is Kind.IMAGINE else Uploaded(((1024, 1024),))
    for quality in (None, *model.qualities):
        for size in (None, "auto", "16:9", "square", "1024x1024"):
            raw = RawOptions("" if kind is Kind.VARY else "fox", quality=quality, size=size, count=2)
            try:
                request = build_request(raw, model, kind, uploaded=uploaded)
            except InvalidOptions:
                continue
            assert upper_bound(request, model) > MicroUSD(0)


def test_one_picture_a_call_is_reserved_for_as_it_is_charged() -> None:
    """Each call is rounded up by itself; a bound rounded once would be too low by the rest."""
    catalogue = load_catalogue(
        builtin_catalogue(),
        '[models.x]\nlike = "gpt-image-2"\none_per_call = true\n'
        "prices = { text_in = 0.3, image_in = 0, image_out = 0.6 }",
    )
    model = catalogue.get("x")
    assert model is not None
    request = asked("x", quality="low", size="1024x1024", count=3, calls=3)
    one = replace(request, count=1, calls=1)
    assert upper_bound(request, model) == 3 * upper_bound(one, model) == 3 * 150  # each is 149.1
    most = Usage(input_text_tokens=len("a red fox") + TEMPLATE_TOKENS, output_tokens=196)
    assert sum(charge(one, model, most, 1) for _ in range(3)) == upper_bound(request, model)
