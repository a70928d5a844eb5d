"""Odd files, sent as a person sees them: what another library reads is what Easel sends. Pillow alone would agree with
itself where it is wrong, as it does for the clear colour of grey and 16-bit PNGs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
import pyvips
from PIL import Image, ImageChops

from bot.imaging.fit import fit_for_upload
from bot.imaging.inspect import inspect_result
from bot.imaging.sheets import thumbnail
from bot.imaging.uploads import prepare_image
from bot.rules.catalogue.model import InputRule
from tests.support.odd_pngs import SIZE, chunk, furthest, odd_pngs, seen

PNG_ONLY = InputRule(16, frozenset({"png"}), 52_428_800)


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
    yield "jpeg without its end", plain[:-2]
    yield "jpeg with half of its end", plain[:-1]
    whole = make.saved(picture, "PNG")
    for name, kind, payload in (("linear gamma", b"gAMA", b"\0\1\x86\xa0"), ("PQ", b"cICP", bytes((9, 16, 0, 1)))):
        yield f"png {name}", whole[:33] + chunk(kind, payload) + whole[33:]
    ink = pyvips.Image.new_from_buffer(whole, "").icc_transform("cmyk", input_profile="srgb", embedded=False)
    yield "jpeg of inks with their profile", ink.jpegsave_buffer(Q=95)
    for turn in range(1, 9):
        yield f"jpeg turned {turn}", make.saved(picture, "JPEG", quality=95, subsampling=0, exif=make.exif(turn))
    yield "webp turned", make.saved(picture, "WEBP", lossless=True, exif=make.exif(6))
    yield "webp clear", make.saved(make.quarters(*SIZE, "RGBA"), "WEBP", lossless=True, exact=True)
    yield (
        "mpo",
        make.saved(picture, "MPO", save_all=True, append_images=[picture.rotate(180)], quality=95, subsampling=0),
    )


@pytest.mark.parametrize("files", [lambda _: odd_pngs(), odd_jpegs], ids=["png", "others"])
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


@pytest.mark.parametrize("files", [lambda _: odd_pngs(), odd_jpegs], ids=["png", "others"])
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
