"""The parts of a picture file, found without decoding it: is it whole, does it move, what does it carry beside pixels.

Each reader also gives the file cut down to what its pixels need: no EXIF, XMP, comments, GPS, colour profile,
thumbnails, nor anything that hides behind the end. Raises ``ValueError`` where the file ends or breaks too early.
No library does that without touching pixels; a JPEG of 12 megapixels takes 3 ms, encoding it again 158
(docs/decisions/0009-own-picture-containers.md).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from functools import cached_property

from bot.imaging.headers import MARK_IN_PIXELS, PNG_SIGNATURE, CannotLook, check_parts, jpeg_segments

_END = b"\xff\xd9"
MAX_PROFILE_BYTES = 4_000_000


@dataclass(frozen=True)
class Container:
    """``parts`` are what pixels need; ``clean`` is a file of them alone, the very same object as the input when there
    was nothing else. It is put together when it is first asked for, hence no slots.

    ``lacks`` is the end of a JPEG, PNG or GIF that came without it: perhaps cut. ``exif`` starts with the TIFF header.
    ``scans``: how often a decoder walks over all pixels (a progressive JPEG may say more than once).
    """

    data: bytes
    parts: tuple[memoryview | bytes, ...]
    frames: int = 1
    exif: bytes | None = None
    icc: bytes | None = None
    lacks: bytes = b""
    scans: int = 1

    @cached_property
    def clean(self) -> bytes:
        joined = b"".join(self.parts)
        return self.data if joined == self.data else joined

    @property
    def closed(self) -> bytes:
        """``clean``, with its end if it lacked one: what decoders read to the end."""
        return self.clean + self.lacks


def read_container(data: bytes, image_format: str) -> Container:
    """The parts of a PNG, JPEG, WebP or GIF."""
    return _READERS[image_format](data)


# --- PNG -----------------------------------------------------------------------------------------------------------

_PNG_NEEDED = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_PNG_FACTS = frozenset({b"eXIf", b"iCCP", b"acTL"})
_PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"


def _read_png(data: bytes) -> Container:
    view = memoryview(data)
    kept: list[memoryview | bytes] = [PNG_SIGNATURE]
    extra: dict[bytes, bytes] = {}
    pos, parts, kind, has_pixels, needs_more, lacks = 8, 0, b"", False, False, b""
    while kind != b"IEND":
        parts += 1
        check_parts(parts)
        kind, end = data[pos + 4 : pos + 8], pos + 12 + int.from_bytes(data[pos : pos + 4])
        if pos + 8 > len(data) or end > len(data):
            lacks = _PNG_END
            if kind == b"IDAT":
                kept.append(_png_chunk(kind, data[pos + 8 : end - 4]))
                has_pixels = True
            break
        is_sound = zlib.crc32(view[pos + 4 : end - 4]) == int.from_bytes(data[end - 4 : end])
        if kind in _PNG_NEEDED and is_sound:
            kept.append(view[pos:end])
            has_pixels |= kind == b"IDAT"
        elif kind == b"IEND":
            lacks = _PNG_END
        elif kind in _PNG_NEEDED and kind != b"tRNS":  # which libpng leaves out, too
            raise ValueError("a PNG chunk has a wrong checksum")
        elif not kind[0] & 0x20:
            needs_more = True
        elif kind in _PNG_FACTS and is_sound:
            extra[kind] = data[pos + 8 : end - 4]
        pos = end
    if not has_pixels:
        raise ValueError("the PNG ends early" if lacks else "the PNG has no pixels")
    if needs_more:
        raise CannotLook("the PNG needs an unknown chunk")
    return Container(
        data,
        tuple(kept),
        frames=int.from_bytes(extra[b"acTL"][:4]) if b"acTL" in extra else 1,
        exif=extra.get(b"eXIf"),
        icc=_png_profile(extra.get(b"iCCP")),
        lacks=lacks,
    )


def _png_chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def _png_profile(chunk: bytes | None) -> bytes | None:
    if chunk is None:
        return None
    packed = chunk.partition(b"\x00")[2][1:]
    try:
        return zlib.decompressobj().decompress(packed, MAX_PROFILE_BYTES)
    except zlib.error:
        return None


# --- JPEG ----------------------------------------------------------------------------------------------------------

_ICC = b"ICC_PROFILE\x00"


def _read_jpeg(data: bytes) -> Container:
    segments = jpeg_segments(data)
    kept: list[memoryview | bytes] = [b"\xff\xd8"]
    exif: bytes | None = None
    icc: list[bytes] = []
    for marker, start, end in segments:
        payload = data[start:end]
        if marker == 0xE1 and payload.startswith(b"Exif\x00\x00"):
            exif = exif or payload[6:]
        elif marker == 0xE2 and payload.startswith(_ICC):
            icc.append(payload[len(_ICC) :])
        elif marker == 0xE0 and payload.startswith(b"JFIF\x00") and len(payload) >= 14:
            kept.append(b"\xff\xe0\x00\x10" + payload[:12] + b"\x00\x00")  # without its thumbnail
        elif marker == 0xEE and payload.startswith(b"Adobe"):  # says how the colours are stored
            kept.append(b"\xff\xee" + struct.pack(">H", len(payload) + 2) + payload)
        elif not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            kept.append(data[start - 4 : end])
    lacks, scans = _keep_scans(data, segments[-1][2], kept)
    profile = b"".join(part[2:] for part in sorted(icc, key=lambda part: part[:1]))
    return Container(data, tuple(kept), exif=exif, icc=profile[:MAX_PROFILE_BYTES] or None, lacks=lacks, scans=scans)


def _keep_scans(data: bytes, start: int, kept: list[memoryview | bytes]) -> tuple[bytes, int]:
    """Appends the coded pixels, from the first scan to the end mark; what is missing of that, and how many scans."""
    view, pos, scans = memoryview(data), start, 1
    while (found := MARK_IN_PIXELS.search(data, pos)) is not None:
        at, marker = found.start(), data[found.start() + 1]
        kept.append(view[start:at])
        if marker == 0xD9:
            kept.append(b"\xff\xd9")
            return b"", scans
        check_parts(len(kept))
        scans += marker == 0xDA
        pos = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        start = pos if 0xE0 <= marker <= 0xEF or marker == 0xFE else at
    kept.append(view[start:])
    return _END[1:] if data.endswith(_END[:1], start) else _END, scans


# --- WebP ----------------------------------------------------------------------------------------------------------

_WEBP_NEEDED = frozenset({b"VP8 ", b"VP8L", b"ALPH"})
_HAS_ALPHA = 0x10


def _read_webp(data: bytes) -> Container:
    whole = 8 + int.from_bytes(data[4:8], "little")
    if whole > len(data) + (whole & 1):
        raise ValueError("the WebP ends early")
    kept: list[memoryview | bytes] = []
    extra: dict[bytes, bytes] = {}
    frames, parts, pos = 0, 0, 12
    while pos + 8 <= min(whole, len(data)):
        parts += 1
        check_parts(parts)
        kind, length = data[pos : pos + 4], int.from_bytes(data[pos + 4 : pos + 8], "little")
        end = pos + 8 + length
        if end > len(data):
            raise ValueError("the WebP ends early")
        if kind == b"VP8X" and length >= 10:
            kept.append(data[pos : pos + 8] + bytes([data[pos + 8] & _HAS_ALPHA]) + data[pos + 9 : end])
        elif kind in _WEBP_NEEDED:
            kept += [memoryview(data)[pos:end], b"\x00" * (length & 1)]
        elif kind == b"ANMF":
            frames += 1
        else:
            extra[kind] = data[pos + 8 : end]
        pos = end + (length & 1)
    if frames == 0 and not any(part[:3] == b"VP8" and part[:4] != b"VP8X" for part in kept):
        raise ValueError("the WebP has no pixels")
    head = b"RIFF" + struct.pack("<I", 4 + sum(map(len, kept))) + b"WEBP"
    exif = extra.get(b"EXIF")
    return Container(
        data,
        (head, *kept),
        frames=max(1, frames) if b"ANIM" not in extra else max(2, frames),
        exif=exif.removeprefix(b"Exif\x00\x00") if exif else None,
        icc=extra.get(b"ICCP"),
    )


# --- GIF -----------------------------------------------------------------------------------------------------------


_GIF_ENDS = {0: b";", 1: b"\x00;"}
"""What is missing where the blocks of a GIF end just there, or one byte later."""


def _read_gif(data: bytes) -> Container:
    """Counts the frames and finds the trailer; each frame must lie within the screen that the header claims.

    Not every encoder writes the trailer.
    """
    leaves = False
    try:
        width, height, flags = struct.unpack_from("<HHB", data, 6)
        pos, frames = 13 + _table_bytes(flags), 0
        while pos < len(data) and data[pos] != 0x3B:
            if data[pos] == 0x21:
                pos = _after_blocks(data, pos + 2)
            elif data[pos] == 0x2C:
                left, top, frame_width, frame_height, flags = struct.unpack_from("<HHHHB", data, pos + 1)
                leaves |= left + frame_width > width or top + frame_height > height
                pos, frames = _after_blocks(data, pos + 11 + _table_bytes(flags)), frames + 1
            else:
                raise ValueError("a broken GIF block")
    except struct.error:
        raise ValueError("the GIF ends early") from None
    if pos > len(data) + 1:
        raise ValueError("the GIF ends early")
    if frames == 0:
        raise ValueError("the GIF has no frames")
    if leaves:
        raise CannotLook("a GIF frame leaves the screen")
    return Container(data, (data[: pos + 1],), frames=frames, lacks=_GIF_ENDS.get(pos - len(data), b""))


def _table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _after_blocks(data: bytes, pos: int) -> int:
    """Where the next block begins; beyond the end where this one is not there to its own."""
    while pos < len(data) and data[pos] != 0:
        pos += data[pos] + 1
    return pos + 1


_READERS = {"png": _read_png, "jpeg": _read_jpeg, "webp": _read_webp, "gif": _read_gif}
