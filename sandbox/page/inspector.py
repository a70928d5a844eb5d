"""What really went over the wire, for the drawer: Discord, the image service and the ledger, in the order of time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sandbox.discord.model import Json
from sandbox.discord.wire.log import WireEntry, WireLog
from sandbox.images import Call, ImageService

Ledger = Callable[[int | None], Awaitable[Sequence[Mapping[str, Any]]]]
"""The ledger's rows of one interaction, or the newest ones (None); without secrets."""

SHOWN = 200
_LONG = 4000


def image_call(call: Call) -> Json:
    """A call to the image service as an entry of the drawer."""
    facts = asdict(call)
    return {
        "key": f"i{call.number}",
        "at": datetime.fromtimestamp(call.at, UTC).isoformat(),
        "lane": "image service",
        "title": f"POST /v1/images/{call.endpoint}",
        "status": call.status,
        "request": {"fields": shorten(facts["fields"]), "files": facts["files"]},
        "answer": {
            name: facts[name] for name in ("pictures", "usage", "error_code", "fault", "cancelled", "request_id")
        },
        "took_ms": None,
        "interaction_id": None,
        "notes": list(call.breaches),
    }


def shorten(value: Any) -> Any:
    """The same with very long texts cut, since a person reads it."""
    if isinstance(value, str) and len(value) > _LONG:
        return f"{value[:_LONG]}… ({len(value)} characters)"
    if isinstance(value, dict):
        return {key: shorten(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [shorten(inner) for inner in value]
    return value


class Drawer:
    """Collects entries; each side may be absent."""

    def __init__(self, wire: WireLog | None, images: ImageService | None, ledger: Ledger | None) -> None:
        self._wire, self._images, self._ledger = wire, images, ledger

    def entries(self, interaction_ids: frozenset[int]) -> list[Json]:
        """The newest entries, oldest first; with ids only those that belong to these interactions."""
        rows: list[Json] = []
        if self._wire is not None:
            found = self._wire.of(interaction_ids) if interaction_ids else list(self._wire.entries)[-SHOWN:]
            rows += [shorten(one.shown()) | {"key": f"w{one.number}", "notes": []} for one in _heard(found)]
        if self._images is not None:
            span = (rows[0]["at"], rows[-1]["at"]) if interaction_ids and rows else None
            calls = [image_call(call) for call in self._images.calls[-SHOWN:]]
            rows += [one for one in calls if not interaction_ids or (span and span[0] <= one["at"] <= span[1])]
        return sorted(rows, key=lambda one: str(one["at"]))[-SHOWN:]

    async def ledger(self, interaction_id: int | None) -> list[Json] | None:
        """Rows of the ledger as JSON; None where nobody can look."""
        if self._ledger is None:
            return None
        return [{key: _plain(value) for key, value in row.items()} for row in await self._ledger(interaction_id)]


def _heard(entries: Sequence[WireEntry]) -> list[WireEntry]:
    """Without the copies of an interaction that Discord keeps for sessions that a killed bot left behind."""
    copies = [one for one in entries if one.lane == "gateway out" and one.interaction_id is not None]
    living = {one.interaction_id: one.number for one in copies}  # the newest session is the living one
    dead = {one.number for one in copies if living[one.interaction_id] != one.number}
    return [one for one in entries if one.number not in dead]


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | float | str | list | dict) or value is None else str(value)
