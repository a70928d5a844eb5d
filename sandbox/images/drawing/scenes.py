"""Small painted scenes, the same for the same seed: what a prompt says, as far as plain shapes can show it."""

from __future__ import annotations

import colorsys
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PIL import Image, ImageDraw

from sandbox.images.drawing.motifs import IN_THE_AIR, PICTURES, SNOW
from sandbox.images.drawing.pens import Colour, Pen, PixelPen, mix
from sandbox.images.drawing.reading import Ground, Reading, Things, Time, Weather, read

_SEA_DWELLERS = frozenset({"boat", "fish", "lighthouse"})
_SIDE_BY_SIDE = 4
_HUES: Mapping[Ground, float] = {
    Ground.HILLS: 0.3, Ground.SEA: 0.56, Ground.FOREST: 0.38, Ground.CITY: 0.64, Ground.DESERT: 0.1,
    Ground.MOUNTAINS: 0.6,
}  # fmt: skip
_TIME_HUES: Mapping[Time, float] = {Time.NIGHT: 0.66, Time.SUNSET: 0.05, Time.DAWN: 0.92}


@dataclass(frozen=True, slots=True)
class Palette:
    """Five colours of one scene, from the top of the sky to the nearest hill."""

    zenith: Colour
    horizon: Colour
    glow: Colour
    far: Colour
    near: Colour


def palette(asked: Reading, rng: random.Random, vividness: float = 1.0) -> Palette:
    """Colours by what was asked, else by chance; ``vividness`` scales their saturation."""
    chance = rng.random()
    named = _scene_colour(asked)
    ground = named if named is not None else _HUES[asked.ground] if asked.ground else 0.25 + 0.4 * chance
    sky = _TIME_HUES.get(asked.time, named if named is not None else 0.56 + 0.06 * chance)
    dark = asked.time is Time.NIGHT or asked.weather is Weather.STORM

    def tone(hue: float, saturation: float, value: float) -> Colour:
        red, green, blue = colorsys.hsv_to_rgb(hue % 1, min(1.0, saturation * vividness), value)
        return round(red * 255), round(green * 255), round(blue * 255)

    far, near = tone(ground, 0.5, 0.34 if dark else 0.66), tone(ground + 0.03, 0.7, 0.16 if dark else 0.32)
    if asked.weather is Weather.SNOW:
        far, near = mix(far, SNOW, 0.55 if dark else 0.8), mix(near, SNOW, 0.45 if dark else 0.68)
    return Palette(
        zenith=tone(sky + rng.uniform(-0.06, 0.06), 0.6, 0.2 if dark else 0.7 + chance * 0.2),
        horizon=tone(sky + 0.03, 0.35 if asked.time is not Time.SUNSET else 0.7, 0.42 if dark else 0.98),
        glow=tone(0.13, 0.25 if asked.time is not Time.SUNSET else 0.6, 1.0),
        far=far,
        near=near,
    )


def _scene_colour(asked: Reading) -> float | None:
    """The hue of a colour that was named for no thing."""
    if asked.colour is None or asked.colour in {one.colour for one in asked.things}:
        return None
    return colorsys.rgb_to_hsv(*(part / 255 for part in asked.colour))[0]


def gradient(size: tuple[int, int], top: Colour, bottom: Colour) -> Image.Image:
    """A vertical run of colour."""
    column = Image.new("RGB", (1, 2))
    column.putpixel((0, 0), top)
    column.putpixel((0, 1), bottom)
    return column.resize((1, 64), Image.Resampling.BICUBIC).resize(size, Image.Resampling.BILINEAR)


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


def _mountains(draw: ImageDraw.ImageDraw, size: tuple[int, int], colours: Palette, rng: random.Random) -> None:
    width, height = size
    for layer in range(3):
        colour = mix(colours.far, colours.near, layer / 3)
        for _ in range(4):
            x, wide = rng.uniform(-0.1, 1.1) * width, width * rng.uniform(0.18, 0.32)
            top, foot = height * (rng.uniform(0.16, 0.34) + 0.12 * layer), height * 0.8
            draw.polygon([(x, top), (x - wide, foot), (x + wide, foot)], fill=colour)
            cap = (foot - top) * 0.2
            slope = wide * 0.2
            draw.polygon([(x, top), (x - slope, top + cap), (x, top + cap * 0.7), (x + slope, top + cap)], fill=SNOW)
    draw.polygon(_ridge(width, height, 0.74, 0.04, rng), fill=colours.near)


