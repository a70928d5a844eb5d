"""The cheap way of knowing that a picture is whole never says so where the decoder says that it is not."""

from __future__ import annotations

import random
import zlib
from types import SimpleNamespace

import pytest
from PIL import Image

from bot.imaging.containers import read_container
from bot.imaging.headers import CannotLook, picture_size
from bot.imaging.pixels import decode
from bot.imaging.whole import LOOKED_AT, looks_whole

ALL_SEEDS = 1500
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
KINDS = [(1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (8, 2), (16, 2), (1, 3), (8, 3), (8, 4), (16, 4), (8, 6), (16, 6)]


def cheap(data: bytes, kind: str) -> bool:
    try:
        return looks_whole(data, kind, read_container(data, kind), picture_size(data, kind))
    except ValueError:
        return False


def drawn(data: bytes, kind: str) -> bool:
    """The oracle."""
    try:
        return decode(read_container(data, kind).closed, kind).size == picture_size(data, kind)
    except CannotLook:
        return True
    except ValueError:
        return False


def png(make: SimpleNamespace, head: bytes, stream: bytes, parts: int = 1) -> bytes:
    step = max(1, -(-len(stream) // parts))
    pixels = [make.chunk(b"IDAT", stream[at : at + step]) for at in range(0, len(stream), step)]
    palette = make.chunk(b"PLTE", bytes(range(256)) * 3) if head[9] == 3 else b""
    return b"\x89PNG\r\n\x1a\n" + make.chunk(b"IHDR", head) + palette + b"".join(pixels) + make.chunk(b"IEND", b"")


def made_up_png(make: SimpleNamespace, chance: random.Random) -> bytes:
    """A small PNG of any kind under right checksums: whole, or wrong in its pixels, its size or its stream."""
    depth, colour = chance.choice(KINDS)
    width, height = chance.randrange(1, 40), chance.randrange(1, 40)
    row = (width * CHANNELS[colour] * depth + 7) // 8
    raw = b"".join(bytes([chance.randrange(5)]) + chance.randbytes(row) for _ in range(height))
    fault = chance.randrange(8)
    if fault == 0:
        at = chance.randrange(height) * (row + 1)
        raw = raw[:at] + bytes([chance.randrange(5, 256)]) + raw[at + 1 :]
    elif fault == 1:
        raw = raw[: -chance.randrange(1, row + 2)]
    elif fault == 2:
        raw += chance.randbytes(chance.randrange(1, 50))
    stream = bytearray(zlib.compress(raw, chance.choice((0, 1, 6))))
    if fault == 3:
        del stream[-chance.randrange(1, 9) :]
    elif fault == 4:
        stream[chance.randrange(len(stream))] ^= 1 << chance.randrange(8)
    head = bytearray(width.to_bytes(4) + height.to_bytes(4) + bytes((depth, colour, 0, 0, 0)))
    if fault == 5:
        head[chance.choice((3, 7, 8, 9, 10, 11, 12))] ^= 1 << chance.randrange(4)
    return png(make, bytes(head), bytes(stream), chance.choice((1, 1, 3, 9)))


def test_of_pngs_with_right_checksums_and_wrong_pixels_the_cheap_way_takes_none_that_the_decoder_refuses(
    make: SimpleNamespace,
) -> None:
    chance = random.Random(11)
    taken = 0
    for _ in range(ALL_SEEDS):
        data = made_up_png(make, chance)
        if cheap(data, "png"):
            taken += 1
            assert drawn(data, "png"), data.hex()
    assert taken > ALL_SEEDS / 6


def damaged(data: bytes, chance: random.Random, *, flips: bool) -> bytes:
    at, some = chance.randrange(len(data)), chance.choice((1, 2, 7, 64))
    match chance.randrange(5 if flips else 3):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + data[at + some :]
        case 2:
            return data[:at] + chance.randbytes(some) + data[at:]
        case 3:
            return data[:at] + chance.randbytes(some) + data[at + some :]
        case _:
            return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [
        ("png", "RGB", {}),
        ("png", "RGBA", {}),
        ("jpeg", "RGB", {}),
        ("jpeg", "L", {"restart_marker_blocks": 2}),
        ("jpeg", "RGB", {"progressive": True}),
        ("webp", "RGB", {}),
        ("webp", "RGB", {"lossless": True}),
        ("webp", "RGBA", {}),
    ],
)
def test_whatever_happens_to_a_file_the_cheap_way_takes_none_that_the_decoder_refuses(
    make: SimpleNamespace, kind: str, mode: str, options: dict[str, object]
) -> None:
    """Lengths are all that a WebP carries against damage: of it, what is cut, lost or added."""
    chance = random.Random(f"{kind} {mode}")
    data = make.saved(make.photo(60, 50).convert(mode), kind.upper(), **options)
    for _ in range(ALL_SEEDS // 5):
        broken = damaged(data, chance, flips=kind != "webp")
        if cheap(broken, kind):
            assert drawn(broken, kind), broken.hex()


@pytest.mark.parametrize("size", [(1, 1), (64, 48), (700, 300)])
@pytest.mark.parametrize(
    ("kind", "modes"),
    [("png", ("1", "L", "LA", "RGB", "RGBA", "I;16")), ("jpeg", ("L", "RGB", "CMYK")), ("webp", ("RGB",))],
)
def test_common_pictures_are_known_to_be_whole_without_being_drawn(
    make: SimpleNamespace, kind: str, modes: tuple[str, ...], size: tuple[int, int]
) -> None:
    for mode in modes:
        picture = make.photo(*size).convert("L").convert("I;16") if mode == "I;16" else make.photo(*size).convert(mode)
        assert cheap(make.saved(picture, kind.upper()), kind), mode
    if kind == "webp":
        assert cheap(make.saved(make.photo(*size), "WEBP", lossless=True), kind)


@pytest.mark.parametrize("kind", ["png", "gif", "webp"])
def test_a_moving_picture_is_always_drawn(make: SimpleNamespace, kind: str) -> None:
    assert not cheap(make.movie(kind.upper()), kind)


def test_of_a_large_png_the_first_rows_are_looked_at_under_their_checksums(make: SimpleNamespace) -> None:
    rows = [b"\x00" + bytes(3000) for _ in range(1000)]
    head = (1000).to_bytes(4) * 2 + bytes((8, 2, 0, 0, 0))
    assert cheap(png(make, head, zlib.compress(b"".join(rows))), "png")
    for wrong in (1, LOOKED_AT // 3001):
        bent = [*rows[:wrong], b"\x05" + bytes(3000), *rows[wrong + 1 :]]
        assert not cheap(png(make, head, zlib.compress(b"".join(bent))), "png")
    assert not cheap(png(make, head, zlib.compress(b"".join(rows[:30]))), "png")
    assert not cheap(png(make, head, b"no stream"), "png")


def test_a_png_whose_checksums_hold_is_not_drawn_though_its_last_rows_are_nonsense(make: SimpleNamespace) -> None:
    """What decision 20 gives up: only its maker can have made it so, and it is shown as it came."""
    rows = b"".join(b"\x00" + random.Random(n).randbytes(3000) for n in range(300))
    stream = zlib.compress(rows, 1)
    data = png(make, (1000).to_bytes(4) + (300).to_bytes(4) + bytes((8, 2, 0, 0, 0)), stream[: len(stream) // 2])
    assert cheap(data, "png")
    assert not drawn(data, "png")


def test_a_picture_that_must_be_drawn_to_know_is(make: SimpleNamespace) -> None:
    clear = make.quarters(mode="RGBA")
    for data, kind in (
        (make.saved(make.quarters().quantize(8), "PNG"), "png"),
        (make.saved(make.quarters(), "JPEG", progressive=True), "jpeg"),
        (make.saved(make.quarters(), "JPEG")[:-2], "jpeg"),
        (make.saved(clear, "WEBP"), "webp"),
        (make.saved(Image.new("RGB", (9, 9)), "GIF"), "gif"),
    ):
        assert not cheap(data, kind)
        assert drawn(data, kind)
