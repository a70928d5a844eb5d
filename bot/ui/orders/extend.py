"""Zoom out and pan: more of the scene around one of a job's pictures, drawn by an edit. Its words are kept."""

from __future__ import annotations

from dataclasses import replace

from bot.imaging.canvas import put_on_canvas
from bot.imaging.threads import offload
from bot.rules.catalogue.model import Model
from bot.rules.ledger import Job
from bot.rules.options.canvases import Way
from bot.rules.people import Asker
from bot.rules.requests import Endpoint, ImageRequest, Kind
from bot.rules.servers.access import may_use_model, model_by_default
from bot.rules.uploads import Named, Note, NoteKind
from bot.ui.interactions.who import asker_of
from bot.ui.orders.attachments import Source
from bot.ui.orders.followups import carried, picture_source, privacy
from bot.ui.orders.submit import Gather, Order, Parent, take_on
from bot.ui.orders.wish import SMALLEST, Wish, gather, priced
from bot.ui.shell import Interaction, Shell
from bot.ui.words.catalogue import say


async def extend(interaction: Interaction, job: Job, index: int, way: Way) -> None:
    """A new job, for and paid by the one who pressed."""
    source = await picture_source(interaction, job, index)
    words = job.request.own_words or say(asker_of(interaction).locale, "extend.prompt")
    gathering = _on_canvas(interaction.client.shell, job.request, source, way, words)
    await take_on(interaction, gathering, private=privacy(job), parent=Parent(job.id, index))


def _on_canvas(shell: Shell, request: ImageRequest, source: Source, way: Way, words: str) -> Gather:
    async def gathered(asker: Asker, private: bool) -> Order:
        model = await _able_model(shell, asker, request)
        own = model if model.id == request.model else None
        raw = replace(carried(request, own, prompt=words), size=None, private=private)
        wish = Wish(
            Kind.EDIT, raw, model=model.id, pictures=(source,), mask=source, about=words, way=way, with_own=False
        )
        await shell.intake.check_room(asker, await priced(shell, asker, wish, (SMALLEST,)))
        lane = asker.place.key
        async with shell.uploads.hold(lane, source.size):
            canvas, picture, mask = await offload(lane, put_on_canvas, await source.read(), model.sizes, way)
        made = replace(
            wish, raw=replace(raw, size=str(canvas.size)), pictures=(_here("image", picture),), mask=_here("mask", mask)
        )
        order = await gather(shell, made)(asker, private)
        if own is not None:
            return order
        told = Note(NoteKind.OTHER_MODEL, "image", Named(request.model), Named(model.id))
        return replace(order, notes=(*order.notes, told))

    return gathered


def _here(name: str, data: bytes) -> Source:
    async def read() -> bytes:
        return data

    return Source(name, read)


async def _able_model(shell: Shell, asker: Asker, request: ImageRequest) -> Model:
    """The picture's own model where it edits with a mask and may be used here, else the place's default, else the first
    that does and may. Where none does: the default, which says what it cannot."""
    settings = await shell.settings_cache.looks(asker.place)
    default = model_by_default(settings.defaults, shell.config.default_model)
    official, today = shell.config.is_official, shell.clock().date()
    offered = {one.id: one for one in shell.catalogue.offered(official=official, today=today)}
    known = (offered[model_id] for model_id in (request.model, default, *offered) if model_id in offered)
    able = (one for one in known if _can_extend(one) and may_use_model(settings, one.id))
    return next(able, None) or shell.catalogue.choose(default, official=official, today=today)


def _can_extend(model: Model) -> bool:
    return Endpoint.EDITS in model.endpoints and model.mask_max_bytes is not None
