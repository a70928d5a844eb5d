"""``/settings show`` and ``audit``: what holds in a server, on one page for someone who has never seen it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import discord

from bot.ports import AuditEntry
from bot.rules.limits.decide import Standing
from bot.rules.limits.limit import Cooldown, Limit, Measure, Period, Quota, Scope, is_open, slot_of
from bot.rules.servers.access import Defaults, ServerSettings, model_by_default
from bot.rules.servers.changes import Listed, Lists, lists_of, look_of
from bot.ui.pages.result import COLOUR
from bot.ui.words.catalogue import say
from bot.ui.words.changes import change_line, defaults_words, look_words
from bot.ui.words.commands import command_said
from bot.ui.words.limits import amount, slot, window
from bot.ui.words.numbers import moment, money, number
from bot.ui.words.text import DESCRIPTION_LIMIT, FIELD_LIMIT, cut, escaped, inline, length

MOST_EXCEPTIONS = 12
MOST_NAMES = 8
MENTIONS = {Scope.ROLE: "<@&{}>", Scope.MEMBER: "<@{}>", Scope.CHANNEL: "<#{}>"}
EXCEPTIONS = tuple(MENTIONS)
MEMBER_MEASURES = (
    (Measure.IMAGES, Period.HOUR, False),
    (Measure.IMAGES, Period.DAY, True),
    (Measure.IMAGES, Period.MONTH, False),
    (Measure.REQUESTS, Period.HOUR, False),
    (Measure.REQUESTS, Period.DAY, False),
    (Measure.REQUESTS, Period.MONTH, False),
    (Measure.DOLLARS, Period.DAY, False),
    (Measure.DOLLARS, Period.MONTH, False),
    (Measure.JOBS, Period.NOW, True),
)
"""What each member's share may be limited in; True: escaped even where there is no limit."""

COMMANDS = {
    Measure.REQUESTS: "quota",
    Measure.IMAGES: "quota",
    Measure.DOLLARS: "budget",
    Measure.JOBS: "concurrency",
}


@dataclass(frozen=True, slots=True)
class Office:
    """Everything the page is made of. ``exists`` says whether a role or channel is still there, ``default_gone`` that
    the model of who names none is not, ``key_refused`` that the image service does not take the server's own key.
    """

    settings: ServerSettings
    limits: tuple[Limit, ...]
    standings: tuple[Standing, ...]
    default_model: str
    exists: Callable[[Scope, int], bool]
    locale: str
    words_refused: int = 0
    default_gone: bool = False
    key_refused: bool = False


def page(office: Office) -> discord.Embed:
    """The whole page: one embed, well under Discord's 6000 characters however much is set."""
    locale = office.locale
    intro = f"{state(office)}\n{say(locale, 'settings.intro')}"
    embed = discord.Embed(colour=COLOUR, title=say(locale, "settings.title"), description=intro)
    for key, lines in (
        ("money", _money(office)),
        ("limits", _members(office)),
        ("exceptions", _exceptions(office)),
        ("who", _who(office)),
        ("how", _how(office)),
        ("safety", _safety(office)),
    ):
        embed.add_field(name=say(locale, f"settings.{key}"), value=fitted(lines, FIELD_LIMIT, locale), inline=False)
    embed.set_footer(text=say(locale, "settings.footer"))
    return embed


def fitted(lines: Sequence[str], room: int, locale: str) -> str:
    """As many whole lines as fit, and how many more there are."""
    kept: list[str] = []
    for count, line in enumerate(lines):
        more = say(locale, "settings.more", count=len(lines) - count)
        if length("\n".join([*kept, line])) > room - (length(more) + 1 if count + 1 < len(lines) else 0):
            return "\n".join([*kept, more])
        kept.append(line)
    return "\n".join(kept) or "–"


def state(office: Office) -> str:
    """Whether pictures can be made, and what keeps those who choose nothing from it."""
    locale, reason = office.locale, office.settings.pause_reason
    told = say(locale, "settings.running")
    if office.settings.paused:
        told = say(locale, "settings.paused", reason=f" ({escaped(reason, 200)})" if reason else "")
    if not office.default_gone:
        return told
    default = model_by_default(office.settings.defaults, office.default_model)
    return "\n".join([told, say(locale, "settings.default_gone", model=inline(default))])


