"""Uploaded files: read off the wire within bounds, opened, and held against the rules of the model."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import BodyPartReader, web
from PIL import Image, ImageOps, UnidentifiedImageError

from sandbox.images import errors
from sandbox.images.calls import UploadFact
from sandbox.images.checks import Fields
from sandbox.images.models import MIB, Endpoint, ModelRules, WxH
from sandbox.images.odd.png import read_odd_png

MAX_IMAGES = 16
_MASK_BYTES = 4 * MIB
_PART_LIMIT = 64 * MIB
_MIME_FORMATS: Mapping[str, str] = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
_MODES_WITH_ALPHA = frozenset(("RGBA", "LA", "PA", "RGBa"))


@dataclass(frozen=True, slots=True)
class Upload:
    """One file as it came: ``field`` without the ``[]`` of a list, ``mime`` as the client named it."""

    field: str
    name: str | None
    mime: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """A legal upload, decoded and upright, as RGBA."""

    picture: Image.Image
    has_clear: bool

    @property
    def size(self) -> WxH:
        return self.picture.size


@dataclass(frozen=True, slots=True)
class Inputs:
    """What an edit or variation works on."""

    images: tuple[Opened, ...]
    mask: Image.Image | None = None
    markup: Image.Image | None = None


async def read_form(request: web.Request) -> tuple[Fields, tuple[Upload, ...]]:
    """Text parameters and files of a multipart call. Raises ``ApiError`` for any other content type."""
    if request.content_type != "multipart/form-data":
        message = f"Unsupported content type: '{request.content_type}'. Only 'multipart/form-data' is accepted."
        raise errors.ApiError(400, message, code="unsupported_content_type")
    texts: dict[str, Any] = {}
    files: list[Upload] = []
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            raise errors.ApiError(400, "Nested multipart bodies are not supported.", code="invalid_multipart")
        name = part.name or ""
        data = await _read(part)
        mime = part.headers.get("Content-Type", "").partition(";")[0].strip()
        if part.filename is None and mime in ("", "text/plain"):
            texts[name] = data.decode("utf-8", "replace")
        else:
            files.append(Upload(name.removesuffix("[]"), part.filename, mime, data))
    return Fields(texts, from_form=True), tuple(files)


async def _read(part: BodyPartReader) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk(256 * 1024):
        data += chunk
        if len(data) > _PART_LIMIT:
            raise errors.ApiError(413, "The uploaded file is too large.", code="request_too_large")
    return bytes(data)


def fact_of(file: Upload) -> UploadFact:
    """What a record keeps of an upload: no bytes, but their hash."""
    digest = hashlib.sha256(file.data).hexdigest()
    return UploadFact(file.field, file.name, file.mime, len(file.data), digest, _pixels(file.data))


def _pixels(data: bytes) -> WxH | None:
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return picture.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def open_uploads(endpoint: Endpoint, rules: ModelRules, files: tuple[Upload, ...]) -> Inputs:
    """Every file checked and decoded. Raises the ``ApiError`` of the first rule one breaks. Blocks: run in a thread."""
    allowed = rules.parameters(endpoint)
    for file in files:
        if file.field not in allowed or file.field not in ("image", "mask", "markup"):
            raise errors.unknown(file.field)
    images = tuple(file for file in files if file.field == "image")
    if not images:
        raise errors.missing("image")
    most = 1 if rules.one_image or endpoint == "variations" else MAX_IMAGES
    if len(images) > most:
        message = f"Invalid 'image': array too long. Expected at most {most}, but got {len(images)}."
        raise errors.ApiError(400, message, param="image", code="array_above_max_length")
    opened = tuple(_open_image(rules, file) for file in images)
    extra = {file.field: file for file in files if file.field != "image"}
    if len(extra) > 1:
        raise errors.invalid("markup", "The 'markup' parameter cannot be combined with 'mask'.")
    overlays = {field: _open_overlay(file, opened[0].size) for field, file in extra.items()}
    if rules.dalle and endpoint == "edits" and not overlays and not opened[0].has_clear:
        raise errors.bad_image("image", "Without a mask the image must have transparent areas that say where to edit.")
    return Inputs(opened, overlays.get("mask"), overlays.get("markup"))


def _check_file(file: Upload, types: tuple[str, ...], max_bytes: int) -> None:
    if not file.mime:
        message = f"Invalid file '{file.field}': the mimetype is missing."
        raise errors.ApiError(400, message, param=file.field, code="missing_file_mimetype")
    if file.mime not in types:
        raise errors.bad_mime(file.field, file.mime, types)
    if len(file.data) >= max_bytes:
        message = f"Invalid file '{file.field}': the file must be less than {max_bytes // MIB}MB."
        raise errors.ApiError(400, message, param=file.field, code="image_too_large")


def _decode(file: Upload) -> Image.Image:
    message = f"Invalid image file or mode for '{file.field}', please check your image file."
    broken = errors.bad_image(file.field, message)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(file.data))
            if picture.format != _MIME_FORMATS[file.mime] or getattr(picture, "n_frames", 1) > 1:
                raise broken
            picture.load()
            odd = read_odd_png(file.data)
            if odd is not None:
                odd.info["exif"] = picture.info.get("exif", b"")
            return odd or picture
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise broken from None


def _has_alpha(picture: Image.Image) -> bool:
    return picture.mode in _MODES_WITH_ALPHA or "transparency" in picture.info


def _least_alpha(rgba: Image.Image) -> int:
    return min(level for level, count in enumerate(rgba.getchannel("A").histogram()) if count)


def _open_image(rules: ModelRules, file: Upload) -> Opened:
    _check_file(file, rules.input_types, rules.max_input_bytes)
    picture = ImageOps.exif_transpose(_decode(file))
    if rules.square_inputs and picture.width != picture.height:
        raise errors.bad_image(file.field, "Uploaded image must be a square PNG and less than 4 MB.")
    rgba = picture.convert("RGBA")
    return Opened(rgba, _has_alpha(picture) and _least_alpha(rgba) == 0)


def _open_overlay(file: Upload, size: WxH) -> Image.Image:
    """A mask or markup: a PNG with alpha, of the size of the first image; markup must be clear somewhere."""
    _check_file(file, ("image/png",), _MASK_BYTES)
    picture = _decode(file)
    if not _has_alpha(picture):
        raise errors.bad_image(file.field, f"Invalid {file.field} image format - it must have an alpha channel.")
    if picture.size != size:
        message = f"Invalid {file.field}: its size {picture.size} is not the size {size} of the first image."
        raise errors.bad_image(file.field, message)
    rgba = picture.convert("RGBA")
    if file.field == "markup" and _least_alpha(rgba) > 0:
        raise errors.bad_image("markup", "Invalid markup image: it must contain transparent pixels.")
    return rgba
