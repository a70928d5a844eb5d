"""What the words of a prompt ask a simple painter for: motifs with numbers and colours, time of day, weather, place.

English and German. The law: words only; what is not understood is left to chance, never an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

Colour = tuple[int, int, int]
MOST = 9
"""More of one motif than this could not be told apart."""


class Time(StrEnum):
    DAY = "day"
    DAWN = "dawn"
    SUNSET = "sunset"
    NIGHT = "night"


class Weather(StrEnum):
    CLEAR = "clear"
    CLOUDS = "clouds"
    RAIN = "rain"
    STORM = "storm"
    SNOW = "snow"
    FOG = "fog"


class Ground(StrEnum):
    HILLS = "hills"
    SEA = "sea"
    FOREST = "forest"
    CITY = "city"
    DESERT = "desert"
    MOUNTAINS = "mountains"


@dataclass(frozen=True, slots=True)
class Things:
    """So many of one motif; ``colour`` is None where the words name none for it."""

    motif: str
    count: int
    colour: Colour | None


@dataclass(frozen=True, slots=True)
class Reading:
    """``colour`` is the first that was named, whatever it was for; ``ground`` is None where no place was named."""

    things: tuple[Things, ...]
    time: Time
    weather: Weather
    ground: Ground | None
    colour: Colour | None


def _table(text: str) -> Mapping[str, str]:
    """``key: word word`` lines, turned round: each word leads to its key."""
    rows = (line.split(":") for line in text.strip().splitlines())
    return {word: key.strip() for key, words in rows for word in words.split()}


MOTIFS = _table("""
fox: fox foxes fuchs füchse
cat: cat cats kitten kittens katze katzen kätzchen
dog: dog dogs puppy puppies hund hunde welpe
rabbit: rabbit rabbits bunny bunnies hare hase hasen kaninchen
bear: bear bears bär bären teddy
owl: owl owls eule eulen
bird: bird birds vogel vögel parrot papagei
fish: fish fishes fisch fische
butterfly: butterfly butterflies schmetterling schmetterlinge
tree: tree trees baum bäume oak
flower: flower flowers rose roses tulip tulips blume blumen sunflower sunflowers
mushroom: mushroom mushrooms pilz pilze
house: house houses cottage cabin haus häuser hütte
castle: castle castles burg schloss tower
lighthouse: lighthouse lighthouses leuchtturm leuchttürme
boat: boat boats ship ships sailboat schiff schiffe boot boote
car: car cars auto autos
rocket: rocket rockets spaceship rakete raketen
balloon: balloon balloons ballon ballons luftballon
robot: robot robots roboter
snowman: snowman snowmen schneemann schneemänner
cup: cup cups mug coffee tea tasse tassen kaffee
apple: apple apples apfel äpfel
heart: heart hearts herz herzen
star: star stars stern sterne
""")
_TIMES = _table("""
night: night midnight moon moonlight nacht nachts mond mitternacht
sunset: sunset dusk evening abend abends sonnenuntergang
dawn: dawn sunrise morning morgen morgens sonnenaufgang
day: day noon tag mittag
""")
_WEATHERS = _table("""
snow: snow snowy winter blizzard schnee verschneit verschneite verschneiter
storm: storm stormy thunder thunderstorm lightning sturm gewitter blitz
rain: rain rainy regen regnerisch
fog: fog foggy mist misty nebel neblig
clouds: clouds cloudy overcast wolken bewölkt
""")
_GROUNDS = _table("""
sea: sea ocean beach lake harbour harbor island coast meer see strand hafen insel küste
forest: forest woods jungle wald dschungel
city: city town street skyline stadt straße
desert: desert dunes wüste dünen
mountains: mountain mountains alps berg berge alpen
hills: hills hill meadow field garden hügel wiese feld garten
""")
_COLOURS: Mapping[str, Colour] = {
    "red": (214, 62, 44), "rot": (214, 62, 44), "orange": (238, 138, 44), "yellow": (245, 206, 66),
    "gelb": (245, 206, 66), "gold": (226, 178, 58), "golden": (226, 178, 58), "lime": (150, 206, 60),
    "green": (70, 158, 84), "grün": (70, 158, 84), "teal": (38, 150, 150), "türkis": (60, 190, 190),
    "turquoise": (60, 190, 190), "blue": (60, 112, 206), "blau": (60, 112, 206), "indigo": (74, 70, 170),
    "purple": (134, 74, 178), "lila": (134, 74, 178), "violet": (140, 84, 200), "violett": (140, 84, 200),
    "pink": (240, 130, 176), "rosa": (240, 150, 180), "brown": (136, 92, 58), "braun": (136, 92, 58),
    "black": (44, 44, 52), "schwarz": (44, 44, 52), "white": (244, 244, 244), "weiß": (244, 244, 244),
    "grey": (136, 142, 152), "gray": (136, 142, 152), "grau": (136, 142, 152), "silver": (190, 196, 204),
}  # fmt: skip
_ENDINGS = ("e", "er", "es", "en", "em")  # of German adjectives
_NUMBERS = {
    word: number
    for number, words in enumerate(
        (
            "a an one ein eine einen",
            "two zwei pair",
            "three drei",
            "four vier",
            "five fünf",
            "six sechs",
            "seven sieben",
            "eight acht",
            "nine neun",
        ),
        start=1,
    )
    for word in words.split()
}
_PLURAL = re.compile(r"(?:s|füchse|katzen|hunde|hasen|bären|eulen|vögel|bäume|blumen|pilze|häuser|schiffe|boote"
                     r"|raketen|schneemänner|snowmen|tassen|äpfel|herzen|sterne|fische|schmetterlinge)$")  # fmt: skip
_SOME = 3
_NEAR = 3
"""How many words before a motif its number and its colour may stand."""


def read(prompt: str) -> Reading:
    """What can be painted of the prompt."""
    words = re.findall(r"\w+", prompt.lower())
    colours = [found for found in map(_colour, words) if found is not None]
    return Reading(
        _things(words),
        Time(_first(words, _TIMES) or Time.DAY),
        Weather(_first(words, _WEATHERS) or Weather.CLEAR),
        Ground(found) if (found := _first(words, _GROUNDS)) else None,
        colours[0] if colours else None,
    )


def _first(words: list[str], table: Mapping[str, str]) -> str | None:
    return next((table[word] for word in words if word in table), None)


def _colour(word: str) -> Colour | None:
    if word in _COLOURS:
        return _COLOURS[word]
    return next((_COLOURS[word.removesuffix(end)] for end in _ENDINGS if word.removesuffix(end) in _COLOURS), None)


def _things(words: list[str]) -> tuple[Things, ...]:
    found: dict[str, Things] = {}
    since = 0
    for at, word in enumerate(words):
        motif = MOTIFS.get(word)
        if motif is None or motif in found:
            continue
        before = words[max(since, at - _NEAR) : at]
        found[motif] = Things(motif, _count(before, word), _last_colour(before))
        since = at + 1
    return tuple(found.values())


def _last_colour(words: list[str]) -> Colour | None:
    return next((found for word in reversed(words) if (found := _colour(word)) is not None), None)


def _count(before: list[str], word: str) -> int:
    for one in reversed(before):
        if one in _NUMBERS:
            return _NUMBERS[one]
        if one.isascii() and one.isdecimal() and len(one) < _NEAR:
            return min(max(int(one), 1), MOST)
    return _SOME if _PLURAL.search(word) else 1
