"""What was made and spent, in figures and as a chart: for one member, or for a server and its admins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import discord

from bot.imaging.threads import offload
from bot.ports import Store, UsageLine
from bot.rules.limits.decide import Standing
from bot.rules.limits.limit import Measure, Quota, Scope
from bot.rules.money import MicroUSD
from bot.rules.people import Asker
from bot.rules.spreadsheet import csv_file
from bot.ui.messages import File, Message
from bot.ui.pages.charts import Row, bar_chart
from bot.ui.pages.result import COLOUR
from bot.ui.words.catalogue import say
from bot.ui.words.numbers import day, moment, money, number
from bot.ui.words.text import ALT_LIMIT, FIELD_LIMIT, clean, cut, inline

DAYS = 30
DAYS_IN_WORDS = 10
CHART = "usage.png"
TABLE = "usage.csv"
TABLE_DAYS = 92
MOST_ROWS = 50_000
"""About 3 MB: any channel takes it."""

COLUMNS = ("day", "member", "model", "jobs", "pictures", "usd", "unclear_usd")
"""Not translated: scripts go by them. Members stand as mentions: a spreadsheet would round bare numbers."""

DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything a page of usage shows. ``days`` have no gaps, oldest first; members and budgets only for servers."""

    days: tuple[UsageLine, ...]
    today: UsageLine
    month: UsageLine
    models: tuple[UsageLine, ...]
    members: tuple[UsageLine, ...] = ()
    budgets: tuple[Standing, ...] = ()
    words_refused: int = 0


async def read_figures(store: Store, asker: Asker, now: datetime, *, whole_server: bool) -> Figures:
    """The figures of the last thirty days and of this calendar month, in UTC."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    month_began = midnight.replace(day=1)
    user_id = None if whole_server else asker.user_id
    since = min(month_began, midnight - timedelta(days=DAYS - 1))
    found = {line.label: line for line in await store.figures.by_day(asker.place, user_id, since)}
    dates = [(midnight - timedelta(days=back)).date().isoformat() for back in range(DAYS - 1, -1, -1)]
    days = tuple(found.get(date, UsageLine(date, 0, 0, MicroUSD(0))) for date in dates)
    standings: tuple[Standing, ...] = ()
    if whole_server:
        standings = await store.figures.standings(asker, now)
    return Figures(
        days=days,
        today=days[-1],
        month=total([line for date, line in found.items() if date >= month_began.date().isoformat()]),
        models=tuple(await store.figures.by_model(asker.place, user_id, month_began)),
        members=tuple(await store.figures.by_member(asker.place, month_began)) if whole_server else (),
        budgets=tuple(
            one for one in standings if one.limit.scope is Scope.SERVER and one.limit.measure is Measure.DOLLARS
        ),
        words_refused=await store.servers.words_refused(asker.place, now) if whole_server else 0,
    )


def total(lines: Sequence[UsageLine]) -> UsageLine:
    """The sum of the lines."""
    return UsageLine(
        "",
        sum(line.jobs for line in lines),
        sum(line.images for line in lines),
        MicroUSD(sum(line.micro_usd for line in lines)),
        MicroUSD(sum(line.unknown_micro_usd for line in lines)),
    )


async def table(store: Store, asker: Asker, now: datetime) -> File:
    """What this server made in the last three months by day, member and model, for a spreadsheet."""
    rows = await store.figures.rows(asker.place, now - timedelta(days=TABLE_DAYS), MOST_ROWS)
    lines = [
        (
            row.day,
            DELETED if row.user_id is None else f"<@{row.user_id}>",
            row.model,
            row.jobs,
            row.images,
            _in_dollars(row.micro_usd),
            _in_dollars(row.unknown_micro_usd),
        )
        for row in rows
    ]
    return File(TABLE, await offload(asker.place.key, csv_file, COLUMNS, lines))


def _in_dollars(amount: MicroUSD) -> str:
    """Exact, as no float is."""
    whole, rest = divmod(amount, 1_000_000)
    return f"{whole}.{rest:06}"


@dataclass(frozen=True, slots=True)
class View:
    """How the figures are told: whose, in which language, with or without money."""

    locale: str
    whole_server: bool
    with_money: bool


async def page(figures: Figures, view: View, *, lane: str) -> Message:
    """Embed and chart. The chart's numbers stand in its alt text and as text beside it."""
    embed = _embed(figures, view)
    nothing = say(view.locale, "usage.nothing")
    chart = await offload(lane, bar_chart, _rows(figures, view), _chart_title(view), empty=nothing)
    embed.set_image(url=f"attachment://{CHART}")
    alt = clean(f"{_chart_title(view)}: {_days_in_words(figures, view, ', ')}", ALT_LIMIT)
    return Message(embed=embed, files=(File(CHART, chart, alt),))


