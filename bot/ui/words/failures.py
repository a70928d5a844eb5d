"""What became of work that was begun or waited: the service failed, somebody stopped it, the key is gone.

Where words were asked for and no picture, the sentences speak of words.
"""

from __future__ import annotations

from bot.rules.errors import Cancelled, Interrupted, OwnKeyGone, ServicePaused, UserError
from bot.rules.faults import Fault, FaultKind, ServiceFailed
from bot.ui.words.catalogue import has, say
from bot.ui.words.numbers import duration
from bot.ui.words.text import escaped, inline


def service(error: ServiceFailed, locale: str) -> str:
    fault = error.fault
    sentence = say(
        locale,
        _of_own_key(error) or f"service.{_kind_word(fault)}",
        model=inline(error.model),
        when=_duration_or_later(fault.retry_after_s, locale),
        stage=_stage(fault.stage, locale),
        categories=_categories(fault.categories, locale),
        param=say(locale, "service.bad_request_param", param=inline(fault.param, 40)) if fault.param else "",
    )
    return f"{sentence} {_charged(error, locale)}"


def _of_own_key(error: ServiceFailed) -> str:
    """A key that the server has set is for its admins to mend, and the operator hears nothing of it."""
    key = f"service.own_{error.fault.kind}"
    return key if error.own_key and has(key) else ""


def _charged(error: ServiceFailed, locale: str) -> str:
    free = "service.moderation_free" if error.fault.kind is FaultKind.MODERATION else "service.free"
    return say(locale, "service.charged" if error.charged else free)


def said_of_words(error: UserError, locale: str) -> str:
    """Empty where the sentence for pictures serves."""
    match error:
        case ServiceFailed(fault=fault):
            key = _of_own_key(error) or f"wording_failed.{_kind_word(fault)}"
            when = _duration_or_later(fault.retry_after_s, locale)
            return f"{say(locale, key, when=when)} {_charged(error, locale)}"
        case Interrupted():
            return say(locale, "wording.interrupted_billed" if error.maybe_billed else "wording.interrupted_free")
        case Cancelled(maybe_billed=True):
            return say(locale, "wording.cancelled_billed")
        case OwnKeyGone(removed=True):
            return say(locale, "wording.own_key_removed")
        case _:
            return ""


_FULL = frozenset({"server_is_overloaded", "overloaded_error", "service_unavailable", "slow_down"})


def _kind_word(fault: Fault) -> str:
    """Overloaded is only who says so: a plain 500 failed, and "again in a moment" would be a guess."""
    says_so = fault.status in {503, 529} or fault.code in _FULL
    return "failed" if fault.kind is FaultKind.OVERLOADED and not says_so else str(fault.kind)


def _duration_or_later(seconds: float | None, locale: str) -> str:
    """``in 12 s`` as far as a service told it, else ``in a moment``."""
    return say(locale, "service.in", time=duration(locale, seconds)) if seconds else say(locale, "service.later")


def _stage(stage: str | None, locale: str) -> str:
    key = f"service.moderation_stage_{stage}"
    return say(locale, key) if stage and has(key) else ""


def _categories(categories: tuple[str, ...], locale: str) -> str:
    named = escaped(", ".join(categories), 200)
    return say(locale, "service.moderation_categories", categories=named) if named else ""


def paused(error: ServicePaused, locale: str) -> str:
    if error.of_words:
        return say(locale, "wording.own_paused" if error.own_key else "wording.paused")
    if error.model is None:
        return say(locale, "error.own_service_paused" if error.own_key else "error.service_paused")
    key = "error.own_model_paused" if error.own_key else "error.model_paused"
    return say(locale, key, model=inline(error.model))


def own_key_gone(error: OwnKeyGone, locale: str) -> str:
    return say(locale, "error.own_key_removed" if error.removed else "error.own_key_unreadable")


def cancelled(error: Cancelled, locale: str) -> str:
    return say(locale, "error.cancelled_billed" if error.maybe_billed else "error.cancelled_free")


def interrupted(error: Interrupted, locale: str) -> str:
    return say(locale, "error.interrupted_billed" if error.maybe_billed else "error.interrupted_free")
