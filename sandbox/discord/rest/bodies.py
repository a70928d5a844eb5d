"""Request bodies: JSON, or multipart with ``payload_json`` and ``files[n]``."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

from sandbox.discord.model import MIB, Upload
from sandbox.discord.rest.errors import invalid, refuse
from sandbox.discord.rules.problems import Problem

REQUEST_LIMIT = 25 * MIB
"""Of a whole request with files (Discord's message reference)."""

_FILE = re.compile(r"files?\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Body:
    """What came: ``data`` is the JSON (None if there was no body), ``files`` the uploads by their number."""

    data: Any = None
    files: dict[int, Upload] = field(default_factory=dict)

    @property
    def names(self) -> dict[int, str]:
        return {number: safe_name(upload.filename) for number, upload in self.files.items()}

    @property
    def wire_files(self) -> tuple[tuple[str, int], ...]:
        return tuple((f.filename, len(f.data)) for f in self.files.values())


def safe_name(name: str) -> str:
    """The name Discord stores: no blanks, slashes or control characters."""
    return re.sub(r"[^\w.\-]", "_", name) or "unknown"


async def read(request: web.Request) -> Body:
    """The body; raises ``ApiError`` for broken JSON, a missing ``payload_json`` or more than 25 MiB."""
    if request.content_type.startswith("multipart/"):
        return await _multipart(request)
    raw = await request.read()
    if len(raw) > REQUEST_LIMIT:
        raise refuse("too large")
    return Body(_json(raw) if raw else None)


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        raise refuse("broken json") from None


async def _multipart(request: web.Request) -> Body:
    data: Any = None
    files: dict[int, Upload] = {}
    total = 0
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        raw = bytes(await part.read())
        total += len(raw)
        numbered = _FILE.fullmatch(part.name or "")
        if part.name == "payload_json":
            data = _json(raw)
        elif numbered:
            kind = part.headers.get("Content-Type")
            files[int(numbered[1])] = Upload(part.filename or "unknown", raw, kind)
        else:
            raise invalid([Problem((part.name or "",), "MULTIPART_PART", "parts are payload_json and files[n]")])
    if total > REQUEST_LIMIT:
        raise refuse("too large")
    return Body({} if data is None else data, files)
