"""What a member handed in, made ready to be sent: upright, sRGB, RGB or RGBA, without metadata, no larger than useful.

Law: bytes that need no change are not re-encoded; where only metadata has to go, it is cut out and the pixels stay as
they were. Every refusal is a ``BadUpload`` and comes before any pixel is decoded, except for damage in the pixels.

dall-e-2 takes only a square PNG with alpha under 4 MB: the picture is shrunk to the model's largest size and put in the
middle of a transparent square. Nothing is cut off, and a note says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from PIL import Image

from bot.imaging.containers import Container, read_container
from bot.imaging.headers import CannotLook, picture_size, sniff
from bot.imaging.inspect import decode_without_end
from bot.imaging.pixels import (
    ENCODERS,
    EXTENSIONS,
    MAX_PIXELS,
    MIMES,
    SIDEWAYS,
    check_work,
    decode,
    has_clear_pixels,
    is_srgb,
    orientation,
    scaled,
    size_within,
    to_rgb,
    upright,
)
from bot.imaging.threads import gate
from bot.rules.catalogue.model import InputRule
from bot.rules.requests import InputImage
from bot.rules.uploads import BadUpload, Bytes, Fact, Format, Note, NoteKind, Pixels, Size, UploadProblem

MAX_BYTES = 50 * 1024 * 1024
SQUARE_EDGE_PX = 1024
TAKEN = frozenset({"png", "jpeg", "webp"})


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """A picture as it will be sent.

    ``original`` is its size upright and unscaled; ``box`` (left, top, right, bottom) is where it lies in the picture
    sent: all of it, except between the bars of a square. ``transparent``: some pixel inside ``box`` is not opaque.
    """

    image: InputImage
    original: tuple[int, int]
    box: tuple[int, int, int, int]
    transparent: bool
    notes: tuple[Note, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        return self.image.width, self.image.height


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that passed every check that needs no pixels. ``size`` is upright."""

    name: str
    data: bytes
    format: str
    container: Container
    size: tuple[int, int]
    turn: int

    @property
    def pixels(self) -> int:
        return self.size[0] * self.size[1]


def check_upload(data: bytes, *, name: str, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES) -> Upload:
    """The file, if it is a still PNG, JPEG or WebP within the bounds; nothing is decoded. Raises ``BadUpload``."""
    if not data:
        raise BadUpload(UploadProblem.EMPTY, name)
    if len(data) > max_bytes:
        raise BadUpload(UploadProblem.TOO_MANY_BYTES, name, Bytes(len(data)), Bytes(max_bytes))
    image_format = sniff(data)
    if image_format is None or image_format not in TAKEN:
        raise BadUpload(UploadProblem.WRONG_FORMAT, name, Format(image_format) if image_format else None)
    try:
        width, height = picture_size(data, image_format)
        if width * height > max_pixels:
            raise BadUpload(UploadProblem.TOO_MANY_PIXELS, name, Size(width, height), Pixels(max_pixels))
        container = read_container(data, image_format)
        check_work(width * height, container.scans)
    except CannotLook as error:
        raise BadUpload(UploadProblem.UNREADABLE, name) from error
    except ValueError as error:
        raise BadUpload(UploadProblem.DAMAGED, name) from error
    if container.lacks and image_format != "jpeg":  # whoever has it can send it again, and whole
        raise BadUpload(UploadProblem.DAMAGED, name)
    if container.frames > 1:
        raise BadUpload(UploadProblem.ANIMATED, name, Format(image_format))
    turn = orientation(container.exif)
    return Upload(name, data, image_format, container, (height, width) if turn in SIDEWAYS else (width, height), turn)


def open_upload(upload: Upload, *, long_edge: int | None = None) -> Image.Image:
    """Its pixels as they lie in the file, neither turned nor converted.

    Raises ``BadUpload`` (``DAMAGED``, ``UNREADABLE``).
    """
    try:
        if upload.container.lacks:
            return decode_without_end(upload.container, upload.format)
        return decode(upload.container.clean, upload.format, long_edge=long_edge)
    except CannotLook as error:
        raise BadUpload(UploadProblem.UNREADABLE, upload.name) from error
    except ValueError as error:
        raise BadUpload(UploadProblem.DAMAGED, upload.name) from error


