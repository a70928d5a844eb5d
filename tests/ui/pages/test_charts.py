"""The usage chart: bars in proportion, everything within the picture."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from bot.ui.pages.charts import BACKGROUND, BAR, INK, MAX_ROWS, Row, bar_chart


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    assert (image.format, image.mode, image.width) == ("PNG", "RGB", 1000)
    for spot in ((0, 0), (999, 0), (0, image.height - 1), (999, image.height - 1)):
        assert image.getpixel(spot) == BACKGROUND
    return image


def bar_lengths(image: Image.Image) -> list[int]:
    """Length of the bar in each row that has one, from top to bottom."""
    lengths, inside = [], False
    for y in range(image.height):
        length = sum(image.getpixel((x, y)) == BAR for x in range(image.width))
        if length > 2:
            if not inside:
                lengths.append(0)
            lengths[-1] = max(lengths[-1], length)
        inside = length > 2
    return lengths


def test_bars_are_as_long_as_their_values() -> None:
    image = opened(bar_chart([("a", 10.0, "10"), ("b", 5.0, "5"), ("c", 0.0, "0"), ("d", 2.5, "2.5")], "Usage"))
    full, half, quarter = bar_lengths(image)
    assert full > 500
    assert half == pytest.approx(full / 2, abs=3)
    assert quarter == pytest.approx(full / 4, abs=3)


@pytest.mark.parametrize("rows", [[], [("none", 0.0, "$0.00")], [("back", -3.0, "-3")]])
def test_nothing_to_show_is_still_a_picture(rows: list[tuple[str, float, str]]) -> None:
    image = opened(bar_chart(rows, "Usage"))
    assert bar_lengths(image) == []
    assert INK in {colour for _, colour in image.getcolors(100_000)}


def test_long_and_foreign_labels_stay_within_the_picture() -> None:
    rows = [Row("ж" * 400, 3, "3"), Row("名前", 2, "2"), Row("", 1, "1"), Row("x\ny\u202e\0", 1, "$" + "9" * 30)]
    full, *others = bar_lengths(opened(bar_chart(rows, "T" * 500)))
    assert full > 100
    assert len(others) == 3


def test_the_same_rows_give_the_same_bytes() -> None:
    rows = [Row("gpt-image-2.5-flare", 1.5, "$1.50")]
    assert bar_chart(rows, "Usage") == bar_chart(rows, "Usage")


def test_a_chart_does_not_grow_without_end() -> None:
    rows = [Row(str(n), n, str(n)) for n in range(500)]
    assert opened(bar_chart(rows, "Usage")).size == opened(bar_chart(rows[:MAX_ROWS], "Usage")).size
