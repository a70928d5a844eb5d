"""A bar chart as PNG, drawn on the colours of Discord's dark theme. A pure function: rows in, bytes out."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

BACKGROUND = (43, 45, 49)
TRACK = (56, 58, 64)
BAR = (88, 101, 242)
INK = (242, 243, 245)
FAINT = (181, 186, 193)

WIDTH_PX = 1000
MARGIN_PX = 32
TITLE_PX = 30
TEXT_PX = 20
ROW_PX = 40
GAP_PX = 16
MAX_LABEL_PX = 300
MAX_ROWS = 40

_PLAIN = {"–": "-", "—": "-", "‑": "-", "’": "'", "“": '"', "”": '"'}

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True, slots=True)
class Row:
    """``value`` gives the length of the bar (negative counts as 0); ``text`` is what stands behind it."""

    label: str
    value: float
    text: str


def bar_chart(rows: Sequence[Row | tuple[str, float, str]], title: str, *, empty: str = "–") -> bytes:
    """Horizontal bars under a title, the longest as wide as the room; PNG of 1000 pixels width.

    At most 40 rows are drawn. Letters the built-in font lacks are left out; a label of nothing else becomes ``#n``.
    ``empty`` is written when there are no rows.
    """
    shown = [row if isinstance(row, Row) else Row(*row) for row in rows[:MAX_ROWS]]
    title_font, font = ImageFont.load_default(TITLE_PX), ImageFont.load_default(TEXT_PX)
    top = MARGIN_PX + TITLE_PX + 24
    height = top + max(1, len(shown)) * ROW_PX + MARGIN_PX - (ROW_PX - TEXT_PX) // 2
    image = Image.new("RGB", (WIDTH_PX, height), BACKGROUND)
    draw = ImageDraw.Draw(image)
    draw.text((MARGIN_PX, MARGIN_PX), _cut(_drawable(title, title_font), title_font, WIDTH_PX - 2 * MARGIN_PX),
              font=title_font, fill=INK)  # fmt: skip
    if shown:
        _draw_rows(draw, shown, font, top)
    else:
        draw.text((MARGIN_PX, top), _drawable(empty, font), font=font, fill=FAINT)
    out = BytesIO()
    image.save(out, "PNG", compress_level=6)
    return out.getvalue()


def _draw_rows(draw: ImageDraw.ImageDraw, rows: Sequence[Row], font: Font, top: int) -> None:
    labels = [
        _cut(_drawable(row.label, font) or f"#{number}", font, MAX_LABEL_PX) for number, row in enumerate(rows, 1)
    ]
    texts = [_drawable(row.text, font) for row in rows]
    left = MARGIN_PX + round(max(font.getlength(label) for label in labels)) + GAP_PX
    right = WIDTH_PX - MARGIN_PX - round(max(font.getlength(text) for text in texts)) - GAP_PX
    right = max(right, left + 100)
    most = max(row.value for row in rows)
    for number, (row, label, text) in enumerate(zip(rows, labels, texts, strict=True)):
        middle = top + number * ROW_PX + ROW_PX // 2
        draw.text((left - GAP_PX, middle), label, font=font, fill=INK, anchor="rm")
        draw.rounded_rectangle((left, middle - 12, right, middle + 12), radius=6, fill=TRACK)
        length = round((right - left) * max(0.0, row.value) / most) if most > 0 else 0
        if row.value > 0:
            draw.rounded_rectangle((left, middle - 12, left + max(4, length), middle + 12), radius=6, fill=BAR)
        draw.text((right + GAP_PX, middle), text, font=font, fill=INK, anchor="lm")


def _drawable(text: str, font: Font) -> str:
    """``text`` in letters that the font has: accents are dropped before a letter is."""
    return " ".join("".join(_letter(letter, font) for letter in text).split())


def _letter(letter: str, font: Font) -> str:
    if letter.isspace():
        return " "
    for candidate in (_PLAIN.get(letter, letter), unicodedata.normalize("NFKD", letter)[:1]):
        if candidate.isprintable() and _has(candidate, font):
            return candidate
    return ""


def _has(letter: str, font: Font) -> bool:
    return letter.isascii() or bytes(font.getmask(letter)) != bytes(font.getmask("\U0010fffe"))


def _cut(text: str, font: Font, width: int) -> str:
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "...") > width:
        text = text[:-1]
    return text + "..."
