"""Between frozen data and what a column holds: ASCII JSON for structures, rows for jobs.

Unknown keys are passed over and missing ones take their default, so that a row outlives the version that wrote it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import RowMapping, Select, select

from bot.adapters.database.schema.tables import from_micros, jobs, to_micros
from bot.ports import Batch
from bot.rules.ledger import Answer, Bill, Job, JobDraft, JobState
from bot.rules.limits.limit import Cooldown, Limit, Measure, Period, Quota, Scope, Slot, slot_of
from bot.rules.money import MicroUSD
from bot.rules.overnight import Counts, NightState, Overnight
from bot.rules.people import Asker, Place
from bot.rules.requests import Endpoint, ImageRequest, Kind, Usage
from bot.rules.servers.access import Block, Defaults, Layout, ResultButton, ServerSettings


class Sealer(Protocol):
    """Keeps text unreadable at rest; ``open`` gives None for what it cannot read. ``tag`` is a keyed hash of an id."""

    def seal(self, text: str) -> str: ...
    def open(self, sealed: str) -> str | None: ...
    def tag(self, user_id: int) -> str: ...


_ENCODER = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"))


def dumps(value: Any) -> str:
    """ASCII JSON: no NUL and no lone surrogate ever reaches a text column, which PostgreSQL would refuse."""
    return _ENCODER.encode(value)


def plain(text: str) -> str:
    """Text as both engines store it: without NUL, and with lone surrogates replaced."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def known_fields(kind: Any, found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name in kind.__slots__}


def _flat(data: Any) -> dict[str, Any]:
    """The fields as they are; ``asdict`` copies all that is below, which costs more than writing it."""
    return {name: getattr(data, name) for name in data.__slots__}


# --- who and what ------------------------------------------------------------------------------------------------


def dump_asker(asker: Asker) -> str:
    return dumps({**_flat(asker), "place": _flat(asker.place), "role_ids": sorted(asker.role_ids)})


def load_asker(text: str) -> Asker:
    found = known_fields(Asker, json.loads(text))
    found["place"] = Place(**known_fields(Place, found["place"]))
    found["role_ids"] = frozenset(found.get("role_ids", ()))
    return Asker(**found)


def dump_request(request: ImageRequest) -> str:
    return dumps(_flat(request))


def load_request(text: str) -> ImageRequest:
    found = known_fields(ImageRequest, json.loads(text))
    found["kind"] = Kind(found["kind"])
    found["endpoint"] = Endpoint(found["endpoint"])
    found["input_sizes"] = tuple((width, height) for width, height in found.get("input_sizes", ()))
    return ImageRequest(**found)


def search_text(request: ImageRequest) -> str:
    """What ``/gallery search`` looks through, folded so that both engines compare alike."""
    return plain(request.own_words).casefold()


def dump_bill(bill: Bill) -> str:
    return dumps({**_flat(bill), "usage": None if bill.usage is None else _flat(bill.usage)})


def load_bill(text: str | None) -> Bill | None:
    if text is None:
        return None
    found = known_fields(Bill, json.loads(text))
    if found.get("usage") is not None:
        found["usage"] = Usage(**known_fields(Usage, found["usage"]))
    return Bill(**found)


# --- answers -----------------------------------------------------------------------------------------------------


def dump_answer(answer: Answer) -> str:
    """Everything but the token, which is sealed beside it, and the message, which is told later."""
    found = _flat(answer)
    del found["token"], found["message_id"]
    found["expires_at"] = to_micros(answer.expires_at)
    return dumps(found)


def load_answer(row: RowMapping | Mapping[str, Any], sealer: Sealer) -> Answer | None:
    """The answer; its token is empty once wiped. None if it was forgotten or no key opens the token."""
    if row["answer"] is None:
        return None
    token = "" if row["token"] is None else sealer.open(row["token"])
    if token is None:
        return None
    found = known_fields(Answer, json.loads(row["answer"]))
    found["expires_at"] = from_micros(found["expires_at"])
    return Answer(**found, token=token, message_id=row["answer_message_id"])


# --- jobs --------------------------------------------------------------------------------------------------------


