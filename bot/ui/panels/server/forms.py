"""The forms of the panel: limits of everyone, of a role, member or channel, and budgets.

Law: a field that is left as it was, or emptied, changes nothing; what goes is chosen to go. Ids carry all that is
needed, so that a form opened before a restart is read after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import discord

from bot.rules.limits.amounts import MAX_COUNT, MAX_JOBS, MAX_SECONDS, BadAmount, read_count, read_dollars
from bot.rules.limits.limit import Cooldown, Limit, Measure, Period, Quota, Scope, Slot, is_open, most_of, slot_of
from bot.rules.money import MILLION
from bot.ui.interactions.ids import VERSION
from bot.ui.panels.server.parts import Option
from bot.ui.words.catalogue import say

Field = tuple[str, tuple[Measure, Period] | None]
"""The name of a field, and what it limits (None: the cooldown)."""

WAIT: Field = ("seconds", None)
HOUR: Field = ("hour", (Measure.IMAGES, Period.HOUR))
DAY: Field = ("day", (Measure.IMAGES, Period.DAY))
MONTH: Field = ("month", (Measure.IMAGES, Period.MONTH))
JOBS: Field = ("jobs", (Measure.JOBS, Period.NOW))
USD_DAY: Field = ("usd_day", (Measure.DOLLARS, Period.DAY))
USD_MONTH: Field = ("usd_month", (Measure.DOLLARS, Period.MONTH))

FIELDS: Mapping[Scope, tuple[Field, ...]] = {
    Scope.EVERYONE: (WAIT, HOUR, DAY, MONTH, JOBS),
    Scope.ROLE: (WAIT, HOUR, DAY, USD_MONTH),
    Scope.MEMBER: (WAIT, HOUR, DAY, USD_MONTH),
    Scope.CHANNEL: (WAIT, DAY, USD_DAY, USD_MONTH),
    Scope.SERVER: (USD_DAY, USD_MONTH),
}
FORM = rf"{VERSION}:setform:(?P<scope>[a-z]+):(?P<subject>\d{{1,19}}):(?P<nonce>\d+)"
GONE = "remove"


def slot_for(field: Field, scope: Scope, subject: int | None) -> Slot:
    return Slot(scope, field[1], subject)


def shown(limit: Limit | None) -> str:
    """A limit as a field of a form begins with it; empty where there is none."""
    if limit is None or (is_open(limit) and not isinstance(limit, Cooldown)):
        return ""
    match limit:
        case Cooldown():
            return "" if limit.seconds is None else str(limit.seconds)
        case Quota():
            most = most_of(limit) or 0
            return f"{most / MILLION:.6f}".rstrip("0").rstrip(".") if limit.measure is Measure.DOLLARS else str(most)


def limit_of(field: Field, typed: str, scope: Scope, subject: int | None) -> Limit:
    """What was typed as a limit. Raises ``BadAmount``."""
    name, quota = field
    if quota is None:
        return Cooldown(scope, _whole(name, typed, MAX_SECONDS), subject)
    measure, period = quota
    match measure:
        case Measure.DOLLARS:
            return Quota(scope, measure, period, read_dollars("usd", typed), subject)
        case Measure.JOBS:
            return Quota(scope, measure, period, _whole(name, typed, MAX_JOBS), subject)
        case Measure.IMAGES | Measure.REQUESTS:
            return Quota(scope, measure, period, _whole("images", typed, MAX_COUNT), subject)


def _whole(name: str, typed: str, most: int) -> int:
    if not typed.isascii() or not typed.isdecimal() or len(typed) > 9:
        raise BadAmount(name, typed, most)
    return read_count(name, int(typed), most)


def wanted(given: Mapping[str, str], held: Sequence[Limit], scope: Scope, subject: int | None) -> tuple[Limit, ...]:
    """The limits that a form asks for: of every field that was filled in and is not as it was. Raises ``BadAmount``."""
    here = {slot_of(one): one for one in held}
    changed = []
    for field in FIELDS[scope]:
        typed = given.get(field[0], "").strip()
        if typed and typed != shown(here.get(slot_for(field, scope, subject))):
            changed.append(limit_of(field, typed, scope, subject))
    return tuple(changed)


def fields_of(
    locale: str, held: Sequence[Limit], scope: Scope, subject: int | None, removable: Sequence[Option]
) -> list[discord.ui.Label[Any]]:
    """The fields of a form, each beginning with what holds; last, what may be taken away."""
    here = {slot_of(one): one for one in held}
    labels = []
    for field in FIELDS[scope]:
        begun = shown(here.get(slot_for(field, scope, subject)))
        typed: discord.ui.TextInput[Any] = discord.ui.TextInput(
            custom_id=field[0],
            required=False,
            max_length=20,
            default=begun or None,
            placeholder=say(locale, "panel.form_none"),
        )
        text = say(locale, f"panel.field_{field[0]}")[:45]
        labels.append(discord.ui.Label(text=text, description=_note(field, locale), component=typed))
    if removable:
        labels.append(_removal(locale, removable))
    return labels


def _note(field: Field, locale: str) -> str | None:
    return say(locale, "panel.field_seconds_note")[:100] if field == WAIT else None


def _removal(locale: str, removable: Sequence[Option]) -> discord.ui.Label[Any]:
    menu: discord.ui.Select[Any] = discord.ui.Select(
        custom_id=GONE,
        required=False,
        min_values=0,
        max_values=len(removable),
        placeholder=say(locale, "panel.form_keep")[:150],
        options=[
            discord.SelectOption(label=one.label[:100], value=one.value, description=one.note) for one in removable
        ],
    )
    return discord.ui.Label(text=say(locale, "panel.form_remove")[:45], component=menu)
