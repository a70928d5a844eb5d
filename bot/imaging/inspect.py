"""Which picture the image service sent, and whether it is whole. Its word for the format is not taken.

Law: a paid picture is refused only when it can be shown to be none. There are three answers: *whole*; *kept* (nothing
speaks against it, but it cannot be opened here and now: it goes on with its true bytes); ``ValueError`` (shown to be
none: empty, text, a web page, a program, cut, damaged). What lacks its end but no pixel is whole: browsers show it.

A picture is known to be whole by its checksums and its structure where they suffice (``whole.py``); where they do not,
it is drawn, and nothing is refused before. Where less is enough (partial pictures, measurements, files that were looked
at before) ``thorough=False`` walks over the structure alone.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass

from PIL import Image

from bot.imaging.containers import Container, read_container
from bot.imaging.headers import FORMATS, NO_PICTURES, CannotLook, lacks_scans, picture_size, sniff
from bot.imaging.pixels import check_work, decode
from bot.imaging.svg import read_svg
from bot.imaging.threads import RESULTS, gate, offload
from bot.imaging.whole import lacks_rows, looks_whole

__all__ = ["MAX_RESULT_PIXELS", "Inspected", "decode_without_end", "inspect_result", "look", "sniff"]

MAX_RESULT_PIXELS = 32_000_000
MAX_RESULT_BYTES = 100_000_000
MAX_FRAMES = 1000

log = logging.getLogger(__name__)


class _MayLackPixels(ValueError):
    """It ends early, and only drawing it would tell whether more is missing than its end."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """``format`` is what the bytes are ("bin": nobody knows). ``kept``: why it could not be looked at, None if it was.

    Of what is kept, ``width`` and ``height`` are what its header claims, 0 where that is not known.
    """

    format: str
    width: int
    height: int
    frames: int = 1
    kept: str | None = None


async def look(data: bytes, *, thorough: bool = True) -> Inspected:
    """``inspect_result`` beside the event loop; where no thread can be had, the structure alone, here and now.

    What that alone cannot tell from a cut picture is kept.
    """
    try:
        try:
            seen = await offload(RESULTS, inspect_result, data, thorough=thorough)
        except (RuntimeError, MemoryError, OSError) as error:  # the pool is closed, no thread can be started
            log.warning("a picture could not be looked at beside the loop: %s", error)
            seen = inspect_result(data, thorough=False)
    except _MayLackPixels as error:
        image_format = sniff(data)
        seen = Inspected(image_format or "bin", *_claimed_size(data, image_format), kept=str(error))
    if seen.kept is not None:
        log.warning("a picture (%s, %d bytes) is kept without a look: %s", seen.format, len(data), seen.kept)
    return seen


def inspect_result(data: bytes, *, thorough: bool = True, max_pixels: int = MAX_RESULT_PIXELS) -> Inspected:
    """The true format and size of a picture, whole or kept. Raises ``ValueError`` for what is shown to be none.

    Size is bounded by the header, before anything is decoded. With ``thorough=False`` nothing ever is: the
    structure is walked to its end (and a PNG's checksums compared). SVG is read as XML, nothing in it expanded.
    Frames of a moving picture are decoded one after the other.
    """
    image_format = sniff(data)
    if image_format in NO_PICTURES or not data.strip(data[:1]):
        raise ValueError(f"not a picture: {image_format or 'nothing'}, {len(data)} bytes")
    try:
        return _looked_at(data, image_format or "bin", thorough=thorough, max_pixels=max_pixels)
    except CannotLook as error:
        reason = str(error)
    except MemoryError:
        reason = "no memory to look at it"
    return Inspected(image_format or "bin", *_claimed_size(data, image_format), kept=reason)


def _looked_at(data: bytes, image_format: str, *, thorough: bool, max_pixels: int) -> Inspected:
    if image_format not in FORMATS:
        raise CannotLook(f"{image_format} is not read here")
    if len(data) > MAX_RESULT_BYTES:
        raise CannotLook(f"{len(data)} bytes are more than {MAX_RESULT_BYTES}")
    if image_format == "svg":
        facts = read_svg(data)
        return Inspected("svg", facts.width, facts.height)
    width, height = picture_size(data, image_format)
    container = read_container(data, image_format)
    if container.lacks and not thorough:
        raise _MayLackPixels("the picture ends early")
    if width * height > max_pixels:
        if container.lacks and image_format == "png" and lacks_rows(container, (width, height)):
            raise ValueError("the picture ends early")
        raise CannotLook(f"{width}x{height} is more than {max_pixels} pixels")
    if container.frames > MAX_FRAMES:
        raise CannotLook(f"{container.frames} frames are more than {MAX_FRAMES}")
    if thorough and not looks_whole(data, image_format, container, (width, height)):
        check_work(width * height, container.scans)
        with gate.hold(width * height):
            _decode_all(data, image_format, container, (width, height))
    return Inspected(image_format, width, height, container.frames)


def _claimed_size(data: bytes, image_format: str | None) -> tuple[int, int]:
    if image_format not in FORMATS or image_format == "svg":
        return 0, 0
    try:
        return picture_size(data, image_format)
    except CannotLook:
        return 0, 0


def _decode_all(data: bytes, image_format: str, container: Container, size: tuple[int, int]) -> None:
    moves = container.frames > 1
    if container.lacks:
        image = decode_without_end(container, image_format)
        if moves:
            raise CannotLook("the moving picture ends early")
    else:
        image = _decode_frames(data, image_format) if moves else decode(container.clean, image_format)
    if image.size != size:
        raise ValueError(f"claims {size}, holds {image.size}")


_NOTHING_CODED = (b"\x55" * 512, b"\xaa" * 512)
_RESTART = re.compile(rb"\xff([\xd0-\xd7])")


def decode_without_end(container: Container, image_format: str) -> Image.Image:
    """A JPEG, PNG or GIF that lacks nothing but its end, as decoders read it.

    PNG and GIF count their rows. If a whole scan of a JPEG were missing, its headers tell; if pixels of the last one
    were, whatever stands before the mark would become some, also behind the restart mark that comes next: so nothing
    may change with it.
    """
    image = decode(container.closed, image_format)
    if image_format != "jpeg":
        return image
    pixels, end = container.closed[:-2], container.closed[-2:]
    if lacks_scans(container.closed):
        raise ValueError("the picture ends early")
    marks = _RESTART.findall(pixels, pixels.rindex(b"\xff\xda"))
    next_mark = bytes([0xFF, 0xD0 + (marks[-1][0] + 1) % 8 if marks else 0xD0])
    as_decoded = image.tobytes()
    for more in (between + nothing for between in (b"", next_mark) for nothing in _NOTHING_CODED):
        if decode(pixels + more + end, "jpeg").tobytes() != as_decoded:
            raise ValueError("the picture ends early")
    return image


def _decode_frames(data: bytes, image_format: str) -> Image.Image:
    try:
        return decode(data, image_format, every_frame=True)
    except CannotLook:
        raise
    except ValueError as error:
        decode(data, image_format)  # where even the first is broken, nothing can be seen
        raise CannotLook(f"a later frame {error}") from error