def _embed(figures: Figures, view: View) -> discord.Embed:
    locale = view.locale
    embed = discord.Embed(title=say(locale, "usage.server" if view.whole_server else "usage.me"), colour=COLOUR)
    embed.add_field(name=say(locale, "usage.today"), value=_sum(figures.today, view))
    embed.add_field(name=say(locale, "usage.month"), value=_sum(figures.month, view))
    if view.whole_server and figures.month.unknown_micro_usd:
        amount = money(locale, figures.month.unknown_micro_usd)
        embed.add_field(name=say(locale, "usage.unknown"), value=say(locale, "usage.unknown_note", amount=amount))
    if figures.budgets:
        told = "\n".join(_budget(one, locale) for one in figures.budgets)
        embed.add_field(name=say(locale, "usage.budget"), value=cut(told, FIELD_LIMIT), inline=False)
    if figures.words_refused:
        told = say(locale, "usage.words_note", count=number(locale, figures.words_refused))
        embed.add_field(name=say(locale, "setting.words"), value=told, inline=False)
    for key, lines in (("usage.models", _models(figures, view)), ("usage.members", _members(figures, view))):
        if lines:
            embed.add_field(name=say(locale, key), value=cut("\n".join(lines), FIELD_LIMIT), inline=False)
    days = _days_in_words(figures, view, "\n")
    embed.add_field(name=say(locale, "usage.days"), value=cut(days, FIELD_LIMIT), inline=False)
    embed.set_footer(text=say(locale, "usage.footer"))
    return embed


def _sum(line: UsageLine, view: View) -> str:
    """``12 pictures · $0.34``."""
    pictures = say(view.locale, "usage.pictures", count=number(view.locale, line.images))
    return f"{pictures} · {money(view.locale, line.micro_usd)}" if view.with_money else pictures


def _models(figures: Figures, view: View) -> list[str]:
    return [f"{inline(line.label, 60)} {_sum(line, view)}" for line in figures.models[:8]]


def _members(figures: Figures, view: View) -> list[str]:
    return [f"{_who(line.label, view.locale)} {_sum(line, view)}" for line in figures.members[:10]]


def _who(label: str, locale: str) -> str:
    return f"<@{label}>" if label.isdigit() else say(locale, "usage.forgotten")


def _budget(standing: Standing, locale: str) -> str:
    limit = standing.limit
    if not isinstance(limit, Quota):
        return ""  # a cooldown is no budget
    window = say(locale, f"window.{limit.period}")
    if limit.amount is None:
        return say(locale, "usage.no_budget", window=window)
    return say(
        locale,
        "usage.budget_line",
        used=money(locale, standing.used),
        amount=money(locale, limit.amount),
        window=window,
        resets=moment(standing.resets_at) if standing.resets_at is not None else "",
    )


def _days_in_words(figures: Figures, view: View, between: str) -> str:
    """The days with something in them, the newest first."""
    busy = [line for line in reversed(figures.days) if line.jobs]
    told = [f"{day(view.locale, date.fromisoformat(line.label))}: {_sum(line, view)}" for line in busy[:DAYS_IN_WORDS]]
    if len(busy) > DAYS_IN_WORDS:
        told.append(say(view.locale, "usage.more_days", count=len(busy) - DAYS_IN_WORDS))
    return between.join(told) or say(view.locale, "usage.nothing")


def _rows(figures: Figures, view: View) -> list[Row]:
    first = next((place for place, line in enumerate(figures.days) if line.jobs), len(figures.days))
    return [
        Row(line.label[5:], line.micro_usd if view.with_money else line.images, _bar_text(line, view))
        for line in figures.days[first:]
    ]


def _bar_text(line: UsageLine, view: View) -> str:
    return money(view.locale, line.micro_usd) if view.with_money else number(view.locale, line.images)


def _chart_title(view: View) -> str:
    return say(view.locale, "usage.chart_money" if view.with_money else "usage.chart_pictures")
