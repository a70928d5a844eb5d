"""GIFs: all frames share one sheet, which has the bounds and the price. The table is what was measured."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.catalogue.model import Model
from bot.rules.catalogue.pricing import grid_tokens, upper_bound, usual_price
from bot.rules.options.build import build_request
from bot.rules.options.checks import Uploaded
from bot.rules.options.phrases import PhraseKey
from bot.rules.options.problems import InvalidOptions
from bot.rules.options.sheets import frame_rule, grid_of, largest_square, sheets_of
from bot.rules.options.sizes import Size, SizeRule, is_legal, nearest_size
from bot.rules.options.table import RawOptions
from bot.rules.requests import ImageRequest, Kind
from bot.rules.servers.access import Defaults
from sandbox.images.models import MODELS as SERVED

CATALOGUE = load_catalogue(builtin_catalogue())
NEW = "gpt-image-2.6-flare"


def model() -> Model:
    found = CATALOGUE.get(NEW)
    assert found is not None
    return found


def rule() -> SizeRule:
    sizes = model().sizes
    assert isinstance(sizes, SizeRule)
    return sizes


def gif(frames: int | None = None, size: str | None = None, **more: object) -> ImageRequest:
    raw = replace(RawOptions("a fox", format="gif", frames=frames, size=size), **more)
    return build_request(raw, model(), Kind.IMAGINE)


@pytest.mark.parametrize(
    ("frames", "size"),
    [(2, "960x960"), (9, "960x960"), (9, "768x768"), (12, "816x816"), (16, "720x720"), (16, "208x208"), (4, "416x416")],
)
def test_what_was_made_is_legal(frames: int, size: str) -> None:
    assert gif(frames, size).size == size


@pytest.mark.parametrize(
    ("frames", "size", "nearest"),
    [
        (6, "1024x1024", "960x960"),
        (9, "976x976", "960x960"),
        (12, "832x832", "832x816"),
        (16, "736x736", "720x720"),
        (4, "400x400", "416x400"),
        (9, "4k", None),
    ],
)
def test_what_was_refused_is_refused_and_the_largest_is_told(frames: int, size: str, nearest: str | None) -> None:
    with pytest.raises(InvalidOptions) as refused:
        gif(frames, size)
    (problem,) = refused.value.problems
    assert problem.option == "size"
    assert PhraseKey.ONE_SHEET in {part.key for part in problem.because}
    if nearest is not None:
        assert problem.works == nearest


@pytest.mark.parametrize(("frames", "edge"), [(2, 960), (9, 960), (10, 816), (12, 816), (13, 720), (16, 720)])
def test_the_largest_square_is_what_was_measured(frames: int, edge: int) -> None:
    assert largest_square(frame_rule(rule(), frames)) == Size(edge, edge)


def test_where_nobody_chose_a_size_frames_are_768_or_what_has_room() -> None:
    assert [gif(frames).size for frames in (None, 2, 12, 16)] == ["768x768", "768x768", "768x768", "720x720"]
    assert gif(4, "16:9").size == "1280x720"
    again = build_request(RawOptions("x", format="gif"), model(), Kind.IMAGINE, defaults=Defaults(size="1024x1024"))
    assert again.size == "768x768"
    edited = build_request(RawOptions("x", format="gif"), model(), Kind.EDIT, uploaded=Uploaded(((64, 64),)))
    assert edited.size is None


def test_a_gif_costs_one_still_of_its_sheet_and_a_margin() -> None:
    request = gif(9, "960x960", quality="high")
    sheet = grid_tokens(48, Size(2880, 2880)) * 30
    words = upper_bound(replace(request, format=None, frames=None), model()) - grid_tokens(48, Size(960, 960)) * 30
    assert sheet + words <= upper_bound(request, model()) <= 1.11 * (sheet + words)
    assert sheet <= usual_price(request, model()) < 1.05 * sheet  # the margin is in the bound alone
    small = gif(9, "768x768", quality="high")
    assert upper_bound(small, model()) < upper_bound(request, model())
    stills = 9 * upper_bound(replace(request, format=None, frames=None), model())
    assert upper_bound(request, model()) < stills / 2


def test_a_gif_whose_size_the_service_chooses_is_reserved_at_the_largest_sheet() -> None:
    for frames in range(2, 17):
        auto = upper_bound(gif(frames, "auto", quality="high"), model())
        for size in frame_rule(rule(), frames).standard:
            assert auto >= upper_bound(gif(frames, str(size), quality="high"), model()), (frames, size)


@given(st.integers(2, 16), st.integers(1, 4000), st.integers(1, 4000))
@example(12, 1008, 672)  # its edge would have room in a grid of three
def test_every_frame_that_passes_lies_on_a_legal_sheet_and_the_sandbox_agrees(
    frames: int, width: int, height: int
) -> None:
    bounds = frame_rule(rule(), frames)
    size = nearest_size(bounds, Size(width, height))
    assert is_legal(bounds, size)
    for sheet in sheets_of(size, frames):
        assert sheet.pixels <= rule().max_pixels
        assert max(sheet.width, sheet.height) <= rule().max_edge_px
        assert sheet.ratio <= rule().max_ratio
    assert frames * size.pixels >= rule().min_pixels
    served = SERVED[NEW].sheet_rule
    assert served is not None
    assert served.fault((size.width, size.height), frames) is None


def test_a_sheet_may_lie_either_way_round_and_no_part_of_its_least_size_is_lost() -> None:
    assert set(sheets_of(Size(320, 160), 12)) == {Size(1280, 480), Size(960, 640)}
    odd = replace(rule(), step_px=1, min_pixels=655_361)
    assert 2 * frame_rule(odd, 2).min_pixels >= odd.min_pixels


def test_a_grid_holds_its_frames() -> None:
    assert all(across * down >= frames for frames in range(1, 40) for across, down in [grid_of(frames)])
