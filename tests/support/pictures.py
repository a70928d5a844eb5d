"""Pictures for tests, in every format and shape they need; small unless the size is what is tested."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from typing import Any

from PIL import Image


def encoded(image: Image.Image, image_format: str = "PNG", **how: Any) -> bytes:
    out = BytesIO()
    image.save(out, image_format, **how)
    return out.getvalue()


@cache
def png(width: int = 64, height: int | None = None, mode: str = "RGB", colour: Any = "red") -> bytes:
    """One colour; square unless a height is given."""
    return encoded(Image.new(mode, (width, height or width), colour))


def noise(edge: int) -> bytes:
    """A PNG that nothing makes smaller."""
    return encoded(Image.effect_noise((edge, edge), 100).convert("RGB"))


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image
