"""What the service sent: whole pictures pass with their true format, everything else is an error."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from PIL import Image

from bot.imaging.inspect import Inspected, inspect_result

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="120" height="2cm"><circle r="5"/></svg>'


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize("thorough", [True, False])
def test_a_whole_picture_is_told_by_its_bytes(make: SimpleNamespace, kind: str, thorough: bool) -> None:
    data = make.saved(make.quarters(), kind)
    assert inspect_result(data, thorough=thorough) == Inspected(kind.lower(), 64, 48)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_a_moving_picture_tells_its_frames(make: SimpleNamespace, kind: str) -> None:
    assert inspect_result(make.movie(kind)) == Inspected(kind.lower(), 32, 32, 4)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "movie"])
@pytest.mark.parametrize("thorough", [True, False])
def test_a_picture_cut_anywhere_is_not_whole(make: SimpleNamespace, kind: str, thorough: bool) -> None:
    data = make.movie("GIF") if kind == "movie" else make.saved(make.noise(40, 30), kind)
    for keep in [*range(0, len(data), max(1, len(data) // 60)), len(data) - 2, len(data) - 1]:
        with pytest.raises(ValueError):
            inspect_result(data[:keep], thorough=thorough)


@pytest.mark.parametrize("thorough", [True, False])
def test_a_png_with_any_flipped_bit_in_its_pixels_is_found(make: SimpleNamespace, thorough: bool) -> None:
    data = make.saved(make.noise(40, 30), "PNG")
    for pos in range(8, len(data), 97):
        broken = bytearray(data)
        broken[pos] ^= 0x04
        with pytest.raises(ValueError):
            inspect_result(bytes(broken), thorough=thorough)


def test_nonsense_under_right_checksums_is_found_by_decoding(make: SimpleNamespace) -> None:
    data = make.saved(make.quarters(), "PNG")
    data = data[:33] + make.chunk(b"IDAT", b"not zlib") + make.chunk(b"IEND", b"")
    with pytest.raises(ValueError):
        inspect_result(data)


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "PDF", "ICO", "AVIF"])
def test_other_formats_are_no_result(make: SimpleNamespace, kind: str) -> None:
    with pytest.raises(ValueError):
        inspect_result(make.saved(make.quarters(32, 32), kind))


@pytest.mark.parametrize("data", [b"", b"<html></html>", b'{"error": "no"}', b"\x89PNG", bytes(100)])
def test_what_is_no_picture_is_an_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        inspect_result(data)


def test_the_pixel_bound_holds_for_every_format(make: SimpleNamespace) -> None:
    for kind in ("PNG", "JPEG", "WEBP", "GIF"):
        data = make.saved(Image.new("RGB", (101, 100)), kind)
        assert inspect_result(data, max_pixels=10_100).width == 101
        with pytest.raises(ValueError, match="pixels"):
            inspect_result(data, max_pixels=10_099)


def test_a_gif_frame_outside_of_its_screen_is_refused(make: SimpleNamespace) -> None:
    data = bytearray(make.saved(make.quarters(), "GIF"))
    data[6:10] = b"\x08\x00\x08\x00"
    with pytest.raises(ValueError):
        inspect_result(bytes(data))


@pytest.mark.parametrize(
    ("head", "size"),
    [
        (b'width="120" height="2cm"', (120, 76)),
        (b'viewBox="0 0 640 480"', (640, 480)),
        (b'viewBox="0,0,640,480" width="320"', (320, 240)),
        (b'viewBox="0 0 640 480" width="100%" height="100%"', (640, 480)),
        (b"", (300, 150)),
        (b'width="nan" height="1e99"', (300, 150)),
    ],
)
def test_an_svg_tells_its_size_like_in_a_browser(head: bytes, size: tuple[int, int]) -> None:
    data = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" ' + head + b"><g/></svg>"
    assert inspect_result(data) == Inspected("svg", *size)


LAUGHS = b'<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg">&b;</svg>'


@pytest.mark.parametrize(
    "data",
    [
        LAUGHS,
        b'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/hosts">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>',
        SVG[:-1],
        SVG + b"<svg/>",
        SVG.replace(b"<circle", b"<script/><circle"),
        SVG.replace(b"<circle", b'<circle onload="x()"'),
        SVG.replace(b"<circle", b'<a href=" javascript:x()"/><circle'),
        b'<svg xmlns="http://example.com/other"/>',
        b"<x><svg/></x>",
        b'<svg xmlns="http://www.w3.org/2000/svg">' + b"<g>" * 300 + b"</g>" * 300 + b"</svg>",
    ],
)
def test_an_svg_that_expands_runs_or_breaks_off_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        inspect_result(data)
