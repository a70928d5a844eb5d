"""Odd PNGs made sample by sample, and what another decoder than Pillow shows of any file."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence

import pyvips
from PIL import Image, ImageChops

SIZE = (64, 48)
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}


def seen(data: bytes) -> Image.Image:
    """What libvips shows, as 8-bit RGBA, upright and in sRGB."""
    picture = pyvips.Image.new_from_buffer(data, "").autorot()
    if picture.get_typeof("icc-profile-data"):
        alpha = picture.extract_band(picture.bands - 1) if picture.hasalpha() else None
        picture = picture.icc_transform("srgb", intent="perceptual")
        picture = picture if alpha is None or picture.hasalpha() else picture.bandjoin(alpha)
    elif picture.format == "ushort":
        picture = (picture >> 8).cast("uchar").copy(interpretation="b-w" if picture.bands < 3 else "srgb")
    picture = picture.colourspace("srgb")
    if not picture.hasalpha():
        picture = picture.bandjoin(255)
    return Image.frombytes("RGBA", (picture.width, picture.height), picture.cast("uchar").write_to_memory())


def furthest(one: Image.Image, other: Image.Image) -> int:
    """The largest difference in any channel; colours that nobody sees do not count."""
    assert one.size == other.size
    shown = [
        Image.composite(each, Image.new("RGBA", each.size), each.getchannel("A").point(lambda v: v and 255))
        for each in (one, other)
    ]
    return max(high for _, high in ImageChops.difference(*shown).getextrema())


def chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def raw_png(depth: int, kind: int, rows: Sequence[Sequence[int]], *chunks: tuple[bytes, bytes]) -> bytes:
    lines = b"".join(b"\0" + packed(row, depth) for row in rows)
    header = struct.pack(">IIBBBBB", len(rows[0]) // CHANNELS[kind], len(rows), depth, kind, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def packed(samples: Sequence[int], depth: int) -> bytes:
    bits = "".join(f"{sample:0{depth}b}" for sample in samples)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8)


def samples(depth: int, channels: int) -> list[list[int]]:
    """A slope through all levels, with flat ends."""
    most = (1 << depth) - 1
    width, height = SIZE
    return [
        [(x * most // (width - 1) + y * c) & most for x in range(width) for c in range(channels)] for y in range(height)
    ]


def odd_pngs() -> Iterator[tuple[str, bytes]]:
    for depth in (1, 2, 4, 8, 16):
        rows, most = samples(depth, 1), (1 << depth) - 1
        yield f"grey {depth}", raw_png(depth, GREY, rows)
        for clear in sorted({0, most // 2, most}):
            yield f"grey {depth} tRNS {clear}", raw_png(depth, GREY, rows, (b"tRNS", struct.pack(">H", clear)))
    for depth in (8, 16):
        rows, most = samples(depth, 3), (1 << depth) - 1
        yield f"rgb {depth}", raw_png(depth, RGB, rows)
        for key in ([0, 0, 0], rows[5][30:33], [*rows[5][30:32], rows[5][32] ^ 1], [most] * 3):
            yield f"rgb {depth} tRNS {key}", raw_png(depth, RGB, rows, (b"tRNS", struct.pack(">3H", *key)))
        yield f"grey alpha {depth}", raw_png(depth, GREY_ALPHA, samples(depth, 2))
        yield f"rgba {depth}", raw_png(depth, RGBA, samples(depth, 4))
    for depth in (1, 2, 4, 8):
        colours = (b"PLTE", bytes(value * 37 & 255 for value in range(3 << depth)))
        yield f"palette {depth}", raw_png(depth, PALETTE, samples(depth, 1), colours)
        for name, alphas in {"one": b"\xff\0", "soft": bytes([0, 140]), "all": bytes(range(256))[: 1 << depth]}.items():
            yield (
                f"palette {depth} {name}",
                raw_png(depth, PALETTE, samples(depth, 1), colours, (b"tRNS", alphas)),
            )
