"""What stands beside the pictures of a result: the prompt, one line of figures, and what came otherwise than asked.

Law: all foreign text goes through ``bot.ui.words``; the whole is short enough that a phone shows picture and words at
once, and what was cut is handed back as a text file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import discord

from bot.rules.ledger import Job
from bot.rules.options.table import OPTIONS, Shown
from bot.rules.requests import ImageRequest, Kind, Made, MadeImage
from bot.rules.servers.access import Layout
from bot.rules.uploads import Note, NoteKind
from bot.ui.words.catalogue import say
from bot.ui.words.numbers import duration, money
from bot.ui.words.text import clean, cut, cut_at_word, escaped, length, one_line
from bot.ui.words.titles import title_of
from bot.ui.words.uploads import note_words

COLOUR = discord.Colour(0xE4572E)
PROMPT_ROOM = 300
FIGURES_ROOM = 200
NOTICE_ROOM = 100
REMARKS_ROOM = 700
"""So that a plain result, all of it escaped, stays below the 2,000 characters of a message."""

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
        NoteKind.OTHER_MODEL,
        NoteKind.FLAG_READ,
        NoteKind.FLAGS_LEFT_OUT,
    }
)
"""What changes the outcome. Turning a photo upright or dropping its metadata goes without saying."""


@dataclass(frozen=True, slots=True)
class Told:
    """Words or an embed, and the full text of what had to be cut in it (None: nothing was)."""

    content: str | None = None
    embed: discord.Embed | None = None
    full_text: str | None = None


@dataclass(frozen=True, slots=True)
class Looks:
    """How a server wants results, and what its models are called where there is little room. ``notice``: see
    ``ai_notice``."""

    show_cost: bool = True
    layout: Layout = Layout.EMBED
    name_of: Callable[[str], str] = field(default=str)
    notice: str | None = None


def result(
    job: Job,
    made: Sequence[Made],
    took_s: float,
    locale: str,
    looks: Looks,
    *,
    notes: Sequence[Note] = (),
    shrunk: bool = False,
    unmarked: bool = False,
) -> Told:
    """The prompt, who asked for what goes on from another picture, the revised prompt, figures, and remarks."""
    images = [image for one in made for image in one.images]
    title, revised = title_of(job.request, locale), one_line(_revised(images) or job.revised_prompt or "")
    if revised == title:
        revised = ""
    short, short_revised = cut_at_word(title, PROMPT_ROOM), cut_at_word(revised, PROMPT_ROOM)
    parts = [bold(short)] if short else []
    parts += [asker(job, locale)] if job.parent_id else []
    above = [" · ".join(parts)] if parts else []
    above += [say(locale, "result.revised_to", prompt=_safe(short_revised))] if revised else []
    figures = " · ".join(_figures(job, made, images, took_s, locale, looks))
    remarks = " ".join(_remarks(job, made, images, notes, locale, shrunk=shrunk, unmarked=unmarked))
    named = " · ".join(part for part in (cut(figures, FIGURES_ROOM), ai_notice(looks.notice, locale)) if part)
    below = [line for line in (named, cut(remarks, REMARKS_ROOM)) if line]
    full_text = None if (short, short_revised) == (title, revised) else in_full(job, revised, locale)
    match looks.layout:
        case Layout.EMBED:
            embed = discord.Embed(colour=COLOUR, description="\n".join(above) or None)
            return Told(embed=embed.set_footer(text="\n".join(below) or None), full_text=full_text)
        case Layout.PLAIN:
            small = [f"-# {escaped(line, 2 * length(line))}" for line in below]
            return Told(content="\n".join([*above, *small]), full_text=full_text)


def ai_notice(wording: str | None, locale: str) -> str:
    """That pictures were made by AI: in the operator's words, else in the reader's language; none where the words are
    empty."""
    return say(locale, "result.ai") if wording is None else clean(wording, NOTICE_ROOM)


def bold(text: str) -> str:
    """Foreign text in bold, which nothing in it can end."""
    return f"**{_safe(text)}**"


def _safe(text: str) -> str:
    return escaped(text, 3 * length(text))


def in_full(job: Job, revised: str | None, locale: str) -> str:
    """Prompt and revised prompt as a text file, readable in any editor."""
    parts = [f"{say(locale, 'result.prompt')}:\n\n{job.request.own_words or title_of(job.request, locale)}"]
    if revised:
        parts.append(f"{say(locale, 'result.revised')}:\n\n{revised}")
    return "\n\n\n".join(parts).encode("utf-8", "replace").decode("utf-8")


def _revised(images: Sequence[MadeImage]) -> str | None:
    return next((image.revised_prompt for image in images if image.revised_prompt), None)


def _figures(
    job: Job, made: Sequence[Made], images: Sequence[MadeImage], took_s: float, locale: str, looks: Looks
) -> list[str]:
    request = job.request
    really = {
        "size": size_made(request, images).replace("x", "×"),
        "quality": next((one.quality for one in made if one.quality), None) or request.quality,
    }
    options = [option for option in OPTIONS if option.shown is Shown.RESULT]
    told = [str(really.get(option.name, option.chosen(request)) or "") for option in options]
    figures = [
        say(locale, f"result.{request.way or 'edit'}") if request.kind is Kind.EDIT else "",
        clean(looks.name_of((job.bill.drawn_by if job.bill else None) or request.model), 60),
        *(clean(value, 40) for value in told),
        cost(job, locale) if looks.show_cost else "",
        duration(locale, took_s) if took_s > 0 else "",
        *look_line(request, locale),
    ]
    return [figure for figure in figures if figure]


def look_line(request: ImageRequest, locale: str) -> list[str]:
    """``look: noir``; nothing where there was none."""
    return [say(locale, "style.look", name=clean(request.look, 60))] if request.look else []


def _remarks(
    job: Job,
    made: Sequence[Made],
    images: Sequence[MadeImage],
    notes: Sequence[Note],
    locale: str,
    *,
    shrunk: bool,
    unmarked: bool,
) -> list[str]:
    """What was changed, dropped or made smaller, a sentence each."""
    request = job.request
    lines = [say(locale, "result.shrunk")] if shrunk else []
    lines += [say(locale, "result.unmarked")] if unmarked else []
    if len(images) < request.count:
        lines.append(say(locale, "result.fewer", made=len(images), asked=request.count))
    if job.bill is not None and job.bill.drawn_by is not None:
        lines.append(say(locale, "result.drawn_by", model=job.bill.drawn_by, asked=request.model))
    if options := ", ".join(dict.fromkeys(name for one in made for name in one.left_out)):
        lines.append(say(locale, "result.left_out", options=options))
    asked, came = _otherwise(request, made, images)
    if came:
        lines.append(say(locale, "result.other_made", asked=clean(asked, 80), made=clean(came, 160)))
    background = next((one.background for one in made if one.background), None)
    if background and request.background not in (None, "auto", background):
        lines.append(say(locale, "result.background_made", asked=request.background, made=clean(background, 40)))
    lines += [line for note in notes if (line := note_line(note, locale))]
    return [*lines, say(locale, "result.private")] if request.private else lines


def _otherwise(request: ImageRequest, made: Sequence[Made], images: Sequence[MadeImage]) -> tuple[str, str]:
    """Size, quality and format as asked and as they came, those that differ. GIF and SVG have sizes of their own."""
    still = [image for image in images if image.format not in {"gif", "svg"} and image.width > 0]
    differing = []
    for asked, came in (
        (request.size, [f"{image.width}x{image.height}" for image in still]),
        (request.quality, [one.quality for one in made if one.quality]),
        (request.format, [image.format for image in images]),
    ):
        others = [one for one in dict.fromkeys(came) if one != asked]
        if asked not in (None, "auto") and others:
            differing.append((asked, "/".join(others)))
    return " ".join(asked for asked, _ in differing), " ".join(came for _, came in differing)


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


def asker(job: Job, locale: str) -> str:
    """Who asked; who was forgotten since has an id below zero."""
    return f"<@{job.asker.user_id}>" if job.asker.user_id > 0 else say(locale, "details.somebody")
