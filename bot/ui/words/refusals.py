"""Not now, not here, not you: what a limit or a rule of the server refuses, with its numbers and who can change it."""

from __future__ import annotations

from bot.rules.limits.decide import Refusal, Refused
from bot.rules.limits.limit import Cooldown, Limit, Measure, Quota, Scope, most_of
from bot.rules.overnight import NotOvernight
from bot.rules.servers.access import AccessDenied, DeniedBecause
from bot.rules.servers.edits import TooManyWords
from bot.rules.servers.review import ReviewRefused
from bot.rules.servers.words.words import MOST_CHARS, MOST_WORDS, BadWord, FoundIn, RefusedWord
from bot.ui.words.catalogue import has, joined, say
from bot.ui.words.commands import command_said
from bot.ui.words.numbers import duration, moment, money, number
from bot.ui.words.text import escaped, inline

MOST_NAMED = 8
"""Models in one sentence."""


def not_overnight(error: NotOvernight, locale: str) -> str:
    """Why it cannot wait for the night, and what can."""
    told = say(locale, f"overnight.not_{error.why}", model=inline(error.model))
    if error.others:
        others = [inline(one) for one in error.others[:MOST_NAMED]]
        told += " " + say(locale, "overnight.others", models=joined(locale, others))
    return f"{told} {say(locale, 'overnight.instead')}"


def refused_words(error: Refused, locale: str) -> str:
    """Every rule that has no room, and who can change it with which command."""
    lines = [_line(refusal, error, locale) for refusal in error.refusals]
    of_server = [one for one in error.refusals if error.in_server and one.limit.scope is not Scope.OPERATOR]
    if of_server:
        commands = [f"`{command_said(name, locale)}`" for name in sorted(set(map(_command, of_server)))]
        lines.append(say(locale, "refused.change_server", command=joined(locale, commands)))
    if len(of_server) < len(error.refusals):
        lines.append(say(locale, "refused.change_operator"))
    return "\n".join([say(locale, "refused.head"), *lines])


def _line(refusal: Refusal, error: Refused, locale: str) -> str:
    """The rule that had no room, with its numbers and when it starts afresh."""
    limit = refusal.limit
    shown_number = money if limit.measure is Measure.DOLLARS else number
    fields = {
        "amount": shown_number(locale, most_of(limit) or 0),
        "used": shown_number(locale, refusal.used),
        "asked": shown_number(locale, refusal.asked),
        "whose": say(locale, f"refused.whose.{whose(limit, error.in_server)}", subject=limit.subject_id),
        "window": _window(limit, locale),
        "resets": moment(refusal.resets_at) if refusal.resets_at else say(locale, "service.later"),
    }
    key = _refusal_key(refusal)
    return say(locale, f"refused.{_OF_WORDS.get(key, key) if error.of_words else key}", **fields)


def whose(limit: Limit, in_server: bool) -> str:
    """Outside servers all but the bot's own budget is what the operator gives each person."""
    return limit.scope if in_server or limit.scope is Scope.OPERATOR else "direct"


def _window(limit: Limit, locale: str) -> str:
    match limit:
        case Quota():
            return say(locale, f"window.{limit.period}")
        case Cooldown():
            return say(locale, "window.seconds", seconds=duration(locale, limit.seconds or 0))


_NEVER = {Measure.IMAGES: "images_never", Measure.DOLLARS: "dollars_never"}
"""Measures of which one request can ask for more than the whole limit: waiting does not help then."""

_OF_WORDS = {"dollars_never": "words_never", "operator_never": "operator_words_never"}
"""Words have no quality, and nobody chooses their model."""


def _refusal_key(refusal: Refusal) -> str:
    limit = refusal.limit
    if isinstance(limit, Cooldown):
        return "cooldown"
    never = limit.amount is not None and 0 < limit.amount < refusal.asked
    if limit.scope is Scope.OPERATOR and limit.measure is Measure.DOLLARS:
        return "operator_never" if never else "operator"
    if limit.measure is Measure.JOBS:
        return "jobs"
    if limit.amount == 0:
        return "none_left"
    return _NEVER.get(limit.measure, str(limit.measure)) if never else str(limit.measure)


def _command(refusal: Refusal) -> str:
    return {
        "cooldown": "/settings cooldown",
        "dollars": "/settings budget",
        "jobs": "/settings concurrency",
    }.get("dollars" if refusal.limit.measure is Measure.DOLLARS else _refusal_key(refusal), "/settings quota")


def denied_words(error: AccessDenied, locale: str) -> str:
    """Which rule of the server stands in the way, and who decides about it."""
    text = say(locale, f"denied.{error.because}", detail=_denied_detail(error, locale))
    return f"{text} {say(locale, 'denied.until', until=moment(error.until))}" if error.until else text


def _denied_detail(error: AccessDenied, locale: str) -> str:
    if error.because is DeniedBecause.BOT_LACKS:
        names = [say(locale, f"permission.{name}") if has(f"permission.{name}") else name for name in error.lacks]
        return joined(locale, names, last="and")
    if error.because is DeniedBecause.MODEL:
        return inline(error.detail)
    return f" ({escaped(error.detail, 300)})" if error.detail else ""


def bad_word(_: BadWord, locale: str) -> str:
    return say(locale, "error.bad_word", most=MOST_CHARS)


def too_many_words(_: TooManyWords, locale: str) -> str:
    return say(locale, "error.too_many_words", most=MOST_WORDS)


def refused_word(error: RefusedWord, locale: str) -> str:
    match error.found_in:
        case FoundIn.PROMPT:
            return say(locale, "error.refused_word")
        case FoundIn.LOOK:
            return say(locale, "error.refused_word_look", look=inline(error.look))
        case FoundIn.PICTURE:
            return say(locale, "error.refused_word_picture")


def review_refused(error: ReviewRefused, locale: str) -> str:
    reason = escaped(error.reason, 300)
    ended = reason if reason.endswith((".", "!", "?", "…")) else f"{reason}."
    because = say(locale, "review.because", reason=ended) if reason else ""
    return say(locale, "error.review_refused", count=error.count, because=because)
