"""The SSE side: ``partial_image`` events and the ``completed`` one, and the ways they can go wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from sandbox.images.faults import Stream

_PREFIX = {"generations": "image_generation", "edits": "image_edit"}
_TRICKLE_S = 0.05
_MODERATION = {"message": "Rejected by the safety system.", "type": "image_generation_user_error"}


def event_name(endpoint: str, last: str) -> str:
    return f"{_PREFIX[endpoint]}.{last}"


def frame(event: dict[str, Any], name: str | None = None) -> bytes:
    """One event as bytes on the wire."""
    head = name if name is not None else str(event["type"])
    return f"event: {head}\ndata: {json.dumps(event, separators=(',', ':'))}\n\n".encode()


class StreamBroken(Exception):
    """The plan says that the connection ends here."""


async def planned(
    partials: Sequence[dict[str, Any]], completed: Sequence[dict[str, Any]], fault: Stream | None, pause_s: float
) -> AsyncIterator[bytes]:
    """The frames of a stream in the order of the plan. Raises ``StreamBroken`` where the plan breaks it off."""
    plan = fault.plan if fault else ""
    if plan == "comments":
        async for piece in _comments(6):
            yield piece
    ordered = list(reversed(partials)) if plan == "disordered" else list(partials)
    late = ordered[-1:] if plan == "disordered" else []
    for event in ordered:
        await asyncio.sleep(pause_s)
        yield frame(event) * (2 if plan == "twice" else 1)
        if plan in _AFTER_FIRST:
            async for piece in _after_first(plan):
                yield piece
            return
    if not ordered and plan in _AFTER_FIRST:
        async for piece in _after_first(plan):
            yield piece
        return
    if plan == "unknown":
        yield frame({"type": "image_generation.heartbeat", "progress": 0.5})
    await asyncio.sleep(pause_s)
    for event in completed:
        said = {name: value for name, value in event.items() if name != "type"} if plan == "by_name" else event
        yield frame(said, event["type"]) * (2 if plan == "twice" else 1)
    for event in late:
        yield frame(event)


_AFTER_FIRST = frozenset(("ends_early", "error", "typed_error", "bare_error", "error_line", "stalls", "break"))


async def _after_first(plan: str) -> AsyncIterator[bytes]:
    """What follows the first partial picture when there will be no completed one."""
    if plan == "error":
        yield frame({"error": {**_MODERATION, "code": "moderation_blocked", "param": None}}, "error")
    elif plan == "typed_error":
        yield frame({"type": "error", "code": "moderation_blocked", "message": _MODERATION["message"]})
    elif plan == "bare_error":
        yield frame({"code": "moderation_blocked", "message": _MODERATION["message"]}, "error")
    elif plan == "error_line":
        yield f"error: {json.dumps({'code': 400, 'message': _MODERATION['message']})}\n\n".encode()
    elif plan == "stalls":
        async for piece in _comments(None):
            yield piece
    elif plan == "break":
        raise StreamBroken


async def _comments(count: int | None) -> AsyncIterator[bytes]:
    sent = 0
    while count is None or sent < count:
        yield b": keep-alive\n\n"
        await asyncio.sleep(_TRICKLE_S)
        sent += 1
