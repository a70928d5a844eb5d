"""Small painted scenes, the same for the same seed: what a sample picture shows behind its caption."""

from __future__ import annotations

import colorsys
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
_HUES: Mapping[str, float] = {
    "red": 0.0, "fox": 0.05, "orange": 0.08, "desert": 0.1, "gold": 0.12, "yellow": 0.14, "lime": 0.25, "green": 0.35,
    "forest": 0.38, "teal": 0.48, "sea": 0.54, "ocean": 0.55, "sky": 0.56, "blue": 0.6, "night": 0.66, "indigo": 0.7,
    "purple": 0.76, "violet": 0.78, "pink": 0.9, "rose": 0.94,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Palette:
    """Five colours of one scene, from the top of the sky to the nearest hill."""

    zenith: Colour
    horizon: Colour
    glow: Colour
    far: Colour
    near: Colour


def palette(prompt: str, rng: random.Random, vividness: float = 1.0) -> Palette:
    """Colours by the first colour word in the prompt, else by chance; ``vividness`` scales their saturation."""
    words = prompt.lower().replace(",", " ").replace(".", " ").split()
    hue = next((_HUES[word] for word in words if word in _HUES), rng.random())
    dark = "night" in words

    def tone(turn: float, saturation: float, value: float) -> Colour:
        red, green, blue = colorsys.hsv_to_rgb((hue + turn) % 1, min(1.0, saturation * vividness), value)
        return round(red * 255), round(green * 255), round(blue * 255)

    sky = 0.25 if dark else 0.62 + rng.random() * 0.25
    return Palette(
        zenith=tone(rng.choice((-1, 1)) * rng.uniform(0.1, 0.2), 0.62, sky),
        horizon=tone(0.02, 0.45, 0.45 if dark else 0.97),
        glow=tone(0.0, 0.28, 1.0),
        far=tone(0.0, 0.55, 0.62),
        near=tone(0.04, 0.75, 0.24),
    )


def gradient(size: tuple[int, int], top: Colour, bottom: Colour) -> Image.Image:
    """A vertical run of colour."""
    column = Image.new("RGB", (1, 2))
    column.putpixel((0, 0), top)
    column.putpixel((0, 1), bottom)
    return column.resize((1, 64), Image.Resampling.BICUBIC).resize(size, Image.Resampling.BILINEAR)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """``share`` 0 is the first colour, 1 the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _disc(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: Colour) -> None:
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _ridge(width: int, height: int, base: float, rough: float, rng: random.Random) -> list[tuple[float, float]]:
    waves = [(rng.uniform(0.6, 3.5), rng.uniform(0, math.tau), rng.uniform(0.3, 1.0)) for _ in range(4)]
    step = max(2, width // 90)
    line: list[tuple[float, float]] = []
    for x in range(0, width + step, step):
        lift = sum(share * math.sin(turns * math.tau * x / width + phase) for turns, phase, share in waves)
        line.append((x, height * (base - rough * lift / 2)))
    return [(0, height), *line, (width + step, height)]


def _hills(draw: ImageDraw.ImageDraw, size: tuple[int, int], colours: Palette, rng: random.Random) -> None:
    for layer in range(5):
        share = layer / 4
        ridge = _ridge(*size, 0.52 + 0.11 * layer, 0.11 - 0.012 * layer, rng)
        draw.polygon(ridge, fill=mix(colours.far, colours.near, share))


def _city(draw: ImageDraw.ImageDraw, size: tuple[int, int], colours: Palette, rng: random.Random) -> None:
    width, height = size
    for layer in range(3):
        colour = mix(colours.far, colours.near, layer / 2)
        x = -width * rng.random() * 0.05
        while x < width:
            wide = width * rng.uniform(0.05, 0.12)
            top = height * (rng.uniform(0.3, 0.62) + 0.1 * layer)
            draw.rectangle((x, top, x + wide, height), fill=colour)
            _windows(draw, (x, top, x + wide, height), mix(colour, colours.glow, 0.55), rng)
            x += wide + width * rng.uniform(0.004, 0.02)


def _windows(
    draw: ImageDraw.ImageDraw, box: tuple[float, float, float, float], colour: Colour, rng: random.Random
) -> None:
    left, top, right, bottom = box
    cell = (right - left) / 5
    y = top + cell
    while y < bottom - cell:
        for column in range(4):
            if rng.random() < 0.3:
                x = left + cell * (column + 0.7)
                draw.rectangle((x, y, x + cell * 0.45, y + cell * 0.6), fill=colour)
        y += cell * 1.2


def _sea(draw: ImageDraw.ImageDraw, size: tuple[int, int], colours: Palette, rng: random.Random) -> None:
    width, height = size
    level = height * 0.6
    draw.rectangle((0, level, width, height), fill=colours.far)
    for band in range(26):
        share = band / 25
        y = level + (height - level) * share**1.4
        colour = mix(colours.horizon, colours.near, share)
        for _ in range(5):
            x, wide = rng.uniform(-0.1, 1) * width, width * rng.uniform(0.08, 0.3) * (0.4 + share)
            thick = max(1.0, height * 0.012 * (0.25 + share))
            draw.rounded_rectangle((x, y, x + wide, y + thick), radius=thick / 2, fill=colour)
    sail = width * rng.uniform(0.3, 0.6)
    mast = height * 0.14
    draw.polygon([(sail, level - mast), (sail + mast * 0.7, level), (sail, level)], fill=colours.glow)
    hull = [(sail - mast * 0.5, level), (sail + mast * 0.9, level), (sail, level + mast * 0.2)]
    draw.polygon(hull, fill=colours.near)


def _forest(draw: ImageDraw.ImageDraw, size: tuple[int, int], colours: Palette, rng: random.Random) -> None:
    width, height = size
    for layer in range(4):
        colour = mix(colours.far, colours.near, layer / 3)
        ground = height * (0.66 + 0.1 * layer)
        draw.polygon(_ridge(width, height, 0.66 + 0.1 * layer, 0.03, rng), fill=colour)
        for _ in range(16 - 3 * layer):
            x, tall = rng.random() * width, height * rng.uniform(0.13, 0.2) * (1 + 0.35 * layer)
            for part in range(3):
                top = ground - tall + part * tall * 0.24
                half = tall * (0.14 + 0.07 * part)
                draw.polygon([(x, top), (x - half, top + tall * 0.42), (x + half, top + tall * 0.42)], fill=colour)


_SCENES: tuple[Callable[[ImageDraw.ImageDraw, tuple[int, int], Palette, random.Random], None], ...] = (
    _hills,
    _sea,
    _forest,
    _city,
)
_SCENE_WORDS: Mapping[str, int] = {
    "hills": 0, "mountain": 0, "mountains": 0, "desert": 0, "sea": 1, "ocean": 1, "boat": 1, "lighthouse": 1,
    "forest": 2, "fox": 2, "tree": 2, "trees": 2, "city": 3, "town": 3, "street": 3,
}  # fmt: skip


def paint_scene(
    size: tuple[int, int], prompt: str, seed: str, vividness: float = 1.0, sun_shift: float = 0.0
) -> Image.Image:
    """A scene of that size in RGB; ``sun_shift`` (0 to 1) moves the sun along its way, for animations."""
    rng = random.Random(seed)
    colours = palette(prompt, rng, vividness)
    picture = gradient(size, colours.zenith, colours.horizon)
    draw = ImageDraw.Draw(picture)
    width, height = size
    for _ in range(40):
        star = min(size) * rng.uniform(0.001, 0.003)
        _disc(draw, rng.random() * width, rng.random() * height * 0.5, star, colours.glow)
    way = (rng.uniform(0.2, 0.8) + sun_shift) % 1.0
    centre = (width * way, height * (0.34 - 0.2 * math.sin(math.pi * way)) + height * 0.08)
    for ring in range(4):
        colour = mix(mix(colours.zenith, colours.horizon, centre[1] / height), colours.glow, (ring + 1) / 4)
        _disc(draw, *centre, min(size) * (0.17 - 0.028 * ring), colour)
    words = prompt.lower().replace(",", " ").split()
    chosen = next((_SCENE_WORDS[word] for word in words if word in _SCENE_WORDS), rng.randrange(len(_SCENES)))
    _SCENES[chosen](draw, size, colours, rng)
    return picture


def paint_emblem(size: tuple[int, int], prompt: str, seed: str, vividness: float = 1.0) -> Image.Image:
    """A round cut-out of a scene on nothing: RGBA with real transparency around it."""
    edge = round(min(size) * 0.72)
    scene = paint_scene((edge, edge), prompt, seed, vividness)
    disc = Image.new("L", (edge * 2, edge * 2), 0)
    ImageDraw.Draw(disc).ellipse((0, 0, edge * 2 - 1, edge * 2 - 1), fill=255)
    picture = Image.new("RGBA", size, (0, 0, 0, 0))
    corner = ((size[0] - edge) // 2, round((size[1] - edge) * 0.3))
    picture.paste(scene, corner, disc.resize((edge, edge), Image.Resampling.BOX))
    return picture
