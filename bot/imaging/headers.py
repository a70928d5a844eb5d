"""What a file is and how large its picture would be, from its first bytes; nothing is decoded or decompressed here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, PNG_SIGNATURE, "png"),
    (0, b"\xff\xd8\xff", "jpeg"),
    (0, b"GIF87a", "gif"),
    (0, b"GIF89a", "gif"),
    (8, b"WEBP", "webp"),
    (8, b"WAVE", "wav"),
    (8, b"AVI ", "avi"),
    (0, b"BM", "bmp"),
    (0, b"II*\x00", "tiff"),
    (0, b"MM\x00*", "tiff"),
    (0, b"II+\x00", "tiff"),
    (0, b"MM\x00+", "tiff"),
    (0, b"%!PS", "eps"),
    (0, b"\xc5\xd0\xd3\xc6", "eps"),
    (0, b"PK\x03\x04", "zip"),
    (0, b"PK\x05\x06", "zip"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"Rar!", "rar"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"8BPS", "psd"),
    (0, b"\x00\x00\x01\x00", "ico"),
    (0, b"\xff\x0a", "jxl"),
    (0, b"\x00\x00\x00\x0cJXL ", "jxl"),
    (0, b"\x00\x00\x00\x0cjP  ", "jpeg2000"),
    (0, b"\xff\x4f\xff\x51", "jpeg2000"),
    (0, b"\x1a\x45\xdf\xa3", "webm"),
    (0, b"ID3", "mp3"),
    (0, b"OggS", "ogg"),
    (0, b"\x7fELF", "program"),
    (0, b"MZ", "program"),
)
FORMATS = frozenset({"png", "jpeg", "webp", "gif", "svg"})
"""The kinds of picture that can be looked at here."""

NO_PICTURES = frozenset(
    ("html", "xml", "text", "pdf", "zip", "gzip", "rar", "7z", "eps", "program", "wav", "avi", "mp3", "ogg", "webm")
) | {"mp4", "mov"}
_BRANDS = {b"avif": "avif", b"avis": "avif", b"qt  ": "mov"} | dict.fromkeys(
    (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"), "heic"
)


class CannotLook(ValueError):
    """Nothing speaks against the file, but it cannot be opened here and now: no memory, no codec, too large, too dear.

    Every other ``ValueError`` of these modules says that the file itself is no whole picture.
    """


_RIFF = frozenset({"webp", "wav", "avi"})
_LOOK = 4096


def sniff(data: bytes) -> str | None:
    """What the bytes really are, in lower case ("png", "jpeg", "webp", "gif", "heic", "svg", "pdf", "html", "text" …).

    None: nothing that is known. Names and MIME types given by anybody are not looked at.
    """
    for offset, magic, name in _MAGIC:
        if data.startswith(magic, offset) and (name not in _RIFF or data.startswith(b"RIFF")):
            return name
    if data[4:8] == b"ftyp":
        return _BRANDS.get(data[8:12], "mp4")
    if b"%PDF-" in data[:1024]:
        return "pdf"
    return _sniff_text(data[:_LOOK])


def _sniff_text(head: bytes) -> str | None:
    lower = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if lower.startswith((b"<!doctype html", b"<html")):
        return "html"
    if lower.startswith(b"<") and b"<svg" in lower:
        return "html" if b"<html" in lower or b"<body" in lower else "svg"
    if lower.startswith(b"<?xml"):
        return "xml"
    if not lower or b"\x00" in head:
        return None
    try:
        head.decode()
    except UnicodeDecodeError as error:
        # a character may be cut where the look ends
        return "text" if error.start >= _LOOK - 4 else None
    return "text"


def picture_size(data: bytes, image_format: str) -> tuple[int, int]:
    """Width and height as the header claims them. Raises ``ValueError`` when there is no usable header."""
    try:
        width, height = _SIZES[image_format](data)
    except IndexError:
        raise ValueError("the header ends early") from None
    if width < 1 or height < 1:
        raise ValueError("the header claims no pixels")
    return width, height


def _png_size(data: bytes) -> tuple[int, int]:
    if len(data) < 33 or data[8:16] != b"\x00\x00\x00\rIHDR":
        raise ValueError("no IHDR")
    return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])


MAX_PARTS = 100_000
"""Chunks or segments of one file; walking over them holds the interpreter lock, and no honest file has so many."""

_ANY_MARKER = re.compile(rb"\xff[\x02-\xcf\xd8-\xfe]")  # neither a fill byte nor a mark without payload
MARK_IN_PIXELS = re.compile(rb"\xff[\x02-\xcf\xd8-\xfe]")
"""Among coded pixels FF is followed by 00 or is a restart mark."""
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_JPEG_LS = 0xF7
_NO_FRAME = frozenset({0xC4, 0xC8, 0xCC})  # in the range of frame headers, but tables


def _jpeg_size(data: bytes) -> tuple[int, int]:
    _, frame = _jpeg_frame(data)
    return int.from_bytes(frame[3:5]), int.from_bytes(frame[1:3])


def is_rare_jpeg(data: bytes) -> bool:
    """Whether it is whole but of a kind few decoders know: lossless, hierarchical, arithmetic, or not 8 bits deep."""
    marker, frame = _jpeg_frame(data)
    return marker > 0xC2 or frame[0] != 8


def is_plain_jpeg(data: bytes) -> bool:
    """Whether it is of the kind that is drawn from top to bottom in one go, 8 bits deep."""
    marker, frame = _jpeg_frame(data)
    return marker in (0xC0, 0xC1) and frame[0] == 8


def _jpeg_frame(data: bytes) -> tuple[int, bytes]:
    for marker, start, end in jpeg_segments(data):
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME:
            if end - start < 6:
                break
            return marker, data[start:end]
        if marker == _JPEG_LS:
            raise CannotLook("JPEG-LS is not read here")
    raise ValueError("no frame header")


def jpeg_segments(data: bytes) -> list[tuple[int, int, int]]:
    """(marker, start, end) of each segment's payload up to and with the first scan header.

    What stands between segments is passed over, as libjpeg does. Raises ``ValueError`` where the file ends or breaks
    before that.
    """
    found: list[tuple[int, int, int]] = []
    pos = 2
    while True:
        next_marker = _ANY_MARKER.search(data, pos)
        if next_marker is None or next_marker.end() + 2 > len(data):
            raise ValueError("broken segments")
        pos, marker = next_marker.start(), data[next_marker.start() + 1]
        end = pos + 2 + int.from_bytes(data[pos + 2 : pos + 4])
        if end > len(data) or end < pos + 4 or marker in (0xD8, 0xD9):
            raise ValueError("broken segments")
        found.append((marker, pos + 4, end))
        check_parts(len(found))
        if marker == 0xDA:
            return found
        pos = end


def lacks_scans(data: bytes) -> bool:
    """Whether a JPEG has no scan of some component, or of some of its frequencies to the last bit."""
    marker, frame = _jpeg_frame(data)
    frequencies = range(64) if marker in _PROGRESSIVE else range(1)
    left = {(component, at) for component in frame[6::3][: frame[5]] for at in frequencies}
    for scan in _scans(data):
        components, (first, last, bits) = scan[1 : 1 + 2 * scan[0] : 2], scan[1 + 2 * scan[0] :][:3]
        if bits & 15 == 0:
            left -= {(component, at) for component in components for at in range(first, last + 1)}
    return bool(left)


def _scans(data: bytes) -> Iterator[bytes]:
    """The header of each scan."""
    _, start, pos = jpeg_segments(data)[-1]
    yield data[start:pos]
    while (found := MARK_IN_PIXELS.search(data, pos)) is not None and data[found.end() - 1] != 0xD9:
        pos = found.end() + int.from_bytes(data[found.end() : found.end() + 2])
        if data[found.end() - 1] == 0xDA:
            yield data[found.end() + 2 : pos]


def check_parts(count: int) -> None:
    """Raises ``CannotLook`` where a file has more parts than any honest one."""
    if count > MAX_PARTS:
        raise CannotLook(f"more than {MAX_PARTS} parts")


def _webp_size(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if kind == b"VP8L" and data[20] == 0x2F:
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF
    raise ValueError("no WebP picture")


def _gif_size(data: bytes) -> tuple[int, int]:
    return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")


_SIZES = {"png": _png_size, "jpeg": _jpeg_size, "webp": _webp_size, "gif": _gif_size}


def carries_marks(data: bytes) -> bool:
    """Whether the file holds C2PA marks of its origin, whatever they say. They are lost when it is written anew."""
    match sniff(data):
        case "png":
            return _is_among(data, 8, b"caBX", "big", 4)
        case "webp":
            return _is_among(data, 12, b"C2PA", "little", 0)
        case "jpeg":
            return _has_jumbf(data)
        case _:
            return False


def _is_among(data: bytes, at: int, kind: bytes, order: Literal["big", "little"], after: int) -> bool:
    """Whether one of the chunks is of that kind; a PNG names it behind its length and ends each with a checksum, a
    WebP before, and fills it up to an even number."""
    while at + 8 <= len(data):
        first, second = data[at : at + 4], data[at + 4 : at + 8]
        name, size = (second, first) if after else (first, second)
        if name == kind:
            return True
        length = int.from_bytes(size, order)
        at += 8 + length + (after or length % 2)
    return False


def _has_jumbf(data: bytes) -> bool:
    """Whether one of the segments before the picture of a JPEG is of the kind that holds marks."""
    at = 2
    while at + 6 <= len(data) and data[at] == 0xFF and data[at + 1] not in (0xDA, 0xD9):
        if data[at + 1] == 0xEB and data[at + 4 : at + 6] == b"JP":
            return True
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return False
