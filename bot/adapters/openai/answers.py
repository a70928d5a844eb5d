"""A good answer of the service, read cheaply and with bounds.

A picture is megabytes of base64 inside JSON. Decoding that JSON makes a copy of it as text and holds the event loop, so
long strings are lifted out first: outside of strings JSON has no quotation marks, hence walking from quote to quote
finds every string exactly. What remains is small and goes through ``json``. A picture of 12 MB takes 9.6 ms so; msgspec
26.6, orjson 30.5, ``json`` 165 (docs/decisions/0006-own-json-reader.md).
"""

from __future__ import annotations

import binascii
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pybase64

from bot.rules.requests import Endpoint, Usage

MAX_BODY = 160 * 2**20
MAX_ENCODED = 64 * 2**20
_MAX_SKELETON = 2**20
_MAX_STRINGS = 50_000
_LONG = 4096

Span = bytes | memoryview


class BrokenAnswer(ValueError):
    """The answer is not what an image service answers. Its words are ours, never the server's."""


class NotAPicture(ValueError):
    """Where a picture should be there is something else."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """Decoded JSON whose long strings still lie in the body they came from."""

    value: Any
    _long: Mapping[str, memoryview] = field(default_factory=dict)
    _escaped: frozenset[str] = frozenset()

    def text(self, value: object) -> str | None:
        """The string a value stands for, None if it is no string."""
        if not isinstance(value, str):
            return None
        span = self._long.get(value)
        return value if span is None else _unescape(span)

    def span(self, value: object) -> Span | None:
        """The bytes of a string that should be base64, not copied where that can be avoided."""
        if not isinstance(value, str):
            return None
        span = self._long.get(value)
        if span is None:
            return value.encode("utf-8", "replace")
        return _unescape(span).encode("utf-8", "replace") if value in self._escaped else span


def _unescape(span: memoryview) -> str:
    try:
        text = json.loads(b'"%b"' % bytes(span))
    except ValueError as error:
        raise BrokenAnswer("a string that is not JSON") from error
    return str(text)


def parse_json(body: bytes | bytearray) -> Parsed:
    """The JSON value in the body. Raises ``BrokenAnswer``; costs milliseconds whatever is in it."""
    skeleton, long, escaped = _lift(body)
    if len(skeleton) > _MAX_SKELETON:
        raise BrokenAnswer(f"JSON of {len(body)} bytes without pictures")
    try:
        return Parsed(json.loads(skeleton), long, frozenset(escaped))
    except (ValueError, RecursionError):
        raise BrokenAnswer(f"not JSON ({len(body)} bytes)") from None


def _lift(body: bytes | bytearray) -> tuple[bytes, dict[str, memoryview], set[str]]:
    view = memoryview(body)
    mark = secrets.token_hex(12)
    long: dict[str, memoryview] = {}
    escaped: set[str] = set()
    pieces: list[Span] = []
    kept = at = 0
    for _ in range(_MAX_STRINGS):
        start = body.find(b'"', at) + 1
        if not start:
            break
        end = _end_of_string(body, start)
        if end - start > _LONG:
            name = f"{mark}{len(long)}"
            long[name] = view[start:end]
            if body.find(b"\\", start, end) >= 0:
                escaped.add(name)
            pieces += (view[kept:start], name.encode())
            kept = end
        at = end + 1
    else:
        raise BrokenAnswer("JSON of too many strings")
    if len(body) - kept > _MAX_SKELETON:
        raise BrokenAnswer(f"JSON of {len(body)} bytes without pictures")
    return b"".join((*pieces, view[kept:])), long, escaped


def _end_of_string(body: bytes | bytearray, start: int) -> int:
    """Where the quotation mark that closes the string stands: the next one without an odd run of backslashes."""
    at = start
    for _ in range(_MAX_STRINGS):
        quote = body.find(b'"', at)
        if quote < 0:
            raise BrokenAnswer(f"JSON that breaks off ({len(body)} bytes)")
        if quote == at or body[quote - 1] != 0x5C:
            return quote
        before = body[at:quote]
        if (len(before) - len(before.rstrip(b"\\"))) % 2 == 0:
            return quote
        at = quote + 1
    raise BrokenAnswer("JSON of too many escapes")


@dataclass(frozen=True, slots=True)
class Item:
    """One picture as it was answered: its base64, or where to get it."""

    encoded: Span | None = None
    url: str | None = None
    revised_prompt: str | None = None
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer holds, before any picture is decoded. ``error`` is an error object inside a good answer.

    ``is_empty_list``: ``data`` was there and empty, which is how xAI says that its moderation refused.
    """

    items: tuple[Item, ...] = ()
    usage: Usage | None = None
    size: str | None = None
    quality: str | None = None
    error: object = None
    is_empty_list: bool = False