def _line(office: Office, what: str, value: str, command: str) -> str:
    return say(
        office.locale,
        "settings.line",
        what=what,
        value=value,
        command=command_said(f"settings {command}", office.locale),
    )


# --- limits ------------------------------------------------------------------------------------------------------


def _money(office: Office) -> list[str]:
    locale = office.locale
    lines = [
        _line(office, _server_budget(limit.period, locale), _spent(office, limit), "budget")
        for limit in office.limits
        if isinstance(limit, Quota)
        if limit.scope is Scope.SERVER and limit.measure is Measure.DOLLARS and not is_open(limit)
    ]
    if not lines:
        lines.append(_line(office, _server_budget(Period.MONTH, locale), say(locale, "settings.no_limit"), "budget"))
    return [*lines, _line(office, say(locale, "settings.apikey"), key_words(office), "apikey")]


def key_words(office: Office) -> str:
    """Whose key pays here, and whether it can."""
    hint = office.settings.api_key_hint
    if not hint:
        return say(office.locale, "settings.operator_key")
    key = "settings.own_key_refused" if office.key_refused else "settings.own_key"
    return say(office.locale, key, hint=inline(hint))


def _server_budget(period: Period, locale: str) -> str:
    return say(locale, "settings.server_budget", window=window(period, locale))


def _spent(office: Office, limit: Limit) -> str:
    standing = next((one for one in office.standings if one.limit == limit), None)
    text = amount(limit, office.locale)
    if standing is None or standing.resets_at is None:
        return text
    used, resets = money(office.locale, standing.used), moment(standing.resets_at)
    return say(office.locale, "settings.spent", amount=text, used=used, resets=resets)


def _members(office: Office) -> list[str]:
    locale = office.locale
    shares = {slot_of(one).quota: one for one in office.limits if one.scope is Scope.EVERYONE}
    cooldown = shares.get(None)
    lines = [_line(office, say(locale, "settings.cooldown"), _amount(office, cooldown), "cooldown")]
    for measure, period, always in MEMBER_MEASURES:
        limit = shares.get((measure, period))
        if always or (limit is not None and not is_open(limit)):
            what = say(locale, f"settings.{measure}", window=window(period, locale))
            lines.append(_line(office, what, _amount(office, limit), COMMANDS[measure]))
    others = (one for one in office.limits if one.scope is Scope.SERVER and one.measure is not Measure.DOLLARS)
    lines += [_line(office, slot(slot_of(one), locale), _amount(office, one), COMMANDS[one.measure]) for one in others]
    return lines


def _amount(office: Office, limit: Limit | None) -> str:
    if limit is None or is_open(limit):
        return say(office.locale, "settings.no_limit")
    return amount(limit, office.locale)


def _exceptions(office: Office) -> list[str]:
    locale = office.locale
    found = [
        one
        for one in office.limits
        if one.scope in EXCEPTIONS and one.subject_id is not None and office.exists(one.scope, one.subject_id)
    ]
    if not found:
        return [say(locale, "settings.no_exceptions")]
    found.sort(key=lambda one: (EXCEPTIONS.index(one.scope), one.subject_id or 0))
    lines = [_exception(office, one) for one in found[:MOST_EXCEPTIONS]]
    left = len(found) - len(lines)
    return [*lines, say(locale, "settings.more", count=left)] if left else lines


def _exception(office: Office, limit: Limit) -> str:
    locale = office.locale
    match limit:
        case Quota():
            what = say(locale, f"settings.exception_{limit.measure}", window=window(limit.period, locale))
        case Cooldown():
            what = say(locale, "settings.exception_cooldown")
    mention = MENTIONS[limit.scope].format(limit.subject_id)
    return say(locale, "settings.exception", whose=mention, what=what, amount=_amount(office, limit))


# --- settings ----------------------------------------------------------------------------------------------------


def _who(office: Office) -> list[str]:
    locale, settings = office.locale, office.settings
    lines = [
        _line(office, say(locale, f"settings.{which}"), _listed(office, which, lists_of(settings, which)), which)
        for which in Listed
    ]
    blocked = _few([f"<@{block.user_id}>" for block in settings.blocked], locale)
    return [*lines, _line(office, say(locale, "settings.blocked"), blocked or say(locale, "value.none"), "block")]


