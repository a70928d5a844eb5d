"""Limits, settings and their changes in words: what admins read in answers, in the audit trail and in the log channel.

The trail itself is stored in short plain English (``limit role 42 images per day``, ``allow: channel 7``); here it gets
the reader's language, and ids become mentions, which Discord shows by name and which never ping.
"""

from __future__ import annotations

import re

from bot.core.servers.admin import Change
from bot.ports import AuditEntry
from bot.rules.limits.limit import Limit, Measure, Period, Scope, Window
from bot.rules.servers.audit_words import limit_words
from bot.ui.words.catalogue import has, say
from bot.ui.words.numbers import money, number
from bot.ui.words.text import FIELD_LIMIT, cut, escaped

_SLOT = re.compile(
    r"limit (?P<scope>[a-z]+)(?: (?P<subject>\d{1,20}))? "
    r"(?:(?P<cooldown>cooldown)|(?P<measure>[a-z]+) (?:per (?P<period>[a-z]+)|at once))"
)
_ABOUT_MEMBER = re.compile(r"block (?P<member>\d{1,20})")
_DOLLARS = re.compile(r"\$(?P<whole>\d{1,12})\.(?P<fraction>\d{2,6})")
_SECONDS = re.compile(r"(?P<seconds>\d{1,8}) s")
_COUNT = re.compile(r"\d{1,16}")
_IDS = re.compile(r"\b(?P<kind>role|member|channel) (?P<id>\d{1,20})\b")
_LISTS = re.compile(r"(?:^|(?<=; ))(?P<list>allow|deny): ")
_STATE = re.compile(r"(?P<state>not blocked|blocked|paused|running)(?P<why>: .+)", re.DOTALL)
_SWITCH = r"(level|spoiler|age-restricted only|private) (on|off|auto|low|as asked)"
_SWITCHES = re.compile(rf"{_SWITCH}(?:, {_SWITCH})*")
_MENTION = {"role": "<@&{}>", "member": "<@{}>", "channel": "<#{}>"}
_NO_AMOUNT = {"none": "limit.none", "not set": "limit.not_set"}
VALUE_ROOM = 600


# --- limits ------------------------------------------------------------------------------------------------------


def slot(limit: Limit, locale: str) -> str:
    """What a limit is and for whom: ``Pictures per day for @artists``."""
    what = (
        say(locale, "limit.cooldown")
        if limit.window.period is Period.SECONDS
        else say(locale, f"limit.{limit.measure}", window=window(limit.window.period, locale))
    )
    return say(locale, "limit.slot", what=what, whose=whose(limit, locale))


def window(period: Period, locale: str) -> str:
    """``hour``, ``day``, ``month``; nothing for a cooldown, which is told by its seconds."""
    return say(locale, f"window.{period}", seconds="")


def whose(limit: Limit, locale: str) -> str:
    """For whom it holds, told about others: ``for @artists``, ``for the whole server``."""
    return say(locale, f"limit.whose.{limit.scope}", subject=limit.subject_id)


def amount(limit: Limit | None, locale: str) -> str:
    """How much: ``$12.50``, ``50``, ``30 s``, ``no limit``; ``not set`` for None."""
    return amount_text(limit_words(limit), locale)


def amount_text(text: str, locale: str) -> str:
    """The amount of a limit as the trail has it, in words."""
    key = _NO_AMOUNT.get(text)
    return value(text, locale) if key is None else say(locale, key)


def plain_amount(limit: Limit, count: int, locale: str) -> str:
    """A number of what the limit counts: dollars as money, the rest as it is."""
    return money(locale, count) if limit.measure is Measure.DOLLARS else number(locale, count)


# --- changes and the trail -----------------------------------------------------------------------------------------


def change_line(change: Change | AuditEntry, locale: str) -> str:
    """``**Cooldown for everyone:** 30 s → 60 s``; says so where nothing changed."""
    key = "limit.change" if change.old != change.new else "limit.unchanged"
    read = amount_text if _SLOT.fullmatch(change.what) else value
    return say(locale, key, what=what(change.what, locale), old=read(change.old, locale), new=read(change.new, locale))


def what(name: str, locale: str) -> str:
    """The name of a limit or setting as the trail has it, in words."""
    found = _SLOT.fullmatch(name)
    if found is not None and (limit := _slot_of(found)) is not None:
        return slot(limit, locale)
    blocked = _ABOUT_MEMBER.fullmatch(name)
    if blocked is not None:
        return say(locale, "setting.block", member=f"<@{blocked['member']}>")
    key = f"setting.{name.replace(' ', '_')}"
    return say(locale, key) if has(key) else escaped(name, 100)


def _slot_of(found: re.Match[str]) -> Limit | None:
    try:
        measure = Measure.REQUESTS if found["cooldown"] else Measure(found["measure"])
        period = Period.SECONDS if found["cooldown"] else Period(found["period"] or Period.NOW)
        subject = int(found["subject"]) if found["subject"] else None
        return Limit(Scope(found["scope"]), measure, Window(period), None, subject)
    except ValueError:
        return None


def value(text: str, locale: str) -> str:
    """A value of the trail in words: amounts as the language writes them, ids as mentions."""
    if re.fullmatch(r"[a-z ]{2,30}", text) and has(_key(text)):
        return say(locale, _key(text))
    if (dollars := _DOLLARS.fullmatch(text)) is not None:
        return money(locale, int(dollars["whole"]) * 1_000_000 + int(dollars["fraction"].ljust(6, "0")))
    if (seconds := _SECONDS.fullmatch(text)) is not None:
        return exact_duration(locale, int(seconds["seconds"]))
    if _COUNT.fullmatch(text):
        return number(locale, int(text))
    if (state := _STATE.fullmatch(text)) is not None:
        return say(locale, _key(state["state"])) + escaped(state["why"], VALUE_ROOM)
    if _SWITCHES.fullmatch(text):
        return re.sub(_SWITCH, lambda found: f"{say(locale, _key(found[1]))} {say(locale, _key(found[2]))}", text)
    named = _LISTS.sub(lambda found: say(locale, f"value.{found['list']}") + ": ", escaped(text, VALUE_ROOM))
    return cut(_IDS.sub(lambda found: _MENTION[found["kind"]].format(found["id"]), named), FIELD_LIMIT)


def _key(word: str) -> str:
    return f"value.{word.replace(' ', '_').replace('-', '_')}"


def exact_duration(locale: str, seconds: int) -> str:
    """``90 s``, ``5 min``, ``2 h``: never rounded, for it is what holds."""
    for unit, word in ((3600, "h"), (60, "min")):
        if seconds >= 2 * unit and seconds % unit == 0:
            return f"{number(locale, seconds // unit)} {word}"
    return f"{number(locale, seconds)} s"
