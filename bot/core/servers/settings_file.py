"""A server's settings and limits as a JSON file: written, and read strictly, every fault told. Version 1.

The file holds no secret and no block list reasons beyond what admins typed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from bot.core.servers.misfit import Misfit
from bot.core.servers.styles_file import style_out, styles_in
from bot.rules.errors import UserError
from bot.rules.limits.amounts import MAX_COUNT, MAX_DOLLARS, MAX_JOBS, MAX_SECONDS
from bot.rules.limits.limit import Cooldown, Limit, Measure, Period, Quota, Scope, check_limit, slot_of
from bot.rules.servers.access import Block, Defaults, Layout, ResultButton, ServerSettings
from bot.rules.servers.edits import MOST_LISTED
from bot.rules.servers.words.words import MOST_CHARS, MOST_WORDS, BadWord, word_of
from bot.rules.styles.style import Style

VERSION = 1
COOLDOWN = "seconds"
"""The period that a cooldown has in the file."""
MAX_BYTES = 3 * 1024 * 1024
"""A hundred looks of 6,000 characters, and the rest."""

MOST_FAULTS = 12
LEVELS = ("auto", "low")
NOT_TRANSFERRED = frozenset({"api_key_hint"})
MOST = {
    Measure.REQUESTS: MAX_COUNT,
    Measure.IMAGES: MAX_COUNT,
    Measure.DOLLARS: MAX_DOLLARS * 1_000_000,
    Measure.JOBS: MAX_JOBS,
}


class BadImport(UserError):
    """The file cannot be imported; ``faults`` are all of them. Nothing was changed."""

    def __init__(self, *faults: UserError) -> None:
        super().__init__("; ".join(map(str, faults))[:300])
        self.faults = _few(faults)


def _few(faults: tuple[UserError, ...]) -> tuple[UserError, ...]:
    """The first ones and how many more, so that all are told in one message."""
    return (
        faults
        if len(faults) <= MOST_FAULTS
        else (*faults[:MOST_FAULTS], Misfit("more", count=len(faults) - MOST_FAULTS))
    )


@dataclass(frozen=True, slots=True)
class ImportFile:
    """What a file names, each well-formed; None and missing: it says nothing of it."""

    settings: Mapping[str, Any]
    limits: tuple[Limit, ...] | None
    styles: tuple[Style, ...] | None = None


def export(settings: ServerSettings, limits: tuple[Limit, ...], styles: tuple[Style, ...] = ()) -> bytes:
    """The file, readable by people: UTF-8 JSON with sorted keys."""
    document = {
        "easel": VERSION,
        "settings": {
            field.name: _plain(getattr(settings, field.name))
            for field in fields(settings)
            if field.name not in NOT_TRANSFERRED
        },
        "limits": [_limit_out(limit) for limit in limits if limit.scope is not Scope.OPERATOR],
        "styles": [style_out(style) for style in styles],
    }
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False).encode()


def read_import(data: bytes) -> ImportFile:
    """Reads a file. Raises ``BadImport`` with every fault."""
    document = _document(data)
    faults: list[UserError] = []
    settings = _settings_in(document.get("settings", {}), faults)
    limits = _limits_in(document["limits"], faults) if "limits" in document else None
    styles = styles_in(document["styles"], faults) if "styles" in document else None
    known = {"easel", "settings", "limits", "styles"}
    faults += [Misfit("unknown", key[:40]) for key in sorted(set(document) - known)]
    if faults:
        raise BadImport(*faults)
    return ImportFile(settings, limits, styles)


def _document(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise BadImport(Misfit("too_large", most_kb=MAX_BYTES // 1024))
    try:
        document = json.loads(data.decode("utf-8-sig"), parse_constant=_no_constants)
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise BadImport(Misfit("not_json")) from None
    if not isinstance(document, dict) or "easel" not in document:
        raise BadImport(Misfit("not_ours"))
    if document["easel"] != VERSION:
        raise BadImport(Misfit("version", version=str(document["easel"])[:20], ours=VERSION))
    return document


def _no_constants(name: str) -> float:
    raise ValueError(name)


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(str(item) if isinstance(item, int) else item for item in value)
    if isinstance(value, Defaults):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, tuple):
        return [{"user_id": str(block.user_id), "reason": block.reason} for block in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


def _limit_out(limit: Limit) -> dict[str, Any]:
    subject = None if limit.subject_id is None else str(limit.subject_id)
    known = {"scope": limit.scope, "subject_id": subject, "measure": limit.measure}
    match limit:
        case Quota():
            return {**known, "period": limit.period, "seconds": 0, "amount": limit.amount}
        case Cooldown():
            amount = None if limit.seconds is None else 1
            return {**known, "period": COOLDOWN, "seconds": limit.seconds or 0, "amount": amount}


# --- reading ---------------------------------------------------------------------------------------------------------


def _ids(value: Any) -> frozenset[int]:
    if not isinstance(value, list) or len(value) > MOST_LISTED:
        raise Misfit("ids", most=MOST_LISTED)
    return frozenset(_id(item) for item in value)


def _id(value: Any) -> int:
    if not isinstance(value, str) or not value.isascii() or not value.isdigit() or len(value) > 20:
        raise Misfit("id")
    if not 0 < int(value) < 1 << 63:  # what a database holds
        raise Misfit("id")
    return int(value)


def _words(value: Any) -> frozenset[str]:
    if not isinstance(value, list) or len(value) > MOST_LISTED or not all(isinstance(item, str) for item in value):
        raise Misfit("names", most=MOST_LISTED)
    return frozenset(item[:100] for item in value)


def _refused_words(value: Any) -> frozenset[str]:
    try:
        if not isinstance(value, list) or len(value) > MOST_WORDS:
            raise BadWord
        return frozenset(word_of(_string(item)) for item in value)
    except BadWord:
        raise Misfit("refused_words", most=MOST_WORDS, chars=MOST_CHARS) from None


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise BadWord
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Misfit("text")
    return value[:200]


def _maybe(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else read(value)


def _level(value: Any) -> str:
    if value not in LEVELS:
        raise Misfit("level")
    return str(value)


def _layout(value: Any) -> Layout:
    if value not in set(Layout):
        raise Misfit("layout")
    return Layout(value)


def _buttons(value: Any) -> frozenset[ResultButton]:
    if not isinstance(value, list) or not set(value) <= set(ResultButton):
        raise Misfit("buttons", names=", ".join(ResultButton))
    return frozenset(map(ResultButton, value))


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Misfit("truth")
    return value


def _blocks(value: Any) -> tuple[Block, ...]:
    if not isinstance(value, list) or len(value) > 1000:
        raise Misfit("blocks")
    blocks = tuple(Block(_id(item["user_id"]), _text(item.get("reason", ""))) for item in value)
    if len({block.user_id for block in blocks}) < len(blocks):
        raise Misfit("blocked_twice")
    return blocks


def _defaults(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict) or set(value) - {field.name for field in fields(Defaults)}:
        raise Misfit("options")
    return {key: _maybe(_truth if key == "private" else _text)(item) for key, item in value.items()}


READ: Mapping[str, Callable[[Any], Any]] = {
    "allowed_models": _words,
    "denied_models": _words,
    "allowed_channels": _ids,
    "denied_channels": _ids,
    "allowed_roles": _ids,
    "denied_roles": _ids,
    "blocked": _blocks,
    "defaults": _defaults,
    "moderation": _maybe(_level),
    "spoiler": _truth,
    "age_restricted_only": _truth,
    "previews": _maybe(_truth),
    "fallback": _truth,
    "show_cost": _truth,
    "layout": _layout,
    "hidden_buttons": _buttons,
    "log_channel_id": _maybe(_id),
    "review_channel_id": _maybe(_id),
    "paused": _truth,
    "pause_reason": _text,
    "refused_words": _refused_words,
}


def _settings_in(given: Any, faults: list[UserError]) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        faults.append(Misfit("object", "settings"))
        return {}
    read: dict[str, Any] = {}
    for key, value in given.items():
        if key not in READ:
            faults.append(Misfit("unknown", f"settings.{key[:40]}"))
            continue
        try:
            read[key] = READ[key](value)
        except Misfit as misfit:
            faults.append(misfit.at(f"settings.{key}"))
        except (ValueError, TypeError, KeyError, AttributeError):
            faults.append(Misfit("form", f"settings.{key}"))
    return read


def _limits_in(given: Any, faults: list[UserError]) -> tuple[Limit, ...]:
    if not isinstance(given, list) or len(given) > 500:
        faults.append(Misfit("limits", "limits", most=500))
        return ()
    limits = []
    for number, item in enumerate(given, start=1):
        try:
            limits.append(_limit_in(item))
        except Misfit as misfit:
            faults.append(misfit.at(f"limits[{number}]"))
        except (ValueError, TypeError, KeyError):
            faults.append(Misfit("form", f"limits[{number}]"))
    if len({slot_of(limit) for limit in limits}) < len(limits):
        faults.append(Misfit("limit_twice", "limits"))
    return tuple(limits)


def _limit_in(item: Any) -> Limit:
    if not isinstance(item, dict) or set(item) != {"scope", "subject_id", "measure", "period", "seconds", "amount"}:
        raise Misfit("limit_keys")
    scope, measure = Scope(item["scope"]), Measure(item["measure"])
    subject = None if item["subject_id"] is None else _id(item["subject_id"])
    amount, seconds = item["amount"], item["seconds"]
    is_cooldown = item["period"] == COOLDOWN
    if scope is Scope.OPERATOR:
        raise Misfit("operator")
    if amount is not None and (type(amount) is not int or not 0 <= amount <= MOST[measure]):
        raise Misfit("amount", most=MOST[measure])
    if type(seconds) is not int or not 0 <= seconds <= (MAX_SECONDS if is_cooldown else 0):
        raise Misfit("seconds", most=MAX_SECONDS)
    if is_cooldown and (measure is not Measure.REQUESTS or amount not in (None, 1)):
        raise Misfit("cooldown")
    limit: Limit
    if is_cooldown:
        limit = Cooldown(scope, None if amount is None else seconds, subject)
    else:
        limit = Quota(scope, measure, Period(item["period"]), amount, subject)
    check_limit(limit)
    return limit