def _desert(draw: ImageDraw.ImageDraw, size: tuple[int, int], colours: Palette, rng: random.Random) -> None:
    for layer in range(4):
        draw.polygon(_ridge(*size, 0.56 + 0.12 * layer, 0.05, rng), fill=mix(colours.glow, colours.far, layer / 3))


_GROUNDS: Mapping[Ground, Callable[[ImageDraw.ImageDraw, tuple[int, int], Palette, random.Random], None]] = {
    Ground.HILLS: _hills,
    Ground.SEA: _sea,
    Ground.FOREST: _forest,
    Ground.CITY: _city,
    Ground.DESERT: _desert,
    Ground.MOUNTAINS: _mountains,
}


def _ground(asked: Reading, rng: random.Random) -> Ground:
    any_place = rng.choice(tuple(Ground))
    if asked.ground is not None:
        return asked.ground
    if any(one.motif in _SEA_DWELLERS for one in asked.things):
        return Ground.SEA
    return Ground.HILLS if asked.things else any_place


def paint_scene(
    size: tuple[int, int], prompt: str, seed: str, vividness: float = 1.0, shift: float = 0.0
) -> Image.Image:
    """A scene of that size in RGB; ``shift`` (0 to 1) moves the sun along its way and lifts things, for animations."""
    asked, rng = read(prompt), random.Random(seed)
    colours = palette(asked, rng, vividness)
    ground = _ground(asked, rng)
    picture = gradient(size, colours.zenith, colours.horizon)
    draw = ImageDraw.Draw(picture)
    _sky(draw, size, asked, colours, rng, shift)
    _GROUNDS[ground](draw, size, colours, rng)
    for left, top, edge, thing in places(size, asked.things, shift):
        put(PixelPen(draw, left, top, edge), thing)
    return _weather(picture, asked.weather, colours, rng)


def _sky(
    draw: ImageDraw.ImageDraw, size: tuple[int, int], asked: Reading, colours: Palette, rng: random.Random, shift: float
) -> None:
    width, height = size
    for _ in range(60 if asked.time is Time.NIGHT else 0):
        star = min(size) * rng.uniform(0.001, 0.004)
        _disc(draw, rng.random() * width, rng.random() * height * 0.5, star, SNOW)
    way = (rng.uniform(0.6, 0.85) + shift) % 1.0
    low = 0.3 if asked.time in (Time.SUNSET, Time.DAWN) else 0.0
    centre = (width * way, height * (0.34 - 0.2 * math.sin(math.pi * way) + low))
    behind = mix(colours.zenith, colours.horizon, centre[1] / height)
    if asked.time is Time.NIGHT:  # a crescent
        _disc(draw, *centre, min(size) * 0.075, colours.glow)
        _disc(draw, centre[0] + min(size) * 0.035, centre[1] - min(size) * 0.014, min(size) * 0.066, behind)
        return
    for ring in range(4):
        _disc(draw, *centre, min(size) * (0.15 - 0.026 * ring), mix(behind, colours.glow, (ring + 1) / 4))


def places(size: tuple[int, int], things: tuple[Things, ...], shift: float) -> list[tuple[float, float, float, Things]]:
    """Left, top and edge of each thing's square: on the ground or in the air side by side, above the caption."""
    every = [one for one in things for _ in range(one.count)]
    flying = [one for one in every if one.motif in IN_THE_AIR]
    standing = [one for one in every if one.motif not in IN_THE_AIR]
    if not flying:
        return _rows(size, standing, 0.2, 0.8, shift)
    if not standing:
        return _rows(size, flying, 0.06, 0.66, shift)
    return _rows(size, flying, 0.03, 0.4, shift) + _rows(size, standing, 0.4, 0.8, shift)


