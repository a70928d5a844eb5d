"""Where a picture comes from, as far as anybody can tell: the ledger, and the marks in the file.

Law: what a file says of itself is quoted as foreign text, and what all of it does not prove stands below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import discord

from bot.rules.catalogue.model import DEFAULT_SERVICE
from bot.rules.catalogue.services import Service
from bot.rules.ledger import Job
from bot.rules.limits.decide import Refused
from bot.rules.origins import Checked, Marks, MarkState, Unchecked
from bot.ui.pages.result import COLOUR, asker
from bot.ui.words.catalogue import say
from bot.ui.words.errors import words
from bot.ui.words.numbers import number
from bot.ui.words.text import FIELD_LIMIT, clean, cut, inline


@dataclass(frozen=True, slots=True)
class Seen:
    """One picture of the message: its marks, or one sentence why it could not be had; and what a service found, None
    where none was to be asked. ``job``: it is a picture of ours, shown again by somebody."""

    marks: Marks | None = None
    trouble: str = ""
    check: Checked | Unchecked | Refused | None = None
    job: Job | None = None


def origin(
    jobs: Sequence[tuple[Job, Service]], pictures: Sequence[Seen], asked: Service | None, left: int, locale: str
) -> discord.Embed:
    """``jobs`` are ours, with the service of each; ``asked`` is who checked; ``left`` pictures were not looked at."""
    embed = discord.Embed(title=_title(bool(jobs), pictures, locale), colour=COLOUR)
    for job, service in jobs:
        embed.add_field(name=say(locale, "origin.ours"), value=_ours(job, service, locale), inline=False)
    told = [(say(locale, "origin.marks"), _together([_marks(one, locale) for one in pictures]))]
    if asked is not None:
        name = clean(name_of(asked)) or say(locale, "origin.service")
        checks = [_check(one.check, locale) for one in pictures]
        told.append((say(locale, "origin.checked", service=name), _together(checks)))
    for heading, groups in told:
        for numbers, text in groups:
            which = ", ".join(number(locale, one) for one in numbers)
            several = say(locale, "origin.of", what=heading, count=len(numbers), which=which)
            name = several if len(pictures) > 1 else heading
            embed.add_field(name=name, value=cut(text, FIELD_LIMIT), inline=False)
    below = [say(locale, "origin.left", count=left)] if left else []
    return embed.set_footer(text="\n".join([*below, say(locale, "origin.no_proof")]))


def _title(is_ours: bool, pictures: Sequence[Seen], locale: str) -> str:
    """What of it all is told first."""
    if is_ours:
        return say(locale, "origin.by_easel")
    found = [one.marks for one in pictures if one.marks is not None and one.marks.state is MarkState.FITS]
    if any(isinstance(one.check, Checked) and one.check.is_found for one in pictures):
        return say(locale, "origin.by_service", count=len(pictures))
    if any(marks.by_ai for marks in found):
        return say(locale, "origin.by_ai", count=len(pictures))
    return say(locale, "origin.marked" if found else "origin.nothing", count=len(pictures))


def _ours(job: Job, service: Service, locale: str) -> str:
    name = name_of(service)
    drawn = say(locale, "origin.drawn_at" if name else "origin.drawn", model=inline(drawn_by(job)), service=name)
    when = f"<t:{int(job.created_at.timestamp())}:f>"
    return "\n".join(
        (
            drawn,
            say(locale, "origin.asked", when=when, user=asker(job, locale)),
            say(locale, "origin.job", job=inline(job.id)),
        )
    )


def drawn_by(job: Job) -> str:
    """The model that really drew."""
    return (job.bill.drawn_by if job.bill is not None else None) or job.request.model


def name_of(service: Service) -> str:
    """What people may know of it: addresses are the operator's own business."""
    if service.is_official:
        return "OpenAI"
    return "" if service.name == DEFAULT_SERVICE else clean(service.name)


def _marks(seen: Seen, locale: str) -> str:
    marks = seen.marks
    if marks is None:
        return seen.trouble
    if marks.state is not MarkState.FITS:
        return say(locale, f"origin.{marks.state}")
    lines = [say(locale, "origin.fits_ai" if marks.by_ai else "origin.fits")]
    lines += [say(locale, "origin.tool", name=inline(marks.tool))] if marks.tool else []
    lines += [say(locale, "origin.signer", name=inline(marks.signer))] if marks.signer else []
    lines += [say(locale, "origin.signed", when=f"<t:{int(marks.signed_at.timestamp())}:D>")] if marks.signed_at else []
    lines += [say(locale, "origin.certificate")] if marks.odd_certificate else []
    return "\n".join(lines)


def _check(check: Checked | Unchecked | Refused | None, locale: str) -> str:
    """Nothing where the service was not to be asked."""
    match check:
        case None:
            return ""
        case Unchecked():
            return say(locale, f"origin.check_{check}")
        case Refused():
            return say(locale, "origin.check_limit", why=words(check, locale))
        case Checked(watermark=False, marks=False):
            return say(locale, "origin.check_nothing")
        case Checked():
            lines = [say(locale, "origin.check_found")]
            lines += [say(locale, "origin.check_watermark")] if check.watermark else []
            lines += [say(locale, "origin.check_marks")] if check.marks else []
            lines += [say(locale, "origin.tool", name=inline(check.model))] if check.model else []
            made = f"<t:{int(check.made_at.timestamp())}:D>" if check.made_at else ""
            return "\n".join([*lines, *([say(locale, "origin.made", when=made)] if made else [])])


def _together(texts: Sequence[str]) -> list[tuple[list[int], str]]:
    """What is said of several pictures is said once."""
    said: dict[str, list[int]] = {}
    for place, text in enumerate(texts, 1):
        if text:
            said.setdefault(text, []).append(place)
    return [(numbers, text) for text, numbers in said.items()]
