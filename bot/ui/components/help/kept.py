"""A wish as text and back, so that a button of a refusal can make it after a restart.

Law: what cannot be found again is not kept by halves: such a wish has no buttons. Unknown fields are passed over, so
that what an older or newer version kept can be read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from bot.rules.options.checks import Uploaded
from bot.rules.options.remedies import BETTER_WORDS, MODEL, Remedy
from bot.rules.options.table import RawOptions
from bot.rules.requests import Kind
from bot.rules.uploads import BadUpload, UploadProblem
from bot.ui.orders.attachments import Origin, Source, attached
from bot.ui.orders.followups import kept_picture
from bot.ui.orders.message_parts import Picture
from bot.ui.orders.submit import Parent
from bot.ui.orders.wish import Wish
from bot.ui.shell import Shell

PLAIN = (str, int, bool, type(None))


@dataclass(frozen=True, slots=True)
class KeptWish:
    """A wish, how it was to be answered, and what it could be made with."""

    wish: Wish
    private: bool | None
    parent: Parent | None
    remedies: tuple[Remedy, ...]


def with_remedy(wish: Wish, remedy: Remedy) -> Wish:
    """The wish with what the remedy changes."""
    changes = dict(remedy.changes)
    model = changes.pop(MODEL, wish.model)
    kind = wish.kind if changes.pop(BETTER_WORDS, True) else Kind.IMAGINE
    options: dict[str, Any] = dict(changes)
    return replace(wish, kind=kind, model=None if model is None else str(model), raw=replace(wish.raw, **options))


class _CannotBeKept(Exception):
    """A file of it cannot be found again."""


def to_text(kept: KeptWish) -> str | None:
    """None where it cannot be kept."""
    try:
        body = {
            "wish": {field.name: _dumped(getattr(kept.wish, field.name)) for field in fields(kept.wish)},
            "private": kept.private,
            "parent": None if kept.parent is None else [kept.parent.job_id, kept.parent.index],
            "remedies": [remedy.changes for remedy in kept.remedies],
        }
    except _CannotBeKept:
        return None
    return json.dumps(body)


def _dumped(value: Any) -> Any:
    match value:
        case Kind():
            return {"kind": value.value}
        case RawOptions():
            return {"raw": {field.name: getattr(value, field.name) for field in fields(value)}}
        case Uploaded():
            return {"given": {field.name: _dumped(getattr(value, field.name)) for field in fields(value)}}
        case Source(origin=Origin() as origin):
            return {"source": value.name, **{field.name: getattr(origin, field.name) for field in fields(origin)}}
        case tuple() | list():
            return [_dumped(one) for one in value]
        case _ if isinstance(value, PLAIN):
            return value
        case _:
            raise _CannotBeKept


def from_text(shell: Shell, text: str, lane: str) -> KeptWish:
    """``lane``: whose place drawing an SVG anew takes its turn in."""
    body = json.loads(text)
    known = {field.name for field in fields(Wish)}
    found = {name: _loaded(shell, value, lane) for name, value in body["wish"].items() if name in known}
    parent = body["parent"]
    remedies = (Remedy(tuple((name, value) for name, value in changes)) for changes in body["remedies"])
    return KeptWish(Wish(**found), body["private"], None if parent is None else Parent(*parent), tuple(remedies))


def _loaded(shell: Shell, value: Any, lane: str) -> Any:
    match value:
        case {"kind": kind}:
            return Kind(kind)
        case {"raw": raw}:
            known = {field.name for field in fields(RawOptions)}
            return RawOptions(**{name: given for name, given in raw.items() if name in known})
        case {"given": given}:
            known = {field.name for field in fields(Uploaded)}
            return Uploaded(**{name: _loaded(shell, one, lane) for name, one in given.items() if name in known})
        case {"source": name}:
            return _source(shell, name, value, lane)
        case list():
            return tuple(_loaded(shell, one, lane) for one in value)
        case _:
            return value


def _source(shell: Shell, name: str, origin: Mapping[str, Any], lane: str) -> Source:
    if origin["url"]:
        return attached(shell, Picture(origin["url"], origin["size"]), name, max_bytes=origin["max_bytes"])

    async def read() -> bytes:
        picture = await kept_picture(shell, origin["job_id"], origin["index"], lane)
        if picture is None:
            raise BadUpload(UploadProblem.GONE, name)
        return picture.data

    return Source(name, read, origin=Origin(job_id=origin["job_id"], index=origin["index"]))


def chosen(remedies: Sequence[Remedy], number: int) -> Remedy | None:
    return remedies[number] if number < len(remedies) else None
