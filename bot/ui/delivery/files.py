"""A job's pictures as files that Discord takes: named by us, with alt text, made smaller only where they must be."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from bot.imaging.fit import CannotFit, Fitted, fit_for_upload
from bot.imaging.svg import svg_to_png
from bot.imaging.threads import offload
from bot.rules.ledger import Job
from bot.rules.requests import MadeImage
from bot.ui.messages import REQUEST_LIMIT, Sheet
from bot.ui.words.text import ALT_LIMIT, clean

log = logging.getLogger(__name__)

MAX_FILES = 10
SVG_PREVIEW_PX = 1024
EXTENSIONS = {"jpeg": "jpg"}


@dataclass(frozen=True, slots=True)
class Parcel:
    """``shrunk``: at least one picture is not the original any more."""

    sheets: tuple[Sheet, ...]
    shrunk: bool


def file_name(job_id: str, number: int, image_format: str) -> str:
    """A name that holds nothing anybody else chose."""
    return f"easel-{job_id[:8].lower()}-{number}.{EXTENSIONS.get(image_format, image_format)}"


async def pack(
    job: Job,
    images: Sequence[MadeImage],
    *,
    limit_bytes: int,
    spoiler: bool,
    text: str | None = None,
    share: float = 1.0,
) -> Parcel:
    """The pictures within the limits, an SVG with a PNG of it, and ``text`` as a file where there is room for it.

    ``share`` below 1 aims under the limits, after Discord found the parcel too large all the same. Raises
    ``CannotFit`` where no picture can be shown.
    """
    alt = clean(job.request.shown_prompt or job.request.prompt, ALT_LIMIT)
    total = REQUEST_LIMIT - len(text.encode()) if text else REQUEST_LIMIT
    drawn = await _with_previews(job, images)
    fitted = await _fitted(drawn, int(limit_bytes * share), int(total * share))
    sheets = [Sheet(one.name, one.data, alt, spoiler) for one in fitted]
    if text and len(sheets) < MAX_FILES:
        sheets.append(Sheet("prompt.txt", text.encode()))
    return Parcel(tuple(sheets), shrunk=any(one.changed is not None for one in fitted) or len(fitted) < len(drawn))


async def _with_previews(job: Job, images: Sequence[MadeImage]) -> list[tuple[str, bytes, str]]:
    drawn = [
        (file_name(job.id, number, image.format), image.data, image.format)
        for number, image in enumerate(images[:MAX_FILES], 1)
    ]
    for number, image in enumerate(images, 1):
        if image.format == "svg" and len(drawn) < MAX_FILES:
            preview = await offload(svg_to_png, image.data, SVG_PREVIEW_PX)
            if preview is not None:
                drawn.append((file_name(job.id, number, "png"), preview, "png"))
    return drawn


async def _fitted(pictures: list[tuple[str, bytes, str]], per_file: int, total: int) -> list[Fitted]:
    if all(len(data) <= per_file for _, data, _ in pictures) and sum(len(data) for _, data, _ in pictures) <= total:
        return [Fitted(*picture) for picture in pictures]
    while True:
        try:
            return await offload(fit_for_upload, pictures, per_file, total)
        except CannotFit as unfit:
            log.warning("%s", unfit)
            pictures = [picture for picture in pictures if picture[0] != unfit.name]
            if not pictures:
                raise
