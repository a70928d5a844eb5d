"""What a refusal of an image service means: status, headers and body in, a ``Fault`` out.

Pure. Servers disagree about where they put the reason, so it is looked for in this order: code, type, text, status.
Law: nothing a server or a member wrote leaves here unless it went through ``DetailRedactor`` or ``_token``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from bot.rules.faults import Billed, Fault, FaultKind
from bot.rules.redaction import SECRET, DetailRedactor

QUICK_S = 5.0
"""A 5xx that OpenAI's own service answers sooner than this was certainly not preceded by a rendered picture.

A gateway's says nothing of the kind: its upstream may have made the picture, and it may have asked more than once.
"""

_LONGEST_WAIT_S = 31 * 86_400.0

_BY_CODE: Mapping[str, FaultKind] = {
    "moderation_blocked": FaultKind.MODERATION,
    "content_policy_violation": FaultKind.MODERATION,
    "content_filter": FaultKind.MODERATION,
    "contentfilter": FaultKind.MODERATION,
    "responsibleaipolicyviolation": FaultKind.MODERATION,
    "safety_violation": FaultKind.MODERATION,
    "billing_hard_limit_reached": FaultKind.OUT_OF_FUNDS,
    "billing_not_active": FaultKind.OUT_OF_FUNDS,
    "insufficient_quota": FaultKind.OUT_OF_FUNDS,
    "credit_balance_exhausted": FaultKind.OUT_OF_FUNDS,
    "organization_spend_limit_exceeded": FaultKind.OUT_OF_FUNDS,
    "project_spend_limit_exceeded": FaultKind.OUT_OF_FUNDS,
    "organization_usage_limit_exceeded": FaultKind.OUT_OF_FUNDS,
    "rate_limit_exceeded": FaultKind.RATE_LIMITED,
    "ratelimitreached": FaultKind.RATE_LIMITED,
    "slow_down": FaultKind.RATE_LIMITED,
    "too_many_requests": FaultKind.RATE_LIMITED,
    "invalid_api_key": FaultKind.BAD_KEY,
    "no_db_connection": FaultKind.BAD_KEY,  # LiteLLM without a database, asked with a key it does not know
    "model_not_found": FaultKind.MODEL_GONE,
    "deploymentnotfound": FaultKind.MODEL_GONE,
    "server_error": FaultKind.OVERLOADED,
    "server_is_overloaded": FaultKind.OVERLOADED,
    "service_unavailable": FaultKind.OVERLOADED,
    "request_too_large": FaultKind.TOO_LARGE,
    "unsupported_file_mimetype": FaultKind.BAD_REQUEST,
    "missing_file_mimetype": FaultKind.BAD_REQUEST,
    "unsupported_content_type": FaultKind.BAD_REQUEST,
    "invalid_image_file": FaultKind.BAD_REQUEST,
    "invalid_image": FaultKind.BAD_REQUEST,
    "invalid_value": FaultKind.BAD_REQUEST,
    "unknown_parameter": FaultKind.BAD_REQUEST,
    "unsupported_parameter": FaultKind.BAD_REQUEST,
    "missing_required_parameter": FaultKind.BAD_REQUEST,
}

# Only what a type alone decides: ``throttling_error``, which LiteLLM makes of both rate and quota, is not here.
_BY_TYPE: Mapping[str, FaultKind] = {
    "image_generation_user_error": FaultKind.MODERATION,
    "insufficient_quota": FaultKind.OUT_OF_FUNDS,
    "requests": FaultKind.RATE_LIMITED,
    "tokens": FaultKind.RATE_LIMITED,
    "rate_limit_error": FaultKind.RATE_LIMITED,
    "authentication_error": FaultKind.BAD_KEY,
    "server_error": FaultKind.OVERLOADED,
    "overloaded_error": FaultKind.OVERLOADED,
}

_RATE_HINT = re.compile(r"(?:try again|retry) in\s+[\d.]", re.IGNORECASE)

_MODERATION_TEXT = (
    r"safety system|moderation_blocked|content[_ ]policy|safety_violations"
    r"|content management policy|content[_ ]filter|responsible ?ai ?polic"
)
_FUNDS_TEXT = (
    r"billing hard limit|exceeded your current quota|insufficient[_ ](?:quota|funds|balance|credits?)"
    r"|credit balance|spend limit"
)
_MODEL_TEXT = (
    r"(?:model|deployment)\b.{0,120}(?:does not exist|not found|been (?:shut down|retired|removed|deprecated))"
    r"|invalid model name|no such model|unknown model"
)

# Kind, text, statuses it is looked for in (empty: all).
_BY_TEXT: tuple[tuple[FaultKind, re.Pattern[str], frozenset[int]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE | re.DOTALL), frozenset(statuses))
    for kind, pattern, statuses in (
        (FaultKind.MODERATION, _MODERATION_TEXT, ()),
        (FaultKind.OUT_OF_FUNDS, _FUNDS_TEXT, ()),
        (FaultKind.FORBIDDEN, r"must be verified", ()),
        (FaultKind.MODEL_GONE, _MODEL_TEXT, (200, 400, 404, 410, 422)),
        (FaultKind.RATE_LIMITED, r"rate limit|too many requests|images per min", (200, 429)),
    )
)

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


@dataclass(frozen=True, slots=True)
class Reason:
    """What an error body says, wherever the server put it. ``message`` is raw: for matching, never for showing."""

    code: str | None = None
    type: str | None = None
    param: str | None = None
    message: str = ""
    stage: str | None = None
    categories: tuple[str, ...] = ()


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
        return _reason_in(error)
    if isinstance(error, str):
        return _reason_in({**payload, "message": f"{error} {_text(payload.get('message'))}".strip()})
    if "detail" in payload:
        return _fastapi(payload["detail"])
    return _reason_in(payload)


def _reason_in(error: Mapping[str, Any]) -> Reason:
    inner = error.get("innererror") or error.get("inner_error")
    inner = inner if isinstance(inner, dict) else {}
    details = error.get("moderation_details")
    details = details if isinstance(details, dict) else {}
    message = _text(error.get("message"))
    categories = (
        _names(details.get("categories"))
        or _filtered(inner.get("content_filter_result") or inner.get("content_filter_results"))
        or _in_text(message)
    )
    inner_code = _token(inner.get("code"))
    return Reason(
        code=inner_code if inner_code and inner_code.lower() in _BY_CODE else _code(error.get("code")),
        type=_token(error.get("type")) or _token(error.get("status")),
        param=_token(error.get("param")),
        message=message,
        stage=_token(details.get("moderation_stage")) or _token(details.get("stage")),
        categories=categories,
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


def kind_of(reason: Reason, status: int) -> FaultKind:
    """What happened, by code, then type, then text, then status (200: an error inside a good answer)."""
    if status < 300 and reason.code and re.fullmatch(r"[45]\d\d", reason.code):
        status = int(reason.code)  # LiteLLM puts the HTTP status where the code was
    by_code = _BY_CODE.get((reason.code or "").lower())
    if by_code is not None:
        return by_code
    if status == 401:
        return FaultKind.BAD_KEY
    by_type = _BY_TYPE.get((reason.type or "").lower())
    no_code = reason.code is None or reason.code.isdecimal()
    if by_type is not None and (no_code or by_type is not FaultKind.MODERATION):
        return by_type
    return _by_text(reason.message, status) or _by_status(status)


def _by_text(message: str, status: int) -> FaultKind | None:
    for kind, pattern, statuses in _BY_TEXT:
        if (not statuses or status in statuses) and pattern.search(message):
            if kind is FaultKind.OUT_OF_FUNDS and _RATE_HINT.search(message):
                return FaultKind.RATE_LIMITED  # "exceeded your quota, retry in 12s" is a pace, not an empty purse
            return kind
    return None


def _by_status(status: int) -> FaultKind:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if 200 <= status < 300:
        return FaultKind.BROKEN_ANSWER
    if 300 <= status < 400:
        return FaultKind.ENDPOINT_GONE
    return FaultKind.OVERLOADED if status >= 500 else FaultKind.BAD_REQUEST


def _billed(kind: FaultKind, *, status: int, elapsed_s: float, drawing: bool, official: bool) -> Billed:
    if drawing or kind in _MAYBE_RENDERED:
        return Billed.MAYBE
    if kind is FaultKind.OVERLOADED and not (official and status >= 300 and elapsed_s < QUICK_S):
        return Billed.MAYBE
    if kind is FaultKind.RATE_LIMITED and status >= 500 and not official:
        return Billed.MAYBE
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
) -> Fault:
    """The fault in a refusal. ``drawing``: a part of the picture had already come, so it may be on the bill.

    ``official``: it is the word of OpenAI's own service, not of somebody between.
    """
    kind = kind_of(reason, status)
    return Fault(
        kind=kind,
        billed=_billed(kind, status=status, elapsed_s=elapsed_s, drawing=drawing, official=official),
        retry_after_s=retry_after(headers, reason.message, now) if kind in _WAITABLE else None,
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


# --- waiting ------------------------------------------------------------------------------------------------------

_IN_TEXT = re.compile(r"(?:try again|retry) (?:in|after)\s+((?:\d+(?:\.\d+)?\s*[a-z]+\s*){1,3})", re.IGNORECASE)
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|milli|h|m|s)", re.IGNORECASE)
_UNIT_S: Mapping[str, float] = {"ms": 0.001, "milli": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def retry_after(headers: Mapping[str, str], message: str, now: datetime) -> float | None:
    """Seconds to wait, from ``retry-after-ms``, ``retry-after`` (seconds or a date) or the words of the message."""
    for seconds in (
        _number(headers.get("retry-after-ms"), 0.001),
        _number(headers.get("retry-after"), 1.0),
        _date(headers.get("retry-after"), headers.get("date"), now),
        _spoken(message),
    ):
        if seconds is not None and math.isfinite(seconds) and 0 <= seconds <= _LONGEST_WAIT_S:
            return round(seconds, 3)
    return None


def _number(value: str | None, unit_s: float) -> float | None:
    try:
        return float(value) * unit_s if value else None
    except ValueError:
        return None


def _date(value: str | None, sent: str | None, now: datetime) -> float | None:
    until = _moment(value)
    if until is None:
        return None
    return max(0.0, (until - (_moment(sent) or now)).total_seconds())


def _moment(value: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value) if value else None
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def _spoken(message: str) -> float | None:
    found = _IN_TEXT.search(message)
    if not found:
        return None
    parts = _PART.findall(found[1])
    return sum(float(amount) * _UNIT_S[unit.lower()] for amount, unit in parts) if parts else None
