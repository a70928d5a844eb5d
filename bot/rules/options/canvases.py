"""Zoom out and pan: the canvas on which a picture is put, and where on it. What lies around it is drawn new.

Law: the canvas is a size that the model makes. Zooming out keeps the size, and so the price, as near as the model has
it. Panning adds half the picture on one side where the model makes that size; elsewhere the view moves by half.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.rules.options.sizes import Size, Sizes, nearest_size


class Way(StrEnum):
    """Where there is to be more of the scene."""

    OUT = "out"
    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"


ZOOM = 1.5
"""How much more is seen, along each side."""

GROWN = (0.15, 0.6)
"""The share of a wider canvas that is new. Less is not worth a picture, more is rather a picture of its own."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """``size`` is asked of the model. The picture is scaled to ``width`` × ``height`` and put at ``left``, ``top``; it
    may lie partly outside, and is cut there."""

    size: Size
    left: int
    top: int
    width: int
    height: int

    @property
    def kept(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of what is seen of the picture; never empty, never all of the canvas."""
        right, bottom = self.left + self.width, self.top + self.height
        return max(0, self.left), max(0, self.top), min(self.size.width, right), min(self.size.height, bottom)


def canvas_for(sizes: Sizes, picture: Size, way: Way) -> Canvas:
    """The canvas of a model with these sizes."""
    match way:
        case Way.OUT:
            return _zoomed_out(sizes, picture)
        case Way.LEFT | Way.RIGHT | Way.UP | Way.DOWN:
            return _wider(sizes, picture, way) or _moved(sizes, picture, way)


def _zoomed_out(sizes: Sizes, picture: Size) -> Canvas:
    size = nearest_size(sizes, picture)
    width, height = _within(picture, size.width / ZOOM, size.height / ZOOM)
    return Canvas(size, (size.width - width) // 2, (size.height - height) // 2, width, height)


def _wider(sizes: Sizes, picture: Size, way: Way) -> Canvas | None:
    """The picture whole at the far edge of a canvas that is longer that way; None where no size is."""
    lies = way in (Way.LEFT, Way.RIGHT)
    wanted = Size(picture.width * 3 // 2, picture.height) if lies else Size(picture.width, picture.height * 3 // 2)
    size = nearest_size(sizes, wanted)
    width, height = _within(picture, size.width, size.height)
    new = 1 - (width / size.width if lies else height / size.height)
    if not GROWN[0] <= new <= GROWN[1]:
        return None
    left = size.width - width if way is Way.LEFT else 0
    top = size.height - height if way is Way.UP else 0
    return Canvas(size, left, top, width, height)


def _moved(sizes: Sizes, picture: Size, way: Way) -> Canvas:
    """The view moved by half its side; what of the picture lies outside is cut off."""
    size = nearest_size(sizes, picture)
    width, height = _within(picture, size.width, size.height)
    left, top = (size.width - width) // 2, (size.height - height) // 2
    aside, below = size.width // 2, size.height // 2
    match way:
        case Way.LEFT:
            left = aside
        case Way.RIGHT:
            left = aside - width
        case Way.UP:
            top = below
        case Way.DOWN:
            top = below - height
        case Way.OUT:
            pass
    return Canvas(size, left, top, width, height)


def _within(picture: Size, width: float, height: float) -> tuple[int, int]:
    """The picture's sides, scaled to fit; at least one pixel."""
    scale = min(width / picture.width, height / picture.height)
    return max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
