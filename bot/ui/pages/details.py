"""Everything about a job, for private reading."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from bot.rules.ledger import Job
from bot.rules.options.table import OPTIONS, Shown
from bot.rules.requests import ImageRequest, Kind
from bot.ui.pages.result import COLOUR, Told, asker, in_full, look_line
from bot.ui.words.catalogue import say
from bot.ui.words.numbers import duration, money, number
from bot.ui.words.options import option_told
from bot.ui.words.text import FIELD_LIMIT, cut, escaped, fits, inline
from bot.ui.words.titles import title_of

PROMPT_ROOM = 3000
REVISED_ROOM = 1000


def details(job: Job, parents: Sequence[str], locale: str, *, show_cost: bool) -> Told:
    """Everything about a job, for private reading. ``parents`` are finished lines, the nearest first."""
    embed, full_text = _with_prompts(job, locale)
    for name, value in (
        (say(locale, "details.by"), asker(job, locale)),
        (say(locale, "details.state"), say(locale, f"state.{job.state}")),
        (say(locale, "result.model"), inline(job.request.model)),
        (say(locale, "details.drawn_by"), inline(job.bill.drawn_by) if job.bill and job.bill.drawn_by else ""),
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
    return Told(embed=embed, full_text=full_text)


def _with_prompts(job: Job, locale: str) -> tuple[discord.Embed, str | None]:
    """As it was written, line breaks and all; a variation under its title."""
    request, revised = job.request, job.revised_prompt
    prompt = title_of(request, locale) if request.kind is Kind.VARY else request.own_words
    embed = discord.Embed(
        title=say(locale, "details.title"), colour=COLOUR, description=escaped(prompt, PROMPT_ROOM) or None
    )
    if revised and revised.strip() != prompt.strip():
        embed.add_field(name=say(locale, "result.revised"), value=escaped(revised, REVISED_ROOM) or "–", inline=False)
    whole = fits(prompt, PROMPT_ROOM) and fits(revised or "", REVISED_ROOM)
    return embed, None if whole else in_full(job, revised, locale)


def _options(request: ImageRequest, locale: str) -> str:
    told = [
        option_told(option.name, value, locale)
        for option in OPTIONS
        if option.shown is not Shown.NOWHERE and (value := option.chosen(request)) is not None
    ]
    return cut(" · ".join([*told, *(escaped(line, 150) for line in look_line(request, locale))]), FIELD_LIMIT)


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
    prompt = escaped(parent.request.own_words or title_of(parent.request, locale), 80)
    return say(locale, "details.parent", kind=kind, when=when, prompt=prompt)
