"""What is kept of a job: its results (``0.png`` …) with their bill, its inputs (``in-0.png`` …), mask and markup, and a
small copy of the first result."""

from __future__ import annotations

import json
import logging
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from bot.imaging.inspect import look
from bot.imaging.sheets import thumbnail
from bot.imaging.threads import offload, offload_process
from bot.ports import Bundle, Files, Gate, Kept
from bot.rules.errors import StorageTrouble
from bot.rules.ledger import Bill, Job
from bot.rules.money import MicroUSD
from bot.rules.requests import InputImage, Inputs, Made, MadeImage

log = logging.getLogger(__name__)

SMALL = "small-0.webp"
SMALL_EDGE_PX = 320

MIME = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Results:
    """What ``keep_results`` was given."""

    images: tuple[MadeImage, ...]
    bill: Bill
    revised: str | None


class Pictures:
    """Files of jobs by meaning. A missing file is None, never an error: originals are not kept for ever.

    Results that no disk takes are held here, and found like any other, until they are shown or kept after all.
    """

    def __init__(self, files: Files, gate: Gate) -> None:
        self._files = files
        self._gate = gate
        self._unkept: dict[str, Results] = {}

    async def keep_results(self, job_id: str, made: Sequence[Made], bill: Bill, revised: str | None) -> None:
        """Keeps every picture, and the bill behind them, for good, before the ledger says *produced*. Raises
        ``StorageTrouble``.
        """
        self._unkept[job_id] = Results(tuple(image for one in made for image in one.images), bill, revised)
        await self._keep(job_id, self._unkept[job_id])

    async def _keep(self, job_id: str, results: Results) -> None:
        files = tuple((f"{number}.{image.format}", image.data) for number, image in enumerate(results.images))
        bill = results.bill
        told = {
            "charged": bill.charged_micro_usd,
            "images": bill.images,
            "request": bill.request_id,
            "by": bill.drawn_by,
        }
        told["revised"] = results.revised
        async with self._gate.place() as place:
            await place.take(holds=True)
            await self._files.keep(job_id, Kept.RESULTS, Bundle(files, json.dumps(told)))
        self._unkept.pop(job_id, None)

    async def keep_the_unkept(self) -> None:
        """Tries again to keep what no disk took."""
        for job_id, results in list(self._unkept.items()):
            try:
                await self._keep(job_id, results)
            except StorageTrouble as problem:
                log.warning("job %s: its pictures are in memory alone (%s)", job_id, problem)

    def lie_elsewhere(self, job: Job) -> bool:
        """Whether the job's pictures were kept where this process may not see them."""
        return bool(job.pictures_at) and job.pictures_at not in self._files.places

    def aside(self, job_id: str) -> str | None:
        """Where its pictures had to be kept instead of where all machines see them."""
        return self._files.aside(job_id)

    def shown(self, job_id: str) -> None:
        """Somebody has them now: what no disk took need not be held any more."""
        self._unkept.pop(job_id, None)

    async def kept_bill(self, job_id: str) -> tuple[Bill, str | None] | None:
        """Bill and revised prompt of pictures that all lie here, for a process that died before it wrote *produced*.

        None where anything is missing.
        """
        if (held := self._unkept.get(job_id)) is not None:
            return held.bill, held.revised
        found = await self._files.read(job_id, Kept.RESULTS)
        if found is None or found.note is None:
            return None
        told = json.loads(found.note)
        bill = Bill(
            MicroUSD(told["charged"]),
            told["images"],
            estimated=True,
            request_id=told["request"],
            drawn_by=told.get("by"),
        )
        return bill, told["revised"]

    async def results(self, job_id: str) -> list[MadeImage]:
        if (held := self._unkept.get(job_id)) is not None:
            return list(held.images)
        found = await self._files.read(job_id, Kept.RESULTS)
        return [await self._measured(*file) for file in found.files] if found else []

    async def result(self, job_id: str, index: int) -> MadeImage | None:
        if (held := self._unkept.get(job_id)) is not None:
            return held.images[index] if index < len(held.images) else None
        found = await self._files.read(job_id, Kept.RESULTS)
        for name, data in found.files if found else ():
            if name.partition(".")[0] == str(index):
                return await self._measured(name, data)
        return None

    async def small(self, job_id: str, *, lane: str) -> bytes | None:
        """A small copy of the first picture, drawn once and then kept beside it; None where nothing can be drawn."""
        found = await self._files.read(job_id, Kept.SMALL)
        if found is not None:
            return found.files[0][1]
        original = await self.result(job_id, 0)
        if original is None:
            return None
        run = offload_process if original.format == "svg" else offload
        drawn = await run(lane, thumbnail, original.data, SMALL_EDGE_PX)
        if drawn is not None:
            try:
                await self._files.keep(job_id, Kept.SMALL, Bundle(((SMALL, drawn),)))
            except StorageTrouble:
                log.warning("job %s: its small copy could not be kept; it is drawn again the next time", job_id)
        return drawn

    async def keep_inputs(self, job_id: str, inputs: Inputs) -> None:
        """Keeps what was uploaded so that *Again* works later; whatever fails only costs that."""
        named = [(f"in-{number}", image) for number, image in enumerate(inputs.images)]
        named += [(name, image) for name, image in (("mask", inputs.mask), ("markup", inputs.markup)) if image]
        files = tuple((f"{name}.{image.mime.partition('/')[2]}", image.data) for name, image in named)
        try:
            await self._files.keep(job_id, Kept.INPUTS, Bundle(files))
        except Exception:
            log.warning("job %s: its inputs could not be kept; Again will ask for the picture", job_id, exc_info=True)

    async def inputs(self, job_id: str) -> Inputs | None:
        """The inputs of a job as they were sent; None when they are no longer kept."""
        found = await self._files.read(job_id, Kept.INPUTS)
        if found is None:
            return None
        seen = {name: await _as_input(name, data) for name, data in found.files}
        images = tuple(image for name, image in seen.items() if name.startswith("in-"))
        return Inputs(images, seen.get("mask.png"), seen.get("markup.png")) if images else None

    async def forget(self, job_id: str) -> None:
        self._unkept.pop(job_id, None)
        await self._files.remove(job_id)

    @staticmethod
    async def _measured(name: str, data: bytes) -> MadeImage:
        try:
            seen = await look(data, thorough=False)
        except (ValueError, struct.error):
            return MadeImage(data, name.partition(".")[2], 0, 0)
        return MadeImage(data, seen.format, seen.width, seen.height)


async def _as_input(name: str, data: bytes) -> InputImage:
    seen = await look(data, thorough=False)
    return InputImage(name, MIME[seen.format], data, seen.width, seen.height)
