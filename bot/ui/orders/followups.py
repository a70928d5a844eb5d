"""Going on from a picture: again, varied, edited. A new job each time, for and paid by the one who asked."""

from __future__ import annotations

import logging
from dataclasses import replace

import discord

from bot.imaging.svg import svg_to_png
from bot.imaging.threads import offload_process
from bot.rules.catalogue.model import Model
from bot.rules.ledger import Job
from bot.rules.options.checks import Uploaded
from bot.rules.options.table import RawOptions, raw_of
from bot.rules.requests import Endpoint, ImageRequest, Kind, MadeImage
from bot.rules.uploads import BadUpload, UploadProblem
from bot.ui.interactions.failures import TROUBLE
from bot.ui.orders.attachments import Origin, Source, attached, held
from bot.ui.orders.message_parts import attached_to
from bot.ui.orders.submit import Parent, take_on
from bot.ui.orders.wish import Wish, gather
from bot.ui.shell import Interaction, Shell

log = logging.getLogger(__name__)

DRAWN_SVG_PX = 1536


async def again(interaction: Interaction, job: Job, *, prompt: str | None = None) -> None:
    """The same request once more, by today's rules; with other words where there are any."""
    shell = interaction.client.shell
    raw = raw_of(job.request)
    raw = raw if prompt is None else replace(raw, prompt=prompt)
    wish = Wish(job.request.kind, raw, model=job.request.model, about=job.request.based_on, with_own=False)
    if job.request.inputs:
        wish = replace(wish, inputs_of=job.id, given=_given(job.request))
    await take_on(interaction, gather(shell, wish), private=privacy(job), parent=Parent(job.id))


def _given(first: ImageRequest) -> Uploaded:
    return Uploaded(
        first.input_sizes, has_mask=first.has_mask, has_markup=first.has_markup, based_on=first.based_on, way=first.way
    )


async def vary(interaction: Interaction, job: Job, index: int) -> None:
    """A variation of one of the job's pictures."""
    source = await picture_source(interaction, job, index)
    model = _model_for(interaction.client.shell, job.request, Endpoint.VARIATIONS, Endpoint.EDITS)
    raw = carried(job.request, model, prompt="")
    wish = Wish(
        Kind.VARY,
        raw,
        model=model.id if model else None,
        pictures=(source,),
        about=job.request.own_words,
        with_own=False,
    )
    await take_on(
        interaction, gather(interaction.client.shell, wish), private=privacy(job), parent=Parent(job.id, index)
    )


async def edit(interaction: Interaction, job: Job, index: int, prompt: str, mask: discord.Attachment | None) -> None:
    """An edit of one of the job's pictures, as the form asked for it."""
    shell = interaction.client.shell
    source = await picture_source(interaction, job, index)
    model = _model_for(shell, job.request, Endpoint.EDITS)
    wish = Wish(
        Kind.EDIT,
        carried(job.request, model, prompt=prompt),
        model=model.id if model else None,
        pictures=(source,),
        mask=attached(shell, mask, "mask") if mask is not None else None,
        about=job.request.own_words,
        with_own=False,
    )
    await take_on(interaction, gather(shell, wish), private=privacy(job), parent=Parent(job.id, index))


async def picture_source(interaction: Interaction, job: Job, index: int) -> Source:
    """One of the job's pictures: the kept original, else what hangs at the message. Raises ``BadUpload``."""
    original = await kept_picture(interaction.client.shell, job.id, index, job.asker.place.key)
    if original is not None:
        return held("image", original, Origin(job_id=job.id, index=index))
    pictures = attached_to(interaction.message) or attached_to(await _message_of(interaction, job))
    if index < len(pictures):
        return attached(interaction.client.shell, pictures[index], "image")
    raise BadUpload(UploadProblem.GONE, "image")


async def _message_of(interaction: Interaction, job: Job) -> discord.Message | None:
    """The message with the job's pictures, for a press in another; None where the bot cannot read it."""
    if job.message_id is None or job.message_channel_id is None:
        return None
    channel = interaction.client.get_partial_messageable(job.message_channel_id)
    try:
        return await channel.fetch_message(job.message_id)
    except TROUBLE as error:
        log.info("job %s: its message cannot be read: %s", job.id, type(error).__name__)
        return None


async def kept_picture(shell: Shell, job_id: str, index: int, lane: str) -> MadeImage | None:
    """A kept original, as models take it in."""
    original = await shell.pictures.result(job_id, index)
    return None if original is None else await _without_svg(original, lane)


async def _without_svg(picture: MadeImage, lane: str) -> MadeImage:
    """An SVG is drawn: no model takes one in."""
    if picture.format != "svg":
        return picture
    drawn = await offload_process(lane, svg_to_png, picture.data, DRAWN_SVG_PX)
    return picture if drawn is None else replace(picture, data=drawn, format="png")


def privacy(job: Job) -> bool | None:
    """What goes on from a private picture stays private; the rest is as the place has it."""
    return True if job.request.private else None


def _model_for(shell: Shell, request: ImageRequest, *endpoints: Endpoint) -> Model | None:
    """The job's model if it can do this too; None: the place's default."""
    model = shell.catalogue.get(request.model)
    return model if model is not None and model.endpoints & set(endpoints) else None


def carried(request: ImageRequest, model: Model | None, *, prompt: str) -> RawOptions:
    """Size, quality and format of the original where its model makes the new one too."""
    if model is None:
        return RawOptions(prompt=prompt)
    return RawOptions(prompt=prompt, size=request.size, quality=request.quality, format=_still(request.format))


def _still(image_format: str | None) -> str | None:
    return None if image_format in ("gif", "svg") else image_format
