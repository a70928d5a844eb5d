"""Results made to fit Discord's limits: what fits is never touched, the rest is re-encoded as little as will do.

Measured on 3840x2160 (11.3 MB PNG, to get under 10 MB): JPEG 95 with full colour takes 41 ms and 3.0 MB; lossless WebP
and PNG at level 9 take up to 4 s and do not fit. So: JPEG 95 first, WebP where there is transparency, then lower
qualities, then smaller. An SVG is never touched, nor what is not read here. A moving GIF stays one, smaller. Originals
are kept elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from bot.imaging.containers import Container, read_container
from bot.imaging.headers import picture_size
from bot.imaging.pixels import (
    BROKEN,
    EXTENSIONS,
    check_work,
    decode,
    has_clear_pixels,
    orientation,
    scaled,
    to_jpeg,
    to_rgb,
    to_webp,
    upright,
)
from bot.imaging.threads import gate

CHANGED = frozenset({"png", "jpeg", "webp", "gif"})
MIN_EDGE_PX = 16
QUALITIES = (95, 90, 85, 75, 60)
STEPS = (0.85, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.02)
SMALL_QUALITY = 85


@dataclass(frozen=True, slots=True)
class Fitted:
    """``changed`` says what was done, e.g. ``JPEG 95`` or ``WebP 85, 1920x1080``; None: the bytes are the original."""

    name: str
    data: bytes
    format: str
    changed: str | None = None


class CannotFit(ValueError):
    """The picture named cannot be brought under the limit: an SVG, one that is not read here, a limit none fits in."""

    def __init__(self, name: str, limit: int) -> None:
        super().__init__(f"{name} cannot be made smaller than {limit} bytes")
        self.name = name
        self.limit = limit


def fit_for_upload(pictures: Sequence[tuple[str, bytes, str]], per_file: int, total: int) -> list[Fitted]:
    """The pictures (name, bytes, format), each at most ``per_file`` bytes and all at most ``total``, in their order.

    First each that is too large alone; then, while the sum is too large, the largest one as good as possible; if all
    had their turn, the largest share alike. Raises ``CannotFit``.
    """
    fitted = [Fitted(*picture) for picture in pictures]
    for index, picture in enumerate(fitted):
        if len(picture.data) > per_file:
            fitted[index] = shrink(picture, per_file)
    while sum(len(picture.data) for picture in fitted) > total:
        untouched = [i for i, picture in enumerate(fitted) if picture.changed is None and picture.format in CHANGED]
        if not untouched:
            return _share(pictures, fitted, total)
        largest = max(untouched, key=lambda i: len(fitted[i].data))
        try:
            fitted[largest] = shrink(fitted[largest], len(fitted[largest].data) - 1)
        except CannotFit:
            return _share(pictures, fitted, total)
    return fitted


def _share(pictures: Sequence[tuple[str, bytes, str]], fitted: list[Fitted], total: int) -> list[Fitted]:
    """Each picture over the level at which all fit is made anew from its original, to that level."""
    sizes = sorted(len(picture.data) for picture in fitted if picture.format in CHANGED)
    room = total - sum(len(picture.data) for picture in fitted if picture.format not in CHANGED)
    level = 0
    for index, size in enumerate(sizes):
        level = room // (len(sizes) - index)
        if size > level:
            break
        room -= size
    shared = []
    for (name, data, image_format), picture in zip(pictures, fitted, strict=True):
        if picture.format not in CHANGED or len(picture.data) <= level:
            shared.append(picture)
        else:
            shared.append(shrink(Fitted(name, data, image_format), level))
    if sum(len(picture.data) for picture in shared) > total:  # what is never touched is too much alone
        raise CannotFit(shared[0].name, total)
    return shared


def shrink(picture: Fitted, limit: int) -> Fitted:
    """The picture in at most ``limit`` bytes: the first rung of the ladder that fits. Raises ``CannotFit``."""
    if picture.format not in CHANGED or limit < 1:
        raise CannotFit(picture.name, limit)
    try:
        width, height = picture_size(picture.data, picture.format)
        container = read_container(picture.data, picture.format)
        check_work(width * height, container.scans)
        with gate.hold(width * height):
            rungs = _moving(picture) if container.frames > 1 else _still(picture, container)
            for data, image_format, changed in rungs:
                if len(data) <= limit:
                    return Fitted(_renamed(picture.name, image_format), data, image_format, changed)
    except BROKEN as error:
        raise CannotFit(picture.name, limit) from error
    raise CannotFit(picture.name, limit)


def _still(picture: Fitted, container: Container) -> Iterator[tuple[bytes, str, str]]:
    image = to_rgb(decode(container.closed, picture.format), container.icc)
    image = upright(image, orientation(container.exif))
    encode: Callable[[Image.Image, int], bytes] = to_jpeg
    image_format, word = "jpeg", "JPEG"
    if has_clear_pixels(image):
        encode, image_format, word = to_webp, "webp", "WebP"
    else:
        image = image.convert("RGB")
    for quality in QUALITIES:
        yield encode(image, quality), image_format, f"{word} {quality}"
    for step in STEPS:
        size = _stepped(image.size, step)
        small = scaled(image, size)
        yield encode(small, SMALL_QUALITY), image_format, f"{word} {SMALL_QUALITY}, {size[0]}x{size[1]}"


def _moving(picture: Fitted) -> Iterator[tuple[bytes, str, str]]:
    for step in STEPS:
        with Image.open(BytesIO(picture.data), formats=[picture.format.upper()]) as image:
            size = _stepped(image.size, step)
            frames, times = [], []
            for frame in range(getattr(image, "n_frames", 1)):
                image.seek(frame)
                image.load()
                times.append(int(image.info.get("duration", 100)) or 100)
                frames.append(scaled(image.convert("RGBA"), size))
            loop = image.info.get("loop")
        out = BytesIO()
        kind = "GIF" if picture.format == "gif" else "WebP"
        options = {} if loop is None else {"loop": loop}
        frames[0].save(out, kind, save_all=True, append_images=frames[1:], duration=times, **options)
        yield out.getvalue(), kind.lower(), f"{kind}, {size[0]}x{size[1]}"


def _stepped(size: tuple[int, int], step: float) -> tuple[int, int]:
    return min(size[0], max(MIN_EDGE_PX, round(size[0] * step))), min(size[1], max(MIN_EDGE_PX, round(size[1] * step)))


def _renamed(name: str, image_format: str) -> str:
    stem, dot, _ = name.rpartition(".")
    return f"{stem if dot else name}.{EXTENSIONS[image_format]}"
