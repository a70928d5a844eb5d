"""Decoding, turning, colours, scaling and encoding: the few things done to pixels, each in one place.

Callers have checked the pixel count by the header and hold the ``gate``. Whatever a broken file makes Pillow raise
becomes ``ValueError`` here, and ``CannotLook`` where not the file is to blame. The readers are loaded with this file:
later there may be no file handle left to load them with.
"""

from __future__ import annotations

import functools
import struct
import time
import zlib
from collections.abc import Callable
from io import BytesIO

from PIL import (
    GifImagePlugin,
    Image,
    ImageChops,
    ImageCms,
    ImageFile,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)
from PIL.Image import Resampling, Transpose

from bot.imaging.headers import CannotLook, is_rare_jpeg

READERS = (GifImagePlugin, JpegImagePlugin, MpoImagePlugin, PngImagePlugin, WebPImagePlugin)
MAX_PIXELS = 50_000_000
MAX_SCANS = 200
MAX_SCANNED_PIXELS = 2_000_000_000
"""Pixels times scans: 49 million pixels take 26 ms a scan; a file of 200 kB can hold thousands of them."""
DECODE_LIMIT_S = 20.0
_PIECE = 16 * 1024
Image.preinit()

BROKEN = (OSError, SyntaxError, ValueError, TypeError, EOFError, LookupError, OverflowError, struct.error, zlib.error)
MIMES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif", "svg": "image/svg+xml"}
EXTENSIONS = {"png": "png", "jpeg": "jpg", "webp": "webp", "gif": "gif", "svg": "svg"}

_TURNS = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
SIDEWAYS = frozenset({5, 6, 7, 8})
_ORIENTATION = 0x0112


def decode(
    data: bytes,
    image_format: str,
    *,
    long_edge: int | None = None,
    every_frame: bool = False,
) -> Image.Image:
    """All pixels of the first picture, or of the last after all the others with ``every_frame``.

    With ``long_edge`` a JPEG may come smaller, but not below it. Raises ``ValueError`` if any pixel is missing, and
    ``CannotLook`` where memory, a codec or ``DECODE_LIMIT_S`` of a core did not suffice.
    """
    try:
        file = _Bounded(data)
        with Image.open(file, formats=[image_format.upper()]) as image:
            if isinstance(image, ImageFile.ImageFile):
                image.decodermaxblock = _PIECE
            if image_format == "png" and "transparency" in image.info and not every_frame:
                return _keyed(image, data)
            if long_edge is not None and image_format == "jpeg":
                scale = long_edge / max(image.size)
                image.draft(None, (max(1, round(image.width * scale)), max(1, round(image.height * scale))))
            image.load()
            for frame in range(1, getattr(image, "n_frames", 1) if every_frame else 1):
                file.check()
                image.seek(frame)
                image.load()
            return image
    except CannotLook:
        raise
    except MemoryError as error:
        raise CannotLook("no memory to decode it") from error
    except BROKEN as error:
        kind = CannotLook if _is_no_fault_of(data, image_format, error) else ValueError
        raise kind(f"cannot be decoded: {error}") from error


def _keyed(image: Image.Image, data: bytes) -> Image.Image:
    """A PNG with tRNS, decoded: the one colour that is clear is compared at the file's own depth, as PNG asks.

    Pillow compares it with pixels that it has scaled up (grey of 2 and 4 bits) or cut down (RGB of 16 bits).
    """
    depth, key = data[24], image.info["transparency"]
    image.load()
    if image.mode == "L":
        image.info["transparency"] = (key & (1 << depth) - 1) * 255 // ((1 << depth) - 1)
    elif image.mode == "RGB" and depth == 8:
        image.info["transparency"] = tuple(value & 255 for value in key)
    elif image.mode == "RGB":
        del image.info["transparency"]
        with Image.open(_Bounded(data), formats=["PNG"]) as low:
            low.tile = [tile._replace(args="RGB;16L") for tile in low.tile]
            low.load()
            bands = [*image.split(), *low.split()]
        wanted = [value >> 8 for value in key] + [value & 255 for value in key]
        clear = [band.point(_only(value)) for band, value in zip(bands, wanted, strict=True)]
        image.putalpha(ImageChops.invert(functools.reduce(ImageChops.darker, clear)))
    return image


def _only(value: int) -> list[int]:
    """255 for this value, 0 for every other."""
    return [255 if level == value else 0 for level in range(256)]


