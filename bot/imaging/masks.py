"""Where to edit, as the PNG that is sent: kept pixels (0, 0, 0, 255), pixels to edit (255, 255, 255, 0).

So servers that read alpha (transparent = edit) and servers that read grey (white = edit) see the same mask. It has the
size of the first picture as sent. Bars that made a picture square are always "edit": the model may fill them.
Inside, an *area* is a picture of mode L with 255 where to edit and 0 where to keep.
"""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter
from PIL.Image import Resampling

from bot.imaging.headers import picture_size, sniff
from bot.imaging.pixels import MIMES, decode, size_within, to_png, to_rgb, upright
from bot.imaging.threads import gate
from bot.imaging.uploads import PreparedImage, Upload, bytes_limit, check_upload, open_upload
from bot.rules.requests import InputImage
from bot.rules.uploads import (
    BadUpload,
    Box,
    Bytes,
    Disc,
    Format,
    Frame,
    Note,
    NoteKind,
    Size,
    UploadProblem,
    parse_area,
)

MAX_MASK_BYTES = 4 * 1024 * 1024
MAX_SHAPE_ERROR = 0.01
MIN_CLEAR_SHARE = 0.005
ALWAYS_CLEAR, SEEN_CLEAR = 127, 229
PREVIEW_EDGE_PX = 1024


@dataclass(frozen=True, slots=True)
class PreparedMask:
    image: InputImage
    notes: tuple[Note, ...] = ()


def mask_from_image(
    data: bytes, *, target: PreparedImage, name: str = "mask", max_bytes: int = MAX_MASK_BYTES
) -> PreparedMask:
    """The mask a member handed in. Transparent is edit; without transparency white is edit, and a note says so.

    What counts as transparent is what a person sees as rubbed out (``_clear_up_to``). It may have another size if its
    shape is that of the picture (within 1 %). Raises ``BadUpload``.
    """
    upload = check_upload(data, name=name)
    _check_shape(upload, target)
    notes: list[Note] = []
    if upload.size not in (target.original, target.size):
        notes.append(Note(NoteKind.MASK_FITTED, name, Size(*upload.size), Size(*target.original)))
    with gate.hold(upload.pixels + target.image.width * target.image.height):
        image = to_rgb(upright(open_upload(upload), upload.turn), upload.container.icc)
        area, kinds = _area_of(image)
        notes += [Note(kind, name) for kind in kinds]
        fitted = _as_sent(area, target, whole=_is_whole(upload, target))
        return PreparedMask(_finish(fitted, target, name, max_bytes), tuple(notes))


def _is_whole(upload: Upload, target: PreparedImage) -> bool:
    """Whether a mask was made for the picture as sent, bars and all."""
    return upload.size == target.size and upload.size != target.original


def _check_shape(upload: Upload, target: PreparedImage) -> None:
    if upload.size == target.size:
        return
    (width, height), (wide, high) = upload.size, target.original
    if abs(width * high - wide * height) > MAX_SHAPE_ERROR * wide * height:
        raise BadUpload(UploadProblem.MASK_SIZE, upload.name, Size(*upload.size), Size(*target.original))


def _area_of(image: Image.Image) -> tuple[Image.Image, tuple[NoteKind, ...]]:
    if image.mode == "RGBA":
        alpha = image.getchannel("A")
        edge = _clear_up_to(alpha.histogram())
        area = alpha.point([255] * (edge + 1) + [0] * (255 - edge))
        if area.getbbox() is not None:
            return area, ()
    grey = image.convert("RGB").convert("L")
    middle = sum(grey.histogram()[32:224])
    notes = (NoteKind.MASK_FROM_WHITE,)
    area = grey.point([0] * 128 + [255] * 128)
    return area, (*notes, NoteKind.MASK_GREY) if middle * 20 > grey.width * grey.height else notes


def _clear_up_to(counts: list[int]) -> int:
    """The highest alpha that means "edit": where the mask itself parts best in two (Otsu), within what people see.

    Below 128, more than half transparent, is always rubbed out; above 229, less than a tenth transparent, nobody sees
    it. In between a soft eraser at any strength is told from what it left, whatever the strength.
    """
    total, whole = sum(counts), sum(level * count for level, count in enumerate(counts))
    best, edge, below, sum_below = 0.0, ALWAYS_CLEAR, 0, 0
    for level, count in enumerate(counts):
        below += count
        sum_below += level * count
        if count and below < total:
            apart = (whole * below - sum_below * total) ** 2 / (below * (total - below))
            if apart > best:
                best, edge = apart, level
    return min(max(edge, ALWAYS_CLEAR), SEEN_CLEAR)


