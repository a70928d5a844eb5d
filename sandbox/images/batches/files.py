"""``/v1/files``: what was uploaded, and what batches wrote. Strict as the SDK's types."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.images import errors
from sandbox.images.checks import Fields
from sandbox.images.errors import ApiError
from sandbox.images.uploads import Upload

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
MOST_BATCH_BYTES = 200 * 1000 * 1000
LONGEST_LIFE_S = 2_592_000
BATCH_LIFE_S = LONGEST_LIFE_S
_KNOWN = frozenset(("purpose", "expires_after[anchor]", "expires_after[seconds]"))


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file as it lies there."""

    id: str
    name: str
    purpose: str
    data: bytes
    created_at: float
    expires_at: float | None

    def body(self) -> dict[str, Any]:
        """A ``FileObject`` of the SDK."""
        return {
            "id": self.id,
            "object": "file",
            "bytes": len(self.data),
            "created_at": int(self.created_at),
            "expires_at": None if self.expires_at is None else int(self.expires_at),
            "filename": self.name,
            "purpose": self.purpose,
            "status": "processed",
            "status_details": None,
        }


class Files:
    """All files of the service, oldest first. ``deleted`` remembers what was there."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._stored: dict[str, StoredFile] = {}
        self.deleted: list[str] = []

    @property
    def all(self) -> list[StoredFile]:
        now = self._clock()
        return [one for one in self._stored.values() if one.expires_at is None or one.expires_at > now]

    def keep(self, name: str, purpose: str, data: bytes, life_s: float | None, tail: str = "") -> StoredFile:
        """``tail`` is put to its id."""
        now = self._clock()
        expires_at = None if life_s is None else now + life_s
        one = StoredFile(f"file-{secrets.token_hex(12)}{tail}", name, purpose, data, now, expires_at)
        self._stored[one.id] = one
        return one

    def get(self, file_id: str) -> StoredFile:
        one = next((one for one in self.all if one.id == file_id), None)
        if one is None:
            raise ApiError(404, f"No such File object: {file_id}", param="id")
        return one

    def upload(self, fields: Fields, files: tuple[Upload, ...], tail: str = "") -> StoredFile:
        """Raises ``ApiError`` for what the service would not take."""
        for name in fields.raw:
            if name not in _KNOWN:
                raise errors.unknown(name)
        purpose = fields.choice("purpose", PURPOSES, None)
        if purpose is None:
            raise errors.missing("purpose")
        if [one.field for one in files] != ["file"]:
            raise errors.missing("file")
        given = files[0]
        if purpose == "batch":
            if not (given.name or "").endswith(".jsonl"):
                raise errors.invalid("file", "Invalid file format for Batch API. Must be .jsonl")
            if len(given.data) > MOST_BATCH_BYTES:
                raise ApiError(413, "The file is larger than 200 MB.", code="file_too_large")
            if not given.data.strip():
                raise errors.invalid("file", "The file is empty.")
        return self.keep(given.name or "upload", purpose, given.data, _life_s(fields, purpose), tail)

    def delete(self, file_id: str) -> dict[str, Any]:
        del self._stored[self.get(file_id).id]
        self.deleted.append(file_id)
        return {"id": file_id, "object": "file", "deleted": True}

    def page(self, query: Mapping[str, str]) -> dict[str, Any]:
        """A page of the list, as the query says."""
        found = [one for one in self.all if query.get("purpose") in (None, one.purpose)]
        return page([one.body() for one in found], query, most=10_000, usual=10_000, usual_order="desc")


def _life_s(fields: Fields, purpose: str) -> float | None:
    anchor, seconds = fields.get("expires_after[anchor]"), fields.get("expires_after[seconds]")
    if (anchor, seconds) == (None, None):
        return BATCH_LIFE_S if purpose == "batch" else None
    return life_of({"anchor": anchor, "seconds": int(seconds) if str(seconds).isdigit() else seconds}, "expires_after")


def life_of(value: Any, param: str) -> float:
    """The seconds of an expiration policy."""
    if not isinstance(value, dict) or value.get("anchor") != "created_at":
        raise errors.not_one_of(f"{param}.anchor", (value or {}).get("anchor"), ("created_at",))
    seconds = value.get("seconds")
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        raise errors.wrong_type(f"{param}.seconds", "an integer", seconds)
    if seconds < 3600:
        raise errors.too_small(f"{param}.seconds", seconds, 3600)
    if seconds > LONGEST_LIFE_S:
        raise errors.too_big(f"{param}.seconds", seconds, LONGEST_LIFE_S)
    return float(seconds)


def page(
    bodies: list[dict[str, Any]], query: Mapping[str, str], *, most: int, usual: int, usual_order: str
) -> dict[str, Any]:
    """One page of a list, newest first unless asked otherwise; ``after`` is the last one known."""
    text = query.get("limit", str(usual))
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise errors.invalid("limit", f"Expected an integer from 1 to {most}.")
    ordered = bodies if query.get("order", usual_order) == "asc" else bodies[::-1]
    after = query.get("after")
    if after is not None:
        known = [one["id"] for one in ordered]
        if after not in known:
            raise errors.invalid("after", f"No such object: {after}")
        ordered = ordered[known.index(after) + 1 :]
    shown = ordered[: int(text)]
    return {
        "object": "list",
        "data": shown,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
        "has_more": len(ordered) > len(shown),
    }
