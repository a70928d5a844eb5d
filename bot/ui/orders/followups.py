"""Going on from a picture: again, varied, edited. A new job each time, for and paid by the one who asked."""

from __future__ import annotations

from dataclasses import replace

import discord

from bot.imaging.svg import svg_to_png
from bot.imaging.threads import offload_process
from bot.rules.catalogue.model import Model
from bot.rules.ledger import Job
from bot.rules.options.checks import Uploaded
from bot.rules.options.table import RawOptions, raw_of
from bot.rules.people import Asker
from bot.rules.requests import Endpoint, ImageRequest, Kind, MadeImage
from bot.rules.uploads import BadUpload, UploadProblem
from bot.ui.orders.attachments import Source, attached, held
from bot.ui.orders.message_parts import attached_to
from bot.ui.orders.submit import Gather, Order, Parent, take_on
from bot.ui.orders.wish import Wish, gather
from bot.ui.shell import Interaction, Shell

DRAWN_SVG_PX = 1536


async def again(interaction: Interaction, job: Job) -> None:
    """The same request once more, by today's rules."""
    shell = interaction.client.shell
    if job.request.inputs:
        gathering = _with_same_inputs(shell, job)
    else:
        gathering = gather(shell, Wish(job.request.kind, raw_of(job.request), model=job.request.model, with_own=False))
    await take_on(interaction, gathering, private=_privacy(job), parent=Parent(job.id))


def _with_same_inputs(shell: Shell, job: Job) -> Gather:
    first = job.request
    uploaded = Uploaded(first.input_sizes, has_mask=first.has_mask, has_markup=first.has_markup)

    async def gathered(asker: Asker, private: bool) -> Order:
        raw = replace(raw_of(first), private=private)
        quote = await shell.intake.prepare(asker, first.kind, raw, model=first.model, uploaded=uploaded, with_own=False)
        inputs = await shell.pictures.inputs(job.id)
        if inputs is None:
            raise BadUpload(UploadProblem.GONE, "image")
        return Order(quote, inputs)

    return gathered


async def vary(interaction: Interaction, job: Job, index: int) -> None:
    """A variation of one of the job's pictures."""
    source = await picture_source(interaction, job, index)
    model = _model_for(interaction.client.shell, job.request, Endpoint.VARIATIONS, Endpoint.EDITS)
    raw = _carried(job.request, model, prompt="")
    wish = Wish(
        Kind.VARY,
        raw,
        model=model.id if model else None,
        pictures=(source,),
        about=job.request.shown_prompt,
        with_own=False,
    )
    await take_on(
        interaction, gather(interaction.client.shell, wish), private=_privacy(job), parent=Parent(job.id, index)
    )


async def edit(interaction: Interaction, job: Job, index: int, prompt: str, mask: discord.Attachment | None) -> None:
    """An edit of one of the job's pictures, as the form asked for it."""
    shell = interaction.client.shell
    source = await picture_source(interaction, job, index)
    model = _model_for(shell, job.request, Endpoint.EDITS)
    wish = Wish(
        Kind.EDIT,
        _carried(job.request, model, prompt=prompt),
        model=model.id if model else None,
        pictures=(source,),
        mask=attached(shell, mask, "mask") if mask is not None else None,
        about=job.request.shown_prompt,
        with_own=False,
    )
    await take_on(interaction, gather(shell, wish), private=_privacy(job), parent=Parent(job.id, index))


async def picture_source(interaction: Interaction, job: Job, index: int) -> Source:
    """One of the job's pictures: the kept original, else what hangs at the message. Raises ``BadUpload``."""
    original = await interaction.client.shell.pictures.result(job.id, index)
    if original is not None:
        return held("image", await _without_svg(original, job.asker.place.key))
    pictures = attached_to(interaction.message)
    if index < len(pictures):
        return attached(interaction.client.shell, pictures[index], "image")
    raise BadUpload(UploadProblem.GONE, "image")


async def _without_svg(picture: MadeImage, lane: str) -> MadeImage:
    """An SVG is drawn: no model takes one in."""
    if picture.format != "svg":
        return picture
    drawn = await offload_process(lane, svg_to_png, picture.data, DRAWN_SVG_PX)
    return picture if drawn is None else replace(picture, data=drawn, format="png")


def _privacy(job: Job) -> bool | None:
    """What goes on from a private picture stays private; the rest is as the place has it."""
    return True if job.request.private else None


def _model_for(shell: Shell, request: ImageRequest, *endpoints: Endpoint) -> Model | None:
    """The job's model if it can do this too; None: the place's default."""
    model = shell.catalogue.get(request.model)
    return model if model is not None and model.endpoints & set(endpoints) else None


def _carried(request: ImageRequest, model: Model | None, *, prompt: str) -> RawOptions:
    """Size, quality and format of the original where its model makes the new one too."""
    if model is None:
        return RawOptions(prompt=prompt)
    return RawOptions(prompt=prompt, size=request.size, quality=request.quality, format=_still(request.format))


def _still(image_format: str | None) -> str | None:
    return None if image_format in ("gif", "svg") else image_format
