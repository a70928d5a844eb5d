"""What a program sees in a picture: its size, its colours, how bright it is, and whether it was drawn here."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image, ImageStat

EDGE = 16
COLOURS = {
    "black": (20, 20, 24),
    "white": (245, 245, 245),
    "grey": (128, 128, 128),
    "red": (200, 40, 40),
    "orange": (235, 140, 40),
    "yellow": (240, 215, 70),
    "green": (60, 150, 70),
    "turquoise": (60, 180, 180),
    "blue": (50, 90, 190),
    "light blue": (150, 195, 235),
    "violet": (130, 70, 170),
    "pink": (240, 150, 180),
    "brown": (120, 80, 50),
    "beige": (225, 205, 170),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """``mark`` is the picture in so few pixels that resizing and re-encoding hardly change it."""

    size: tuple[int, int]
    colours: tuple[str, ...]
    brightness: float
    mark: bytes


def look(data: bytes) -> Seen:
    """Raises ``OSError`` or ``ValueError`` for what is no picture."""
    with Image.open(io.BytesIO(data)) as opened:
        size, picture = opened.size, opened.convert("RGB")
    small = picture.resize((64, 64))
    palette = small.quantize(6).convert("RGB").getcolors(64 * 64) or []
    names = [_name(colour) for _, colour in sorted(palette, reverse=True) if isinstance(colour, tuple)]
    grey = picture.resize((EDGE, EDGE), Image.Resampling.BOX).convert("L")
    return Seen(size, tuple(dict.fromkeys(names))[:3], ImageStat.Stat(grey).mean[0] / 255, grey.tobytes())


def _name(colour: tuple[int, ...]) -> str:
    return min(COLOURS, key=lambda name: sum((a - b) ** 2 for a, b in zip(COLOURS[name], colour, strict=False)))


def difference(one: Seen, other: Seen) -> float:
    """Of the marks, 0 to 255 on average."""
    return sum(abs(a - b) for a, b in zip(one.mark, other.mark, strict=True)) / len(one.mark)
