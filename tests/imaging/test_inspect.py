"""What the service sent: whole pictures pass with their true format, everything else is an error."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from types import SimpleNamespace

import pytest
from PIL import Image

from bot.imaging import inspect, pixels
from bot.imaging.containers import read_container
from bot.imaging.inspect import Inspected, inspect_result
from bot.imaging.pixels import decode
from bot.imaging.sheets import thumbnail

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
    end = {"JPEG": 2, "PNG": 12 + 4, "GIF": 2, "movie": 2}.get(kind, 0)  # without its end mark no pixel is missing
    whole = len(data) - end
    for keep in [*range(0, whole - 8, max(1, len(data) // 60)), whole - 8, *([] if end else [whole - 2, whole - 1])]:
        try:
            seen = inspect_result(data[:keep], thorough=thorough)
        except ValueError:
            continue
        assert seen.kept, keep
        assert kind == "movie"  # whose first frames are whole


@pytest.mark.parametrize("thorough", [True, False])
def test_a_png_with_any_flipped_bit_in_its_pixels_is_found(make: SimpleNamespace, thorough: bool) -> None:
    data = make.saved(make.noise(40, 30), "PNG")
    for pos in range(8, len(data) - 12, 97):
        broken = bytearray(data)
        broken[pos] ^= 0x04
        with pytest.raises(ValueError):
            inspect_result(bytes(broken), thorough=thorough)


def test_nonsense_under_right_checksums_is_found_by_decoding(make: SimpleNamespace) -> None:
    data = make.saved(make.quarters(), "PNG")
    data = data[:33] + make.chunk(b"IDAT", b"not zlib") + make.chunk(b"IEND", b"")
    with pytest.raises(ValueError):
        inspect_result(data)


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "ICO", "AVIF", "PSD", "JPEG2000"])
def test_a_picture_of_a_kind_that_is_not_read_here_is_kept(make: SimpleNamespace, kind: str) -> None:
    data = b"8BPS" + bytes(range(99)) if kind == "PSD" else make.saved(make.quarters(32, 32), kind)
    seen = inspect_result(data)
    assert seen.format == kind.lower()
    assert seen.kept


def test_bytes_that_nobody_knows_are_kept(make: SimpleNamespace) -> None:
    assert inspect_result(b"\x00new format\xff" * 9).format == "bin"
    assert inspect_result(b"\x00new format\xff" * 9).kept


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html></html>",
        b'{"error": "no"}',
        b"\x89PNG\r\n\x1a\n",
        bytes(100),
        b"%PDF-1.7",
        b"PK\x03\x04x",
        b"MZ\x90",
    ],
)
def test_what_is_no_picture_is_an_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        inspect_result(data)


def test_a_picture_over_the_pixel_bound_is_kept_and_never_decoded(make: SimpleNamespace) -> None:
    for kind in ("PNG", "JPEG", "WEBP", "GIF"):
        data = make.saved(Image.new("RGB", (101, 100)), kind)
        assert inspect_result(data, max_pixels=10_100).kept is None
        seen = inspect_result(data, max_pixels=10_099)
        assert (seen.format, seen.width, seen.height) == (kind.lower(), 101, 100)
        assert "pixels" in (seen.kept or "")
        with pytest.raises(ValueError):
            inspect_result(data[: len(data) // 2], max_pixels=10_099)
    assert inspect_result(make.bomb()).kept


def test_a_gif_frame_outside_of_its_screen_is_kept_and_never_decoded(make: SimpleNamespace) -> None:
    data = bytearray(make.saved(make.quarters(), "GIF"))
    data[6:10] = b"\x08\x00\x08\x00"
    assert inspect_result(bytes(data)).kept


def test_a_picture_that_this_machine_cannot_open_now_is_kept(
    make: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = make.saved(make.quarters().quantize(8), "PNG")  # one that is drawn to be known
    troubles = (OSError(errno.EMFILE, "Too many open files"), MemoryError(), OSError("decoder zip not available"))
    for trouble in troubles:
        with monkeypatch.context() as patch:
            patch.setattr(Image, "open", raising(trouble))
            seen = inspect_result(data)
        assert (seen.format, seen.width, seen.height) == ("png", 64, 48)
        assert seen.kept


def raising(error: BaseException) -> Callable[..., None]:
    def raises(*_: object, **__: object) -> None:
        raise error

    return raises


def test_the_first_look_opens_no_file() -> None:
    """There may be no file handle left when the first paid picture comes."""
    script = """