def job_from_draft(draft: JobDraft, job_id: str, now: datetime) -> Job:
    """The reserved job a draft becomes."""
    return Job(
        id=job_id,
        state=JobState.RESERVED,
        epoch=1,
        asker=draft.asker,
        request=draft.request,
        answer=draft.answer,
        reserved_micro_usd=draft.upper_micro_usd,
        charged_micro_usd=MicroUSD(0),
        created_at=now,
        event_key=draft.event_key,
        parent_id=draft.parent_id,
        parent_index=draft.parent_index,
        batch_id=draft.batch_id,
        batch_line=draft.batch_line,
        own_key=draft.own_key,
    )


def job_values(job: Job, *, group_id: str, grouped: bool, holder: str, sealer: Sealer) -> dict[str, Any]:
    """The row of a new job. ``group_id`` is the first job of the call that opened it."""
    asker, answer = job.asker, job.answer
    return {
        "id": job.id,
        "event_key": job.event_key,
        "group_id": group_id,
        "grouped": grouped,
        "state": job.state.value,
        "epoch": job.epoch,
        "holder": holder,
        "place_key": asker.place.key,
        "user_id": asker.user_id,
        "channel_id": asker.channel_id,
        "parent_channel_id": asker.parent_id,
        "asker": dump_asker(asker),
        "request": dump_request(job.request),
        "model": job.request.model,
        "search_text": search_text(job.request),
        "private": job.request.private,
        "own_key": job.own_key,
        "images": job.request.count,
        "upper_micro_usd": job.reserved_micro_usd,
        "reserved_micro_usd": job.reserved_micro_usd,
        "charged_micro_usd": 0,
        "made_images": 0,
        "created_at": job.created_at,
        "answer": dump_answer(answer) if answer else None,
        "answer_message_id": answer.message_id if answer else None,
        "token": sealer.seal(answer.token) if answer else None,
        "token_expires_at": answer.expires_at if answer else None,
        "parent_id": job.parent_id,
        "parent_index": job.parent_index,
        "batch_id": job.batch_id,
        "batch_line": job.batch_line,
        "waiting": False,
        "deleted": False,
        "forgotten": False,
        "reason": "",
        "pictures_at": None,
    }


def all_jobs() -> Select[Any]:
    """A query for whole rows, as ``job_from_row`` reads them."""
    return select(*jobs.c)


def job_from_row(row: RowMapping | Mapping[str, Any], sealer: Sealer) -> Job:
    """The job a row of the table ``jobs`` holds."""
    return Job(
        id=row["id"],
        state=JobState(row["state"]),
        epoch=row["epoch"],
        asker=load_asker(row["asker"]),
        request=load_request(row["request"]),
        answer=load_answer(row, sealer),
        reserved_micro_usd=MicroUSD(row["reserved_micro_usd"]),
        charged_micro_usd=MicroUSD(row["charged_micro_usd"]),
        created_at=row["created_at"],
        event_key=row["event_key"],
        dispatched_at=row["dispatched_at"],
        produced_at=row["produced_at"],
        finished_at=row["finished_at"],
        bill=load_bill(row["bill"]),
        revised_prompt=row["revised_prompt"],
        message_id=row["message_id"],
        message_channel_id=row["message_channel_id"],
        parent_id=row["parent_id"],
        parent_index=row["parent_index"],
        batch_id=row["batch_id"],
        batch_line=row["batch_line"],
        own_key=row["own_key"],
        waiting=row["waiting"],
        deleted=row["deleted"],
        reason=row["reason"],
        pictures_at=row["pictures_at"] or "",
    )


# --- batches, limits and settings ------------------------------------------------------------------------------------


def batch_values(batch: Batch) -> dict[str, Any]:
    return {
        "id": batch.id,
        "place_key": batch.asker.place.key,
        "user_id": batch.asker.user_id,
        "asker": dump_asker(batch.asker),
        "lines": dumps(batch.lines),
        "created_at": batch.created_at,
        "channel_id": batch.channel_id,
        "message_id": batch.message_id,
        "cancelled": batch.cancelled,
        "finished": batch.finished,
        "private": batch.private,
        "overnight": batch.overnight,
    }


