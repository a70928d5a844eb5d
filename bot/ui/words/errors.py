"""Every error in words: what was asked, what is allowed, what works, who can change it and when.

The only place that words a ``UserError``. What is no ``UserError`` is a bug: it gets a reference that stands in the
log beside its traceback, and nothing else of it is shown.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import Any

from bot.core.jobs.batches import BatchLinesRefused
from bot.core.people.styles import BadStyle, NoServerForStyle
from bot.core.servers.admin import BadApiKey, NotHere, NotInAServer, OneAtATime
from bot.core.servers.misfit import Misfit
from bot.core.servers.settings_file import BadImport
from bot.core.servers.transfer import NothingLeftOnList
from bot.rules.catalogue.catalogue import ModelRetired, ModelWithheld, NoSuchModel
from bot.rules.catalogue.pricing import UnknownPrice
from bot.rules.errors import (
    AlreadyRunning,
    Busy,
    Cancelled,
    Crowded,
    Interrupted,
    NoSuchLink,
    NotFound,
    OwnKeyGone,
    QueueTooLong,
    ServicePaused,
    ShuttingDown,
    StorageFull,
    StorageTrouble,
    TooOften,
    UserError,
)
from bot.rules.faults import ServiceFailed
from bot.rules.limits.amounts import BadAmount
from bot.rules.limits.decide import Refused
from bot.rules.options.problems import InvalidOptions
from bot.rules.options.words import NoWords
from bot.rules.overnight import NotOvernight
from bot.rules.servers.access import AccessDenied
from bot.rules.servers.edits import (
    BadDefaults,
    ChangedMeanwhile,
    Contradiction,
    ListFull,
    SetAndRemoved,
    TooManyWords,
)
from bot.rules.servers.review import ReviewRefused, Undecided
from bot.rules.servers.undo import ChangedSince, NothingToUndo
from bot.rules.servers.words.words import BadWord, RefusedWord
from bot.rules.styles.style import BadStyleName, EmptyStyle, NoSuchStyle, TooManyStyles
from bot.rules.uploads import BadUpload
from bot.ui.words.catalogue import has, joined, say
from bot.ui.words.changes import change_line
from bot.ui.words.commands import option_said
from bot.ui.words.failures import cancelled, interrupted, own_key_gone, paused, said_of_words, service
from bot.ui.words.numbers import day, duration, number
from bot.ui.words.problems import bad_style, bad_style_name, no_such_style, problem_line, too_many_styles
from bot.ui.words.refusals import (
    bad_word,
    denied_words,
    not_overnight,
    refused_word,
    refused_words,
    review_refused,
    too_many_words,
)
from bot.ui.words.text import CONTENT_LIMIT, cut, escaped, inline, length
from bot.ui.words.uploads import upload_fault, upload_words

log = logging.getLogger(__name__)

_REFERENCE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


class StaleButton(UserError):
    """A button or form of a version long gone that nothing answers any more."""


class StaleForm(UserError):
    """A form whose other half was lost with an earlier life of the process."""


class StaleOffer(UserError):
    """A button of a refusal that is a day old, or of somebody else's, or of another server's."""


class NothingToAwait(UserError):
    """A reminder was asked for of a limit that does not apply any more, or has room."""


class ChangedCommand(UserError):
    """Discord showed a command that this version has no longer in that shape."""


class ServerOnly(UserError):
    """The command makes sense only inside a server."""


class CannotPost(UserError):
    """The bot may not write in the channel that was to be the log channel, or, with ``pictures``, show pictures in the
    one for reviews.
    """

    def __init__(self, channel_id: int, *, pictures: bool) -> None:
        super().__init__(str(channel_id))
        self.channel_id = channel_id
        self.pictures = pictures


class CannotBlock(UserError):
    """An admin named themselves, or the bot itself, to be blocked. Nothing was changed."""

    def __init__(self, *, themselves: bool) -> None:
        super().__init__("themselves" if themselves else "the bot")
        self.themselves = themselves


class NothingToPreview(UserError):
    """A mask preview was asked for, but nothing says where to edit."""


class NoPicture(UserError):
    """The chosen message holds no picture."""


def words(error: Exception, locale: str, *, of_words: bool = False) -> str:
    """What a person is told, at most one message long. An unknown error is logged here, with its reference.

    ``of_words``: words were asked for, and no picture.
    """
    if not isinstance(error, UserError):
        return cut(_unknown(error, locale), CONTENT_LIMIT)
    return cut((said_of_words(error, locale) if of_words else "") or _words(error, locale), CONTENT_LIMIT)


def _words(error: UserError, locale: str) -> str:
    match _WORDINGS.get(type(error)):
        case None:
            return _unknown(error, locale)
        case str() as key:
            return say(locale, key)
        case wording:
            return wording(error, locale)


def is_worded(kind: type[UserError]) -> bool:
    """Whether this very class has a row in the table; a test asks it of every subclass."""
    return kind in _WORDINGS


def _unknown(error: Exception, locale: str) -> str:
    reference = "".join(secrets.choice(_REFERENCE_LETTERS) for _ in range(6))
    log.error("reference %s: %s", reference, type(error).__name__, exc_info=error)
    return say(locale, "error.unknown", reference=reference)


# --- options -----------------------------------------------------------------------------------------------------


def _invalid(error: InvalidOptions, locale: str) -> str:
    return f"{say(locale, 'problem.head')}\n{_problems(error, locale)}"


def _bad_defaults(error: BadDefaults, locale: str) -> str:
    return f"{say(locale, 'problem.head_defaults')}\n{_problems(error, locale)}"


def _problems(error: InvalidOptions | BadDefaults, locale: str) -> str:
    return "\n".join(problem_line(problem, error.model, locale) for problem in error.problems)


def _no_such_model(error: NoSuchModel, locale: str) -> str:
    nearest = joined(locale, [inline(name) for name in error.nearest])
    return say(
        locale,
        "error.no_such_model",
        asked=inline(error.asked, 60),
        nearest=say(locale, "error.nearest", nearest=nearest) if nearest else "",
    )


def _retired(error: ModelRetired, locale: str) -> str:
    successor = say(locale, "error.successor", successor=inline(error.successor)) if error.successor else ""
    on = day(locale, error.retired_on)
    key = "error.model_retired" if error.by_openai else "error.model_ended"
    return say(locale, key, model=inline(error.model), day=on, successor=successor)


def _withheld(error: ModelWithheld, locale: str) -> str:
    nearest = joined(locale, [inline(name) for name in error.nearest])
    return say(
        locale,
        "error.model_withheld",
        model=inline(error.model),
        nearest=say(locale, "error.nearest", nearest=nearest) if nearest else "",
    )


# --- the rest ----------------------------------------------------------------------------------------------------


def _not_found(error: NotFound, locale: str) -> str:
    key = f"thing.{error.what}"
    return say(locale, "error.not_found", what=say(locale, key) if has(key) else escaped(error.what, 100))


def _unknown_price(error: UnknownPrice, locale: str) -> str:
    return say(locale, "error.unknown_price", model=inline(error.model))


def _queue(error: QueueTooLong, locale: str) -> str:
    wait, allowed = duration(locale, error.wait_s), duration(locale, error.allowed_s)
    return say(locale, "error.queue_too_long", wait=wait, allowed=allowed)


def _lines(error: BatchLinesRefused, locale: str) -> str:
    """All faulty lines with their numbers, as many as one message holds."""
    text = say(locale, "error.lines")
    for place, (line, problem) in enumerate(error.problems):
        told = _problems(problem, locale) if isinstance(problem, InvalidOptions) else _words(problem, locale)
        sentence = told.replace("\n", " ")
        more = say(locale, "error.more_lines", count=len(error.problems) - place)
        added = f"{text}\n{say(locale, 'error.line', number=line, sentence=cut(sentence, 400))}"
        if length(added) + length(more) + 1 > CONTENT_LIMIT:
            return f"{text}\n{more}"
        text = added
    return text


def _bad_amount(error: BadAmount, locale: str) -> str:
    key = "error.bad_dollars" if error.dollars else "error.bad_amount"
    return say(
        locale,
        key,
        option=option_said(error.option, locale),
        asked=escaped(error.asked, 60),
        most=number(locale, error.most),
    )


def _bad_import(error: BadImport, locale: str) -> str:
    return "\n".join([say(locale, "error.bad_import"), *(f"- {_fault(fault, locale)}" for fault in error.faults)])


def _fault(fault: UserError, locale: str) -> str:
    words = upload_fault(fault, locale) if isinstance(fault, BadUpload) else _words(fault, locale)
    return words.replace("\n", " ")


def _misfit(misfit: Misfit, locale: str) -> str:
    facts = {name: escaped(str(fact), 60) for name, fact in misfit.facts.items()}
    text = say(locale, f"misfit.{misfit.what}", **facts)
    return f"{inline(misfit.where, 60)}: {text}" if misfit.where else text


def _nothing_left(error: NothingLeftOnList, locale: str) -> str:
    return say(locale, f"error.nothing_left_{error.which}")


def _bad_api_key(error: BadApiKey, locale: str) -> str:
    return say(locale, "error.key_refused" if error.refused_by_service else "error.key_malformed")


def _not_here(error: NotHere, locale: str) -> str:
    return say(locale, "error.not_here", kind=say(locale, f"kind_here.{error.kind}"))


def _cannot_post(error: CannotPost, locale: str) -> str:
    key = "error.cannot_post_pictures" if error.pictures else "error.cannot_post"
    return say(locale, key, channel=f"<#{error.channel_id}>")


def _too_often(error: TooOften, locale: str) -> str:
    return say(locale, "error.too_often", time=duration(locale, max(1.0, error.wait_s)))


def _cannot_block(error: CannotBlock, locale: str) -> str:
    return say(locale, "error.block_yourself" if error.themselves else "error.block_me")


def _changed_since(error: ChangedSince, locale: str) -> str:
    return say(locale, "error.changed_since", change=change_line(error.change, locale))


_WORDINGS: dict[type[UserError], str | Callable[[Any, str], str]] = {
    InvalidOptions: _invalid,
    BadDefaults: _bad_defaults,
    BadStyle: bad_style,
    BadStyleName: bad_style_name,
    EmptyStyle: "error.style_empty",
    NoServerForStyle: "error.server_only",
    NoSuchStyle: no_such_style,
    TooManyStyles: too_many_styles,
    NoSuchModel: _no_such_model,
    ModelRetired: _retired,
    ModelWithheld: _withheld,
    Refused: refused_words,
    AccessDenied: denied_words,
    BadUpload: upload_words,
    ServiceFailed: service,
    NotFound: _not_found,
    UnknownPrice: _unknown_price,
    NotOvernight: not_overnight,
    QueueTooLong: _queue,
    OwnKeyGone: own_key_gone,
    Cancelled: cancelled,
    Interrupted: interrupted,
    BatchLinesRefused: _lines,
    BadAmount: _bad_amount,
    BadImport: _bad_import,
    Misfit: _misfit,
    NothingLeftOnList: _nothing_left,
    ChangedMeanwhile: "error.changed_meanwhile",
    ChangedSince: _changed_since,
    NothingToUndo: "error.nothing_to_undo",
    BadApiKey: _bad_api_key,
    NotHere: _not_here,
    CannotPost: _cannot_post,
    CannotBlock: _cannot_block,
    TooOften: _too_often,
    ListFull: "error.list_full",
    Undecided: "error.undecided",
    ReviewRefused: review_refused,
    RefusedWord: refused_word,
    BadWord: bad_word,
    TooManyWords: too_many_words,
    Contradiction: "error.contradiction",
    SetAndRemoved: "error.set_and_remove",
    OneAtATime: "error.one_at_a_time",
    AlreadyRunning: "error.already_running",
    ShuttingDown: "error.shutting_down",
    NoWords: "wording.none",
    StorageTrouble: "error.storage_trouble",
    StorageFull: "error.storage_full",
    Busy: "error.busy",
    Crowded: "error.busy",
    ServicePaused: paused,
    StaleButton: "error.stale",
    StaleForm: "error.stale_form",
    StaleOffer: "error.stale_offer",
    NothingToAwait: "remind.nothing",
    NoSuchLink: "error.no_such_link",
    ChangedCommand: "error.changed_command",
    ServerOnly: "error.server_only",
    NotInAServer: "error.server_only",
    NothingToPreview: "mask.preview_needs",
    NoPicture: "vary.no_picture",
}
"""A sentence by its key, or what makes one."""