def bytes_limit(max_bytes: int) -> int:
    """The largest file that is under ``max_bytes`` in either reading of "MB": 4 MiB gives 3,999,999."""
    return max_bytes * 1_000_000 // 1_048_576 - 1


def prepare_image(
    data: bytes,
    *,
    name: str,
    rule: InputRule,
    max_pixels: int = MAX_PIXELS,
    target_long_edge: int | None = None,
    need_format: str | None = None,
) -> PreparedImage:
    """The picture made ready for an endpoint with ``rule``, and what was done to it. Raises ``BadUpload``.

    ``target_long_edge``: larger pictures are shrunk to it (``rules.uploads.useful_edge_px``), none is ever grown.
    ``need_format``: send it in just this format (a mask wants its picture to be PNG).
    """
    upload = check_upload(data, name=name, max_pixels=max_pixels)
    formats = frozenset({need_format}) if need_format else frozenset(f.replace("jpg", "jpeg") for f in rule.formats)
    edge = target_long_edge or (SQUARE_EDGE_PX if rule.square else max(upload.size))
    limit = bytes_limit(rule.max_bytes)
    with gate.hold(upload.pixels):
        image = open_upload(upload, long_edge=edge if edge < max(upload.size) else None)
        if not rule.square and edge >= max(upload.size) and _fits_as_it_is(upload, image, formats, limit):
            return _untouched(upload, image)
        return _Work(upload, image, formats, limit, square=rule.square).finish(edge)


def _fits_as_it_is(upload: Upload, image: Image.Image, formats: frozenset[str], limit: int) -> bool:
    eight_bit = upload.format != "png" or upload.data[24] == 8
    return (
        upload.format in formats
        and upload.turn == 1
        and eight_bit
        and image.mode in ("RGB", "RGBA")
        and "transparency" not in image.info
        and is_srgb(upload.container.icc)
        and len(upload.container.closed) <= limit
    )


def _untouched(upload: Upload, image: Image.Image) -> PreparedImage:
    clean = upload.container.closed
    notes = () if upload.container.clean is upload.data else (Note(NoteKind.METADATA_REMOVED, upload.name),)
    return _prepared(upload, clean, upload.format, image.size, (0, 0, *image.size), has_clear_pixels(image), notes)


def _prepared(
    upload: Upload,
    data: bytes,
    image_format: str,
    size: tuple[int, int],
    box: tuple[int, int, int, int],
    transparent: bool,
    notes: tuple[Note, ...],
) -> PreparedImage:
    sent = InputImage(own_name(upload.name, image_format), MIMES[image_format], data, *size)
    return PreparedImage(sent, upload.size, box, transparent, notes)


def own_name(name: str, image_format: str) -> str:
    """A file name made of nothing that anybody else chose but plain letters, digits and dashes."""
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower().rsplit("/")[-1])[:40].strip("-")
    return f"{stem or 'image'}.{EXTENSIONS[image_format]}"


