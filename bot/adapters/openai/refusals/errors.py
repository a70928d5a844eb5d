"""What a refusal of an image service means: status, headers and body in, a ``Fault`` out.

Pure. Servers disagree about where they put the reason, so it is looked for in this order: code, type, text, status.
Law: nothing a server or a member wrote leaves here unless it went through ``DetailRedactor`` or ``_token``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.adapters.openai.refusals.meanings import CODES, SAYINGS, TYPES, VAGUE_TYPES
from bot.adapters.openai.refusals.waiting import retry_after, spoken
from bot.rules.faults import Billed, Fault, FaultKind
from bot.rules.redaction import SECRET, DetailRedactor

QUICK_S = 5.0
"""A 5xx that OpenAI's own service answers sooner than this was certainly not preceded by a rendered picture.

A gateway's says nothing of the kind: its upstream may have made the picture, and it may have asked more than once. So
its 429, and its 400 where nothing had to be uploaded, certainly cost nothing only if they came sooner: after a failure
that was paid, a second try, perhaps elsewhere, may be refused.
"""

_BY_STATUS: Mapping[int, FaultKind] = {
    401: FaultKind.BAD_KEY,
    402: FaultKind.OUT_OF_FUNDS,
    403: FaultKind.FORBIDDEN,
    404: FaultKind.ENDPOINT_GONE,
    405: FaultKind.ENDPOINT_GONE,
    408: FaultKind.TIMED_OUT,
    410: FaultKind.ENDPOINT_GONE,
    413: FaultKind.TOO_LARGE,
    429: FaultKind.RATE_LIMITED,
    501: FaultKind.ENDPOINT_GONE,
    504: FaultKind.TIMED_OUT,
    524: FaultKind.TIMED_OUT,
    598: FaultKind.TIMED_OUT,
    599: FaultKind.TIMED_OUT,
}

_MAYBE_RENDERED = frozenset({FaultKind.TIMED_OUT, FaultKind.BROKEN_ANSWER, FaultKind.BROKEN_OFF})


_BEFORE_DRAWING = frozenset(
    {FaultKind.BAD_KEY, FaultKind.OUT_OF_FUNDS, FaultKind.MODEL_GONE, FaultKind.ENDPOINT_GONE, FaultKind.FORBIDDEN}
)
"""What nobody finds out after a picture was made, whatever the status."""


@dataclass(frozen=True, slots=True)
class Reason:
    """What an error body says, wherever the server put it. ``message`` is raw: for matching, never for showing."""

    code: str | None = None
    type: str | None = None
    param: str | None = None
    message: str = ""
    stage: str | None = None
    categories: tuple[str, ...] = ()
    delay: str = ""


# --- reading the body ---------------------------------------------------------------------------------------------


def read_reason(body: bytes | str) -> Reason:
    """The reason in an error body of any shape: OpenAI's, Azure's, FastAPI's, Google's, a string, HTML, nothing."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    try:
        return reason_of(json.loads(text))
    except (ValueError, RecursionError):
        return Reason(message="" if text.lstrip().startswith("<") else text)


def reason_of(payload: object) -> Reason:
    """The reason in a decoded JSON value."""
    if isinstance(payload, list):
        return reason_of(payload[0]) if payload else Reason()
    if not isinstance(payload, dict):
        return Reason(message=payload if isinstance(payload, str) else "")
    error = payload.get("error")
    if isinstance(error, dict):
        return reason_of(error) if isinstance(error.get("error"), dict) else _reason_in(error)
    if isinstance(error, str):
        return _reason_in({**payload, "message": f"{error} {_text(payload.get('message'))}".strip()})
    if "detail" in payload:
        return _fastapi(payload["detail"])
    return _reason_in(payload)


def _reason_in(error: Mapping[str, Any]) -> Reason:
    inner = _dict(error.get("innererror") or error.get("inner_error"))
    details = _dict(error.get("moderation_details"))
    google = [row for row in _list(error.get("details")) if isinstance(row, dict)]
    message = _text(error.get("message"))
    flagged = _names(_dict(error.get("metadata")).get("reasons"))  # OpenRouter
    categories = (
        _names(details.get("categories"))
        or flagged
        or _filtered(inner.get("content_filter_result") or inner.get("content_filter_results"))
        or _in_text(message)
    )
    inner_codes = [_token(inner.get("code")), *(_token(row.get("reason")) for row in google)]
    known = [code for code in inner_codes if code and code.lower() in CODES]
    return Reason(
        code=known[0] if known else _code(error.get("code")),
        type=_token(error.get("type")) or _token(error.get("status")),
        param=_token(error.get("param")),
        message=message,
        stage=_token(details.get("moderation_stage")) or _token(details.get("stage")),
        categories=categories,
        delay=next((_text(row.get("retryDelay")) for row in google if "retryDelay" in row), ""),
    )


def _fastapi(detail: object) -> Reason:
    """``{"detail": …}`` of FastAPI servers: a sentence, an object, or a list of fields that do not fit."""
    if not isinstance(detail, list):
        return Reason(message=detail) if isinstance(detail, str) else reason_of(detail)
    rows = [row for row in detail[:8] if isinstance(row, dict)]
    if not rows:
        return Reason()
    where = rows[0].get("loc")
    names = [name for name in where if isinstance(name, str)] if isinstance(where, list) else []
    message = "; ".join(f"'{'.'.join(_locations(row))}': {_text(row.get('msg'))}" for row in rows)
    return Reason(code=_token(rows[0].get("type")), param=_token(names[-1] if names else None), message=message)


