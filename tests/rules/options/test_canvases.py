"""Zoom out and pan: every size legal, every way, for rules and lists, plain pictures and the longest there are."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.options.canvases import ZOOM, Canvas, Way, canvas_for
from bot.rules.options.sizes import Size, SizeList, is_legal

MODELS = list(load_catalogue(builtin_catalogue()))
RULE = next(model.sizes for model in MODELS if model.id == "gpt-image-2.5-flare")
LIST = next(model.sizes for model in MODELS if model.id == "gpt-image-1.5")
SQUARES = next(model.sizes for model in MODELS if model.id == "dall-e-2")
ONE = SizeList((Size(512, 512),), auto=False)


@pytest.mark.parametrize(
    ("sizes", "picture", "way", "canvas"),
    [
        (RULE, (1024, 1024), Way.OUT, ("1024x1024", 170, 170, 683, 683)),
        (RULE, (1536, 1024), Way.OUT, ("1536x1024", 256, 170, 1024, 683)),
        (RULE, (2496, 832), Way.OUT, ("2496x832", 416, 138, 1664, 555)),
        (RULE, (256, 256), Way.OUT, ("816x816", 136, 136, 544, 544)),
        (RULE, (1024, 1024), Way.RIGHT, ("1536x1024", 0, 0, 1024, 1024)),
        (RULE, (1024, 1024), Way.LEFT, ("1536x1024", 512, 0, 1024, 1024)),
        (RULE, (1024, 1024), Way.DOWN, ("1024x1536", 0, 0, 1024, 1024)),
        (RULE, (1024, 1024), Way.UP, ("1024x1536", 0, 512, 1024, 1024)),
        (RULE, (2496, 832), Way.RIGHT, ("2496x832", -1248, 0, 2496, 832)),
        (RULE, (2496, 832), Way.UP, ("2496x1248", 0, 416, 2496, 832)),
        (RULE, (3840, 2160), Way.LEFT, ("3840x1440", 1280, 0, 2560, 1440)),
        (LIST, (1024, 1024), Way.RIGHT, ("1536x1024", 0, 0, 1024, 1024)),
        (LIST, (1536, 1024), Way.RIGHT, ("1536x1024", -768, 0, 1536, 1024)),
        (LIST, (1536, 1024), Way.OUT, ("1536x1024", 256, 170, 1024, 683)),
        (LIST, (1792, 1024), Way.OUT, ("1536x1024", 256, 219, 1024, 585)),
        (SQUARES, (1024, 1024), Way.OUT, ("1024x1024", 170, 170, 683, 683)),
        (SQUARES, (512, 512), Way.DOWN, ("512x512", 0, -256, 512, 512)),
        (ONE, (512, 512), Way.UP, ("512x512", 0, 256, 512, 512)),
        (ONE, (3000, 1000), Way.LEFT, ("512x512", 256, 170, 512, 171)),
    ],
)
def test_a_picture_is_put_where_there_is_to_be_more_around_it(
    sizes: object, picture: tuple[int, int], way: Way, canvas: tuple[object, ...]
) -> None:
    found = canvas_for(sizes, Size(*picture), way)  # type: ignore[arg-type]
    assert (str(found.size), found.left, found.top, found.width, found.height) == canvas


def check(canvas: Canvas, sizes: object, picture: Size, way: Way) -> None:
    assert is_legal(sizes, canvas.size)  # type: ignore[arg-type]
    left, top, right, bottom = canvas.kept
    assert 0 <= left < right <= canvas.size.width
    assert 0 <= top < bottom <= canvas.size.height
    new = canvas.size.pixels - (right - left) * (bottom - top)
    assert new * 8 > canvas.size.pixels, "next to nothing would be drawn"
    assert abs(canvas.width / canvas.height * picture.height / picture.width - 1) < 0.6 / min(
        canvas.width, canvas.height
    ) + 0.6 / max(canvas.width, canvas.height), "out of shape"
    if way is Way.OUT:
        assert (right - left, bottom - top) == (canvas.width, canvas.height)
        assert canvas.width <= canvas.size.width / ZOOM + 1


@pytest.mark.parametrize("sizes", {str(model.sizes): model.sizes for model in MODELS}.values(), ids=str)
def test_every_canvas_is_legal_for_its_model(sizes: object) -> None:
    for width, height, way in product((256, 1024, 3840), (832, 1536), Way):
        picture = Size(width, height)
        check(canvas_for(sizes, picture, way), sizes, picture, way)  # type: ignore[arg-type]


@settings(max_examples=30, deadline=None)
@given(st.integers(16, 4000), st.integers(16, 4000), st.sampled_from(Way), st.sampled_from([RULE, LIST, SQUARES, ONE]))
def test_no_picture_is_too_odd(width: int, height: int, way: Way, sizes: object) -> None:
    canvas = canvas_for(sizes, Size(width, height), way)  # type: ignore[arg-type]
    check(canvas, sizes, Size(width, height), way)
