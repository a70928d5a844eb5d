"""What ``GET /models`` lists, in the shapes that servers give it: an envelope, a bare list, objects or names."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime

import httpx2
import openai

from bot.adapters.openai.clients import Clients
from bot.adapters.openai.connection import KEY, broken_off, read_up_to
from bot.adapters.openai.refusals.errors import fault_of, read_reason
from bot.ports import Clock, KnownModel
from bot.rules.faults import Billed, Fault, FaultKind
from bot.rules.redaction import DetailRedactor

_MODELS_S = 20.0
_MOST_BYTES = 8 * 2**20


async def listed_models(
    clients: Clients, key: str, *, own_key: bool, redactor: DetailRedactor, now: Clock, official: bool
) -> tuple[KnownModel, ...] | Fault | None:
    """What the service lists for this key; None for a list in a shape nobody knows."""
    if not KEY.fullmatch(key):
        return Fault(FaultKind.BAD_KEY, Billed.NO, detail="the key holds characters no key has")
    models = clients.of(key).models.with_streaming_response
    try:
        async with (
            asyncio.timeout(_MODELS_S),
            models.list(extra_headers=clients.headers(key, own_key=own_key)) as response,
        ):
            return read_models(await read_up_to(response.http_response.aiter_bytes(), _MOST_BYTES))
    except openai.APIStatusError as error:
        return fault_of(
            read_reason(error.response.content),
            status=error.response.status_code,
            headers=error.response.headers,
            elapsed_s=0.0,
            now=now(),
            redactor=redactor,
            official=official,
        )
    except TimeoutError:
        return Fault(FaultKind.TIMED_OUT, Billed.NO, detail="no list of models in time")
    except (openai.OpenAIError, httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, OSError) as error:
        fault = broken_off(error, None)
        return Fault(fault.kind, Billed.NO, detail=fault.detail)


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
