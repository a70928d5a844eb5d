"""``/settings export`` and ``import``: a server's settings and limits as JSON, checked whole before any of it applies.

The file holds no secret and no block list reasons beyond what admins typed. Version 1.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from bot.core.servers.admin import Admin, Proposal
from bot.rules.errors import UserError
from bot.rules.limits.amounts import MAX_COUNT, MAX_DOLLARS, MAX_JOBS, MAX_SECONDS
from bot.rules.limits.limit import Cooldown, Limit, Measure, Period, Quota, Scope, check_limit, slot_of
from bot.rules.people import Asker
from bot.rules.servers.access import Block, Defaults, ServerSettings
from bot.rules.servers.changes import Change, LimitChanged, changes_between
from bot.rules.servers.edits import imported

VERSION = 1
COOLDOWN = "seconds"
"""The period that a cooldown has in the file."""
MAX_BYTES = 256 * 1024
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
    """The file cannot be imported; ``faults`` are all of them, in plain words. Nothing was changed."""

    def __init__(self, *faults: str) -> None:
        super().__init__("; ".join(faults)[:300])
        self.faults = faults


@dataclass(frozen=True, slots=True)
class KnownIds:
    """What exists in the server: an import that names anything else says so."""

    roles: frozenset[int]
    channels: frozenset[int]


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would change, for the admin to confirm; ``left_out`` names roles and channels unknown here.

    ``limits`` are those that differ from what holds, ``removed`` those that the file does not have.
    """

    settings: ServerSettings
    limits: tuple[Limit, ...]
    removed: tuple[Limit, ...]
    changes: tuple[Change, ...]
    left_out: tuple[str, ...]


def export(settings: ServerSettings, limits: tuple[Limit, ...]) -> bytes:
    """The file, readable by people: UTF-8 JSON with sorted keys."""
    document = {
        "easel": VERSION,
        "settings": {
            field.name: _plain(getattr(settings, field.name))
            for field in fields(settings)
            if field.name not in NOT_TRANSFERRED
        },
        "limits": [_limit_out(limit) for limit in limits if limit.scope is not Scope.OPERATOR],
    }
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False).encode()


def plan_import(data: bytes, settings: ServerSettings, limits: tuple[Limit, ...], known: KnownIds) -> ImportPlan:
    """Reads a file and compares it with what holds. Raises ``BadImport`` with every fault."""
    document = _document(data)
    faults: list[str] = []
    left_out: list[str] = []
    new_settings = _settings_in(document.get("settings", {}), settings, known, faults, left_out)
    read = _limits_in(document["limits"], known, faults, left_out) if "limits" in document else None
    faults += [f"unknown part {key[:40]!r}" for key in sorted(set(document) - {"easel", "settings", "limits"})]
    if faults:
        raise BadImport(*_few(faults))
    before = {slot_of(limit): limit for limit in limits if limit.scope is not Scope.OPERATOR}
    after = before if read is None else {slot_of(limit): limit for limit in read}
    changed = tuple(limit for slot, limit in after.items() if before.get(slot) != limit)
    removed = tuple(limit for slot, limit in before.items() if slot not in after)
    changes = (
        *changes_between(settings, new_settings),
        *(LimitChanged(slot_of(limit), before.get(slot_of(limit)), limit) for limit in changed),
        *(LimitChanged(slot_of(limit), limit, None) for limit in removed),
    )
    return ImportPlan(new_settings, changed, removed, changes, tuple(left_out))


async def apply_import(admin: Admin, asker: Asker, plan: ImportPlan) -> Change:
    """Applies a confirmed plan: settings in one step, then limit by limit, each in the audit trail, told as one."""
    change = await admin.change(asker, imported(plan.settings), tell=False)
    for limit in plan.limits:
        await admin.set_limit(asker, Proposal(limit, None, remove=False, raises_spending=False), tell=False)
    for limit in plan.removed:
        await admin.set_limit(asker, Proposal(limit, limit, remove=True, raises_spending=False), tell=False)
    await admin.tell(asker, change)
    return change


def _few(faults: list[str]) -> list[str]:
    """The first ones and how many more, so that all are told in one message."""
    return faults if len(faults) <= MOST_FAULTS else [*faults[:MOST_FAULTS], f"… and {len(faults) - MOST_FAULTS} more"]


