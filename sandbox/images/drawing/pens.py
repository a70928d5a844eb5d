"""Two ways of drawing the same plain shapes in a unit square: on pixels, and as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from PIL import ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]


class Pen(Protocol):
    """Coordinates run from 0 to 1, to the right and down; radii are in the same unit."""

    def polygon(self, points: Sequence[Point], colour: Colour) -> None: ...

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None: ...


@dataclass(frozen=True, slots=True)
class PixelPen:
    """Draws into the square with this corner and edge, in pixels."""

    draw: ImageDraw.ImageDraw
    left: float
    top: float
    edge: float

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        self.draw.polygon([(self.left + x * self.edge, self.top + y * self.edge) for x, y in points], fill=colour)

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        left, top = self.left + (x - rx) * self.edge, self.top + (y - ry) * self.edge
        self.draw.ellipse((left, top, left + 2 * rx * self.edge, top + 2 * ry * self.edge), fill=colour)


@dataclass(frozen=True, slots=True)
class SvgPen:
    """Collects elements for the square with this corner and edge, in the units of the drawing."""

    left: float
    top: float
    edge: float
    elements: list[str] = field(default_factory=list)

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        where = " ".join(f"{self.left + x * self.edge:.0f},{self.top + y * self.edge:.0f}" for x, y in points)
        self.elements.append(f'<polygon points="{where}" fill="{hex_of(colour)}"/>')

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        centre = f'cx="{self.left + x * self.edge:.0f}" cy="{self.top + y * self.edge:.0f}"'
        radii = f'rx="{rx * self.edge:.0f}" ry="{ry * self.edge:.0f}"'
        self.elements.append(f'<ellipse {centre} {radii} fill="{hex_of(colour)}"/>')


def hex_of(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """``share`` 0 is the first colour, 1 the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue
