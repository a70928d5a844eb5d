"""Whatever bytes arrive, the answer is a picture or the one refusal that is meant for it."""

from __future__ import annotations

import contextlib
import random
from types import SimpleNamespace

import pytest

from bot.imaging.inspect import inspect_result
from bot.imaging.uploads import prepare_image
from bot.rules.catalogue.model import InputRule
from bot.rules.uploads import BadUpload

ANY = InputRule(16, frozenset({"png", "jpeg", "webp"}), 52_428_800)
SEEDS = 250


def mangled(data: bytes, chance: random.Random) -> bytes:
    broken = bytearray(data)
    for _ in range(chance.choice((1, 2, 8))):
        # most of what can go wrong is in the first bytes
        pos = chance.randrange(len(broken) if chance.random() < 0.5 else min(80, len(broken)))
        match chance.randrange(4):
            case 0:
                broken[pos] = chance.randrange(256)
            case 1:
                del broken[pos : pos + chance.choice((1, 4, 50))]
            case 2:
                broken[pos:pos] = chance.randbytes(chance.choice((1, 4, 50)))
            case _:
                broken[pos : pos + 4] = b"\xff\xff\xff\xff"
        broken = broken or bytearray(b"x")
    return bytes(broken)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "WEBP movie", "GIF movie", "PNG palette"])
def test_mangled_pictures_are_taken_or_refused_and_nothing_else(make: SimpleNamespace, kind: str) -> None:
    chance = random.Random(kind)
    if kind.endswith("movie"):
        data = make.movie(kind.split()[0])
    elif kind == "PNG palette":
        data = make.saved(make.quarters().quantize(8), "PNG", exif=make.exif(6), icc_profile=make.strange_profile())
    else:
        options = {} if kind == "GIF" else {"exif": make.exif(6), "icc_profile": make.strange_profile()}
        data = make.saved(make.quarters(), kind, **options)
    for _ in range(SEEDS):
        broken = mangled(data, chance)
        with contextlib.suppress(BadUpload):
            make.opened(prepare_image(broken, name="image", rule=ANY, max_pixels=1_000_000).image.data)
        try:
            told = inspect_result(broken, max_pixels=1_000_000)
        except ValueError:
            pass
        else:
            assert told.kept or told.width * told.height <= 1_000_000