import sys
from bot.imaging.inspect import inspect_result
loaded = set(sys.modules)
for data in sys.stdin.buffer.read().split(b"--next--"):
    assert inspect_result(data).kept is None
print(*(set(sys.modules) - loaded))
"""
    pictures = []
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "MPO"):
        out = BytesIO()
        Image.new("RGB", (8, 8)).save(out, kind)
        pictures.append(out.getvalue())
    done = subprocess.run(
        [sys.executable, "-c", script], input=b"--next--".join(pictures), capture_output=True, timeout=60, check=False
    )
    assert (done.stdout.strip(), done.stderr.strip()) == (b"", b"")


async def test_a_picture_is_kept_where_no_thread_can_be_had(
    make: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_thread(*_: object, **__: object) -> None:
        raise RuntimeError("cannot schedule new futures after shutdown")

    monkeypatch.setattr(inspect, "offload", no_thread)
    seen = await inspect.look(make.saved(make.quarters(), "PNG"))
    assert (seen.format, seen.width, seen.height) == ("png", 64, 48)
    with pytest.raises(ValueError):
        await inspect.look(b"<html>")


def test_a_jpeg_of_many_scans_is_kept_and_never_decoded(make: SimpleNamespace) -> None:
    seen = inspect_result(make.many_scans(64, 64, 300))
    assert (seen.format, seen.width, seen.height) == ("jpeg", 64, 64)
    assert "scans" in (seen.kept or "")


def test_a_file_of_more_parts_than_any_honest_one_is_kept(make: SimpleNamespace) -> None:
    data = make.saved(make.quarters(), "JPEG")
    seen = inspect_result(data[:2] + b"\xff\xfe\x00\x02" * 200_000 + data[2:])
    assert (seen.format, seen.width, seen.height) == ("jpeg", 0, 0)
    assert "parts" in (seen.kept or "")


def test_decoding_ends_when_it_has_taken_too_much_of_a_core(
    make: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixels, "DECODE_LIMIT_S", -1.0)
    for kind in ("PNG", "WEBP", "GIF"):
        assert "to decode" in (inspect_result(make.movie(kind)).kept or "")
    assert "to decode" in (inspect_result(make.saved(make.quarters(), "JPEG", progressive=True)).kept or "")


def test_a_jpeg_of_a_rare_kind_is_kept_where_pillow_cannot_read_it(make: SimpleNamespace) -> None:
    data = bytearray(make.saved(make.quarters(), "JPEG"))
    data[data.index(b"\xff\xc0") + 4] = 12  # bits a sample
    assert inspect_result(bytes(data)).kept


def test_a_moving_picture_with_a_broken_later_frame_is_kept(make: SimpleNamespace) -> None:
    data = make.movie("PNG")
    at = data.index(b"fdAT") + 8
    assert inspect_result(data[:at] + b"\x00" * 4 + data[at + 4 :]).kept


def test_a_jpeg_with_junk_between_its_segments_is_whole(make: SimpleNamespace) -> None:
    data = make.saved(make.quarters(), "JPEG")
    first = 4 + int.from_bytes(data[4:6])
    for junk in (bytes(4), b"\x11\x22", b"\xff", b"\xff\x00\xff\xff", b"\xff\xd3\xff\x01"):
        assert inspect_result(data[:first] + junk + data[first:] + b"behind") == Inspected("jpeg", 64, 48)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}, {"subsampling": 0}])
def test_a_jpeg_that_lacks_nothing_but_its_end_mark_is_whole(make: SimpleNamespace, options: dict[str, object]) -> None:
    for picture in (make.quarters(), make.noise(40, 30), make.photo(333, 77).convert("L")):
        data = make.saved(picture, "JPEG", **options)
        for cut in (1, 2):
            assert inspect_result(data[:-cut]) == Inspected("jpeg", *picture.size)
            assert thumbnail(data[:-cut], 30) == thumbnail(data, 30)


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"restart_marker_blocks": 1}, {"restart_marker_rows": 1}]
)
@pytest.mark.parametrize("side", [8, 40])
def test_a_jpeg_that_is_taken_without_its_end_lacks_no_pixel(
    make: SimpleNamespace, options: dict[str, object], side: int
) -> None:
    """Cut behind a scan, at a restart mark, or where the next pixels would be as if nothing had been coded."""
    data = make.saved(make.noise(side, side), "JPEG", **options)
    marks = [at for at in range(data.index(b"\xff\xda"), len(data)) if data[at] == 0xFF and data[at + 1] != 0]
    pixels = decode(data, "jpeg").tobytes()
    for keep in sorted({*range(len(data) - 60, len(data)), *marks, *(at + 1 for at in marks)}):
        try:
            seen = inspect_result(data[:keep])
        except ValueError:
            continue
        assert seen == Inspected("jpeg", side, side)
        assert decode(read_container(data[:keep], "jpeg").closed, "jpeg").tobytes() == pixels, len(data) - keep


def test_a_jpeg_without_one_of_its_colours_was_cut(make: SimpleNamespace) -> None:
    """A scan for each colour, as some cameras write them: one MCU of grey each, the last scan not there."""
    grey = make.saved(make.noise(8, 8).convert("L"), "JPEG")
    frame, scan = grey.index(b"\xff\xc0"), grey.index(b"\xff\xda")
    coded = grey[scan + 10 : -2]
    three = b"\xff\xc0\x00\x11\x08\x00\x08\x00\x08\x03\x01\x11\x00\x02\x11\x00\x03\x11\x00"
    head = grey[:frame] + three + grey[frame + 13 : scan]
    scans = [b"\xff\xda\x00\x08\x01" + bytes([one]) + b"\x00\x00\x3f\x00" + coded for one in (1, 2, 3)]
    assert inspect_result(head + b"".join(scans)) == Inspected("jpeg", 8, 8)
    with pytest.raises(ValueError, match="ends early"):
        inspect_result(head + b"".join(scans[:2]))


def test_a_jpeg_ls_is_kept() -> None:
    frame = b"\xff\xf7\x00\x0b\x08\x00\x08\x00\x08\x01\x01\x11\x00"
    seen = inspect_result(b"\xff\xd8" + frame + b"\xff\xda\x00\x08\x01\x01\x00\x00\x00\x00" + bytes(9) + b"\xff\xd9")
    assert (seen.format, seen.kept) == ("jpeg", "JPEG-LS is not read here")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_a_png_that_lacks_nothing_but_its_end_is_whole(make: SimpleNamespace, mode: str) -> None:
    for picture in (make.quarters(), make.noise(40, 30), make.photo(333, 77)):
        data = make.saved(picture.quantize(8) if mode == "P" else picture.convert(mode), "PNG")
        for cut in (*range(1, 17), 20):  # IEND, the checksum of the pixels, the checksum within them
            assert inspect_result(data[:-cut]) == Inspected("png", *picture.size), cut
            assert thumbnail(data[:-cut], 30) == thumbnail(data, 30)
        for junk in (
            b"behind",
            b"\x00\x00\xff\xfftEXt",
            make.chunk(b"tEXt", b"words"),
            b"\x00\x00\x00\x00IEND\x00\x00\x00\x00",
        ):
            assert inspect_result(data[:-12] + junk) == Inspected("png", *picture.size), junk
        with pytest.raises(ValueError):
            inspect_result(data[: -(12 + 4 + 4 + 9)])


def test_a_gif_that_lacks_nothing_but_its_end_is_whole_and_one_that_moves_is_kept(make: SimpleNamespace) -> None:
    for picture in (make.quarters(), make.noise(40, 30), make.photo(333, 77)):
        data = make.saved(picture.quantize(16), "GIF")
        for cut in (1, 2):
            assert inspect_result(data[:-cut]) == Inspected("gif", *picture.size)
            assert thumbnail(data[:-cut], 30) == thumbnail(data, 30)
        with pytest.raises(ValueError):
            inspect_result(data[:-6])
    movie = make.movie("GIF")
    assert [bool(inspect_result(movie[:-cut]).kept) for cut in (1, 2)] == [True, True]


async def test_a_picture_that_may_lack_only_its_end_is_kept_where_no_thread_can_be_had(
    make: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_thread(*_: object, **__: object) -> None:
        raise RuntimeError("cannot schedule new futures after shutdown")

    monkeypatch.setattr(inspect, "offload", no_thread)
    for kind, cut in (("PNG", 12), ("JPEG", 2)):
        seen = await inspect.look(make.saved(make.quarters(), kind)[:-cut])
        assert (seen.format, seen.width, seen.height) == (kind.lower(), 64, 48)
        assert seen.kept


def test_of_a_moving_png_that_ends_early_the_first_picture_decides(make: SimpleNamespace) -> None:
    data = make.movie("PNG")
    assert inspect_result(data[:-12]).kept
    assert inspect_result(data[: data.rindex(b"fdAT") + 9]).kept
    with pytest.raises(ValueError):
        inspect_result(data[: data.index(b"IDAT") + 9])


def test_of_a_png_over_the_pixel_bound_the_rows_decide_whether_it_was_cut(make: SimpleNamespace) -> None:
    bomb = make.bomb()
    for cut in (12, 16, 17):
        assert inspect_result(bomb[:-cut]).kept
    data = make.saved(make.noise(101, 100), "PNG")
    assert inspect_result(data[:-12], max_pixels=10_099).kept
    with pytest.raises(ValueError):
        inspect_result(data[:-60], max_pixels=10_099)


def test_a_png_with_wrong_checksums_beside_its_pixels_is_whole(make: SimpleNamespace) -> None:
    for kind in (b"tEXt", b"gAMA", b"eXIf", b"iCCP"):
        data = bytearray(make.png_with(make.saved(make.quarters(), "PNG"), kind, b"\x00\x01\x86\xa0"))
        data[33 + 8 + 4] ^= 1
        assert inspect_result(bytes(data)) == Inspected("png", 64, 48)
    data = bytearray(make.saved(make.quarters(), "PNG"))
    data[-1] ^= 1
    assert inspect_result(bytes(data)) == Inspected("png", 64, 48)


def test_a_png_with_a_broken_ancillary_chunk_is_whole(make: SimpleNamespace) -> None:
    data = bytearray(make.png_with(make.saved(make.quarters(), "PNG"), b"tRNS", bytes(6)))
    data[33 + 8] ^= 1
    assert inspect_result(bytes(data) + b"behind") == Inspected("png", 64, 48)


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
    ],
)
def test_an_svg_that_expands_runs_or_breaks_off_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        inspect_result(data)


def test_an_svg_of_more_than_is_read_here_is_kept() -> None:
    deep = b'<svg xmlns="http://www.w3.org/2000/svg">' + b"<g>" * 300 + b"</g>" * 300 + b"</svg>"
    assert inspect_result(deep).kept
    with pytest.raises(ValueError):
        inspect_result(deep.replace(b"</g></svg>", b"<script/></g></svg>"))
