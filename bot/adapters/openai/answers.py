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
from urllib.parse import unquote_to_bytes

import pybase64

from bot.rules.requests import Endpoint, Usage

MAX_ENCODED = 86 * 2**20
MAX_SKELETON = 2**20
MAX_STRINGS = 50_000
LONG = 4096
_LONGEST_ADDRESS = 8192
_SHORTEST_ITEM = 12

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
    _decoded: Mapping[str, bytes] = field(default_factory=dict)

    def picture(self, value: object) -> bytes | None:
        """The bytes of a string that was decoded while it was read."""
        return self._decoded.get(value) if isinstance(value, str) else None

    def text(self, value: object) -> str | None:
        """The string a value stands for, None if it is no string."""
        if not isinstance(value, str) or value in self._decoded:
            return None
        span = self._long.get(value)
        return value if span is None else unescape(span)

    def span(self, value: object) -> Span | None:
        """The bytes of a string that should be base64, not copied where that can be avoided."""
        if not isinstance(value, str) or value in self._decoded:
            return None
        span = self._long.get(value)
        if span is None:
            return value.encode("utf-8", "replace")
        return unescape(span).encode("utf-8", "replace") if value in self._escaped else span


def unescape(span: memoryview) -> str:
    try:
        text = json.loads(b'"%b"' % bytes(span))
    except ValueError as error:
        raise BrokenAnswer("a string that is not JSON") from error
    return str(text)


def parse_json(body: bytes | bytearray) -> Parsed:
    """The JSON value in the body. Raises ``BrokenAnswer``; costs milliseconds whatever is in it."""
    skeleton, long, escaped = _lift(body)
    if len(skeleton) > MAX_SKELETON:
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
    for _ in range(MAX_STRINGS):
        start = body.find(b'"', at) + 1
        if not start:
            break
        end = _end_of_string(body, start)
        if end - start > LONG:
            name = f"{mark}{len(long)}"
            long[name] = view[start:end]
            if body.find(b"\\", start, end) >= 0:
                escaped.add(name)
            pieces += (view[kept:start], name.encode())
            kept = end
        at = end + 1
    else:
        raise BrokenAnswer("JSON of too many strings")
    if len(body) - kept > MAX_SKELETON:
        raise BrokenAnswer(f"JSON of {len(body)} bytes without pictures")
    return b"".join((*pieces, view[kept:])), long, escaped


def _end_of_string(body: bytes | bytearray, start: int) -> int:
    """Where the quotation mark that closes the string stands: the next one without an odd run of backslashes."""
    at = start
    for _ in range(MAX_STRINGS):
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
    """One picture as it was answered: its bytes, its base64, or where to get it."""

    data: bytes | None = None
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
    background: str | None = None
    error: object = None
    is_empty_list: bool = False


def read_answer(parsed: Parsed, endpoint: Endpoint) -> Answer:
    """The answer in an ``ImagesResponse`` or in a completed event, whose picture stands at the top."""
    body = parsed.value
    if not isinstance(body, dict):
        raise BrokenAnswer(f"JSON that is no object ({type(body).__name__})")
    data = next((body[name] for name in ("data", "images") if isinstance(body.get(name), list)), None)
    rows = data if data is not None else [body]
    items = tuple(item for item in (_item(parsed, row) for row in rows[:64]) if item)
    return Answer(
        items=items,
        usage=read_usage(body.get("usage"), endpoint, body.get("svg_usage")),
        size=_short(body.get("size")),
        quality=_short(body.get("quality")),
        background=_short(body.get("background")),
        error=body if body.get("error") and not items else None,
        is_empty_list=isinstance(data, list) and not data,
    )


def _item(parsed: Parsed, row: object) -> Item | None:
    """A picture's row. Some put an address where base64 belongs, base64 where an address does, or just the string."""
    if isinstance(row, str) and len(row) >= _SHORTEST_ITEM:
        row = {"b64_json": row}
    if not isinstance(row, dict):
        return None
    refused = row.get("respect_moderation") is False
    spans = [(parsed.span(row.get(name)), name == "url") for name in ("b64_json", "url")]
    encoded = next((span for span, named in spans if span and not _is_address(span, named)), None)
    url = next(
        (bytes(span).decode("utf-8", "replace").strip() for span, named in spans if span and _is_address(span, named)),
        None,
    )
    data = next((data for name in ("b64_json", "url") if (data := parsed.picture(row.get(name)))), None)
    if data is None and encoded is None and not url and not refused:
        return None
    revised = (parsed.text(row.get("revised_prompt")) or "").strip()
    return Item(data, encoded, url or None, revised[:32_000] or None, refused)


def _is_address(span: Span, named: bool) -> bool:
    """Whether this is where a picture lies, and not the picture itself. ``named``: it came as ``url``."""
    head = bytes(span[:64]).lstrip().lower()
    if head.startswith((b"http://", b"https://")):
        return True
    return named and not head.startswith(b"data:") and len(span) <= _LONGEST_ADDRESS


def _short(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= 32 and value.isascii() else None


def decode_picture(encoded: Span) -> bytes:
    """The bytes behind base64 or a ``data:`` address. Raises ``NotAPicture``.

    Strict base64 first, because it is fast and nearly always what comes; else as tolerant readers read it: with line
    breaks (also written out), without padding, in the alphabet of addresses, with percent signs.
    """
    if len(encoded) > MAX_ENCODED:
        raise NotAPicture(f"a picture of {len(encoded)} encoded bytes")
    head = bytes(encoded[:1024])
    is_base64 = True
    if head[:64].lstrip()[:5].lower() == b"data:":
        comma = head.find(b",")
        is_base64 = b"base64" in head[:comma].lower()
        encoded = encoded[comma + 1 :]
    data = (_strictly(encoded) or _tolerantly(bytes(encoded))) if is_base64 else unquote_to_bytes(bytes(encoded))
    if not data:
        raise NotAPicture("an empty picture")
    return data


def _strictly(encoded: Span) -> bytes | None:
    try:
        return bytes(pybase64.b64decode(encoded, validate=True))
    except (binascii.Error, ValueError):
        return None


def _tolerantly(encoded: bytes) -> bytes:
    text = unquote_to_bytes(encoded) if b"%" in encoded else encoded
    text = text.replace(b"\\r", b"").replace(b"\\n", b"").translate(_STANDARD, b" \t\r\n\v\f\\").rstrip(b"=")
    text = text[: len(text) - 1] if len(text) % 4 == 1 else text  # one sign alone holds no byte
    try:
        return bytes(pybase64.b64decode(text + b"=" * (-len(text) % 4), validate=True))
    except (binascii.Error, ValueError):
        raise NotAPicture("not base64") from None


_STANDARD = bytes.maketrans(b"-_", b"+/")


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
