"""Knowing that a paid picture is whole without drawing it: a thirtieth of the cost.

Law: this never says that a picture is broken. It says *whole*, or that it does not know; then the picture is drawn, and
the decoder decides (``inspect.py``). *Whole* is said

    PNG    where its checksums show that every byte is the one its maker wrote, and its first rows are rows of pixels;
           all rows, where there are few
    JPEG   with one scan that goes to its end mark, where its tables and the first of its pixels can be decoded
    WebP   where its lengths fit each other and the file to the byte, and its pixels begin as such do

of still pictures of the common kinds; every other one is drawn. A fuzz test holds this against the decoder
(docs/decisions/0020-checksums-instead-of-drawing.md).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from bot.imaging.containers import Container
from bot.imaging.headers import CannotLook, is_plain_jpeg, jpeg_segments
from bot.imaging.pixels import decode

LOOKED_AT = 64 * 1024
"""So many bytes of a PNG's rows are inflated. Deflate packs at most 1,032 bytes into one."""

COUNTED = 64 * 1024 * 1024
"""So many bytes of rows are counted where a PNG is too large to be drawn; what has them is not shown to be cut."""
_HEAD_OF_SCAN = 8 * 1024
_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 4: (8, 16), 6: (8, 16)}


def looks_whole(data: bytes, image_format: str, container: Container, size: tuple[int, int]) -> bool:
    """Whether it is certainly whole; False means that it has to be drawn to know."""
    if container.frames > 1 or container.lacks:
        return False
    match image_format:
        case "png":
            return _png(container.parts, size)
        case "jpeg":
            return _jpeg(data, container, size)
        case "webp":
            return _webp(data, size)
        case _:
            return False


def _png(parts: Sequence[memoryview | bytes], size: tuple[int, int]) -> bool:
    """``parts`` are the chunks that pixels need, their checksums right: here without palette and colour key."""
    header, *pixels, end = parts[1:]
    kinds = [bytes(part[4:8]) for part in (header, *pixels, end)]
    if kinds != [b"IHDR", *[b"IDAT"] * len(pixels), b"IEND"] or len(header) != 25:
        return False
    depth, colour, packing, filtering, lacing = header[16:21]
    if depth not in _DEPTHS.get(colour, ()) or (packing, filtering, lacing) != (0, 0, 0):
        return False
    row = 1 + (size[0] * _CHANNELS[colour] * depth + 7) // 8
    return _rows_begin(pixels, row, row * size[1])


def lacks_rows(container: Container, size: tuple[int, int]) -> bool:
    """Whether a PNG that lacks its end certainly lacks pixels, too: for what is too large to be drawn.

    Its rows are counted, up to a bound; a stream that breaks has no more of them.
    """
    depth, colour = container.data[24:26]
    least = min(COUNTED, (1 + (size[0] * _CHANNELS.get(colour, 1) * depth + 7) // 8) * size[1])
    inflater, have = zlib.decompressobj(), 0
    try:
        for part in container.parts[1:]:
            rest = part[8:-4] if part[4:8] == b"IDAT" else b""
            while rest and have < least:
                have += len(inflater.decompress(rest, LOOKED_AT))
                rest = inflater.unconsumed_tail
        have += len(inflater.decompress(b"", least)) if have < least else 0
    except zlib.error:
        pass
    return have < least


def _rows_begin(pixels: Sequence[memoryview | bytes], row: int, total: int) -> bool:
    inflater, begin = zlib.decompressobj(), b""
    try:
        for chunk in pixels:
            begin += inflater.decompress(chunk[8:-4], LOOKED_AT + 1 - len(begin))
            if len(begin) > LOOKED_AT:
                break
    except zlib.error:
        return False
    if max(begin[::row], default=5) > 4:  # each row begins with one of five filters
        return False
    if len(begin) <= LOOKED_AT:
        return inflater.eof and len(begin) == total
    return total > LOOKED_AT and sum(map(len, pixels)) * 1032 >= total


def _jpeg(data: bytes, container: Container, size: tuple[int, int]) -> bool:
    if container.scans != 1 or not is_plain_jpeg(data):
        return False
    clean = container.clean
    scan = jpeg_segments(clean)[-1][2]
    begin = clean[: scan + _HEAD_OF_SCAN].rstrip(b"\xff") + b"\xff\xd9"
    try:
        decode(begin, "jpeg", long_edge=max(1, max(size) // 8))
    except (CannotLook, ValueError):
        return False
    return True


def _webp(data: bytes, size: tuple[int, int]) -> bool:
    if 8 + int.from_bytes(data[4:8], "little") != len(data):
        return False
    chunks: dict[bytes, tuple[int, int]] = {}
    pos = 12
    while pos + 8 <= len(data):
        kind, length = data[pos : pos + 4], int.from_bytes(data[pos + 4 : pos + 8], "little")
        if kind in chunks:
            return False
        chunks[kind] = (pos + 8, length)
        pos += 8 + length + (length & 1)
    if pos != len(data) or b"ALPH" in chunks or (b"VP8 " in chunks) == (b"VP8L" in chunks):
        return False
    return _vp8(data, *chunks[b"VP8 "], size) if b"VP8 " in chunks else _vp8l(data, *chunks[b"VP8L"], size)


def _vp8(data: bytes, at: int, length: int, size: tuple[int, int]) -> bool:
    tag = int.from_bytes(data[at : at + 3], "little")
    is_key, version, shown, first_part = not tag & 1, tag >> 1 & 7, tag >> 4 & 1, tag >> 5
    own = tuple(int.from_bytes(data[at + side : at + side + 2], "little") & 0x3FFF for side in (6, 8))
    is_begun = data[at + 3 : at + 6] == b"\x9d\x01\x2a"
    return is_key and version <= 3 and bool(shown) and is_begun and own == size and 10 + first_part < length


def _vp8l(data: bytes, at: int, length: int, size: tuple[int, int]) -> bool:
    bits = int.from_bytes(data[at + 1 : at + 5], "little")
    own = ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    return length > 5 and data[at] == 0x2F and bits >> 29 == 0 and own == size
