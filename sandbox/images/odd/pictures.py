"""Pictures that are whole and yet not what one expects: other formats, too large to open, with junk, without an end."""

from __future__ import annotations

import io

from PIL import Image


def as_format(data: bytes, kind: str) -> bytes:
    """The picture in another format, by Pillow's name for it."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(data)) as picture:
        picture.convert("RGB").save(out, kind)
    return out.getvalue()


def of_no_known_kind(data: bytes) -> bytes:
    """Bytes that might be a picture of a kind that is not invented yet."""
    return b"\x00PIC\xff" + data[::-1]


def vast(_data: bytes) -> bytes:
    """A whole PNG of a few kilobytes and 34 million pixels."""
    out = io.BytesIO()
    Image.new("1", (8192, 4200)).save(out, "PNG")
    return out.getvalue()


def junk_in_jpeg(data: bytes) -> bytes:
    """A JPEG with bytes between its segments and behind its end that belong to nothing."""
    jpeg = as_format(data, "JPEG")
    first = 4 + int.from_bytes(jpeg[4:6])
    return jpeg[:first] + bytes(4) + jpeg[first:] + b"behind"


def png_without_end(data: bytes) -> bytes:
    """A PNG of which all pixels are there, and nothing behind them."""
    return as_format(data, "PNG")[:-12]
