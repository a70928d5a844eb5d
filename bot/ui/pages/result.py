"""The shapes of messages: a result, details of a job, the line that says where a job stands.

All foreign text goes through ``bot.ui.words.text``; no embed comes near Discord's 6000 characters, and what does not
fit is handed back as a text file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import discord

from bot.ports import Progress, Stage
from bot.rules.ledger import Job
from bot.rules.options.table import OPTIONS, Shown
from bot.rules.requests import ImageRequest, Kind, Made, MadeImage
from bot.rules.uploads import Note, NoteKind
from bot.ui.words.catalogue import say
from bot.ui.words.numbers import duration, money, number, ordinal
from bot.ui.words.text import FIELD_LIMIT, clean, escaped, fits, inline
from bot.ui.words.uploads import note_words

COLOUR = discord.Colour(0xE4572E)
PROMPT_ROOM = 3000
REVISED_ROOM = 1000
NOTES_TOLD = frozenset(
    {
        NoteKind.PADDED,
        NoteKind.MASK_FITTED,
        NoteKind.MASK_FROM_WHITE,
        NoteKind.MASK_GREY,
        NoteKind.MASK_FROM_TRANSPARENCY,
        NoteKind.SCALED,
        NoteKind.LOOK,
        NoteKind.OWN,
    }
)
"""What changes the outcome. Turning a photo upright or dropping its metadata goes without saying."""


@dataclass(frozen=True, slots=True)
class Told:
    """An embed, and the full text of what had to be cut in it (None: nothing was)."""

    embed: discord.Embed
    full_text: str | None = None


def result(
    job: Job,
    made: Sequence[Made],
    took_s: float,
    locale: str,
    *,
    show_cost: bool,
    notes: Sequence[Note] = (),
    shrunk: bool = False,
) -> Told:
    """What stands beside the pictures: prompt, revised prompt, model, size, quality, cost, time, and remarks."""
    images = [image for one in made for image in one.images]
    embed, full_text = _with_prompts(job.request, _revised(images) or job.revised_prompt, locale)
    for name, value in _figures(job, made, images, took_s, locale, show_cost):
        embed.add_field(name=name, value=value, inline=True)
    remarks = look_line(job.request, locale)
    remarks += [say(locale, "result.shrunk")] if shrunk else []
    if len(images) < job.request.count:
        remarks.append(say(locale, "result.fewer", made=len(images), asked=job.request.count))
    remarks += _otherwise(job.request, made, images, locale)
    remarks += [line for note in notes if (line := note_line(note, locale))]
    if remarks:
        embed.set_footer(text="\n".join(remarks)[:FIELD_LIMIT])
    return Told(embed, full_text)


def look_line(request: ImageRequest, locale: str) -> list[str]:
    """``look: noir``; nothing where there was none."""
    return [say(locale, "style.look", name=clean(request.look, 60))] if request.look else []


def _otherwise(request: ImageRequest, made: Sequence[Made], images: Sequence[MadeImage], locale: str) -> list[str]:
    """What came otherwise than it was asked for, a line each. GIF and SVG have sizes of their own."""
    lines = []
    if options := ", ".join(dict.fromkeys(name for one in made for name in one.left_out)):
        lines.append(say(locale, "result.left_out", options=options))
    still = [image for image in images if image.format not in {"gif", "svg"} and image.width > 0]
    sizes = dict.fromkeys(f"{image.width}x{image.height}" for image in still)
    formats = dict.fromkeys(image.format for image in images)
    for asked, came in ((request.size, sizes), (request.format, formats)):
        if asked not in (None, "auto") and (other := ", ".join(one for one in came if one != asked)):
            lines.append(say(locale, "result.other_made", asked=asked, made=other))
    background = next((one.background for one in made if one.background), None)
    if background and request.background not in (None, "auto", background):
        lines.append(say(locale, "result.background_made", asked=request.background, made=background))
    return lines


def _with_prompts(request: ImageRequest, revised: str | None, locale: str) -> tuple[discord.Embed, str | None]:
    prompt = request.shown_prompt or (request.prompt if request.kind is not Kind.VARY else "")
    embed = discord.Embed(colour=COLOUR, description=escaped(prompt, PROMPT_ROOM) or None)
    if request.kind is not Kind.IMAGINE:
        embed.set_author(name=say(locale, "result.edit" if request.kind is Kind.EDIT else "result.variation"))
    if revised and revised.strip() != prompt.strip():
        embed.add_field(name=say(locale, "result.revised"), value=escaped(revised, REVISED_ROOM) or "–", inline=False)
    whole = fits(prompt, PROMPT_ROOM) and fits(revised or "", REVISED_ROOM)
    return embed, None if whole else prompts_in_full(prompt, revised, locale)


def prompts_in_full(prompt: str, revised: str | None, locale: str) -> str:
    """Prompt and revised prompt as a text file, readable in any editor."""
    parts = [f"{say(locale, 'result.prompt')}:\n\n{prompt}"]
    if revised:
        parts.append(f"{say(locale, 'result.revised')}:\n\n{revised}")
    return "\n\n\n".join(parts).encode("utf-8", "replace").decode("utf-8")


def _revised(images: Sequence[MadeImage]) -> str | None:
    return next((image.revised_prompt for image in images if image.revised_prompt), None)


def _figures(
    job: Job, made: Sequence[Made], images: Sequence[MadeImage], took_s: float, locale: str, show_cost: bool
) -> list[tuple[str, str]]:
    really = {
        "size": size_made(job.request, images),
        "quality": next((one.quality for one in made if one.quality), None) or job.request.quality,
    }
    options = [option for option in OPTIONS if option.shown is Shown.RESULT]
    told = ((option.name, really.get(option.name, option.chosen(job.request))) for option in options)
    figures = [
        (say(locale, "result.model"), inline(job.request.model)),
        *((say(locale, f"result.{name}"), escaped(str(value or ""), 40)) for name, value in told),
        (say(locale, "result.cost"), cost(job, locale) if show_cost else ""),
        (say(locale, "result.time"), duration(locale, took_s) if took_s > 0 else ""),
        (say(locale, "details.by"), _asker(job, locale) if job.parent_id else ""),
    ]
    return [(name, value) for name, value in figures if value]


def size_made(request: ImageRequest, images: Sequence[MadeImage]) -> str:
    """The true size of the pictures, else what was asked for."""
    sizes = {(image.width, image.height) for image in images if image.width > 0}
    if len(sizes) == 1:
        width, height = sizes.pop()
        return f"{width}x{height}"
    return request.size or ""


def cost(job: Job, locale: str) -> str:
    """What the job was charged, with ``≈`` where the service reported no usage."""
    if job.charged_micro_usd == 0:
        return say(locale, "result.free")
    amount = money(locale, job.charged_micro_usd)
    return say(locale, "result.about", amount=amount) if job.bill is not None and job.bill.estimated else amount


def note_line(note: Note, locale: str) -> str:
    """What was done to an upload, where that is worth telling."""
    return note_words(note, locale) if note.kind in NOTES_TOLD else ""


def progress_line(progress: Progress, locale: str) -> str:
    """Where the job stands, in one line."""
    eta = say(locale, "progress.eta", time=duration(locale, progress.eta_s)) if progress.eta_s else None
    match progress.stage:
        case Stage.QUEUED if progress.position is not None and eta is not None:
            return say(locale, "progress.queued", position=ordinal(locale, progress.position), eta=eta)
        case Stage.QUEUED:
            return say(locale, "progress.queued_soon")
        case Stage.DRAWING if eta is not None:
            return say(locale, "progress.drawing_eta", eta=eta)
        case Stage.DRAWING:
            return say(locale, "progress.drawing")


def _asker(job: Job, locale: str) -> str:
    """Who asked; who was forgotten since has an id below zero."""
    return f"<@{job.asker.user_id}>" if job.asker.user_id > 0 else say(locale, "details.somebody")


def details(job: Job, parents: Sequence[str], locale: str, *, show_cost: bool) -> Told:
    """Everything about a job, for private reading. ``parents`` are finished lines, the nearest first."""
    embed, full_text = _with_prompts(job.request, job.revised_prompt, locale)
    embed.title = say(locale, "details.title")
    for name, value in (
        (say(locale, "details.by"), _asker(job, locale)),
        (say(locale, "details.state"), say(locale, f"state.{job.state}")),
        (say(locale, "result.model"), inline(job.request.model)),
        (say(locale, "details.options"), _options(job.request, locale)),
        (say(locale, "details.inputs"), _inputs(job.request, locale)),
        (say(locale, "details.charged"), _charged(job, locale) if show_cost else ""),
        (say(locale, "details.tokens"), _tokens(job, locale)),
        (say(locale, "result.time"), _took(job, locale)),
        (say(locale, "details.made"), f"<t:{int(job.created_at.timestamp())}:f>"),
        (say(locale, "details.parents"), "\n".join(parents)[:FIELD_LIMIT]),
        (say(locale, "details.job"), f"`{job.id}`"),
    ):
        if value:
            embed.add_field(name=name, value=value, inline=name != say(locale, "details.parents"))
    if full_text is not None:
        embed.set_footer(text=say(locale, "details.attached"))
    return Told(embed, full_text)


def _options(request: ImageRequest, locale: str) -> str:
    told = [
        f"{option.name} {say(locale, 'word.yes') if value is True else value}"
        for option in OPTIONS
        if option.shown is not Shown.NOWHERE and (value := option.chosen(request)) is not None
    ]
    return escaped(" · ".join([*told, *look_line(request, locale)]), FIELD_LIMIT)


def _inputs(request: ImageRequest, locale: str) -> str:
    if not request.inputs:
        return ""
    parts = [number(locale, request.inputs), *(f"{width}x{height}" for width, height in request.input_sizes[:4])]
    parts += [say(locale, "details.mask_used")] if request.has_mask else []
    parts += [say(locale, "details.markup_used")] if request.has_markup else []
    return " · ".join(parts)


def _charged(job: Job, locale: str) -> str:
    if job.bill is None:
        return f"{money(locale, job.reserved_micro_usd)} ({say(locale, 'details.reserved')})"
    amount = money(locale, job.charged_micro_usd)
    return say(locale, "details.estimated", amount=amount) if job.bill.estimated else amount


def _tokens(job: Job, locale: str) -> str:
    usage = job.bill.usage if job.bill is not None else None
    if usage is None or not usage.is_known:
        return ""
    return say(
        locale,
        "details.tokens_line",
        text=number(locale, usage.input_text_tokens),
        images=number(locale, usage.input_image_tokens),
        out=number(locale, usage.output_tokens),
    )


def _took(job: Job, locale: str) -> str:
    if job.dispatched_at is None or job.produced_at is None:
        return ""
    return duration(locale, (job.produced_at - job.dispatched_at).total_seconds())


def parent_line(parent: Job, locale: str, *, visible: bool) -> str:
    """One step of how a picture came about; the prompt only where the reader could have seen it."""
    when = f"<t:{int(parent.created_at.timestamp())}:R>"
    kind = say(locale, f"kind.{parent.request.kind}")
    if not visible:
        return say(locale, "details.parent_hidden", kind=kind, when=when)
    prompt = escaped(parent.request.shown_prompt or parent.request.prompt, 80)
    return say(locale, "details.parent", kind=kind, when=when, prompt=prompt)
