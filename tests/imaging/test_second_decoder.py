"""Odd files, sent as a person sees them: what another library reads is what Easel sends. Pillow alone would agree with
itself where it is wrong, as it does for the clear colour of grey and 16-bit PNGs."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace

import pytest
import pyvips
from PIL import Image, ImageChops

from bot.imaging.fit import fit_for_upload
from bot.imaging.inspect import inspect_result
from bot.imaging.sheets import thumbnail
from bot.imaging.uploads import prepare_image
from bot.rules.catalogue.model import InputRule

PNG_ONLY = InputRule(16, frozenset({"png"}), 52_428_800)
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


def raw_png(
    make: SimpleNamespace, depth: int, kind: int, rows: Sequence[Sequence[int]], *chunks: tuple[bytes, bytes]
) -> bytes:
    lines = b"".join(b"\0" + packed(row, depth) for row in rows)
    header = struct.pack(">IIBBBBB", len(rows[0]) // CHANNELS[kind], len(rows), depth, kind, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(make.chunk(*part) for part in parts)


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


def odd_pngs(make: SimpleNamespace) -> Iterator[tuple[str, bytes]]:
    for depth in (1, 2, 4, 8, 16):
        rows, most = samples(depth, 1), (1 << depth) - 1
        yield f"grey {depth}", raw_png(make, depth, GREY, rows)
        for clear in sorted({0, most // 2, most}):
            yield f"grey {depth} tRNS {clear}", raw_png(make, depth, GREY, rows, (b"tRNS", struct.pack(">H", clear)))
    for depth in (8, 16):
        rows, most = samples(depth, 3), (1 << depth) - 1
        yield f"rgb {depth}", raw_png(make, depth, RGB, rows)
        for key in ([0, 0, 0], rows[5][30:33], [*rows[5][30:32], rows[5][32] ^ 1], [most] * 3):
            yield f"rgb {depth} tRNS {key}", raw_png(make, depth, RGB, rows, (b"tRNS", struct.pack(">3H", *key)))
        yield f"grey alpha {depth}", raw_png(make, depth, GREY_ALPHA, samples(depth, 2))
        yield f"rgba {depth}", raw_png(make, depth, RGBA, samples(depth, 4))
    for depth in (1, 2, 4, 8):
        colours = (b"PLTE", bytes(value * 37 & 255 for value in range(3 << depth)))
        yield f"palette {depth}", raw_png(make, depth, PALETTE, samples(depth, 1), colours)
        for name, alphas in {"one": b"\xff\0", "soft": bytes([0, 140]), "all": bytes(range(256))[: 1 << depth]}.items():
            yield (
                f"palette {depth} {name}",
                raw_png(make, depth, PALETTE, samples(depth, 1), colours, (b"tRNS", alphas)),
            )


def odd_jpegs(make: SimpleNamespace) -> Iterator[tuple[str, bytes]]:
    picture = make.quarters(*SIZE)
    plain = make.saved(picture, "JPEG", quality=95, subsampling=0)
    first = 4 + int.from_bytes(plain[4:6])
    yield "jpeg junk between", plain[:first] + bytes(4) + plain[first:]
    yield "jpeg length too short", plain[:2] + b"\xff\xe4\0\x0avendor12\x11\x22" + plain[2:]
    yield "jpeg fill bytes", plain[:first] + b"\xff" * 9 + plain[first:]
    yield "jpeg behind the end", plain + b"PK\x03\x04" * 20
    yield "jpeg junk before the end", plain[:-2] + b"\x12\x34" + plain[-2:]
    yield "jpeg grey", make.saved(picture.convert("L"), "JPEG", quality=95)
    yield "jpeg progressive", make.saved(picture, "JPEG", quality=95, progressive=True)
    yield "jpeg restarts", make.saved(picture, "JPEG", quality=95, restart_marker_blocks=1)
    for turn in range(1, 9):
        yield f"jpeg turned {turn}", make.saved(picture, "JPEG", quality=95, subsampling=0, exif=make.exif(turn))
    yield "webp turned", make.saved(picture, "WEBP", lossless=True, exif=make.exif(6))
    yield "webp clear", make.saved(make.quarters(*SIZE, "RGBA"), "WEBP", lossless=True, exact=True)
    yield (
        "mpo",
        make.saved(picture, "MPO", save_all=True, append_images=[picture.rotate(180)], quality=95, subsampling=0),
    )


@pytest.mark.parametrize("files", [odd_pngs, odd_jpegs])
def test_what_another_decoder_shows_is_what_is_sent(
    make: SimpleNamespace, files: Callable[[SimpleNamespace], Iterator[tuple[str, bytes]]]
) -> None:
    wrong = {}
    for name, data in files(make):
        expected = seen(data)
        sent = prepare_image(data, name="image", rule=PNG_ONLY)
        got = {"sent": make.opened(sent.image.data).convert("RGBA")}
        got["read again"] = seen(sent.image.data)
        differences = {way: furthest(expected, picture) for way, picture in got.items()}
        if max(differences.values()) > 2:
            wrong[name] = differences
        assert sent.transparent is (expected.getchannel("A").getextrema()[0] < 255), name
        assert inspect_result(data).kept is None, name
    assert wrong == {}


@pytest.mark.parametrize("files", [odd_pngs, odd_jpegs])
def test_what_is_made_smaller_for_discord_looks_the_same(
    make: SimpleNamespace, files: Callable[[SimpleNamespace], Iterator[tuple[str, bytes]]]
) -> None:
    """Where it is clear, where it is not, and about which colour it is: the encodings are lossy."""
    wrong = {}
    for name, data in files(make):
        expected = seen(data)
        image_format = inspect_result(data).format
        (fitted,) = fit_for_upload([(name, data, image_format)], 10_000, 10_000)
        small = thumbnail(data, 64)
        assert small is not None
        for way, file in {"fitted": fitted.data, "thumbnail": small}.items():
            shown = seen(file)
            least = [picture.resize((4, 3), Image.Resampling.BOX).getchannel("A") for picture in (expected, shown)]
            if max(ImageChops.difference(*least).getextrema()) > 24:
                wrong[name] = way
    assert wrong == {}