class _Work:
    """One picture that has to change on its way to the service."""

    def __init__(
        self, upload: Upload, image: Image.Image, formats: frozenset[str], limit: int, *, square: bool
    ) -> None:
        self._upload = upload
        self._formats = formats
        self._limit = limit
        self._square = square
        self._image = image
        self._notes: list[Note] = []

    def finish(self, edge: int) -> PreparedImage:
        upload = self._upload
        was = self._image.mode
        deep = upload.format == "png" and upload.data[24] == 16
        self._convert(size_within(upload.size, edge))
        if upload.turn != 1:
            self._note(NoteKind.TURNED)
        if deep or was not in ("RGB", "RGBA") or not is_srgb(upload.container.icc):
            self._note(NoteKind.COLOURS)
        transparent = has_clear_pixels(self._image)
        if self._image.mode == "RGBA" and not transparent and not self._square:
            self._image = self._image.convert("RGB")
        data, image_format, box = self._encode()
        if image_format != upload.format:
            self._note(NoteKind.CONVERTED, Format(upload.format), Format(image_format))
        if (drawn := (box[2] - box[0], box[3] - box[1])) != upload.size:
            self._note(NoteKind.SCALED, Size(*upload.size), Size(*drawn))
        size = (max(drawn), max(drawn)) if self._square else drawn
        if size != drawn:
            self._note(NoteKind.PADDED, Size(*drawn), Size(*size))
        if upload.container.clean is not upload.data:
            self._note(NoteKind.METADATA_REMOVED)
        return _prepared(upload, data, image_format, size, box, transparent, tuple(self._notes))

    def _note(self, kind: NoteKind, was: Fact | None = None, became: Fact | None = None) -> None:
        self._notes.append(Note(kind, self._upload.name, was, became))

    def _convert(self, size: tuple[int, int]) -> None:
        """Shrinks first where the pixels allow it (cheaper by the square of the factor), then converts and turns."""
        image = self._image
        lying = (size[1], size[0]) if self._upload.turn in SIDEWAYS else size
        if image.mode in ("RGB", "RGBA", "L", "CMYK") and "transparency" not in image.info:
            image = scaled(image, lying)
        image = scaled(to_rgb(image, self._upload.container.icc), lying)
        self._image = upright(image, self._upload.turn)

    def _encode(self) -> tuple[bytes, str, tuple[int, int, int, int]]:
        """The first encoding under the limit: its own kind, then lossy ones, then ever smaller."""
        kinds = self._kinds()
        tries: list[tuple[str, Callable[[Image.Image], bytes]]] = [(kind, ENCODERS[kind]) for kind in kinds]
        tries += [(kind, partial(ENCODERS[kind], quality=85)) for kind in kinds if kind != "png"]
        while True:
            framed, box = self._framed()
            for kind, encode in tries:
                data = encode(framed)
                if len(data) <= self._limit:
                    return data, kind, box
            if max(self._image.size) < 64:
                raise BadUpload(UploadProblem.TOO_MANY_BYTES, self._upload.name, Bytes(len(data)), Bytes(self._limit))
            self._image = scaled(self._image, size_within(self._image.size, max(self._image.size) * 4 // 5))

    def _kinds(self) -> list[str]:
        clear = self._square or self._image.mode == "RGBA"
        own = self._upload.format
        order = ["png", "webp"] if clear else ["jpeg", "png", "webp"] if own == "jpeg" else ["png", "jpeg", "webp"]
        kinds = [kind for kind in order if kind in self._formats]
        if not kinds:  # a model that takes only JPEG gets transparency on white
            self._image = flattened(self._image)
            kinds = ["jpeg"]
        return kinds

    def _framed(self) -> tuple[Image.Image, tuple[int, int, int, int]]:
        image = self._image
        if not self._square:
            return image, (0, 0, *image.size)
        edge = max(image.size)
        left, top = (edge - image.width) // 2, (edge - image.height) // 2
        square = Image.new("RGBA", (edge, edge), (0, 0, 0, 0))
        square.paste(image, (left, top))
        return square, (left, top, left + image.width, top + image.height)


def flattened(image: Image.Image) -> Image.Image:
    """The picture on white, without transparency."""
    if image.mode != "RGBA":
        return image.convert("RGB")
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, image).convert("RGB")


def as_png(prepared: PreparedImage, max_bytes: int) -> PreparedImage:
    """The same picture as PNG, for services that want picture and mask alike; as it is where that gets too large."""
    sent = prepared.image
    if sent.mime == MIMES["png"]:
        return prepared
    with gate.hold(sent.width * sent.height):
        data = ENCODERS["png"](decode(sent.data, sent.mime.removeprefix("image/")))
    if len(data) > bytes_limit(max_bytes):
        return prepared
    name = sent.name.rpartition(".")[0] + ".png"
    return replace(prepared, image=InputImage(name, MIMES["png"], data, sent.width, sent.height))
