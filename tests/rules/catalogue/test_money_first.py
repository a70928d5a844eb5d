"""What is reserved is close to what is charged, and never less: each model, as the sandbox's service counts it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.catalogue.model import Model, usual_quality
from bot.rules.catalogue.pricing import charge, upper_bound, usual_price
from bot.rules.options.build import build_request
from bot.rules.options.checks import Uploaded
from bot.rules.options.table import RawOptions
from bot.rules.requests import ImageRequest, Kind, Usage
from sandbox.images.models import MODELS as SERVED
from sandbox.images.tokens import usage_of

CATALOGUE = load_catalogue(builtin_catalogue())
PROMPT = "a red fox in the snow, early morning light"
CLOSE, CLOSE_EDIT = 1.05, 1.35
"""How far above its charge a reservation is where nobody chose anything. An edit's picture counts as the largest."""
CLOSE_OLD = 2.0
"""The same for the first generation: the service chooses the shape, and a tall one costs half more; of mini more tokens
are published than are counted."""

each_model = pytest.mark.parametrize("model", list(CATALOGUE), ids=lambda model: model.id)


def close(model: Model, new: float) -> float:
    return CLOSE_OLD if model.pricing and model.pricing.output_tokens else new


def charged(request: ImageRequest, model: Model, *, inputs: tuple[tuple[int, int], ...] = ()) -> int:
    """By the sandbox's own opinion of the model."""
    size = request.size if request.size not in (None, "auto") else "1024x1024"
    width, _, height = str(size).partition("x")
    counted = usage_of(
        SERVED[model.id],
        prompt=request.prompt,
        quality=str(request.quality),
        size=(int(width), int(height)),
        n=request.count,
        partials=request.partial_images,
        inputs=inputs,
    )
    if counted is None:
        return charge(request, model, None, request.count)
    details = counted["input_tokens_details"]
    usage = Usage(details["text_tokens"], details["image_tokens"], counted["output_tokens"])
    return charge(request, model, usage, request.count)


@each_model
def test_what_nobody_chose_is_reserved_close_to_its_charge(model: Model) -> None:
    request = build_request(RawOptions(PROMPT), model, Kind.IMAGINE)
    cost = charged(request, model)
    assert cost <= upper_bound(request, model) <= close(model, CLOSE) * cost


@each_model
def test_an_edit_that_chose_nothing_is_reserved_close_to_its_charge(model: Model) -> None:
    if not model.inputs or "edits" not in model.endpoints:
        return
    request = build_request(RawOptions(PROMPT), model, Kind.EDIT, uploaded=Uploaded(((1024, 1024),)))
    cost = charged(request, model, inputs=((1024, 1024),))
    assert cost <= upper_bound(request, model) <= close(model, CLOSE_EDIT) * cost


@each_model
def test_no_choice_of_quality_and_size_is_charged_above_its_reservation(model: Model) -> None:
    for quality in (one for one in model.qualities if one != "auto"):
        for size in ("square", "3:2", "2:3", "16:9"):
            request = build_request(RawOptions(PROMPT, quality=quality, size=size, preview=None), model, Kind.IMAGINE)
            assert charged(request, model) <= upper_bound(request, model)


def test_several_pictures_bring_words_of_the_service_with_them() -> None:
    """About 80 tokens were seen beside the shortest of prompts."""
    model = CATALOGUE.get("gpt-image-2.5-flare")
    assert model is not None
    sizes = ((1536, 1024),) * 4
    request = build_request(RawOptions("x"), model, Kind.EDIT, uploaded=Uploaded(sizes))
    assert charged(request, model, inputs=((1024, 1536),) * 4) <= upper_bound(request, model)


@each_model
@pytest.mark.parametrize(
    "options", [{}, {"quality": "auto"}, {"size": "auto"}, {"format": "gif"}, {"format": "svg"}, {"count": 3}]
)
def test_the_usual_price_is_the_charge_or_above_and_below_the_bound(model: Model, options: dict[str, Any]) -> None:
    if options.get("format") not in (None, *model.formats) or "auto" not in model.qualities:
        return
    request = build_request(RawOptions(PROMPT, **options), model, Kind.IMAGINE)
    usual = usual_price(request, model)
    assert 0 < usual <= upper_bound(request, model)
    if not options or "count" in options:
        assert charged(request, model) <= usual <= 1.31 * charged(request, model)


def test_the_usual_quality_is_medium_or_what_comes_nearest() -> None:
    model = CATALOGUE.get("gpt-image-2.5-flare")
    assert model is not None
    assert usual_quality(model) == "medium"
    assert usual_quality(replace(model, qualities=("auto", "hd", "standard"))) == "standard"
    assert usual_quality(replace(model, qualities=("draft", "fine", "finest", "auto"))) == "fine"
    assert usual_quality(replace(model, qualities=("standard",))) is None
    assert usual_quality(replace(model, default_quality="auto")) == "auto"
    assert model.pricing is not None
    assert usual_quality(replace(model, pricing=replace(model.pricing, free=True))) is None
