"""Sample pictures show what the words say, as far as plain shapes can."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from PIL import Image

from sandbox.images.drawing.encoding import encode_svg
from sandbox.images.drawing.motifs import IN_THE_AIR, PICTURES
from sandbox.images.drawing.pens import Colour
from sandbox.images.drawing.reading import MOST, MOTIFS, Ground, Reading, Things, Time, Weather, read
from sandbox.images.drawing.scenes import paint_emblem, paint_scene, palette, places

RED, YELLOW, BLUE = (214, 62, 44), (245, 206, 66), (60, 112, 206)


@pytest.mark.parametrize(
    ("prompt", "things"),
    [
        ("a red fox in the snow", [Things("fox", 1, RED)]),
        ("three cats at night", [Things("cat", 3, None)]),
        ("cats", [Things("cat", 3, None)]),
        ("Eine gelbe Katze im Wald", [Things("cat", 1, YELLOW)]),
        ("zwei blaue Boote", [Things("boat", 2, BLUE)]),
        ("a blue house and a red car", [Things("house", 1, BLUE), Things("car", 1, RED)]),
        ("a house with 12 stars", [Things("house", 1, None), Things("star", MOST, None)]),
        ("a fox, a fox and a fox", [Things("fox", 1, None)]),
        ("red, and far away from all that a fox", [Things("fox", 1, None)]),
        ("something nobody can draw", []),
        ("", []),
        ("‮🦊 \x00", []),
    ],
)
def test_things_are_read_with_their_number_and_colour(prompt: str, things: list[Things]) -> None:
    assert list(read(prompt).things) == things


@pytest.mark.parametrize(
    ("prompt", "time", "weather", "ground"),
    [
        ("a lighthouse in a storm at midnight", Time.NIGHT, Weather.STORM, None),
        ("Sonnenuntergang am Meer", Time.SUNSET, Weather.CLEAR, Ground.SEA),
        ("a foggy morning in the mountains", Time.DAWN, Weather.FOG, Ground.MOUNTAINS),
        ("rainy street", Time.DAY, Weather.RAIN, Ground.CITY),
        ("verschneiter Wald", Time.DAY, Weather.SNOW, Ground.FOREST),
        ("x", Time.DAY, Weather.CLEAR, None),
    ],
)
def test_time_weather_and_place_are_read(prompt: str, time: Time, weather: Weather, ground: Ground | None) -> None:
    asked = read(prompt)
    assert (asked.time, asked.weather, asked.ground) == (time, weather, ground)


class Measuring:
    """A pen that notes where it goes."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, float]] = []

    def polygon(self, points: Sequence[tuple[float, float]], colour: Colour) -> None:
        self.seen += points

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        self.seen += [(x - rx, y - ry), (x + rx, y + ry)]


def test_every_motif_that_is_read_is_drawn_and_the_other_way_round() -> None:
    assert set(MOTIFS.values()) == set(PICTURES)
    assert set(PICTURES) >= IN_THE_AIR


@pytest.mark.parametrize("motif", sorted(PICTURES))
def test_a_motif_fills_its_square_and_stays_in_it(motif: str) -> None:
    pen = Measuring()
    drawing, colour = PICTURES[motif]
    drawing(pen, colour)
    across, down = [x for x, _ in pen.seen], [y for _, y in pen.seen]
    assert min(across) >= -0.03
    assert max(across) <= 1.03
    assert min(down) >= -0.03
    assert max(down) <= 1.03
    assert max(down) - min(down) > 0.5


def test_the_colour_that_was_asked_is_seen() -> None:
    for word, colour in (("red", RED), ("blue", BLUE)):
        colours = paint_scene((256, 256), f"a {word} fox", "0").getcolors(256 * 256) or []
        assert sum(count for count, seen in colours if seen == colour) > 256 * 256 // 50


def test_more_things_are_more_squares_that_do_not_leave_the_picture() -> None:
    for count in range(1, MOST + 1):
        found = places((1536, 1024), (Things("owl", count, None),), 0.3)
        assert len(found) == count
        for left, top, edge, _ in found:
            assert 0 <= left <= 1536 - edge
            assert -0.1 * edge <= top <= 1024 - edge


def test_night_is_darker_than_day_and_snow_is_lighter() -> None:
    def light(prompt: str) -> int:
        return sum(paint_scene((64, 64), prompt, "1").convert("L").resize((1, 1), Image.Resampling.BOX).tobytes())

    assert light("hills at night") < light("hills") < light("hills in snow")


def test_a_thing_without_a_background_is_on_nothing() -> None:
    alpha = paint_emblem((128, 128), "a red fox", "0").getchannel("A")
    assert alpha.getextrema() == (0, 255)
    assert alpha.getpixel((2, 2)) == 0


def test_an_svg_has_the_things_too() -> None:
    def drawn(prompt: str) -> str:
        colours = palette(read(prompt), random.Random(0))
        return encode_svg((1024, 1024), prompt, "", "0", colours, None, clear=False).decode()

    assert "#d63e2c" in drawn("a red fox")
    assert "#d63e2c" not in drawn("a quiet place")


def test_a_reading_without_anything_is_left_to_chance() -> None:
    assert read("") == Reading((), Time.DAY, Weather.CLEAR, None, None)
    assert paint_scene((64, 64), "", "1").tobytes() != paint_scene((64, 64), "", "2").tobytes()
