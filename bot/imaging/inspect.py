"""Whether what the image service sent is a whole picture, and which one. Its word for the format is not taken.

Decision: a picture is really decoded, every time. A PNG's checksums would find each cut and each flipped bit for a
fiftieth of the cost, but not a sender that writes nonsense with right checksums, and a paid picture is worth 20 ms of a
core beside the loop. Where the cheap answer is enough (partial pictures, measurements) ``thorough=False`` gives it.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.imaging.containers import Container, read_container
from bot.imaging.headers import picture_size, sniff
from bot.imaging.pixels import decode
from bot.imaging.svg import read_svg
from bot.imaging.threads import gate

__all__ = ["MAX_RESULT_PIXELS", "Inspected", "inspect_result", "sniff"]

MAX_RESULT_PIXELS = 32_000_000
MAX_RESULT_BYTES = 100_000_000
MAX_FRAMES = 1000
RESULT_FORMATS = frozenset({"png", "jpeg", "webp", "gif", "svg"})


@dataclass(frozen=True, slots=True)
class Inspected:
    format: str
    width: int
    height: int
    frames: int = 1


def inspect_result(data: bytes, *, thorough: bool = True, max_pixels: int = MAX_RESULT_PIXELS) -> Inspected:
    """The true format and size of a whole picture (PNG, JPEG, WebP, GIF or SVG). Raises ``ValueError`` for all else.

    Size is refused by the header, before anything is decoded. With ``thorough=False`` pixels are not decoded: the
    structure is walked to its end (and a PNG's checksums compared). SVG is read as XML, nothing in it expanded.
    Frames of a moving picture are decoded one after the other.
    """
    image_format = sniff(data)
    if image_format not in RESULT_FORMATS or len(data) > MAX_RESULT_BYTES:
        raise ValueError(f"not a picture: {image_format or 'unknown'}, {len(data)} bytes")
    if image_format == "svg":
        facts = read_svg(data)
        return Inspected("svg", facts.width, facts.height)
    width, height = picture_size(data, image_format)
    if width * height > max_pixels:
        raise ValueError(f"{width}x{height} is more than {max_pixels} pixels")
    container = read_container(data, image_format)
    if not container.ended:
        raise ValueError("the picture ends early")
    if container.frames > MAX_FRAMES:
        raise ValueError(f"{container.frames} frames are more than {MAX_FRAMES}")
    if thorough:
        with gate.hold(width * height):
            _decode_all(data, image_format, container, (width, height))
    return Inspected(image_format, width, height, container.frames)


def _decode_all(data: bytes, image_format: str, container: Container, size: tuple[int, int]) -> None:
    moves = container.frames > 1
    image = decode(data if moves else container.clean, image_format, every_frame=moves)
    if image.size != size:
        raise ValueError(f"claims {size}, holds {image.size}")
