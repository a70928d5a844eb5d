"""The audit trail between frozen changes and its columns: each kind by its name, its old and new as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from sqlalchemy import RowMapping

from bot.adapters.database.codec import dump_limit, dump_slot, dumps, known_buttons, known_fields, load_limit, load_slot
from bot.rules.limits.limit import Cooldown, Quota, Slot
from bot.rules.servers.access import Defaults, Layout
from bot.rules.servers.changes import (
    BlockChanged,
    Change,
    DefaultsChanged,
    FallbackChanged,
    Imported,
    KeyChanged,
    LimitChanged,
    Listed,
    Lists,
    ListsChanged,
    LogChannelChanged,
    Look,
    LookChanged,
    Moderation,
    ModerationChanged,
    PauseChanged,
    PresetTaken,
    PreviewsChanged,
    Recorded,
    Reset,
    Resettable,
    ReviewChanged,
    Stop,
    StyleChanged,
    Undone,
    WordsChanged,
)


def change_values(change: Change) -> dict[str, str]:
    """The columns of a change. ``what``, ``old`` and ``new`` were for words: only the first still says something."""
    kind = _NAMES[type(change)]
    found = {"kind": kind, **{field.name: _json(getattr(change, field.name)) for field in fields(change)}}
    return {"what": kind, "old": "", "new": "", "change": dumps(found)}


def change_from_row(row: RowMapping) -> Change:
    """Rows from before revision 0002 have only words. A kind that this version does not know is shown by its name."""
    found = {} if row["change"] is None else json.loads(row["change"])
    if found.get("kind") not in _KINDS:
        return Recorded(row["what"], row["old"], row["new"])
    kind, read = _KINDS[found["kind"]]
    return kind(**{field.name: _ABOUT.get(field.name, read)(found[field.name]) for field in fields(kind)})


def _json(value: Any) -> Any:
    match value:
        case Quota() | Cooldown():
            return dump_limit(value)
        case Slot():
            return dump_slot(value)
        case frozenset():
            return sorted(value)
        case _ if is_dataclass(value):
            return {field.name: _json(getattr(value, field.name)) for field in fields(value)}
        case _:
            return value


Read = Callable[[Any], Any]


def _whole(kind: type) -> Read:
    return lambda found: kind(**known_fields(kind, found))


def _as_it_is(found: Any) -> Any:
    return found


def _look(found: Any) -> Look:
    return Look(found["cost"], Layout(found["layout"]), known_buttons(found["hidden"]))


_KINDS: Mapping[str, tuple[type[Change], Read]] = {
    "limit": (LimitChanged, lambda found: None if found is None else load_limit(found)),
    "lists": (ListsChanged, lambda found: Lists(frozenset(found["allowed"]), frozenset(found["denied"]))),
    "defaults": (DefaultsChanged, _whole(Defaults)),
    "moderation": (ModerationChanged, _whole(Moderation)),
    "previews": (PreviewsChanged, _as_it_is),
    "fallback": (FallbackChanged, _as_it_is),
    "cost_shown": (LookChanged, Look),  # as it was kept while the cost was all there was
    "look": (LookChanged, _look),
    "log_channel": (LogChannelChanged, _as_it_is),
    "pause": (PauseChanged, _whole(Stop)),
    "review": (ReviewChanged, _as_it_is),
    "words": (WordsChanged, _as_it_is),
    "block": (BlockChanged, _whole(Stop)),
    "api_key": (KeyChanged, _as_it_is),
    "style": (StyleChanged, _as_it_is),
    "reset": (Reset, _as_it_is),
    "import": (Imported, _as_it_is),
    "preset": (PresetTaken, _as_it_is),
    "undo": (Undone, _as_it_is),
}
"""The name of each kind, and how its old and new are read. What is only recorded is made by nobody any more."""

_NAMES = {kind: name for name, (kind, _) in _KINDS.items()}
_ABOUT: Mapping[str, Read] = {"slot": load_slot, "which": Listed, "what": Resettable, "user_id": int}
"""How every other part is read, by its name."""
