"""Pictures as files that Discord takes: named by us, with alt text, made smaller only where they must be."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from bot.imaging.fit import CannotFit, Fitted, fit_for_upload
from bot.imaging.headers import carries_marks
from bot.imaging.svg import svg_to_png
from bot.imaging.threads import offload, offload_process
from bot.ports import CannotDeliver
from bot.rules.ledger import Job
from bot.rules.requests import MadeImage
from bot.ui.messages import MAX_FILES, REQUEST_LIMIT, File
from bot.ui.words.text import ALT_LIMIT, cut
from bot.ui.words.titles import title_of

log = logging.getLogger(__name__)

SVG_PREVIEW_PX = 1024
EXTENSIONS = {"jpeg": "jpg"}


@dataclass(frozen=True, slots=True)
class NamedPicture:
    """A picture to show; ``stem`` is its file's name up to the ending."""

    stem: str
    alt: str
    image: MadeImage


@dataclass(frozen=True, slots=True)
class Packed:
    """``shrunk``: at least one picture is not the original any more, or is not there. ``unmarked``: at least one has
    lost the C2PA marks of its origin on the way."""

    files: tuple[File, ...]
    shrunk: bool
    unmarked: bool = False

    def has(self, picture: NamedPicture) -> bool:
        """Whether the picture is there in any form."""
        return any(file.name.rpartition(".")[0] == picture.stem for file in self.files)


def file_stem(job_id: str, number: int = 1) -> str:
    """A name that holds nothing anybody else chose."""
    return f"{job_stem(job_id)}-{number}"


def job_stem(job_id: str) -> str:
    """How the names of all pictures of a job begin."""
    return f"easel-{job_id[:8].lower()}"


def alt_of(job: Job, locale: str) -> str:
    return cut(title_of(job.request, locale), ALT_LIMIT)


async def pack(
    pictures: Sequence[NamedPicture],
    *,
    limit_bytes: int,
    spoiler: bool,
    lane: str,
    text: str | None = None,
    share: float = 1.0,
) -> Packed:
    """The pictures within the limits, an SVG with a PNG of it, and ``text`` as a file where there is room for it.

    ``share`` below 1 aims under the limits, after Discord found the message too large all the same. What cannot be
    made to fit is left out. Raises ``CannotDeliver`` where no picture can be shown.
    """
    alts = {picture.stem: picture.alt for picture in pictures}
    total = REQUEST_LIMIT - len(text.encode()) if text else REQUEST_LIMIT
    drawn = await _with_previews(pictures[:MAX_FILES], lane)
    fitted = await _fitted(drawn, int(limit_bytes * share), int(total * share), lane)
    files = [File(one.name, one.data, alts[one.name.rpartition(".")[0]], spoiler) for one in fitted]
    if text and len(files) < MAX_FILES:
        files.append(File("prompt.txt", text.encode()))
    changed = [one for one in fitted if one.changed is not None]
    originals = {picture.stem: picture.image.data for picture in pictures}
    unmarked = any(
        carries_marks(originals[one.name.rpartition(".")[0]]) and not carries_marks(one.data) for one in changed
    )
    return Packed(tuple(files), shrunk=bool(changed) or len(fitted) < len(drawn), unmarked=unmarked)


async def _with_previews(pictures: Sequence[NamedPicture], lane: str) -> list[tuple[str, bytes, str]]:
    """Every picture as (name, bytes, format), an SVG with a PNG of it where there is room for one more file."""
    drawn = [
        (f"{one.stem}.{EXTENSIONS.get(one.image.format, one.image.format)}", one.image.data, one.image.format)
        for one in pictures
    ]
    for one in pictures:
        if one.image.format == "svg" and len(drawn) < MAX_FILES:
            preview = await offload_process(lane, svg_to_png, one.image.data, SVG_PREVIEW_PX)
            if preview is not None:
                drawn.append((f"{one.stem}.png", preview, "png"))
    return drawn


async def _fitted(pictures: list[tuple[str, bytes, str]], per_file: int, total: int, lane: str) -> list[Fitted]:
    if all(len(data) <= per_file for _, data, _ in pictures) and sum(len(data) for _, data, _ in pictures) <= total:
        return [Fitted(*picture) for picture in pictures]
    while pictures:
        try:
            return await offload(lane, fit_for_upload, pictures, per_file, total)
        except CannotFit as unfit:
            log.warning("%s", unfit)
            pictures = [picture for picture in pictures if picture[0] != unfit.name]
    raise CannotDeliver("no picture can be made to fit")