def _document(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise BadImport(f"the file has {len(data):,} bytes; at most {MAX_BYTES:,} are read")
    try:
        document = json.loads(data.decode("utf-8-sig"), parse_constant=_no_constants)
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise BadImport("the file is not JSON as /settings export writes it") from None
    if not isinstance(document, dict) or "easel" not in document:
        raise BadImport("the file is not an export of Easel's settings")
    if document["easel"] != VERSION:
        raise BadImport(f"the file is of version {str(document['easel'])[:20]}; this Easel reads version {VERSION}")
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
    if not isinstance(value, list) or len(value) > 500:
        raise ValueError("must be a list of ids")
    return frozenset(_id(item) for item in value)


def _id(value: Any) -> int:
    if not isinstance(value, str) or not value.isascii() or not value.isdigit() or len(value) > 20:
        raise ValueError("must be ids in quotes")
    return int(value)


def _words(value: Any) -> frozenset[str]:
    if not isinstance(value, list) or len(value) > 100 or not all(isinstance(item, str) for item in value):
        raise ValueError("must be a list of model names")
    return frozenset(item[:100] for item in value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    return value[:200]


def _maybe(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else read(value)


def _level(value: Any) -> str:
    if value not in LEVELS:
        raise ValueError(f"must be {' or '.join(LEVELS)}, or null")
    return str(value)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _blocks(value: Any) -> tuple[Block, ...]:
    if not isinstance(value, list) or len(value) > 1000:
        raise ValueError("must be a list of members")
    return tuple(Block(_id(item["user_id"]), _text(item.get("reason", ""))) for item in value)


def _defaults(value: Any) -> Defaults:
    if not isinstance(value, dict) or set(value) - {field.name for field in fields(Defaults)}:
        raise ValueError("has unknown options")
    texts = {key: _maybe(_text)(item) for key, item in value.items() if key != "private"}
    return Defaults(**texts, private=_maybe(_truth)(value.get("private")))


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
    "show_cost": _truth,
    "log_channel_id": _maybe(_id),
    "paused": _truth,
    "pause_reason": _text,
}


def _settings_in(
    given: Any, settings: ServerSettings, known: KnownIds, faults: list[str], left_out: list[str]
) -> ServerSettings:
    if not isinstance(given, dict):
        faults.append("settings: must be an object")
        return settings
    read: dict[str, Any] = {}
    for key, value in given.items():
        if key not in READ:
            faults.append(f"settings: unknown key {key[:40]!r}")
            continue
        try:
            read[key] = READ[key](value)
        except (ValueError, TypeError, KeyError, AttributeError) as problem:
            faults.append(f"settings: {key} {problem}")
    for key in ("allowed_channels", "denied_channels", "allowed_roles", "denied_roles"):
        here = known.channels if key.endswith("channels") else known.roles
        if key in read and (foreign := read[key] - here):
            left_out += [f"{key}: {number}" for number in sorted(foreign)]
            read[key] = read[key] & here
    if read.get("log_channel_id") not in (None, *known.channels):
        left_out.append(f"log_channel_id: {read.pop('log_channel_id')}")
    return replace(settings, **read)


def _limits_in(given: Any, known: KnownIds, faults: list[str], left_out: list[str]) -> tuple[Limit, ...]:
    if not isinstance(given, list) or len(given) > 500:
        faults.append("limits: must be a list of at most 500")
        return ()
    limits = []
    for number, item in enumerate(given, start=1):
        try:
            limit = _limit_in(item)
        except (ValueError, TypeError, KeyError) as problem:
            faults.append(f"limit {number}: {problem}")
            continue
        here = {Scope.ROLE: known.roles, Scope.CHANNEL: known.channels}.get(limit.scope)
        if here is not None and limit.subject_id not in here:
            left_out.append(f"limit for {limit.scope} {limit.subject_id}")
        else:
            limits.append(limit)
    if len({slot_of(limit) for limit in limits}) < len(limits):
        faults.append("limits: the same limit stands there twice")
    return tuple(limits)


def _limit_in(item: Any) -> Limit:
    if not isinstance(item, dict) or set(item) != {"scope", "subject_id", "measure", "period", "seconds", "amount"}:
        raise ValueError("must have scope, subject_id, measure, period, seconds and amount, and nothing else")
    scope, measure = Scope(item["scope"]), Measure(item["measure"])
    subject = None if item["subject_id"] is None else _id(item["subject_id"])
    amount, seconds = item["amount"], item["seconds"]
    is_cooldown = item["period"] == COOLDOWN
    if scope is Scope.OPERATOR:
        raise ValueError("the operator's cap is not a server's to set")
    if amount is not None and (type(amount) is not int or not 0 <= amount <= MOST[measure]):
        raise ValueError(f"amount must be a whole number from 0 to {MOST[measure]:,}, or null")
    if type(seconds) is not int or not 0 <= seconds <= (MAX_SECONDS if is_cooldown else 0):
        raise ValueError(f"seconds must be a whole number from 0 to {MAX_SECONDS:,}, and 0 for all but a cooldown")
    if is_cooldown and (measure is not Measure.REQUESTS or amount not in (None, 1)):
        raise ValueError("a period of seconds is a cooldown: one request each")
    limit: Limit
    if is_cooldown:
        limit = Cooldown(scope, None if amount is None else seconds, subject)
    else:
        limit = Quota(scope, measure, Period(item["period"]), amount, subject)
    check_limit(limit)
    return limit