class _Bounded(BytesIO):
    """The file, until decoding it has taken too much of a core: decoders read it in pieces and end with it."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._end = time.thread_time() + DECODE_LIMIT_S

    def read(self, size: int | None = -1, /) -> bytes:
        self.check()
        return super().read(size)

    def check(self) -> None:
        if time.thread_time() > self._end:
            raise CannotLook(f"takes more than {DECODE_LIMIT_S:.0f} s to decode")


def check_work(pixels: int, scans: int) -> None:
    """Raises ``CannotLook`` where decoding would take more memory or work than any honest picture."""
    if pixels > MAX_PIXELS:
        raise CannotLook(f"{pixels} pixels are more than {MAX_PIXELS}")
    if scans > MAX_SCANS or scans * pixels > MAX_SCANNED_PIXELS:
        raise CannotLook(f"{scans} scans of {pixels} pixels")


def _is_no_fault_of(data: bytes, image_format: str, error: BaseException) -> bool:
    """Whether this machine is to blame, or a kind of file that few can read."""
    if isinstance(error, OSError) and (error.errno is not None or "not available" in str(error)):
        return True
    return image_format.upper() not in Image.OPEN or (image_format == "jpeg" and is_rare_jpeg(data))


def orientation(exif: bytes | None) -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none or none that makes sense."""
    if not exif or exif[:4] not in (b"II*\x00", b"MM\x00*"):
        return 1
    order = "<" if exif[:1] == b"I" else ">"
    try:
        (pos,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, pos)
        for entry in range(pos + 2, pos + 2 + 12 * count, 12):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", exif, entry)
            if tag == _ORIENTATION:
                return value if kind == 3 and 1 <= value <= 8 else 1
    except struct.error:
        pass  # cut EXIF: the picture itself may be fine
    return 1


def upright(image: Image.Image, turn: int) -> Image.Image:
    """The picture as the camera was held; ``turn`` is an EXIF orientation."""
    return image.transpose(_TURNS[turn]) if turn in _TURNS else image


def is_srgb(icc: bytes | None) -> bool:
    """Whether colours with this profile can be taken as they are."""
    return icc is None or b"sRGB" in icc or "sRGB".encode("utf-16-be") in icc


def to_rgb(image: Image.Image, icc: bytes | None = None) -> Image.Image:
    """The picture as 8-bit sRGB: mode RGBA if it can be transparent anywhere, else RGB.

    ``icc`` is its colour profile; one that is broken or does not fit the picture is ignored.
    """
    image = _eight_bit(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if is_srgb(icc):
            return image
        alpha = image.getchannel("A")
        image = _through_profile(image.convert("RGB"), icc)
        image.putalpha(alpha)
        return image
    if not is_srgb(icc):
        if image.mode == "P":
            image = image.convert("RGB")
        return _through_profile(image, icc)
    return image if image.mode == "RGB" else image.convert("RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    """16-bit grey as 8-bit grey by its high byte, the way every viewer shows it. Others are returned as they are."""
    if not image.mode.startswith("I"):
        return image
    clear = image.info.get("transparency")
    wide = image.convert("I")
    grey = wide.point([value >> 8 for value in range(65536)], "L")
    if isinstance(clear, int):
        grey.putalpha(wide.point([0 if value == clear else 255 for value in range(65536)], "L"))
    return grey


def _through_profile(image: Image.Image, icc: bytes | None) -> Image.Image:
    try:
        profile = ImageCms.ImageCmsProfile(BytesIO(icc or b""))
        converted = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, *BROKEN):
        converted = None
    return converted if converted is not None else image.convert("RGB")


def has_clear_pixels(image: Image.Image) -> bool:
    """Whether any pixel is less than opaque."""
    if image.mode != "RGBA":
        return False
    low = image.getchannel("A").getextrema()[0]
    return isinstance(low, int) and low < 255


def scaled(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture at ``size``; made for shrinking."""
    if image.size == size:
        return image
    return image.resize(size, Resampling.LANCZOS, reducing_gap=2.0)


def size_within(size: tuple[int, int], long_edge: int) -> tuple[int, int]:
    """``size`` shrunk to a long edge, shape kept, each side at least 1; never grown."""
    longest = max(size)
    if longest <= long_edge:
        return size
    return max(1, round(size[0] * long_edge / longest)), max(1, round(size[1] * long_edge / longest))


def to_png(image: Image.Image, level: int = 3) -> bytes:
    """A PNG without metadata. Level 1 is quick, 3 good, 9 costs four seconds for 3840x2160."""
    return _saved(image, "PNG", compress_level=level)


def to_jpeg(image: Image.Image, quality: int = 95) -> bytes:
    """A JPEG without metadata; from quality 90 with full colour resolution. Transparency must be gone."""
    return _saved(image, "JPEG", quality=quality, subsampling=0 if quality >= 90 else 2)


def to_webp(image: Image.Image, quality: int = 90) -> bytes:
    """A lossy WebP without metadata, transparency kept (method 2: a third of the time of the default)."""
    return _saved(image, "WEBP", quality=quality, method=2)


ENCODERS: dict[str, Callable[..., bytes]] = {"png": to_png, "jpeg": to_jpeg, "webp": to_webp}


def _saved(image: Image.Image, image_format: str, **options: int) -> bytes:
    out = BytesIO()
    bare = image.copy() if image.info else image
    bare.info = {}
    bare.save(out, image_format, **options)
    return out.getvalue()
