"""Twenty-five motifs from plain shapes, each in a unit square and standing on its lower edge."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from sandbox.images.drawing.pens import Colour, Pen, Point, mix

INK: Colour = (38, 34, 40)
SNOW: Colour = (246, 248, 252)
WOOD: Colour = (122, 84, 56)
LEAF: Colour = (74, 142, 76)
GLASS: Colour = (186, 220, 240)
FLAME: Colour = (250, 170, 60)

Motif = Callable[[Pen, Colour], None]


def _box(pen: Pen, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
    pen.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], colour)


def _dark(colour: Colour) -> Colour:
    return mix(colour, INK, 0.35)


def _light(colour: Colour) -> Colour:
    return mix(colour, SNOW, 0.6)


def _eyes(pen: Pen, y: float, apart: float, radius: float) -> None:
    for x in (0.5 - apart, 0.5 + apart):
        pen.oval(x, y, radius, radius * 1.15, INK)
        pen.oval(x + radius * 0.3, y - radius * 0.35, radius * 0.3, radius * 0.3, SNOW)


def _sitting(pen: Pen, colour: Colour, belly: Colour) -> None:
    """Body, chest and paws of an animal that sits and looks at one."""
    pen.oval(0.5, 0.76, 0.23, 0.24, colour)
    pen.oval(0.5, 0.8, 0.12, 0.17, belly)
    for x in (0.38, 0.62):
        pen.oval(x, 0.965, 0.085, 0.035, _dark(colour))


def _pointed_ears(pen: Pen, colour: Colour, inner: Colour, top: float) -> None:
    for side in (-1, 1):
        pen.polygon([(0.5 + side * 0.26, top), (0.5 + side * 0.27, 0.42), (0.5 + side * 0.05, 0.26)], colour)
        pen.polygon([(0.5 + side * 0.235, top + 0.07), (0.5 + side * 0.235, 0.36), (0.5 + side * 0.11, 0.28)], inner)


def _fox(pen: Pen, colour: Colour) -> None:
    pen.oval(0.82, 0.74, 0.11, 0.21, colour)
    pen.oval(0.86, 0.57, 0.065, 0.075, SNOW)
    _sitting(pen, colour, SNOW)
    _pointed_ears(pen, colour, _dark(colour), 0.03)
    pen.oval(0.5, 0.37, 0.26, 0.2, colour)
    for side in (-1, 1):
        pen.polygon([(0.5 + side * 0.25, 0.4), (0.5 + side * 0.02, 0.42), (0.5, 0.57)], SNOW)
    pen.oval(0.5, 0.55, 0.04, 0.032, INK)
    _eyes(pen, 0.36, 0.11, 0.032)


def _cat(pen: Pen, colour: Colour) -> None:
    pen.oval(0.8, 0.84, 0.16, 0.05, colour)
    pen.oval(0.93, 0.74, 0.045, 0.13, colour)
    _sitting(pen, colour, _light(colour))
    _pointed_ears(pen, colour, (240, 170, 170), 0.08)
    pen.oval(0.5, 0.39, 0.25, 0.2, colour)
    _eyes(pen, 0.37, 0.1, 0.042)
    pen.polygon([(0.465, 0.445), (0.535, 0.445), (0.5, 0.485)], (232, 130, 140))
    for side in (-1, 1):
        for drop in (0.0, 0.045):
            x = 0.5 + side * 0.08
            pen.polygon([(x, 0.475 + drop), (x + side * 0.24, 0.455 + drop * 1.6), (x, 0.485 + drop)], _dark(colour))


def _dog(pen: Pen, colour: Colour) -> None:
    pen.oval(0.78, 0.72, 0.05, 0.13, colour)
    _sitting(pen, colour, _light(colour))
    pen.oval(0.5, 0.36, 0.23, 0.22, colour)
    for side in (-1, 1):
        pen.oval(0.5 + side * 0.23, 0.39, 0.075, 0.19, _dark(colour))
    pen.oval(0.5, 0.46, 0.12, 0.1, _light(colour))
    pen.oval(0.5, 0.425, 0.05, 0.038, INK)
    pen.oval(0.5, 0.545, 0.035, 0.05, (232, 120, 130))
    _eyes(pen, 0.32, 0.1, 0.032)


def _rabbit(pen: Pen, colour: Colour) -> None:
    for side in (-1, 1):
        pen.oval(0.5 + side * 0.11, 0.15, 0.06, 0.17, colour)
        pen.oval(0.5 + side * 0.11, 0.17, 0.03, 0.12, (240, 180, 185))
    _sitting(pen, colour, SNOW)
    pen.oval(0.5, 0.43, 0.21, 0.18, colour)
    pen.polygon([(0.47, 0.46), (0.53, 0.46), (0.5, 0.49)], (232, 130, 140))
    _box(pen, 0.475, 0.53, 0.525, 0.57, SNOW)
    _eyes(pen, 0.4, 0.09, 0.03)


def _bear(pen: Pen, colour: Colour) -> None:
    for side in (-1, 1):
        pen.oval(0.5 + side * 0.2, 0.17, 0.085, 0.085, colour)
        pen.oval(0.5 + side * 0.2, 0.175, 0.045, 0.045, _light(colour))
        pen.oval(0.5 + side * 0.23, 0.72, 0.08, 0.14, _dark(colour))
    _sitting(pen, colour, _light(colour))
    pen.oval(0.5, 0.35, 0.25, 0.23, colour)
    pen.oval(0.5, 0.43, 0.11, 0.09, _light(colour))
    pen.oval(0.5, 0.4, 0.045, 0.035, INK)
    _eyes(pen, 0.31, 0.1, 0.028)


def _owl(pen: Pen, colour: Colour) -> None:
    for side in (-1, 1):
        pen.polygon([(0.5 + side * 0.24, 0.08), (0.5 + side * 0.26, 0.32), (0.5 + side * 0.08, 0.22)], _dark(colour))
    pen.oval(0.5, 0.58, 0.28, 0.4, colour)
    pen.oval(0.5, 0.72, 0.17, 0.22, _light(colour))
    for side in (-1, 1):
        pen.oval(0.5 + side * 0.25, 0.62, 0.08, 0.24, _dark(colour))
        pen.oval(0.5 + side * 0.115, 0.37, 0.115, 0.115, SNOW)
        pen.oval(0.5 + side * 0.115, 0.37, 0.06, 0.065, INK)
        pen.oval(0.5 + side * 0.08, 0.97, 0.06, 0.03, FLAME)
    pen.polygon([(0.46, 0.45), (0.54, 0.45), (0.5, 0.53)], FLAME)


def _bird(pen: Pen, colour: Colour) -> None:
    pen.polygon([(0.08, 0.42), (0.36, 0.5), (0.3, 0.66)], _dark(colour))
    pen.oval(0.5, 0.58, 0.26, 0.2, colour)
    pen.oval(0.7, 0.4, 0.14, 0.14, colour)
    pen.polygon([(0.82, 0.36), (0.99, 0.42), (0.82, 0.46)], FLAME)
    pen.polygon([(0.32, 0.52), (0.6, 0.52), (0.3, 0.16)], _dark(colour))
    pen.oval(0.52, 0.66, 0.15, 0.1, _light(colour))
    pen.oval(0.74, 0.37, 0.026, 0.03, INK)
    for x in (0.46, 0.56):
        _box(pen, x, 0.76, x + 0.018, 0.95, FLAME)


def _fish(pen: Pen, colour: Colour) -> None:
    pen.polygon([(0.02, 0.3), (0.3, 0.55), (0.02, 0.8)], _dark(colour))
    pen.polygon([(0.4, 0.38), (0.62, 0.2), (0.72, 0.42)], _dark(colour))
    pen.oval(0.56, 0.55, 0.36, 0.22, colour)
    pen.oval(0.56, 0.64, 0.25, 0.1, _light(colour))
    pen.oval(0.77, 0.48, 0.05, 0.05, SNOW)
    pen.oval(0.785, 0.48, 0.026, 0.028, INK)


def _butterfly(pen: Pen, colour: Colour) -> None:
    for side in (-1, 1):
        pen.oval(0.5 + side * 0.24, 0.36, 0.22, 0.24, colour)
        pen.oval(0.5 + side * 0.19, 0.7, 0.16, 0.18, _dark(colour))
        pen.oval(0.5 + side * 0.26, 0.35, 0.09, 0.11, _light(colour))
        pen.polygon([(0.5, 0.24), (0.5 + side * 0.13, 0.04), (0.5 + side * 0.1, 0.04)], INK)
    pen.oval(0.5, 0.53, 0.04, 0.31, INK)


def _tree(pen: Pen, colour: Colour) -> None:
    _box(pen, 0.44, 0.55, 0.56, 1.0, WOOD)
    for x, y, radius in ((0.3, 0.45, 0.2), (0.7, 0.45, 0.2), (0.5, 0.26, 0.25), (0.5, 0.48, 0.22)):
        pen.oval(x, y, radius, radius, _dark(colour))
        pen.oval(x - 0.03, y - 0.03, radius * 0.85, radius * 0.85, colour)


def _flower(pen: Pen, colour: Colour) -> None:
    _box(pen, 0.48, 0.45, 0.52, 1.0, LEAF)
    pen.oval(0.62, 0.78, 0.13, 0.05, LEAF)
    pen.oval(0.38, 0.86, 0.13, 0.05, LEAF)
    for petal in range(8):
        angle = petal * math.tau / 8
        pen.oval(0.5 + 0.19 * math.cos(angle), 0.3 + 0.19 * math.sin(angle), 0.105, 0.105, colour)
    pen.oval(0.5, 0.3, 0.12, 0.12, (250, 208, 70))


def _mushroom(pen: Pen, colour: Colour) -> None:
    pen.polygon([(0.4, 0.5), (0.6, 0.5), (0.66, 1.0), (0.34, 1.0)], (240, 228, 208))
    pen.oval(0.5, 0.44, 0.42, 0.34, colour)
    pen.oval(0.5, 0.62, 0.42, 0.1, (228, 212, 190))
    for x, y, radius in ((0.3, 0.38, 0.06), (0.52, 0.22, 0.055), (0.7, 0.4, 0.065), (0.5, 0.44, 0.045)):
        pen.oval(x, y, radius, radius * 0.85, SNOW)


def _house(pen: Pen, colour: Colour) -> None:
    _box(pen, 0.68, 0.14, 0.78, 0.36, _dark(WOOD))
    _box(pen, 0.16, 0.46, 0.84, 1.0, colour)
    pen.polygon([(0.06, 0.48), (0.5, 0.1), (0.94, 0.48)], _dark(colour))
    _box(pen, 0.44, 0.68, 0.58, 1.0, WOOD)
    for left in (0.23, 0.66):
        _box(pen, left, 0.57, left + 0.13, 0.72, (250, 226, 140))
        _box(pen, left + 0.057, 0.57, left + 0.073, 0.72, WOOD)


def _castle(pen: Pen, colour: Colour) -> None:
    _box(pen, 0.2, 0.5, 0.8, 1.0, colour)
    for left in (0.06, 0.74):
        _box(pen, left, 0.36, left + 0.2, 1.0, _dark(colour))
        pen.polygon([(left - 0.03, 0.36), (left + 0.1, 0.08), (left + 0.23, 0.36)], (170, 62, 60))
        _box(pen, left + 0.08, 0.48, left + 0.12, 0.6, INK)
    for step in range(4):
        _box(pen, 0.29 + step * 0.115, 0.42, 0.36 + step * 0.115, 0.5, colour)
    pen.oval(0.5, 0.8, 0.09, 0.11, INK)
    _box(pen, 0.41, 0.8, 0.59, 1.0, INK)


def _lighthouse(pen: Pen, colour: Colour) -> None:
    pen.polygon([(0.38, 0.28), (0.62, 0.28), (0.7, 1.0), (0.3, 1.0)], SNOW)
    for top in (0.36, 0.6, 0.84):
        wide, low = 0.12 + (top - 0.28) * 0.111, 0.12 + (top - 0.16) * 0.111
        pen.polygon([(0.5 - wide, top), (0.5 + wide, top), (0.5 + low, top + 0.12), (0.5 - low, top + 0.12)], colour)
    pen.polygon([(0.5, 0.2), (1.0, 0.1), (1.0, 0.3)], (255, 240, 170))
    _box(pen, 0.4, 0.14, 0.6, 0.28, (255, 232, 140))
    pen.polygon([(0.36, 0.14), (0.5, 0.02), (0.64, 0.14)], _dark(colour))


def _boat(pen: Pen, colour: Colour) -> None:
    _box(pen, 0.48, 0.06, 0.51, 0.78, WOOD)
    pen.polygon([(0.53, 0.08), (0.53, 0.7), (0.9, 0.7)], SNOW)
    pen.polygon([(0.46, 0.16), (0.46, 0.7), (0.16, 0.7)], _light(colour))
    pen.polygon([(0.06, 0.76), (0.94, 0.76), (0.8, 0.98), (0.2, 0.98)], colour)


def _car(pen: Pen, colour: Colour) -> None:
    pen.polygon([(0.24, 0.6), (0.36, 0.38), (0.68, 0.38), (0.82, 0.6)], colour)
    pen.polygon([(0.31, 0.58), (0.39, 0.43), (0.5, 0.43), (0.5, 0.58)], GLASS)
    pen.polygon([(0.53, 0.58), (0.53, 0.43), (0.65, 0.43), (0.74, 0.58)], GLASS)
    _box(pen, 0.05, 0.58, 0.96, 0.84, colour)
    pen.oval(0.93, 0.67, 0.035, 0.04, (255, 236, 150))
    for x in (0.26, 0.75):
        pen.oval(x, 0.86, 0.115, 0.115, INK)
        pen.oval(x, 0.86, 0.05, 0.05, (190, 196, 204))


def _rocket(pen: Pen, colour: Colour) -> None:
    pen.polygon([(0.4, 0.8), (0.6, 0.8), (0.5, 1.0)], FLAME)
    pen.polygon([(0.34, 0.5), (0.16, 0.84), (0.36, 0.76)], _dark(colour))
    pen.polygon([(0.66, 0.5), (0.84, 0.84), (0.64, 0.76)], _dark(colour))
    pen.oval(0.5, 0.44, 0.18, 0.42, SNOW)
    pen.polygon([(0.36, 0.18), (0.5, 0.0), (0.64, 0.18)], colour)
    _box(pen, 0.36, 0.72, 0.64, 0.82, colour)
    pen.oval(0.5, 0.38, 0.09, 0.09, _dark(colour))
    pen.oval(0.5, 0.38, 0.06, 0.06, GLASS)


def _balloon(pen: Pen, colour: Colour) -> None:
    pen.oval(0.5, 0.36, 0.33, 0.35, colour)
    pen.oval(0.5, 0.36, 0.14, 0.35, _light(colour))
    pen.polygon([(0.24, 0.56), (0.76, 0.56), (0.58, 0.8), (0.42, 0.8)], _dark(colour))
    _box(pen, 0.41, 0.84, 0.59, 0.98, WOOD)
    for x in (0.425, 0.565):
        _box(pen, x, 0.79, x + 0.012, 0.86, INK)


def _robot(pen: Pen, colour: Colour) -> None:
    _box(pen, 0.485, 0.04, 0.515, 0.16, INK)
    pen.oval(0.5, 0.05, 0.04, 0.04, FLAME)
    for left in (0.14, 0.76):
        _box(pen, left, 0.5, left + 0.1, 0.78, _dark(colour))
    for left in (0.32, 0.56):
        _box(pen, left, 0.82, left + 0.12, 1.0, _dark(colour))
    _box(pen, 0.28, 0.14, 0.72, 0.44, colour)
    _box(pen, 0.26, 0.47, 0.74, 0.84, colour)
    for x in (0.4, 0.6):
        pen.oval(x, 0.26, 0.06, 0.06, (250, 250, 210))
        pen.oval(x, 0.26, 0.028, 0.028, INK)
    _box(pen, 0.38, 0.36, 0.62, 0.39, INK)
    _box(pen, 0.36, 0.55, 0.64, 0.72, _light(colour))
    for x, light in ((0.43, FLAME), (0.5, LEAF), (0.57, (214, 62, 44))):
        pen.oval(x, 0.635, 0.025, 0.025, light)


def _snowman(pen: Pen, colour: Colour) -> None:
    for y, radius in ((0.78, 0.22), (0.47, 0.17), (0.24, 0.13)):
        pen.oval(0.5, y, radius, radius, SNOW)
    _box(pen, 0.36, 0.12, 0.64, 0.15, INK)
    _box(pen, 0.41, 0.0, 0.59, 0.13, INK)
    _box(pen, 0.36, 0.33, 0.64, 0.375, colour)
    pen.polygon([(0.5, 0.235), (0.5, 0.27), (0.66, 0.265)], FLAME)
    for x, y in ((0.455, 0.21), (0.545, 0.21), (0.5, 0.45), (0.5, 0.54)):
        pen.oval(x, y, 0.018, 0.018, INK)
    for side in (-1, 1):
        pen.polygon([(0.5 + side * 0.15, 0.46), (0.5 + side * 0.42, 0.3), (0.5 + side * 0.16, 0.49)], WOOD)


def _cup(pen: Pen, colour: Colour) -> None:
    pen.oval(0.76, 0.62, 0.16, 0.15, colour)
    pen.oval(0.76, 0.62, 0.095, 0.085, _light(colour))
    pen.polygon([(0.18, 0.42), (0.76, 0.42), (0.68, 0.92), (0.26, 0.92)], colour)
    pen.oval(0.47, 0.42, 0.29, 0.075, _dark(colour))
    pen.oval(0.47, 0.43, 0.25, 0.055, (92, 58, 38))
    pen.oval(0.47, 0.95, 0.4, 0.05, _light(colour))
    for x in (0.36, 0.5):
        steam: list[Point] = [
            (x, 0.36),
            (x + 0.06, 0.24),
            (x, 0.12),
            (x + 0.03, 0.12),
            (x + 0.1, 0.24),
            (x + 0.03, 0.36),
        ]
        pen.polygon(steam, SNOW)


def _apple(pen: Pen, colour: Colour) -> None:
    for x in (0.37, 0.63):
        pen.oval(x, 0.62, 0.25, 0.34, colour)
    pen.oval(0.3, 0.5, 0.06, 0.12, _light(colour))
    pen.polygon([(0.485, 0.36), (0.515, 0.36), (0.56, 0.1), (0.52, 0.1)], WOOD)
    pen.oval(0.68, 0.18, 0.14, 0.06, LEAF)


def _heart(pen: Pen, colour: Colour) -> None:
    for x in (0.31, 0.69):
        pen.oval(x, 0.36, 0.215, 0.215, colour)
    pen.polygon([(0.125, 0.47), (0.5, 0.3), (0.875, 0.47), (0.5, 0.96)], colour)
    pen.oval(0.27, 0.32, 0.07, 0.09, _light(colour))


def _star(pen: Pen, colour: Colour) -> None:
    points: list[Point] = []
    for tip in range(10):
        angle, radius = tip * math.tau / 10 - math.tau / 4, 0.5 if tip % 2 == 0 else 0.21
        points.append((0.5 + radius * math.cos(angle), 0.52 + radius * math.sin(angle)))
    pen.polygon(points, colour)


PICTURES: Mapping[str, tuple[Motif, Colour]] = {
    "fox": (_fox, (222, 104, 40)), "cat": (_cat, (150, 140, 136)), "dog": (_dog, (190, 138, 84)),
    "rabbit": (_rabbit, (206, 190, 176)), "bear": (_bear, (128, 86, 56)), "owl": (_owl, (146, 108, 78)),
    "bird": (_bird, (70, 140, 206)), "fish": (_fish, (240, 140, 60)), "butterfly": (_butterfly, (222, 120, 190)),
    "tree": (_tree, LEAF), "flower": (_flower, (230, 92, 130)), "mushroom": (_mushroom, (206, 56, 48)),
    "house": (_house, (224, 188, 140)), "castle": (_castle, (168, 166, 172)),
    "lighthouse": (_lighthouse, (206, 60, 52)), "boat": (_boat, (168, 70, 54)),
    "car": (_car, (206, 56, 56)), "rocket": (_rocket, (206, 62, 60)),
    "balloon": (_balloon, (232, 120, 60)), "robot": (_robot, (140, 158, 178)), "snowman": (_snowman, (206, 56, 56)),
    "cup": (_cup, (96, 140, 176)), "apple": (_apple, (206, 52, 48)), "heart": (_heart, (220, 54, 84)),
    "star": (_star, (250, 206, 74)),
}  # fmt: skip
"""What a motif is drawn by, and its colour where nobody names one."""

IN_THE_AIR = frozenset({"bird", "butterfly", "rocket", "balloon", "star", "heart"})
"""These do not stand on the ground."""