def _rows(
    size: tuple[int, int], things: list[Things], top: float, foot: float, shift: float
) -> list[tuple[float, float, float, Things]]:
    """Up to four side by side, more in two rows, between two shares of the height."""
    if not things:
        return []
    width, height = size
    rows = [things] if len(things) <= _SIDE_BY_SIDE else [things[: len(things) // 2], things[len(things) // 2 :]]
    tall = height * (foot - top) / len(rows)
    found = []
    for number, row in enumerate(rows):
        edge = min(width * 0.94 / len(row), tall)
        gap = (width - edge * len(row)) / (len(row) + 1)
        low = height * top + tall * (number + 1)
        for place, thing in enumerate(row):
            lift = edge * 0.05 * (math.sin(math.tau * (shift + place * 0.37)) - (place + number) % 2)
            found.append((gap + place * (edge + gap), low - edge + lift, edge, thing))
    return found


def put(pen: Pen, thing: Things) -> None:
    """Draws one of the things where the pen's square is."""
    drawing, usual = PICTURES[thing.motif]
    drawing(pen, thing.colour or usual)


def _weather(picture: Image.Image, weather: Weather, colours: Palette, rng: random.Random) -> Image.Image:
    draw = ImageDraw.Draw(picture)
    width, height = picture.size
    match weather:
        case Weather.CLEAR:
            pass
        case Weather.CLOUDS:
            _clouds(draw, picture.size, mix(colours.horizon, SNOW, 0.6), rng)
        case Weather.SNOW:
            for _ in range(140):
                flake = min(width, height) * rng.uniform(0.003, 0.009)
                _disc(draw, rng.random() * width, rng.random() * height, flake, SNOW)
        case Weather.RAIN | Weather.STORM:
            _clouds(draw, picture.size, mix(colours.zenith, (90, 96, 110), 0.6), rng)
            if weather is Weather.STORM:
                _lightning(draw, width, height)
            for _ in range(110):
                x, y, fall = rng.random() * width, rng.random() * height, height * rng.uniform(0.03, 0.07)
                draw.line((x, y, x - fall * 0.3, y + fall), fill=(196, 214, 236), width=max(1, width // 400))
        case Weather.FOG:
            return Image.blend(picture, Image.new("RGB", picture.size, mix(colours.horizon, SNOW, 0.5)), 0.5)
    return picture


def _clouds(draw: ImageDraw.ImageDraw, size: tuple[int, int], colour: Colour, rng: random.Random) -> None:
    width, height = size
    for _ in range(5):
        x, y, radius = rng.random() * width, height * rng.uniform(0.06, 0.26), min(size) * rng.uniform(0.05, 0.08)
        for puff in range(-2, 3):
            _disc(draw, x + puff * radius * 0.9, y + abs(puff) * radius * 0.25, radius * (1 - 0.18 * abs(puff)), colour)


def _lightning(draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    bolt = ((0.2, 0.12), (0.13, 0.36), (0.18, 0.36), (0.12, 0.6), (0.25, 0.3), (0.2, 0.3), (0.26, 0.12))
    draw.polygon([(x * width, y * height) for x, y in bolt], fill=(255, 246, 170))


def paint_emblem(size: tuple[int, int], prompt: str, seed: str, vividness: float = 1.0) -> Image.Image:
    """What was asked on nothing, or a round cut-out of a scene: RGBA with real transparency around it."""
    edge = round(min(size) * 0.72)
    corner = ((size[0] - edge) // 2, round((size[1] - edge) * 0.3))
    picture = Image.new("RGBA", size, (0, 0, 0, 0))
    things = read(prompt).things
    if things:
        draw = ImageDraw.Draw(picture)
        for left, top, side, thing in places(size, things, 0.0):
            put(PixelPen(draw, left, top, side), thing)
        return picture
    scene = paint_scene((edge, edge), prompt, seed, vividness)
    disc = Image.new("L", (edge * 2, edge * 2), 0)
    ImageDraw.Draw(disc).ellipse((0, 0, edge * 2 - 1, edge * 2 - 1), fill=255)
    picture.paste(scene, corner, disc.resize((edge, edge), Image.Resampling.BOX))
    return picture