def batch_from_row(row: RowMapping) -> Batch:
    return Batch(
        id=row["id"],
        asker=load_asker(row["asker"]),
        lines=tuple(json.loads(row["lines"])),
        created_at=row["created_at"],
        channel_id=row["channel_id"],
        message_id=row["message_id"],
        cancelled=row["cancelled"],
        finished=row["finished"],
        private=row["private"],
        overnight=bool(row["overnight"]),
    )


def dump_overnight(night: Overnight) -> str:
    moments = {name: None if at is None else at.isoformat() for name, at in _moments_of(night).items()}
    return dumps({**asdict(night), **moments})


def load_overnight(text: str) -> Overnight:
    found = known_fields(Overnight, json.loads(text))
    for name in ("began_at", "asked_at", "ends_by"):
        found[name] = None if found[name] is None else datetime.fromisoformat(found[name])
    counts, files = Counts(**known_fields(Counts, found["counts"])), tuple(found["files"])
    return Overnight(**{**found, "state": NightState(found["state"]), "counts": counts, "files": files})


def _moments_of(night: Overnight) -> dict[str, datetime | None]:
    return {"began_at": night.began_at, "asked_at": night.asked_at, "ends_by": night.ends_by}


def dump_slot(slot: Slot) -> dict[str, Any]:
    """The columns that are the key of a limit. A cooldown stands there as requests in a period of seconds."""
    measure, period = slot.quota or (Measure.REQUESTS, _COOLDOWN)
    names = {"scope": slot.scope.value, "measure": measure.value, "period": str(period)}
    return {**names, "subject_id": slot.subject_id or 0}


def load_slot(found: Mapping[str, Any]) -> Slot:
    quota = None if found["period"] == _COOLDOWN else (Measure(found["measure"]), Period(found["period"]))
    return Slot(Scope(found["scope"]), quota, found["subject_id"] or None)


def dump_limit(limit: Limit) -> dict[str, Any]:
    """The columns of a limit."""
    key = dump_slot(slot_of(limit))
    match limit:
        case Quota():
            return {**key, "seconds": 0, "amount": limit.amount}
        case Cooldown():
            return {**key, "seconds": limit.seconds or 0, "amount": None if limit.seconds is None else 1}


def load_limit(found: Mapping[str, Any]) -> Limit:
    slot, amount = load_slot(found), found["amount"]
    if slot.quota is None:
        return Cooldown(slot.scope, None if amount is None else found["seconds"], slot.subject_id)
    measure, period = slot.quota
    return Quota(slot.scope, measure, period, amount, slot.subject_id)


_COOLDOWN = "seconds"
_LISTS = ("allowed_models", "denied_models", "allowed_channels", "denied_channels", "allowed_roles", "denied_roles")
_SETS = (*_LISTS, "hidden_buttons", "refused_words")


def dump_settings(settings: ServerSettings) -> str:
    found = {**asdict(settings), **{name: sorted(getattr(settings, name)) for name in _SETS}}
    del found["api_key_hint"]  # has a column of its own
    return dumps(found)


def known_buttons(found: Iterable[str]) -> frozenset[ResultButton]:
    """Without those that this version does not have: an older one may read what a newer one kept."""
    return frozenset(ResultButton(name) for name in found if name in set(ResultButton))


def load_settings(row: RowMapping | Mapping[str, Any] | None) -> ServerSettings:
    """What is stored, or what a server starts with."""
    if row is None:
        return ServerSettings()
    found = known_fields(ServerSettings, json.loads(row["body"]))
    for name in _SETS:
        found[name] = frozenset(found.get(name, ()))
    found["blocked"] = tuple(Block(**known_fields(Block, block)) for block in found.get("blocked", ()))
    found["hidden_buttons"] = known_buttons(found["hidden_buttons"])
    found["layout"] = Layout(found.get("layout", Layout.EMBED))
    found["defaults"] = Defaults(**known_fields(Defaults, found.get("defaults", {})))
    return ServerSettings(**{**found, "api_key_hint": row["api_key_hint"]})