def read_answer(parsed: Parsed, endpoint: Endpoint) -> Answer:
    """The answer in an ``ImagesResponse`` or in a completed event, whose picture stands at the top."""
    body = parsed.value
    if not isinstance(body, dict):
        raise BrokenAnswer(f"JSON that is no object ({type(body).__name__})")
    data = body.get("data")
    rows = data if isinstance(data, list) else [body]
    items = tuple(item for item in (_item(parsed, row) for row in rows[:64]) if item)
    return Answer(
        items=items,
        usage=read_usage(body.get("usage"), endpoint, body.get("svg_usage")),
        size=_short(body.get("size")),
        quality=_short(body.get("quality")),
        error=body if body.get("error") and not items else None,
        is_empty_list=isinstance(data, list) and not data,
    )


def _item(parsed: Parsed, row: object) -> Item | None:
    if not isinstance(row, dict):
        return None
    refused = row.get("respect_moderation") is False
    encoded = parsed.span(row.get("b64_json")) or None
    url = (parsed.text(row.get("url")) or "").strip() or None
    if url and url.startswith("data:"):
        encoded, url = encoded or url.encode(), None
    if encoded is None and url is None and not refused:
        return None
    revised = (parsed.text(row.get("revised_prompt")) or "").strip()
    return Item(encoded, url, revised[:32_000] or None, refused)


def _short(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= 32 and value.isascii() else None


def decode_picture(encoded: Span) -> bytes:
    """The bytes behind strict base64, with or without a ``data:`` prefix. Raises ``NotAPicture``."""
    if len(encoded) > MAX_ENCODED:
        raise NotAPicture(f"a picture of {len(encoded)} encoded bytes")
    head = bytes(encoded[:256])
    if head.startswith(b"data:"):
        encoded = encoded[head.find(b",") + 1 :]
    try:
        data = pybase64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise NotAPicture("not base64") from None
    if not data:
        raise NotAPicture("an empty picture")
    return data


def read_usage(value: object, endpoint: Endpoint, svg: object = None) -> Usage | None:
    """The tokens reported; None where they are missing, malformed or all zero.

    ``svg`` is the separate report on writing an SVG, which is added. Input that is not split into text and pictures
    counts as the dearer kind that was certainly part of it.
    """
    if not isinstance(value, dict):
        return None
    inputs = _dict(value.get("input_tokens_details"))
    cached = _dict(inputs.get("cached_tokens_details"))
    text, image = _count(inputs.get("text_tokens")), _count(inputs.get("image_tokens"))
    if not text and not image:
        total = _count(value.get("input_tokens"))
        text, image = (total, 0) if endpoint is Endpoint.GENERATIONS else (0, total)
    authoring = _dict(svg)
    usage = Usage(
        input_text_tokens=text + _count(authoring.get("input_tokens")),
        input_image_tokens=image,
        output_tokens=_count(value.get("output_tokens")) + _count(authoring.get("output_tokens")),
        cached_text_tokens=min(text, _count(cached.get("text_tokens"))),
        cached_image_tokens=min(image, _count(cached.get("image_tokens"))),
    )
    return usage if usage.is_known else None


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: object) -> int:
    """A token count; nonsense (negative, a flag, a thousand million) counts as not said."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**9 else 0
