"""Readable labels on sample pictures: what was asked, so that a person sees that every option had an effect."""

from __future__ import annotations

import functools
import unicodedata

from PIL import Image, ImageDraw, ImageFont

_PANEL = (16, 18, 27, 232)
_TEXT, _FAINT = (255, 255, 255, 255), (214, 219, 232, 255)
_PROMPT_LINES = 3
_PROMPT_READ = 600  # characters of a prompt that can matter for three lines of text


@functools.lru_cache(maxsize=64)
def font(pixels: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own face: the same on every machine."""
    return ImageFont.load_default(pixels)


def clean(text: str) -> str:
    """One line without control, format or surrogate characters."""
    visible = "".join(" " if unicodedata.category(char)[0] == "C" else char for char in text[:_PROMPT_READ])
    return " ".join(visible.split())


def _wrap(text: str, face: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: float, lines: int) -> list[str]:
    done: list[str] = []
    rest = clean(text)
    while rest and len(done) < lines:
        fits = _fitting(rest, face, width)
        cut = rest.rfind(" ", 0, fits + 1) if fits < len(rest) else fits
        cut = cut if cut > 0 else max(1, fits)
        done.append(rest[:cut].strip())
        rest = rest[cut:].strip()
    if rest and done:
        done[-1] = done[-1][: max(1, len(done[-1]) - 1)].rstrip() + "…"
    return done


def _fitting(text: str, face: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: float) -> int:
    """How many characters from the start fit the width."""
    low, high = 0, min(len(text), 200)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if face.getlength(text[:middle]) <= width else (low, middle - 1)
    return low


def caption(size: tuple[int, int], prompt: str, facts: str) -> Image.Image | None:
    """A translucent panel for the foot of a picture of that size, or None where nobody could read it."""
    width, height = size
    if width < 96 or height < 64:
        return None
    big = max(11, round(min(width, height * 1.6) / 24))
    face, small = font(big), font(max(10, round(big * 0.68)))
    pad = round(big * 0.7)
    inner = width - 4 * pad
    lines = _wrap(prompt, face, inner, _PROMPT_LINES)
    details = _wrap(facts, small, inner, 2)
    step, small_step = round(big * 1.28), round(big * 0.95)
    tall = 2 * pad + step * len(lines) + small_step * len(details)
    panel = Image.new("RGBA", (width - 2 * pad, min(tall, height - 2 * pad)), (0, 0, 0, 0))
    draw = ImageDraw.Draw(panel)
    draw.rounded_rectangle((0, 0, panel.width - 1, panel.height - 1), radius=pad, fill=_PANEL)
    y = pad
    for line in lines:
        draw.text((pad, y), line, font=face, fill=_TEXT)
        y += step
    for line in details:
        draw.text((pad, y), line, font=small, fill=_FAINT)
        y += small_step
    return panel


def put_caption(picture: Image.Image, prompt: str, facts: str) -> None:
    """Lays the caption over the foot of the picture, in place; on RGBA the panel brings its own alpha."""
    panel = caption(picture.size, prompt, facts)
    if panel is None:
        return
    corner = ((picture.width - panel.width) // 2, picture.height - panel.height - (picture.width - panel.width) // 2)
    if picture.mode == "RGBA":
        picture.alpha_composite(panel, (corner[0], max(0, corner[1])))
    else:
        picture.paste(panel, corner, panel)
