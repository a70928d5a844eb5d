"""Canvas and mask by their pixels: what is kept is the picture itself, all else is to be drawn."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from bot.imaging.canvas import put_on_canvas
from bot.rules.options.canvases import Way
from bot.rules.options.sizes import Size, SizeList
from bot.rules.uploads import BadUpload
from tests.support.pictures import encoded

SIZES = SizeList((Size(96, 96), Size(144, 96)), auto=False)


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    assert (image.format, image.mode) == ("PNG", "RGBA")
    return image


def picture() -> Image.Image:
    """Left red, right blue."""
    image = Image.new("RGB", (96, 96), (200, 0, 0))
    image.paste((0, 0, 200), (48, 0, 96, 96))
    return image


@pytest.mark.parametrize(
    ("way", "kept"),
    [
        (Way.OUT, (16, 16, 80, 80)),
        (Way.RIGHT, (0, 0, 96, 96)),
        (Way.LEFT, (48, 0, 144, 96)),
        (Way.UP, (0, 48, 96, 96)),
        (Way.DOWN, (0, 0, 96, 48)),
    ],
)
def test_the_mask_is_open_exactly_where_the_canvas_is_empty(way: Way, kept: tuple[int, int, int, int]) -> None:
    canvas, placed, mask = put_on_canvas(encoded(picture()), SIZES, way)
    assert canvas.kept == kept
    sheet, masked = opened(placed), opened(mask)
    assert sheet.size == masked.size == (canvas.size.width, canvas.size.height)
    for x in range(masked.width):
        for y in range(masked.height):
            inside = kept[0] <= x < kept[2] and kept[1] <= y < kept[3]
            assert masked.getpixel((x, y)) == ((0, 0, 0, 255) if inside else (255, 255, 255, 0))
            alpha = sheet.getpixel((x, y))[3]  # type: ignore[index]
            assert alpha == (255 if inside else 0)


def test_the_picture_lies_where_it_should() -> None:
    _, placed, _ = put_on_canvas(encoded(picture()), SIZES, Way.LEFT)
    sheet = opened(placed)
    assert sheet.getpixel((50, 50)) == (200, 0, 0, 255)
    assert sheet.getpixel((142, 50)) == (0, 0, 200, 255)


def test_a_transparent_picture_keeps_its_own_transparency_and_is_not_drawn_over() -> None:
    clear = Image.new("RGBA", (96, 96), (10, 200, 10, 0))
    _, placed, mask = put_on_canvas(encoded(clear), SIZES, Way.OUT)
    assert opened(placed).getpixel((48, 48))[3] == 0  # type: ignore[index]
    assert opened(mask).getpixel((48, 48)) == (0, 0, 0, 255)


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(BadUpload):
        put_on_canvas(b"no picture", SIZES, Way.OUT)
