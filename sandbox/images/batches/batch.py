"""One batch: what it was made from, how far it is by the service's clock, and the files that it ends in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.images import errors
from sandbox.images.batches.files import life_of

WINDOW_S = 24 * 60 * 60
MOST_LINES = 50_000
ENDPOINTS = (
    "/v1/responses",
    "/v1/chat/completions",
    "/v1/embeddings",
    "/v1/completions",
    "/v1/moderations",
    "/v1/images/generations",
    "/v1/images/edits",
    "/v1/videos",
)
OVER = frozenset(("failed", "completed", "expired", "cancelled"))
_KNOWN = frozenset(("completion_window", "endpoint", "input_file_id", "metadata", "output_expires_after"))


@dataclass(frozen=True, slots=True)
class Line:
    """A request of the input file."""

    custom_id: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A legal ``create``."""

    endpoint: str
    input_file_id: str
    metadata: Mapping[str, str] | None
    output_life_s: float | None


@dataclass(slots=True)
class Batch:
    """``drawn`` are the answered lines; moments are of the service's clock."""

    id: str
    asked: Asked
    created_at: float
    lines: tuple[Line, ...] = ()
    faults: list[dict[str, Any]] = field(default_factory=list)
    status: str = "validating"
    moments: dict[str, float] = field(default_factory=dict)
    completed: int = 0
    failed: int = 0
    model: str | None = None
    output_file_id: str | None = None
    error_file_id: str | None = None
    is_ending: bool = False

    def reach(self, status: str, at: float) -> None:
        self.status = status
        self.moments.setdefault(f"{status}_at", at)

    def body(self) -> dict[str, Any]:
        """A ``Batch`` of the SDK."""
        names = ("in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")
        moments = {f"{name}_at": self.moments.get(f"{name}_at") for name in names}
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": self.asked.endpoint,
            "model": self.model,
            "errors": {"object": "list", "data": self.faults} if self.faults else None,
            "input_file_id": self.asked.input_file_id,
            "completion_window": "24h",
            "status": self.status,
            "output_file_id": self.output_file_id,
            "error_file_id": self.error_file_id,
            "created_at": int(self.created_at),
            "expires_at": int(self.created_at) + WINDOW_S,
            **{name: None if at is None else int(at) for name, at in moments.items()},
            "request_counts": {"total": len(self.lines), "completed": self.completed, "failed": self.failed},
            "metadata": self.asked.metadata,
        }


def read_create(body: Any) -> Asked:
    """Raises ``ApiError`` of the first rule that the body of ``create`` breaks."""
    if not isinstance(body, dict):
        raise errors.wrong_type("body", "an object", body)
    for name in body:
        if name not in _KNOWN:
            raise errors.unknown(name)
    for name in ("input_file_id", "endpoint", "completion_window"):
        if name not in body:
            raise errors.missing(name)
        if not isinstance(body[name], str):
            raise errors.wrong_type(name, "a string", body[name])
    if body["endpoint"] not in ENDPOINTS:
        raise errors.not_one_of("endpoint", body["endpoint"], ENDPOINTS)
    if body["completion_window"] != "24h":
        raise errors.not_one_of("completion_window", body["completion_window"], ("24h",))
    policy = body.get("output_expires_after")
    life_s = None if policy is None else life_of(policy, "output_expires_after")
    return Asked(body["endpoint"], body["input_file_id"], _metadata(body.get("metadata")), life_s)


def _metadata(value: Any) -> Mapping[str, str] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise errors.wrong_type("metadata", "an object", value)
    if len(value) > 16:
        raise errors.invalid("metadata", "Expected at most 16 properties.")
    for name, text in value.items():
        if not isinstance(text, str):
            raise errors.wrong_type(f"metadata.{name}", "a string", text)
        if len(name) > 64 or len(text) > 512:
            raise errors.invalid("metadata", "Keys have at most 64 characters, values 512.")
    return value


def read_lines(data: bytes, endpoint: str) -> tuple[tuple[Line, ...], list[dict[str, Any]]]:
    """The requests of an input file, and everything that makes the batch fail."""
    lines: list[Line] = []
    faults: list[dict[str, Any]] = []
    for number, raw in enumerate(data.splitlines(), 1):
        try:
            row = json.loads(raw)
        except ValueError:
            row = None
        wrong = _wrong(row, endpoint, lines)
        if wrong is not None:
            code, message, param = wrong
            faults.append({"code": code, "message": message, "param": param, "line": number})
        else:
            lines.append(Line(row["custom_id"], row["body"]))
    if len(lines) > MOST_LINES:
        faults.append({"code": "too_many_requests", "message": "More than 50,000.", "param": None, "line": None})
    return tuple(lines), faults


def _wrong(row: Any, endpoint: str, before: list[Line]) -> tuple[str, str, str | None] | None:
    """Code, message and parameter of the first rule that a line breaks."""
    if not isinstance(row, dict):
        return "invalid_json_line", "This line is not parseable as valid JSON.", None
    if set(row) != {"custom_id", "method", "url", "body"}:
        return "invalid_line", "A line has custom_id, method, url and body, and nothing else.", None
    own, body = row["custom_id"], row["body"]
    if not isinstance(own, str) or not 0 < len(own) <= 512:
        return "invalid_custom_id", "custom_id is a string.", "custom_id"
    if not isinstance(body, dict) or not isinstance(body.get("model"), str):
        return "missing_required_parameter", "The body names no model.", "body.model"
    rules = (
        (any(own == one.custom_id for one in before), "duplicate_custom_id", "custom_id"),
        (row["method"] != "POST", "invalid_method", "method"),
        (row["url"] != endpoint, "mismatched_url", "url"),
        (bool(before) and body["model"] != before[0].body["model"], "mismatched_model", "body.model"),
    )
    return next(
        ((code, f"The {param} is not acceptable here.", param) for broken, code, param in rules if broken), None
    )
