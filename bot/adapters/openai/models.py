"""What ``GET /models`` lists, in the shapes that servers give it: an envelope, a bare list, objects or names."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

from bot.ports import KnownModel


def read_models(body: bytes) -> tuple[KnownModel, ...] | None:
    """The models in the body, None if it is no list of models."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, dict):
        value = value.get("data", value.get("models"))
    if not isinstance(value, list):
        return None
    return tuple(model for model in map(_model, value) if model is not None)


def _model(row: object) -> KnownModel | None:
    if isinstance(row, str):
        return KnownModel(row) if row else None
    if not isinstance(row, dict):
        return None
    name = row.get("id") or row.get("name") or row.get("model")
    return KnownModel(name, _day(row.get("shutdown_date"))) if isinstance(name, str) else None


def _day(value: object) -> date | None:
    try:
        if isinstance(value, str):
            return date.fromisoformat(value[:10])
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC).date()
    except (ValueError, OverflowError, OSError):
        return None
    return None
