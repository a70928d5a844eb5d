"""From what a person typed and attached to an ``Order``: the same few steps for commands, buttons, menus and forms."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from bot.core.jobs.intake import Quote
from bot.imaging.edits import PreparedInputs, Where, prepare_inputs
from bot.imaging.threads import offload
from bot.imaging.uploads import check_upload
from bot.rules.catalogue.chat import EDGE_PX
from bot.rules.catalogue.model import Model
from bot.rules.options.checks import Uploaded
from bot.rules.options.prompts import read_prompt_file, says_nothing
from bot.rules.options.table import RawOptions
from bot.rules.people import Asker
from bot.rules.requests import Endpoint, ImageRequest, Inputs, Kind
from bot.rules.uploads import BadUpload, UploadProblem, useful_edge_px
from bot.ui.orders.attachments import Source, read_all
from bot.ui.orders.submit import Gather, Order
from bot.ui.shell import Shell

SMALLEST = (1, 1)
"""The size of a picture that nobody has seen yet: no other costs less."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One command as it was given. ``pictures`` and what says where to edit are read when their turn comes.

    ``about`` are the words behind the picture that it goes on from, where Easel made it, and
    ``way`` is where that is extended.
    ``look`` is the name of a saved one. ``with_own``: the person's own defaults hold; not where it goes on from a
    picture that is there. ``inputs_of`` is the job whose pictures are taken once more, ``given`` what is known of them.
    """

    kind: Kind
    raw: RawOptions
    model: str | None = None
    prompt_file: Source | None = None
    pictures: Sequence[Source] = field(default_factory=tuple)
    mask: Source | None = None
    markup: Source | None = None
    area: str | None = None
    about: str = ""
    way: str = ""
    look: str | None = None
    with_own: bool = True
    inputs_of: str = ""
    given: Uploaded | None = None


def gather(shell: Shell, wish: Wish) -> Gather:
    """How to make an ``Order`` of the wish."""

    async def gathered(asker: Asker, private: bool) -> Order:
        raw = replace(await _with_file(wish), private=private)
        whole = replace(wish, raw=raw)
        if not wish.pictures:
            quote = await priced(shell, asker, whole, ())
            return Order(quote, await _inputs_of(shell, wish.inputs_of), quote.notes)
        quote, ready = await ready_inputs(shell, asker, whole, spends=True)
        return Order(quote, ready.inputs, (*quote.notes, *ready.notes))

    return Gathering(wish, gathered)


async def _inputs_of(shell: Shell, job_id: str) -> Inputs:
    """What a job was made from, kept as it was sent. Raises ``BadUpload``."""
    inputs = await shell.pictures.inputs(job_id) if job_id else Inputs()
    if inputs is None:
        raise BadUpload(UploadProblem.GONE, "image")
    return inputs


@dataclass(frozen=True, slots=True)
class Gathering:
    """A ``Gather`` that knows its wish."""

    wish: Wish
    gathered: Gather

    async def __call__(self, asker: Asker, private: bool) -> Order:
        return await self.gathered(asker, private)


async def rough_quote(shell: Shell, asker: Asker, wish: Wish) -> Quote:
    """Rights, options and price of a wish before any of its files is read; refused words are not counted. Raises
    ``UserError``."""
    raw = wish.raw
    if wish.prompt_file is not None and says_nothing(raw.prompt):
        raw = replace(raw, prompt=wish.prompt_file.name)  # something to go by
    return await _ask(shell.intake.quote, asker, replace(wish, raw=raw), (SMALLEST,) * len(wish.pictures))


def uploaded(wish: Wish, sizes: tuple[tuple[int, int], ...]) -> Uploaded:
    """What comes with the wish, as rules know it."""
    return wish.given or Uploaded(
        sizes=sizes,
        has_mask=wish.mask is not None or wish.area is not None,
        has_markup=wish.markup is not None,
        based_on=wish.about,
        way=wish.way,
    )


async def ready_inputs(shell: Shell, asker: Asker, wish: Wish, *, spends: bool = False) -> tuple[Quote, PreparedInputs]:
    """Rights, options and (where it ``spends``) limits checked; then pictures read, and made ready for the model.

    Law: nothing is fetched or decoded for who may not have it. Raises ``UserError``; nothing was sent or spent.
    """
    rough = await priced(shell, asker, wish, (SMALLEST,) * len(wish.pictures))
    if spends:
        await shell.intake.check_room(asker, rough)
    sources = [*wish.pictures, *(source for source in (wish.mask, wish.markup) if source is not None)]
    async with shell.uploads.hold(asker.place.key, sum(source.size for source in sources)):
        return await _made_ready(shell, asker, wish, await read_all(sources))


async def _made_ready(
    shell: Shell, asker: Asker, wish: Wish, read: Sequence[tuple[str, bytes]]
) -> tuple[Quote, PreparedInputs]:
    """``read`` are the pictures of the wish, then what says where to edit, by option."""
    pictures, others = read[: len(wish.pictures)], dict(read[len(wish.pictures) :])
    lane = asker.place.key
    checked = await asyncio.gather(*(offload(lane, check_upload, data, name=name) for name, data in pictures))
    quote = await priced(shell, asker, wish, tuple(one.size for one in checked))
    request = quote.request
    model = shell.catalogue.get(request.model)
    if model is None or request.endpoint not in model.inputs:
        raise LookupError(f"{request.model} has no rule for pictures at {request.endpoint}")
    ready = await prepare_inputs(
        pictures,
        rule=model.inputs[request.endpoint],
        where=_where(model, request, wish, others),
        target_long_edge=EDGE_PX if request.is_words else useful_edge_px(request.size),
        lane=lane,
    )
    if ready.inputs.mask is not None and not request.has_mask:  # the picture's own transparency; it costs like a mask
        repriced = await shell.intake.reprice(asker, replace(request, has_mask=True))
        quote = replace(repriced, notes=quote.notes)
    return quote, ready


async def priced(shell: Shell, asker: Asker, wish: Wish, sizes: tuple[tuple[int, int], ...]) -> Quote:
    """Rights, options and price for pictures of these sizes. Raises ``UserError``."""
    return await _ask(shell.intake.prepare, asker, wish, sizes)


async def _ask(
    ask: Callable[..., Awaitable[Quote]], asker: Asker, wish: Wish, sizes: tuple[tuple[int, int], ...]
) -> Quote:
    """By ``Intake.prepare`` or ``Intake.quote``, which ask the same."""
    return await ask(
        asker,
        wish.kind,
        wish.raw,
        model=wish.model,
        uploaded=uploaded(wish, sizes),
        about=wish.about,
        look=wish.look,
        with_own=wish.with_own,
    )


def _where(model: Model, request: ImageRequest, wish: Wish, others: dict[str, bytes]) -> Where:
    edits = request.endpoint is Endpoint.EDITS and wish.kind is Kind.EDIT
    where = Where(
        mask=others.get("mask"),
        area=wish.area,
        markup=others.get("markup"),
        use_transparency=edits and model.mask_max_bytes is not None and wish.markup is None,
        needed=edits and model.inputs[request.endpoint].square,
    )
    return where if model.mask_max_bytes is None else replace(where, max_bytes=model.mask_max_bytes)


async def _with_file(wish: Wish) -> RawOptions:
    """The options with the prompt file's text for a prompt, after what was typed beside it."""
    if wish.prompt_file is None:
        return wish.raw
    text = read_prompt_file(await wish.prompt_file.read(), wish.prompt_file.name)
    typed = wish.raw.prompt.strip()
    prompt = text if says_nothing(typed) else f"{typed}\n\n{text}"
    return replace(wish.raw, prompt=prompt)
