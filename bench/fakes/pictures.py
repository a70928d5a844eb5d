"""The pictures that the image service answers with, drawn once before anything is measured."""

from __future__ import annotations

import io
import os
from collections.abc import Callable

from PIL import Image

PHOTO_NOISE = 6.0
"""Near five bits a sample, as in a photograph: about 2.2 MB at 1024x1024."""


def photo(width: int, height: int) -> bytes:
    """A PNG that compresses like a photograph."""
    bands = [Image.effect_noise((width, height), PHOTO_NOISE) for _ in range(3)]
    return _png(Image.merge("RGB", bands))


def noise(width: int, height: int) -> bytes:
    """A PNG that does not compress at all."""
    return _png(Image.frombytes("RGB", (width, height), os.urandom(3 * width * height)))


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


KINDS: dict[str, Callable[[int], bytes]] = {
    "photo": lambda side: photo(side, side),
    "noise": lambda side: noise(side, side),
    "tiny": lambda _: photo(32, 32),
    "vast": lambda side: photo(side * 15 // 4, side * 135 // 64),
}
"""By the first word of a prompt: what is drawn for it. ``side`` is 1024 but in trials; ``vast`` is 3840x2160 then."""
