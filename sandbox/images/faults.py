"""Everything the service can be told to do wrong, each by name. Data; ``service.py`` and ``streams.py`` act on it."""

from __future__ import annotations

import io
import json
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from PIL import Image

from sandbox.images import errors
from sandbox.images.calls import Call
from sandbox.images.errors import ApiError
from sandbox.images.odd.pictures import as_format, junk_in_jpeg, of_no_known_kind, png_without_end, vast


@dataclass(frozen=True, slots=True)
class Answer:
    """A fixed answer instead of the work."""

    name: str
    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Denied:
    """The whole work, then a fixed answer as if there had been none: a gateway that lost what its upstream made."""

    name: str
    told: Answer


@dataclass(frozen=True, slots=True)
class Delay:
    """The right answer, late by ``seconds``; infinite: never."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection ends: before any answer, after the headers, or in the middle of the body."""

    name: str
    at: Literal["before", "reset", "headers", "body"]


@dataclass(frozen=True, slots=True)
class Shape:
    """The right work, then a change to the JSON answer; what ``change`` returns is sent (bytes as they are)."""

    name: str
    change: Callable[[dict[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Bytes:
    """The right answer with other bytes for pictures."""

    name: str
    change: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Link:
    """``url`` instead of ``b64_json``, though nobody asked."""

    name: str
    kind: Literal["absolute", "relative", "expired", "guarded", "late", "moved", "itself"]


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream that goes wrong; only calls with ``stream`` meet it."""

    name: str
    plan: Literal[
        "ignored",
        "ends_early",
        "error",
        "typed_error",
        "bare_error",
        "error_line",
        "twice",
        "disordered",
        "unknown",
        "by_name",
        "comments",
        "stalls",
        "break",
    ]


Fault = Answer | Denied | Delay | Drop | Shape | Bytes | Link | Stream


@dataclass(slots=True)
class Rule:
    """A fault and whom it meets: the next ``times`` calls (None: all) for which ``when`` holds."""

    fault: Fault
    times: int | None = 1
    when: Callable[[Call], bool] | None = None

    def meets(self, call: Call, *, streams: bool) -> bool:
        if self.times == 0 or (isinstance(self.fault, Stream) and not streams):
            return False
        return self.when is None or self.when(call)


def answer(
    name: str,
    status: int,
    body: object,
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """A fixed answer; a ``body`` that is not bytes or text goes out as JSON."""
    raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Answer(name, status, raw, content_type, headers or {})


def delay(seconds: float) -> Delay:
    return Delay("slow", seconds)


def _refusal(name: str, error: ApiError, headers: Mapping[str, str] | None = None) -> Answer:
    return answer(name, error.status, error.body(), headers=headers)


def _html(name: str, status: int, title: str) -> Answer:
    page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body><center><h1>{title}</h1></center></body>\r\n</html>"
    return answer(name, status, page, "text/html")


def _server_error(status: int, code: str, message: str) -> ApiError:
    return ApiError(status, message, "server_error", None, code)


def _without(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda body: {key: value for key, value in body.items() if key != name}


def _with(name: str, value: object) -> Callable[[dict[str, Any]], Any]:
    return lambda body: {**body, name: value}


def _halved(body: dict[str, Any]) -> bytes:
    raw = json.dumps(body).encode()
    return raw[: len(raw) // 2]


_RATE = ApiError(
    429,
    "Rate limit reached for gpt-image in organization org-sandbox on images per min: Limit 5, Used 5, Requested 1. "
    "Please try again in 2s. Visit https://platform.openai.com/account/rate-limits to learn more.",
    "requests",
    None,
    "rate_limit_exceeded",
)
_QUOTA = ApiError(
    429,
    "You exceeded your current quota, please check your plan and billing details.",
    "insufficient_quota",
    None,
    "insufficient_quota",
)
_HARD_LIMIT = ApiError(400, "Billing hard limit has been reached", code="billing_hard_limit_reached")
_UNVERIFIED = ApiError(
    403,
    "Your organization must be verified to use the model. Please go to: "
    "https://platform.openai.com/settings/organization/general and click on Verify Organization.",
)
_DETAIL = {"detail": [{"loc": ["body", "size"], "msg": "Input should be '1024x1024'", "type": "literal_error"}]}
_ZERO_USAGE = {
    "input_tokens": 0,
    "input_tokens_details": {"text_tokens": 0, "image_tokens": 0},
    "output_tokens": 0,
    "total_tokens": 0,
}

_ALL: tuple[Fault, ...] = (
    _refusal("rate_limited", _RATE, {"retry-after": "2", "retry-after-ms": "2000"}),
    _refusal("rate_limited_briefly", _RATE, {"retry-after-ms": "20"}),
    _refusal("rate_limited_for_an_hour", _RATE, {"retry-after": "3600"}),
    _refusal("rate_limited_without_header", _RATE),
    _refusal("rate_limited_nonsense", _RATE, {"retry-after": "NaN"}),
    _refusal("slow_down", _server_error(429, "slow_down", "Too many requests. Please slow down.")),
    _refusal("insufficient_quota", _QUOTA),
    _refusal("billing_hard_limit", _HARD_LIMIT),
    _refusal("moderation_blocked", errors.moderation_blocked("input")),
    _refusal("moderation_blocked_output", errors.moderation_blocked("output", ("sexual",))),
    _refusal("content_policy_violation", errors.content_policy_violation()),
    _refusal("bad_key", errors.bad_key("sk-sandbox-0123456789abcdef")),
    _refusal("forbidden", _UNVERIFIED),
    _refusal("model_not_found", errors.model_not_found("the model")),
    answer("bare_404", 404, b"", "application/octet-stream"),
    _html("too_large", 413, "413 Request Entity Too Large"),
    answer("unprocessable", 422, _DETAIL),
    answer("plain_error", 400, {"error": "prompt required"}),
    answer(
        "proxied_error",
        400,
        {
            "error": {
                "message": "litellm.BadRequestError: OpenAIException - Your request was rejected by the safety system.",
                "type": "image_generation_user_error",
                "param": None,
                "code": "400",
            }
        },
    ),
    _refusal("server_error", _server_error(500, "server_error", "The server had an error processing your request.")),
    _refusal("overloaded", _server_error(503, "server_is_overloaded", "The server is overloaded.")),
    _html("error_500_html", 500, "500 Internal Server Error"),
    _html("bad_gateway", 502, "502 Bad Gateway"),
    _html("unavailable", 503, "503 Service Temporarily Unavailable"),
    Denied("made_but_500", answer("made_but_500", 500, {"error": {"message": "Connection error.", "code": "500"}})),
    Denied("made_but_502", _html("made_but_502", 502, "502 Bad Gateway")),
    Denied("made_but_503", _html("made_but_503", 503, "503 Service Temporarily Unavailable")),
    _html("gateway_timeout", 504, "504 Gateway Time-out"),
    _html("timeout_524", 524, "524: A timeout occurred"),
    Delay("slow", 8.0),
    Delay("never", float("inf")),
    Drop("drop_before", "before"),
    Drop("reset", "reset"),
    Drop("drop_after_headers", "headers"),
    Drop("drop_mid_body", "body"),
    _html("html_200", 200, "Welcome to nginx!"),
    answer("text_200", 200, "upstream is warming up", "text/plain"),
    Shape("broken_json", _halved),
    Shape("data_missing", _without("data")),
    Shape("data_null", _with("data", None)),
    Shape("data_empty", _with("data", [])),
    Shape("data_short", lambda body: {**body, "data": body["data"][:-1]}),
    Shape("data_without_picture", lambda body: {**body, "data": [{} for _ in body["data"]]}),
    Shape("error_in_200", lambda _: {"error": {"message": "blocked", "type": "moderation", "code": None}}),
    Shape("usage_missing", _without("usage")),
    Shape("usage_zero", _with("usage", _ZERO_USAGE)),
    Shape("bad_base64", lambda body: {**body, "data": [{"b64_json": "not*base64*at*all"} for _ in body["data"]]}),
    Shape("base64_in_lines", lambda body: _encoded(body, lambda text: "\r\n".join(textwrap.wrap(text, 76)) + "\n")),
    Shape("base64_for_addresses", lambda body: _encoded(body, lambda text: text.replace("+", "-").replace("/", "_"))),
    Shape("base64_without_padding", lambda body: _encoded(body, lambda text: text.rstrip("="))),
    Shape("data_uri", lambda body: {**body, "data": [_as_data_uri(one) for one in body["data"]]}),
    Bytes("made_otherwise", lambda _: _square()),
    Bytes("wrong_bytes", lambda _: b"<html><body>this is no picture</body></html>"),
    Bytes("empty_bytes", lambda _: b""),
    Bytes("bmp_picture", lambda data: as_format(data, "BMP")),
    Bytes("tiff_picture", lambda data: as_format(data, "TIFF")),
    Bytes("avif_picture", lambda data: as_format(data, "AVIF")),
    Bytes("unknown_picture", of_no_known_kind),
    Bytes("vast_picture", vast),
    Bytes("junk_in_jpeg", junk_in_jpeg),
    Bytes("png_without_end", png_without_end),
    Bytes("truncated_picture", lambda data: data[: len(data) * 2 // 3]),
    Link("url", "absolute"),
    Link("url_relative", "relative"),
    Link("url_expired", "expired"),
    Link("url_guarded", "guarded"),
    Link("url_late", "late"),
    Link("url_moved", "moved"),
    Link("url_itself", "itself"),
    Stream("stream_ignored", "ignored"),
    Stream("stream_ends_early", "ends_early"),
    Stream("stream_error", "error"),
    Stream("stream_typed_error", "typed_error"),
    Stream("stream_bare_error", "bare_error"),
    Stream("stream_error_line", "error_line"),
    Stream("stream_by_name", "by_name"),
    Stream("stream_twice", "twice"),
    Stream("stream_disordered", "disordered"),
    Stream("stream_unknown", "unknown"),
    Stream("stream_comments", "comments"),
    Stream("stream_stalls", "stalls"),
    Stream("stream_break", "break"),
)


def _square() -> bytes:
    """A PNG of one size, whatever was asked for."""
    out = io.BytesIO()
    Image.new("RGB", (512, 512), "steelblue").save(out, "PNG")
    return out.getvalue()


def _encoded(body: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    return {**body, "data": [{**one, "b64_json": change(one.get("b64_json", ""))} for one in body["data"]]}


def _as_data_uri(one: dict[str, Any]) -> dict[str, Any]:
    return {**one, "b64_json": f"data:image/png;base64,{one.get('b64_json', '')}"}


FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _ALL}
