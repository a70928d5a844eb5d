"""What a batch says: how far it is, what a group shows, how it ended, and the table of all its lines."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import discord

from bot.ports import Batch, BatchCounts, BatchPicture
from bot.rules.faults import Billed, Fault, FaultKind, ServiceFailed
from bot.rules.ledger import FINAL, WITH_PICTURES, Job, JobState
from bot.rules.overnight import OVER, NightState, Overnight, gives_up_at, promised_by
from bot.rules.spreadsheet import harmless
from bot.ui.pages.links import jump_link
from bot.ui.pages.result import COLOUR, cost
from bot.ui.words.catalogue import has, say
from bot.ui.words.errors import words
from bot.ui.words.numbers import duration, moment, money, number
from bot.ui.words.text import DESCRIPTION_LIMIT, cut, escaped, inline
from bot.ui.words.titles import title_of

BAR_CELLS = 20
LINE_ROOM = 300
MOST_REASONS = 5

_FAULTS = frozenset(FaultKind) - {FaultKind.CANCELLED}  # which is told as what a person did


def bar(counts: BatchCounts) -> str:
    """Twenty cells: done, failed, given back, left."""
    total = max(1, counts.total)
    done = counts.done * BAR_CELLS // total
    failed = (counts.done + counts.failed) * BAR_CELLS // total - done
    back = (counts.total - counts.left) * BAR_CELLS // total - done - failed
    return "🟩" * done + "🟥" * failed + "⬛" * back + "⬜" * (BAR_CELLS - done - failed - back)


def head(batch: Batch, locale: str) -> str:
    return say(locale, "batch.head", total=number(locale, len(batch.lines)), user=batch.asker.user_id)


def progress(batch: Batch, counts: BatchCounts, locale: str) -> str:
    """The progress message: bar, figures, time."""
    figures = (("done", counts.done), ("failed", counts.failed), ("back", counts.back), ("left", counts.left))
    told = " · ".join(say(locale, f"batch.{name}", count=count) for name, count in figures if count)
    since = f"<t:{int(batch.created_at.timestamp())}:R>"
    if counts.left == 0:
        when = say(locale, "batch.over", since=since)
    elif counts.cancelled:
        when = say(locale, "batch.stopping")
    elif counts.eta_s > 0:
        when = say(locale, "batch.eta", since=since, time=duration(locale, counts.eta_s))
    else:
        when = say(locale, "batch.since", since=since)
    return f"{head(batch, locale)}\n{bar(counts)}\n{told}\n{when}"


HALF = 50


def overnight(batch: Batch, night: Overnight, locale: str, *, keyless: bool, late: bool) -> str:
    """The message of a batch that is drawn overnight: how far it is, and until when it is there."""
    counts = BatchCounts(len(batch.lines), min(night.counts.completed, len(batch.lines)), 0, 0.0, batch.cancelled)
    total, user = number(locale, len(batch.lines)), batch.asker.user_id
    key = "overnight.head" if night.percent == HALF else "overnight.head_percent"
    head = say(locale, key, total=total, user=user, percent=night.percent)
    told = [head, bar(counts), overnight_state(batch, night, locale, keyless=keyless)]
    if keyless or late:
        told.append(_unclear_by(night, locale, keyless=keyless))
    elif night.state is NightState.WORKING and not (night.read or batch.cancelled):
        told.append(say(locale, "overnight.by", by=moment(promised_by(night))))
    return "\n".join(told)


def _unclear_by(night: Overnight, locale: str, *, keyless: bool) -> str:
    """When nobody waits for it any more, and why it may come to that."""
    return say(locale, "overnight.keyless_by" if keyless else "overnight.late_by", by=moment(gives_up_at(night)))


def overnight_state(batch: Batch, night: Overnight, locale: str, *, keyless: bool) -> str:
    if keyless:
        return say(locale, "overnight.state_keyless")
    if night.state in OVER or night.read:
        return say(locale, "overnight.state_over")
    if batch.cancelled or night.state is NightState.CANCELLING:
        return say(locale, "overnight.state_cancelling")
    if night.night_id is None:
        return say(locale, "overnight.state_searching" if night.is_out else "overnight.state_preparing")
    done, total = number(locale, night.counts.completed), number(locale, len(batch.lines))
    return say(locale, "overnight.state_working", done=done, total=total)


def overnight_details(
    batch: Batch, night: Overnight, jobs: Sequence[Job], locale: str, *, show_cost: bool, keyless: bool, late: bool
) -> discord.Embed:
    """What Details shows of it."""
    note = say(locale, "overnight.note", percent=night.percent)
    if keyless or late:
        note = _unclear_by(night, locale, keyless=keyless)
    state = f"{overnight_state(batch, night, locale, keyless=keyless)}\n\n{note}"
    embed = discord.Embed(title=say(locale, "overnight.details"), description=state, colour=COLOUR)
    embed.add_field(name=say(locale, "overnight.model"), value=inline(jobs[0].request.model if jobs else ""))
    embed.add_field(name=say(locale, "overnight.lines"), value=number(locale, len(batch.lines)))
    embed.add_field(name=say(locale, "overnight.began"), value=moment(batch.created_at))
    latest = gives_up_at(night) if keyless or late else promised_by(night)
    embed.add_field(name=say(locale, "overnight.latest"), value=moment(latest))
    if show_cost:
        reserved, charged = (sum(job.reserved_micro_usd for job in jobs), sum(job.charged_micro_usd for job in jobs))
        embed.add_field(name=say(locale, "overnight.reserved"), value=money(locale, reserved))
        embed.add_field(name=say(locale, "overnight.charged"), value=money(locale, charged))
    return embed


def group(
    batch: Batch, pictures: Sequence[BatchPicture], left_out: Sequence[int], locale: str, *, notices: Sequence[str]
) -> discord.Embed:
    """What stands over the pictures of up to ten lines. ``notices`` stand below."""
    lines = [
        f"**{picture.line}** · {escaped(title_of(picture.job.request, locale), LINE_ROOM)}" for picture in pictures
    ]
    first, last = pictures[0].line, pictures[-1].line
    title = say(locale, "batch.group", count=len(pictures), first=first, last=last, total=len(batch.lines))
    embed = discord.Embed(title=title, description=cut("\n".join(lines), DESCRIPTION_LIMIT), colour=COLOUR)
    below = [notice for notice in notices if notice]
    if left_out:
        below.append(say(locale, "batch.too_large", lines=", ".join(str(line) for line in left_out)))
    return embed.set_footer(text="\n".join(below) or None)


def summary(
    batch: Batch,
    counts: BatchCounts,
    lines: Sequence[Job],
    locale: str,
    *,
    show_cost: bool,
    links: bool,
    held: Collection[str] = (),
) -> discord.Embed:
    """How it ended, with a link to each group and the sum. ``held``: jobs that moderators look at first."""
    title = say(
        locale, "batch.cancelled" if counts.cancelled else "batch.whole" if _is_whole(counts) else "batch.ended_short"
    )
    told = [_outcome(counts, locale)]
    told += _reasons(lines, locale)
    if held:
        told.append(say(locale, "batch.reviewing", count=len(held)))
    if waiting := sum(job.waiting and job.id not in held for job in lines):
        told.append(say(locale, "batch.waiting", count=waiting))
    embed = discord.Embed(title=title, description="\n".join(told), colour=COLOUR)
    if links and (jumps := _links(lines, locale)):
        embed.add_field(name=say(locale, "batch.groups"), value="\n".join(jumps), inline=False)
    if show_cost:
        total = money(locale, sum(job.charged_micro_usd for job in lines))
        embed.add_field(name=say(locale, "result.cost"), value=total)
    embed.set_footer(text=say(locale, "batch.attached"))
    return embed


def _reasons(lines: Sequence[Job], locale: str) -> list[str]:
    """Why lines were not made, each sentence once, and of how many where it is not of all."""
    sentences = [sentence for job in lines if (sentence := unmade(job, locale))]
    counts = {sentence: sentences.count(sentence) for sentence in sentences}
    return [
        sentence if count == len(lines) else f"{number(locale, count)} × {sentence}"
        for sentence, count in list(counts.items())[:MOST_REASONS]
    ]


def unmade(job: Job, locale: str) -> str:
    """Why it has no picture, in a sentence; nothing where it has, or where nobody knows."""
    if job.state not in FINAL or job.state in WITH_PICTURES:
        return ""
    charged = job.state is JobState.UNKNOWN
    if job.reason in _FAULTS:
        fault = Fault(FaultKind(job.reason), Billed.MAYBE if charged else Billed.NO)
        failed = ServiceFailed(fault, model=job.request.model, charged=charged, own_key=job.own_key)
        return words(failed, locale)
    key = f"unmade.{job.reason}"
    if not has(key):
        return ""
    return f"{say(locale, key)} {say(locale, 'service.charged' if charged else 'service.free')}"


def calling(batch: Batch, counts: BatchCounts, locale: str) -> str:
    """Calls the maker: ready is only what was made whole, and not what a stop or a failure ended."""
    return say(locale, "batch.ready" if _is_whole(counts) else "batch.over_for", user=batch.asker.user_id)


def _is_whole(counts: BatchCounts) -> bool:
    return counts.done == counts.total


def _links(lines: Sequence[Job], locale: str) -> list[str]:
    groups: dict[str, list[int]] = {}
    for job in lines:
        link = jump_link(job)
        if link is not None:
            groups.setdefault(link, []).append(job.batch_line or 0)
    return [
        f"[{say(locale, 'batch.link', count=len(numbers), first=numbers[0], last=numbers[-1])}]({link})"
        for link, numbers in groups.items()
    ]


def ended(counts: BatchCounts, locale: str, held: Collection[str] = ()) -> str:
    """The end in one message, where nothing else reaches the person."""
    next_step = say(locale, "batch.reviewing", count=len(held)) if held else say(locale, "batch.look")
    return f"{_outcome(counts, locale)} {next_step}"


def _outcome(counts: BatchCounts, locale: str) -> str:
    if _is_whole(counts):
        return say(locale, "batch.ended_whole", total=counts.total)
    return say(locale, "batch.ended", done=counts.done, total=counts.total, failed=counts.failed + counts.back)


def table(lines: Sequence[Job], locale: str, *, show_cost: bool, held: Collection[str] = ()) -> str:
    """Line, result, cost and prompt, tab by tab: for people and for spreadsheets, to which no prompt is a formula."""
    head = [say(locale, "batch.column_line"), say(locale, "batch.column_result")]
    head += [say(locale, "result.cost")] if show_cost else []
    rows = ["\t".join([*head, say(locale, "result.prompt")])]
    for job in lines:
        cells = [str(job.batch_line or ""), _result(job, locale, held)]
        cells += [cost(job, locale)] if show_cost else []
        rows.append("\t".join([*cells, harmless(title_of(job.request, locale))]))
    return "\n".join(rows).encode("utf-8", "replace").decode() + "\n"


def _result(job: Job, locale: str, held: Collection[str]) -> str:
    if job.id in held:
        return say(locale, "batch.result_reviewing")
    if job.waiting:
        return say(locale, "batch.result_waiting")
    if job.state in WITH_PICTURES:
        return jump_link(job) or say(locale, "batch.result_made")
    if job.was_cancelled:
        return say(locale, "batch.result_cancelled")
    return unmade(job, locale) or say(locale, f"state.{job.state}")
