"""What each page of the panel shows, as data. Plain functions of all that holds; nothing is sent here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bot.ports import AuditEntry
from bot.rules.catalogue.model import Model
from bot.rules.limits.decide import Standing
from bot.rules.limits.limit import Limit, Measure, Scope, is_open, most_of, slot_of
from bot.rules.money import MicroUSD
from bot.rules.servers.changes import Listed, lists_of
from bot.ui.pages.settings import EXCEPTIONS, MEMBER_MEASURES, Office, fitted, key_words, state
from bot.ui.panels.server.parts import (
    MOST_SHOWN,
    PAGE_EMOJI,
    Gap,
    Knob,
    Knobs,
    Menu,
    Option,
    Page,
    Part,
    Pick,
    Row,
    Text,
    Things,
    slot_arg,
)
from bot.ui.words.catalogue import say
from bot.ui.words.limits import amount, counted, slot
from bot.ui.words.numbers import money as money_words

THINGS = {Listed.ROLES: Things.ROLES, Listed.CHANNELS: Things.CHANNELS}
SCOPES = {Listed.ROLES: Scope.ROLE, Listed.CHANNELS: Scope.CHANNEL}
MOST_CHANGES = 5
LIMITS_ROOM = 900
OPERATORS = "none"
"""The default that leaves it to the operator or the model, as in ``/settings defaults``."""


@dataclass(frozen=True, slots=True)
class Desk:
    """All that holds, for one reader. ``models`` are on offer, newest first as in ``/models``; ``meaning`` says what
    a limit is in pictures.
    """

    office: Office
    models: tuple[Model, ...]
    trail: Sequence[AuditEntry]
    reader_id: int
    meaning: Callable[[Limit], str]

    @property
    def locale(self) -> str:
        return self.office.locale


def head(desk: Desk, page: Page, notice: Sequence[Part]) -> list[Part]:
    """Where one is, what has just happened, and the menu of pages."""
    pages = tuple(
        Option(one, _name(one, desk), say(desk.locale, f"panel.{one}_about"), chosen=one is page) for one in Page
    )
    return [
        Text(f"## {_name(page, desk)}\n{state(desk.office)}"),
        *notice,
        Menu("", "go", pages, hint=say(desk.locale, "panel.go")),
        Gap(),
    ]


def _name(page: Page, desk: Desk) -> str:
    return f"{PAGE_EMOJI[page]} {say(desk.locale, f'panel.{page}')}"


# --- who and where -----------------------------------------------------------------------------------------------


def who(desk: Desk) -> list[Part]:
    blocked = tuple(block.user_id for block in desk.office.settings.blocked)
    return [
        *_lists(desk, Listed.CHANNELS),
        Gap(),
        *_lists(desk, Listed.ROLES),
        Gap(),
        Pick(
            _titled(desk, "blocked", len(blocked) > MOST_SHOWN),
            "block",
            Things.MEMBERS,
            blocked[:MOST_SHOWN],
            hint=say(desk.locale, "panel.nobody"),
        ),
    ]


def _lists(desk: Desk, which: Listed) -> list[Part]:
    """Which are allowed and which are not, and the one way to open a list."""
    lists, scope = lists_of(desk.office.settings, which), SCOPES[which]
    parts: list[Part] = []
    for side, ids in (("allow", lists.allowed), ("deny", lists.denied)):
        here = sorted(int(one) for one in ids if desk.office.exists(scope, int(one)))
        title = _titled(desk, f"{which}_{side}", len(here) > MOST_SHOWN)
        if gone := len(ids) - len(here):
            title += f"\n-# {say(desk.locale, 'panel.gone', count=gone)}"
        if side == "allow" and ids and not here:
            title += f"\n{say(desk.locale, 'panel.all_gone')}"
        least = 1 if side == "allow" else 0
        hint = say(desk.locale, f"panel.{which}_{'all' if side == 'allow' else 'none'}")
        parts.append(Pick(title, f"{which}_{side}", THINGS[which], tuple(here[:MOST_SHOWN]), least=least, hint=hint))
    if lists.allowed:
        parts.append(Knobs((Knob(f"{which}_open", say(desk.locale, f"panel.{which}_open")),)))
    return parts


def _titled(desk: Desk, key: str, more: bool) -> str:
    note = f"\n-# {say(desk.locale, 'panel.only_shown', most=MOST_SHOWN)}" if more else ""
    return f"**{say(desk.locale, f'panel.{key}')}**{note}"


# --- limits and money --------------------------------------------------------------------------------------------


def limits(desk: Desk) -> list[Part]:
    shares = {slot_of(one).quota: one for one in desk.office.limits if one.scope is Scope.EVERYONE}
    quotas = [one[:2] for one in MEMBER_MEASURES if one[2] or one[:2] in shares]
    lines = [_line(desk, shares.get(None), say(desk.locale, "settings.cooldown"))]
    for measure, period in quotas:
        what = say(desk.locale, f"settings.{measure}", window=say(desk.locale, f"window.{period}"))
        lines.append(_line(desk, shares.get((measure, period)), what))
    lines += [_own_line(desk, one) for one in desk.office.limits if one.scope is Scope.SERVER if not _is_money(one)]
    exceptions = [one for one in desk.office.limits if one.scope in EXCEPTIONS]
    exceptions.sort(key=lambda one: (EXCEPTIONS.index(one.scope), one.subject_id or 0))
    told = [_own_line(desk, one) for one in exceptions if not _is_gone(desk, one)] or [
        f"-# {say(desk.locale, 'panel.no_exceptions')}"
    ]
    windows = f"-# {say(desk.locale, 'panel.windows')}"
    return [
        Text("\n".join([f"**{say(desk.locale, 'panel.everyone')}**", *lines])),
        Knobs((Knob("limits_form", say(desk.locale, "panel.change"), primary=True),)),
        Gap(),
        Text(f"**{say(desk.locale, 'panel.exceptions')}**\n{fitted(told, LIMITS_ROOM, desk.locale)}\n{windows}"),
        Pick("", "limits_role", Things.ROLES, least=1, most=1, hint=say(desk.locale, "panel.for_role")),
        Pick("", "limits_member", Things.MEMBERS, least=1, most=1, hint=say(desk.locale, "panel.for_member")),
        Pick("", "limits_channel", Things.CHANNELS, least=1, most=1, hint=say(desk.locale, "panel.for_channel")),
        *_removal(desk, [one for one in desk.office.limits if one.scope in _WHOLE and not _is_budget(one)]),
    ]


def money(desk: Desk) -> list[Part]:
    budgets = [one for one in desk.office.limits if _is_budget(one) and not is_open(one)]
    lines = [_own_line(desk, one) for one in budgets] or [say(desk.locale, "panel.no_budget")]
    spent = [_spent(desk, one) for one in desk.office.standings if one.limit in budgets]
    key = f"**{say(desk.locale, 'panel.key')}**\n{key_words(desk.office)}"
    return [
        Text("\n".join([f"**{say(desk.locale, 'panel.budgets')}**", *lines, *spent])),
        Knobs((Knob("budget_form", say(desk.locale, "panel.change"), primary=True),)),
        *_removal(desk, budgets),
        Gap(),
        Row(key, Knob("key_form", say(desk.locale, "panel.key_set"))),
    ]


_WHOLE = (Scope.EVERYONE, Scope.SERVER)


def _is_money(limit: Limit) -> bool:
    return limit.measure is Measure.DOLLARS


def _is_budget(limit: Limit) -> bool:
    """Whether it is for the whole server, as the page about money has them."""
    return _is_money(limit) and limit.scope is Scope.SERVER


def _spent(desk: Desk, standing: Standing) -> str:
    what, used = slot(slot_of(standing.limit), desk.locale), money_words(desk.locale, standing.used)
    return f"-# {say(desk.locale, 'panel.spent', what=what, used=used)}"


def dollars_of(limit: Limit) -> MicroUSD:
    """How much money it allows; nothing where it is not about money."""
    return MicroUSD(most_of(limit) or 0) if _is_money(limit) else MicroUSD(0)


def _is_gone(desk: Desk, limit: Limit) -> bool:
    return limit.subject_id is not None and not desk.office.exists(limit.scope, limit.subject_id)


def _line(desk: Desk, limit: Limit | None, what: str) -> str:
    held = say(desk.locale, "settings.no_limit") if limit is None or is_open(limit) else amount(limit, desk.locale)
    meaning = desk.meaning(limit) if limit is not None else ""
    return f"{what}: **{held}**" + (f"\n-# {meaning}" if meaning else "")


def _own_line(desk: Desk, limit: Limit) -> str:
    return _line(desk, limit, slot(slot_of(limit), desk.locale))


def _removal(desk: Desk, some: Iterable[Limit]) -> list[Part]:
    """The menu that takes a limit away: nothing goes by leaving something out."""
    options = removals(desk.locale, [one for one in some if not is_open(one)])
    return [Menu("", "remove", options, hint=say(desk.locale, "panel.remove"))] if options else []


def removals(locale: str, some: Iterable[Limit]) -> tuple[Option, ...]:
    return tuple(Option(slot_arg(one), counted(one, locale), amount(one, locale)) for one in some)[:MOST_SHOWN]
