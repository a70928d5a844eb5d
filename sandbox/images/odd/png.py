"""PNGs of other depths than 8 bits, or with one colour that is clear, read by PNG's own rules and without Pillow.

Pillow compares the clear colour with scaled pixels and cuts 16-bit grey off at 255, so a bot that leans on it would
never see its own mistakes here. Written to be plain, not fast; everything else is left to Pillow.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence

from PIL import Image

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB, _GREY_ALPHA, _RGBA = 0, 2, 4, 6
_CHANNELS = {_GREY: 1, _RGB: 3, _GREY_ALPHA: 2, _RGBA: 4}


def read_odd_png(data: bytes) -> Image.Image | None:
    """The picture as RGB or RGBA; None where it is no such PNG, has a palette or is interlaced.

    Raises ``ValueError`` for a broken one.
    """
    if not data.startswith(_SIGNATURE):
        return None
    try:
        chunks = list(_chunks(data))
        width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
        clear = next((payload for name, payload in chunks if name == b"tRNS"), None)
        if interlaced or kind not in _CHANNELS or (depth == 8 and clear is None):
            return None
        channels = _CHANNELS[kind]
        packed = zlib.decompress(b"".join(payload for name, payload in chunks if name == b"IDAT"))
        rows = _unfiltered(packed, height, -(-width * channels * depth // 8), max(1, channels * depth // 8))
        key = None if clear is None else tuple(value & (1 << depth) - 1 for (value,) in struct.iter_unpack(">H", clear))
        pixels = bytearray()
        for row in rows:
            for pixel in _grouped(_samples(row, depth)[: width * channels], channels):
                pixels += _shown(pixel, depth, kind, key)
        picture = Image.frombytes("RGBA", (width, height), bytes(pixels))
        return picture if clear is not None or kind in (_GREY_ALPHA, _RGBA) else picture.convert("RGB")
    except (struct.error, zlib.error, IndexError) as error:
        raise ValueError("a broken PNG") from error


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        yield name, data[at + 8 : at + 8 + length]
        if name == b"IEND":
            return
        at += 12 + length


def _unfiltered(packed: bytes, height: int, length: int, step: int) -> Iterator[bytes]:
    above = bytes(length)
    for y in range(height):
        line = packed[y * (length + 1) : (y + 1) * (length + 1)]
        row = bytearray(line[1:])
        for x in range(length):
            left, corner = (row[x - step], above[x - step]) if x >= step else (0, 0)
            row[x] = (row[x] + _guess(line[0], left, above[x], corner)) & 255
        above = bytes(row)
        yield above


def _guess(kind: int, left: int, up: int, corner: int) -> int:
    match kind:
        case 1:
            return left
        case 2:
            return up
        case 3:
            return (left + up) // 2
        case 4:
            return min((left, up, corner), key=lambda one: abs(left + up - corner - one))
    return 0


def _samples(row: bytes, depth: int) -> Sequence[int]:
    if depth == 8:
        return row
    if depth == 16:
        return [high << 8 | low for high, low in zip(row[::2], row[1::2], strict=True)]
    return [byte >> shift & (1 << depth) - 1 for byte in row for shift in range(8 - depth, -1, -depth)]


def _grouped(samples: Sequence[int], size: int) -> Iterator[tuple[int, ...]]:
    return zip(*[iter(samples)] * size, strict=True)


def _shown(pixel: tuple[int, ...], depth: int, kind: int, key: tuple[int, ...] | None) -> bytes:
    values = [value >> 8 if depth == 16 else value * 255 // ((1 << depth) - 1) for value in pixel]
    alpha = values.pop() if kind in (_GREY_ALPHA, _RGBA) else 0 if pixel == key else 255
    return bytes([*(values * 3 if len(values) == 1 else values), alpha])