def _listed(office: Office, which: Listed, lists: Lists) -> str:
    """``only @role, @role (deleted), not @role``. What is gone from Discord stays on its list and lets nobody in."""
    allowed = [_item(office, which, one) for one in sorted(lists.allowed - lists.denied, key=str)]
    if lists.is_closed:
        allowed = [say(office.locale, "settings.none")]
    denied = [_item(office, which, one) for one in sorted(lists.denied, key=str)]
    parts = [
        say(office.locale, key, items=_few(items, office.locale))
        for key, items in (("settings.only", allowed), ("settings.never", denied))
        if items
    ]
    return ", ".join(parts) or say(office.locale, "settings.all")


def _item(office: Office, which: Listed, one: str | int) -> str:
    match which:
        case Listed.MODELS:
            return inline(str(one))
        case Listed.CHANNELS:
            scope = Scope.CHANNEL
        case Listed.ROLES:
            scope = Scope.ROLE
    mention = MENTIONS[scope].format(one)
    return mention if office.exists(scope, int(one)) else say(office.locale, f"settings.gone_{which}", item=mention)


def _few(items: list[str], locale: str) -> str:
    if len(items) <= MOST_NAMES:
        return ", ".join(items)
    count = number(locale, len(items) - MOST_NAMES)
    return say(locale, "settings.others", items=", ".join(items[:MOST_NAMES]), count=count)


def _how(office: Office) -> list[str]:
    locale, settings = office.locale, office.settings
    defaults = cut(defaults_words(settings.defaults, locale), 300)
    if settings.defaults == Defaults():
        defaults = say(locale, "settings.operator_default", model=inline(office.default_model))
    previews = {None: "settings.previews_auto", True: "value.on", False: "value.off"}[settings.previews]
    channel = settings.log_channel_id
    return [
        _line(office, say(locale, "settings.defaults"), defaults, "defaults"),
        _line(office, say(locale, "settings.previews"), say(locale, previews), "previews"),
        _line(
            office,
            say(locale, "setting.fallback"),
            say(locale, "value.on" if settings.fallback else "value.off"),
            "models",
        ),
        _line(office, say(locale, "setting.look"), cut(look_words(look_of(settings), locale), 200), "look"),
        _line(office, say(locale, "settings.log"), f"<#{channel}>" if channel else say(locale, "value.none"), "log"),
    ]


def _safety(office: Office) -> list[str]:
    locale, settings = office.locale, office.settings
    level = {None: "as_asked", "auto": "level_auto", "low": "level_low"}.get(settings.moderation, "as_asked")
    switches = (("spoiler", settings.spoiler), ("age", settings.age_restricted_only))
    return [
        _line(office, say(locale, "settings.moderation"), say(locale, f"settings.{level}"), "moderation"),
        *(
            _line(office, say(locale, f"settings.{key}"), say(locale, "word.yes" if value else "word.no"), "moderation")
            for key, value in switches
        ),
        _line(office, say(locale, "setting.review"), _room(settings.review_channel_id, locale), "review"),
        _line(office, say(locale, "setting.words"), _refused_words(office), "words"),
    ]


def _room(channel_id: int | None, locale: str) -> str:
    return f"<#{channel_id}>" if channel_id else say(locale, "value.none")


def _refused_words(office: Office) -> str:
    """How many there are, and how many prompts held one this month."""
    if not office.settings.refused_words:
        return say(office.locale, "value.none")
    count = number(office.locale, len(office.settings.refused_words))
    return say(office.locale, "settings.words", count=count, refused=number(office.locale, office.words_refused))


# --- the trail ---------------------------------------------------------------------------------------------------


def audit_page(entries: Sequence[AuditEntry], locale: str) -> discord.Embed:
    """The latest changes, newest first, as many as fit."""
    lines: list[str] = []
    room = DESCRIPTION_LIMIT - 100
    for entry in entries:
        at = int(entry.at.timestamp())
        line = say(locale, "settings.audit_line", at=at, actor=entry.actor_id, change=change_line(entry.change, locale))
        room -= length(line) + 1
        if room < 0:
            lines.append(say(locale, "settings.audit_more"))
            break
        lines.append(line)
    text = "\n".join(lines) or say(locale, "settings.audit_empty")
    return discord.Embed(colour=COLOUR, title=say(locale, "settings.audit_title"), description=text)
