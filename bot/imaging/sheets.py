"""Pictures of pictures: thumbnails, and a contact sheet to choose from."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from bot.imaging.containers import read_container
from bot.imaging.headers import picture_size, sniff
from bot.imaging.pixels import check_work, decode, orientation, scaled, size_within, to_png, to_rgb, to_webp, upright
from bot.imaging.svg import svg_to_png
from bot.imaging.threads import gate

__all__ = ["contact_sheet", "svg_to_png", "thumbnail"]

BACKGROUND = (43, 45, 49)
LABEL_BACKGROUND = (0, 0, 0, 170)


def thumbnail(data: bytes, long_edge: int) -> bytes | None:
    """A WebP of at most ``long_edge`` pixels, transparency kept, of the first frame; None if nothing can be drawn."""
    image = _small(data, long_edge)
    return None if image is None else to_webp(image, 82)


def _small(data: bytes, long_edge: int) -> Image.Image | None:
    if sniff(data) == "svg":
        drawn = svg_to_png(data, long_edge)
        if drawn is None:
            return None
        data = drawn
    image_format = sniff(data)
    if image_format not in ("png", "jpeg", "webp", "gif"):
        return None
    try:
        width, height = picture_size(data, image_format)
        container = read_container(data, image_format)
        check_work(width * height, container.scans)
        with gate.hold(width * height):
            edge = long_edge if long_edge < max(width, height) else None
            # a moving one loses its frames with what is not needed
            image = to_rgb(decode(data if container.frames > 1 else container.closed, image_format, long_edge=edge))
            image = scaled(image, size_within((width, height), long_edge))
            return upright(image, orientation(container.exif))
    except ValueError:
        return None


def contact_sheet(pictures: Sequence[bytes], *, cell_px: int = 320, gap_px: int = 12) -> bytes:
    """The pictures in a grid on Discord's dark grey, numbered from 1 in reading order, as PNG.

    Small copies (``thumbnail``) will do: each is decoded. As square a grid as their number allows. What cannot be drawn
    is an empty numbered cell. Raises ``ValueError`` without pictures.
    """
    if not pictures:
        raise ValueError("no pictures")
    columns = math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    step = cell_px + gap_px
    sheet = Image.new("RGB", (columns * step + gap_px, rows * step + gap_px), BACKGROUND)
    draw = ImageDraw.Draw(sheet, "RGBA")
    font = ImageFont.load_default(max(14, cell_px // 11))
    for index, data in enumerate(pictures):
        left, top = gap_px + index % columns * step, gap_px + index // columns * step
        image = _small(data, cell_px)
        if image is None:
            draw.rectangle((left, top, left + cell_px - 1, top + cell_px - 1), outline=(90, 92, 98), width=2)
        else:
            corner = left + (cell_px - image.width) // 2, top + (cell_px - image.height) // 2
            sheet.paste(image, corner, image if image.mode == "RGBA" else None)
        _label(draw, (left, top), str(index + 1), font)
    return to_png(sheet)


def _label(
    draw: ImageDraw.ImageDraw, corner: tuple[int, int], text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> None:
    left, top = corner[0] + 6, corner[1] + 6
    x0, y0, x1, y1 = draw.textbbox((left + 9, top + 6), text, font=font)
    draw.rounded_rectangle((x0 - 9, y0 - 6, x1 + 9, y1 + 6), radius=7, fill=LABEL_BACKGROUND)
    draw.text((left + 9, top + 6), text, font=font, fill=(255, 255, 255))