def _locations(row: Mapping[str, Any]) -> list[str]:
    where = row.get("loc")
    return [str(name) for name in where if name != "body"] if isinstance(where, list) else []


def _code(value: object) -> str | None:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _token(value)


def _dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value[:8] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _token(value: object) -> str | None:
    """A short machine word, or None: free text is not let through as a code."""
    if isinstance(value, str) and re.fullmatch(r"[\w.\-\[\]:/]{1,80}", value, re.ASCII) and not SECRET.search(value):
        return value
    return None


def _names(value: object) -> tuple[str, ...]:
    if isinstance(value, dict):
        value = [name for name, hit in value.items() if hit]
    if not isinstance(value, list):
        return ()
    return tuple(name for name in map(_token, value[:20]) if name)


def _filtered(value: object) -> tuple[str, ...]:
    """Azure's content filter: the categories that stopped the request."""
    if not isinstance(value, dict):
        return ()
    return _names([name for name, verdict in value.items() if isinstance(verdict, dict) and verdict.get("filtered")])


def _in_text(message: str) -> tuple[str, ...]:
    found = re.search(r"safety_violations=\[([^\]]{0,300})\]", message)
    return _names([name.strip(" '\"") for name in found[1].split(",")]) if found else ()


# --- deciding -----------------------------------------------------------------------------------------------------


def kind_of(reason: Reason, status: int, now: datetime) -> FaultKind:
    """What happened, by code, then type, then text, then status (200: an error inside a good answer).

    A code that is a number is the status once more (LiteLLM, Google), and says nothing about the reason.
    """
    code = (reason.code or "").lower()
    if code.isdecimal():
        status = int(code) if status < 300 and 400 <= int(code) < 600 else status
        code = ""
    if code in CODES:
        return CODES[code]
    kind = TYPES.get((reason.type or "").lower()) or _by_text(reason, status, now)
    if kind is None and status == 401:
        return FaultKind.BAD_KEY
    if kind is None and not code:
        kind = VAGUE_TYPES.get((reason.type or "").lower())
    return kind or _by_status(status)


def _by_text(reason: Reason, status: int, now: datetime) -> FaultKind | None:
    if reason.categories:
        return FaultKind.MODERATION
    kind = next((saying.kind for saying in SAYINGS if saying.says(reason.message, status)), None)
    if kind is FaultKind.OUT_OF_FUNDS and (reason.delay or spoken(reason.message, now) is not None):
        return FaultKind.RATE_LIMITED  # "exceeded your quota, retry in 12s" is a pace, not an empty purse
    return kind


def _by_status(status: int) -> FaultKind:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if 200 <= status < 300:
        return FaultKind.BROKEN_ANSWER
    if 300 <= status < 400:
        return FaultKind.ENDPOINT_GONE
    return FaultKind.OVERLOADED if status >= 500 else FaultKind.BAD_REQUEST


def _billed(kind: FaultKind, *, status: int, elapsed_s: float, drawing: bool, official: bool, uploads: bool) -> Billed:
    if drawing or kind in _MAYBE_RENDERED:
        return Billed.MAYBE
    if kind is FaultKind.OVERLOADED and not (official and status >= 300 and elapsed_s < QUICK_S):
        return Billed.MAYBE
    if status >= 500 and not official and kind not in _BEFORE_DRAWING:
        return Billed.MAYBE
    may_be_second = kind is FaultKind.RATE_LIMITED or (kind is FaultKind.BAD_REQUEST and not uploads)
    if may_be_second and not official and elapsed_s >= QUICK_S:
        return Billed.MAYBE
    if status < 300 and kind is FaultKind.BAD_REQUEST:
        return Billed.MAYBE  # said after the work was taken on: it may be about what was made
    return Billed.NO


def fault_of(
    reason: Reason,
    *,
    status: int,
    headers: Mapping[str, str],
    elapsed_s: float,
    now: datetime,
    redactor: DetailRedactor,
    official: bool,
    drawing: bool = False,
    uploads: bool = False,
) -> Fault:
    """The fault in a refusal. ``drawing``: a part of the picture had already come, so it may be on the bill.

    ``uploads``: pictures went with the request, which takes its time. ``official``: it is the word of OpenAI's own
    service, not of somebody between.
    """
    kind = kind_of(reason, status, now)
    return Fault(
        kind=kind,
        billed=_billed(kind, status=status, elapsed_s=elapsed_s, drawing=drawing, official=official, uploads=uploads),
        retry_after_s=retry_after(headers, reason.delay, reason.message, now) if kind in _WAITABLE else None,
        status=status,
        code=reason.code or reason.type,
        param=reason.param,
        stage=reason.stage if kind is FaultKind.MODERATION else None,
        categories=reason.categories if kind is FaultKind.MODERATION else (),
        request_id=request_id(headers),
        detail="" if kind is FaultKind.BAD_KEY else redactor.clean(reason.message),
    )


_WAITABLE = frozenset({FaultKind.RATE_LIMITED, FaultKind.OVERLOADED})


def request_id(headers: Mapping[str, str]) -> str | None:
    """The id the service gave the request, to quote to its support."""
    return _token(headers.get("x-request-id")) or _token(headers.get("apim-request-id"))
