"""All uploads of one command at once: pictures made ready side by side, then the one thing that says where to edit.

These are the functions commands call; they run everything beside the event loop. Nothing here spends money, and every
refusal is a ``BadUpload`` that comes before any reservation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.imaging.masks import (
    MAX_MASK_BYTES,
    PreparedMask,
    check_markup,
    mask_from_area,
    mask_from_image,
    mask_from_transparency,
    preview_markup,
    preview_mask,
)
from bot.imaging.pixels import MAX_PIXELS
from bot.imaging.threads import offload
from bot.imaging.uploads import PreparedImage, as_png, prepare_image
from bot.rules.catalogue.model import InputRule
from bot.rules.requests import InputImage, Inputs
from bot.rules.uploads import BadUpload, Count, Note, Options, UploadProblem


@dataclass(frozen=True, slots=True)
class Where:
    """What a member said about where to edit; at most one of ``mask``/``area``/``markup`` may be given.

    ``use_transparency``: the first picture's own transparent parts count if nothing else is given.
    ``needed``: the model edits only with a mask (dall-e-2).
    """

    mask: bytes | None = None
    area: str | None = None
    markup: bytes | None = None
    use_transparency: bool = True
    needed: bool = False
    max_bytes: int = MAX_MASK_BYTES


NOWHERE = Where(use_transparency=False)


@dataclass(frozen=True, slots=True)
class PreparedInputs:
    """Ready to be sent. ``notes`` are in the order of the uploads, the mask's last; ``images`` tell sizes and boxes."""

    inputs: Inputs
    images: tuple[PreparedImage, ...]
    notes: tuple[Note, ...]
    lane: str

    async def preview(self) -> bytes | None:
        """The first picture with its mask (or markup) over it, as PNG; None where there is neither."""
        first = self.inputs.images[0]
        if self.inputs.mask is not None:
            return await offload(self.lane, preview_mask, first.data, self.inputs.mask.data)
        if self.inputs.markup is not None:
            return await offload(self.lane, preview_markup, first.data, self.inputs.markup.data)
        return None


async def prepare_inputs(
    uploads: Sequence[tuple[str, bytes]],
    *,
    rule: InputRule,
    where: Where = NOWHERE,
    target_long_edge: int | None = None,
    max_pixels: int = MAX_PIXELS,
    lane: str,
) -> PreparedInputs:
    """Every picture and the mask of one request made ready. ``uploads`` are (option name, bytes). Raises ``BadUpload``.

    ``lane`` is the server's: its pictures wait for each other, others' do not wait for them.

    Where there is a mask the first picture goes out as PNG too if the model takes PNG: services want both alike.
    """
    _check_counts(uploads, rule, where)
    masked = where.mask is not None or where.area is not None
    needs_png = masked and "png" in rule.formats
    work = [
        offload(
            lane,
            prepare_image,
            data,
            name=name,
            rule=rule,
            max_pixels=max_pixels,
            target_long_edge=target_long_edge,
            need_format="png" if needs_png and index == 0 else None,
        )
        for index, (name, data) in enumerate(uploads)
    ]
    images = list(await asyncio.gather(*work))
    mask = await _mask(images[0], where, uploads[0][0], lane)
    if mask is not None and not masked and where.markup is None and "png" in rule.formats:
        images[0] = await offload(lane, as_png, images[0], rule.max_bytes)
    notes = [note for image in images for note in image.notes] + list(mask.notes if mask else ())
    sent = None if mask is None else mask.image
    is_markup = where.markup is not None
    named = _with_own_names(images)
    inputs = Inputs(named, mask=None if is_markup else sent, markup=sent if is_markup else None)
    return PreparedInputs(inputs, tuple(images), tuple(notes), lane)


def _check_counts(uploads: Sequence[tuple[str, bytes]], rule: InputRule, where: Where) -> None:
    if not uploads:
        raise BadUpload(UploadProblem.EMPTY, "image")
    if len(uploads) > rule.max_images:
        name = uploads[rule.max_images][0]
        raise BadUpload(UploadProblem.TOO_MANY, name, Count(len(uploads)), Count(rule.max_images))
    ways = {"mask": where.mask, "area": where.area, "markup": where.markup}
    given = tuple(name for name, way in ways.items() if way is not None)
    if len(given) > 1:
        raise BadUpload(UploadProblem.MASK_TWICE, given[-1], Options(given))


async def _mask(first: PreparedImage, where: Where, name: str, lane: str) -> PreparedMask | None:
    if where.mask is not None:
        return await offload(lane, mask_from_image, where.mask, target=first, max_bytes=where.max_bytes)
    if where.area is not None:
        return await offload(lane, mask_from_area, where.area, target=first, max_bytes=where.max_bytes)
    if where.markup is not None:
        return await offload(lane, check_markup, where.markup, target=first)
    mask = None
    if where.use_transparency:
        mask = await offload(lane, mask_from_transparency, first, name=name, max_bytes=where.max_bytes)
    if mask is None and where.needed:
        raise BadUpload(UploadProblem.MASK_NEEDED, "mask")
    return mask


def _with_own_names(images: Sequence[PreparedImage]) -> tuple[InputImage, ...]:
    return tuple(
        replace(image.image, name=f"image-{number}.{image.image.name.rpartition('.')[2]}")
        for number, image in enumerate(images, 1)
    )