def _as_sent(area: Image.Image, target: PreparedImage, *, whole: bool = False) -> Image.Image:
    """``area`` at the size of the picture as sent; a stroke too thin for it becomes thicker, never nothing."""
    box = (0, 0, *target.size) if whole else target.box
    size = box[2] - box[0], box[3] - box[1]
    if area.size != size:
        soft = area.resize(size, Resampling.BOX)
        area = soft.point([0] * 128 + [255] * 128)
        if area.getbbox() is None:
            area = soft.point([0] + [255] * 255)
    canvas = Image.new("L", target.size, 255)
    canvas.paste(area, box)
    return canvas


def mask_from_area(
    text: str, *, target: PreparedImage, name: str = "area", max_bytes: int = MAX_MASK_BYTES
) -> PreparedMask:
    """The mask for an area in words or percent (``rules.uploads.parse_area``). Raises ``BadUpload``."""
    shape = parse_area(text, name)
    left, top, right, bottom = target.box
    with gate.hold(target.image.width * target.image.height):
        area = _drawn(shape, (right - left, bottom - top))
        return PreparedMask(_finish(_as_sent(area, target), target, name, max_bytes))


def _drawn(shape: Box | Disc | Frame, size: tuple[int, int]) -> Image.Image:
    width, height = size
    short = min(size)
    area = Image.new("L", size, 255 if isinstance(shape, Frame) else 0)
    draw = ImageDraw.Draw(area)
    match shape:
        case Box():
            x0, x1 = round(shape.left * width / 100), round(shape.right * width / 100)
            y0, y1 = round(shape.top * height / 100), round(shape.bottom * height / 100)
            area.paste(255, (x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)))
        case Disc():
            x, y, r = shape.x * width / 100, shape.y * height / 100, max(1.0, shape.radius * short / 100)
            draw.ellipse((x - r, y - r, x + r, y + r), fill=255)
        case Frame():
            band = max(1, round(shape.width * short / 100))
            if 2 * band < short:
                area.paste(0, (band, band, width - band, height - band))
    return area


def mask_from_transparency(
    target: PreparedImage, *, name: str = "image", max_bytes: int = MAX_MASK_BYTES
) -> PreparedMask | None:
    """The mask of the picture's own transparent parts; None where there is next to nothing transparent.

    Less than 0.5 % (the round corners of a screenshot) is not taken for a wish.
    """
    if not target.transparent:
        return None
    with gate.hold(target.image.width * target.image.height):
        image = decode(target.image.data, target.image.mime.removeprefix("image/")).convert("RGBA").crop(target.box)
        area = image.getchannel("A").point([255] * 128 + [0] * 128)
        if area.histogram()[255] < MIN_CLEAR_SHARE * area.width * area.height:
            return None
        note = Note(NoteKind.MASK_FROM_TRANSPARENCY, name)
        return PreparedMask(_finish(_as_sent(area, target), target, name, max_bytes), (note,))


def _finish(area: Image.Image, target: PreparedImage, name: str, max_bytes: int) -> InputImage:
    low, high = area.crop(target.box).getextrema()
    if high == 0:
        raise BadUpload(UploadProblem.MASK_OPAQUE, name)
    if low == 255:
        raise BadUpload(UploadProblem.MASK_CLEAR, name)
    mask = Image.merge("RGBA", (area, area, area, ImageChops.invert(area)))
    limit = bytes_limit(max_bytes)
    data = to_png(mask, level=1)
    if len(data) > limit:
        data = to_png(mask, level=9)
    if len(data) > limit:
        raise BadUpload(UploadProblem.TOO_MANY_BYTES, name, Bytes(len(data)), Bytes(limit))
    return InputImage("mask.png", MIMES["png"], data, *mask.size)


