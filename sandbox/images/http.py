"""What the routes of the image service share: keys, JSON bodies, models as they are told, ends of connections."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any, NoReturn

from aiohttp import web

from sandbox.images import errors
from sandbox.images.checks import Fields
from sandbox.images.errors import ApiError
from sandbox.images.models import ModelRules
from sandbox.images.words.chat import MODEL


def key_of(request: web.Request) -> str:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


async def read_json(request: web.Request, most: int | None = None) -> Fields:
    if request.content_type != "application/json":
        message = f"Unsupported content type: '{request.content_type}'. Only 'application/json' is accepted."
        raise ApiError(400, message, code="unsupported_content_type")
    try:
        body = json.loads(await (request.clone(client_max_size=most) if most else request).read())
    except ValueError:
        raise ApiError(400, "We could not parse the JSON body of your request.") from None
    if not isinstance(body, dict):
        raise errors.wrong_type("body", "an object", body)
    return Fields(body, from_form=False)


WORDS_BODY = {"id": MODEL, "object": "model", "created": 1_700_000_000, "owned_by": "system", "shutdown_date": None}


def model_body(rules: ModelRules) -> dict[str, Any]:
    ends = rules.shutdown_on.isoformat() if rules.shutdown_on else None
    return {"id": rules.id, "object": "model", "created": rules.created, "owned_by": "system", "shutdown_date": ends}


async def moved(request: web.Request) -> web.Response:
    return web.Response(status=302, headers={"location": f"/{request.match_info['path']}"})


def bare_404() -> web.Response:
    """What OpenAI answers to variations today: nothing at all, before it looks at the key."""
    return web.Response(status=404)


async def wait(seconds: float) -> None:
    if math.isinf(seconds):
        await asyncio.Event().wait()
    await asyncio.sleep(seconds)


async def hang_up(request: web.Request, *, abort: bool) -> NoReturn:
    """Ends the connection (with a reset if ``abort``) and waits to be cancelled by its loss."""
    if request.transport is not None:
        (request.transport.abort if abort else request.transport.close)()
    await asyncio.Event().wait()
    raise AssertionError("a lost connection cancels its handler")