def check_markup(
    data: bytes, *, target: PreparedImage, name: str = "markup", max_bytes: int = MAX_MASK_BYTES
) -> PreparedMask:
    """A transparent PNG with notes drawn over the first picture, at the size of that picture as sent.

    Raises ``BadUpload``: not PNG, another shape, nothing transparent (``MASK_OPAQUE``), nothing drawn (``MASK_CLEAR``).
    """
    upload = check_upload(data, name=name)
    if upload.format != "png":
        raise BadUpload(UploadProblem.WRONG_FORMAT, name, Format(upload.format))
    _check_shape(upload, target)
    with gate.hold(upload.pixels):
        image = to_rgb(upright(open_upload(upload), upload.turn), upload.container.icc)
        low, high = image.getchannel("A").getextrema() if image.mode == "RGBA" else (255, 255)
        if low == 255:
            raise BadUpload(UploadProblem.MASK_OPAQUE, name)
        if high == 0:
            raise BadUpload(UploadProblem.MASK_CLEAR, name)
        notes: tuple[Note, ...] = ()
        if upload.size not in (target.original, target.size):
            notes = (Note(NoteKind.MASK_FITTED, name, Size(*upload.size), Size(*target.original)),)
        data = to_png(_over(image, target, whole=_is_whole(upload, target)))
    if len(data) > bytes_limit(max_bytes):
        raise BadUpload(UploadProblem.TOO_MANY_BYTES, name, Bytes(len(data)), Bytes(bytes_limit(max_bytes)))
    return PreparedMask(InputImage("markup.png", MIMES["png"], data, *target.size), notes)


def _over(image: Image.Image, target: PreparedImage, *, whole: bool) -> Image.Image:
    box = (0, 0, *target.size) if whole else target.box
    canvas = Image.new("RGBA", target.size, (0, 0, 0, 0))
    size = box[2] - box[0], box[3] - box[1]
    canvas.paste(image if image.size == size else image.resize(size, Resampling.LANCZOS), box)
    return canvas


# --- showing it ----------------------------------------------------------------------------------------------------


def preview_mask(image: bytes, mask: bytes) -> bytes:
    """The picture with the part to edit under hatched red glass with an outline, as PNG of at most 1024 pixels.

    Both are files as sent. What is transparent in the picture is shown as a chequerboard.
    """
    width, height = picture_size(mask, "png")
    size = size_within((width, height), PREVIEW_EDGE_PX)
    with gate.hold(2 * width * height):
        # shrunk first: whatever holds the interpreter lock then has little to do
        area = ImageChops.invert(decode(mask, "png").getchannel("A").resize(size, Resampling.BOX))
        picture = _on_board(image, size).convert("RGB")
        _hatch(tinted := Image.blend(picture, Image.new("RGB", size, (255, 24, 40)), 0.5))
        picture.paste(tinted, (0, 0), area)
        hard = area.point([0] * 128 + [255] * 128)
        for colour, width in (((0, 0, 0), 4), ((255, 255, 255), 2)):
            picture.paste(colour, (0, 0), ImageChops.subtract(_grown(hard, width), hard))
        return to_png(picture)


def _hatch(image: Image.Image, step: int = 24) -> None:
    """Thin slanted lines, so that red glass shows on a red picture too."""
    draw = ImageDraw.Draw(image)
    for x in range(-image.height, image.width, step):
        draw.line((x, image.height, x + image.height, 0), fill=(255, 130, 140), width=1)


def _grown(area: Image.Image, width: int) -> Image.Image:
    # a box blur is twenty times as fast as MaxFilter, which would hold the interpreter lock for 40 ms
    return area.filter(ImageFilter.BoxBlur(width)).point([0] + [255] * 255)


def preview_markup(image: bytes, markup: bytes) -> bytes:
    """The picture with the markup laid over it, as PNG of at most 1024 pixels. Both are files as sent."""
    width, height = picture_size(markup, "png")
    size = size_within((width, height), PREVIEW_EDGE_PX)
    with gate.hold(2 * width * height):
        drawn = decode(markup, "png").convert("RGBA").resize(size, Resampling.LANCZOS)
        return to_png(Image.alpha_composite(_on_board(image, size), drawn).convert("RGB"))


def _on_board(image: bytes, size: tuple[int, int]) -> Image.Image:
    picture = to_rgb(decode(image, sniff(image) or "png", long_edge=max(size)))
    return Image.alpha_composite(chequerboard(size), picture.resize(size, Resampling.LANCZOS).convert("RGBA"))


def chequerboard(size: tuple[int, int], cell: int = 16) -> Image.Image:
    """Grey and white squares, what picture programs show for transparency."""
    board = Image.new("L", (-(-size[0] // cell), -(-size[1] // cell)), 255)
    draw = ImageDraw.Draw(board)
    for y in range(board.height):
        draw.point([(x, y) for x in range(y % 2, board.width, 2)], fill=200)
    wide = board.resize((board.width * cell, board.height * cell), Resampling.NEAREST)
    return wide.crop((0, 0, *size)).convert("RGBA")
