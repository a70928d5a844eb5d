"""``POST /content_provenance_checks``: what the service finds of its own in a picture."""

from __future__ import annotations

import asyncio
import json
import time

import httpx2
import openai

from bot.adapters.openai.clients import Clients
from bot.adapters.openai.connection import KEY, broken_off, read_up_to
from bot.adapters.openai.refusals.errors import fault_of, read_reason
from bot.ports import Clock
from bot.rules.faults import Billed, Fault, FaultKind
from bot.rules.origins import Checked, read_check
from bot.rules.redaction import DetailRedactor

_CHECK_S = 30.0
_MOST_BYTES = 256 * 2**10


async def checked(
    clients: Clients,
    key: str,
    picture: tuple[str, bytes, str],
    *,
    own_key: bool,
    redactor: DetailRedactor,
    now: Clock,
    official: bool,
) -> Checked | Fault:
    """``picture`` is a file with name and MIME type. It is asked once: nothing is tried again."""
    if not KEY.fullmatch(key):
        return Fault(FaultKind.BAD_KEY, Billed.NO, detail="the key holds characters no key has")
    checks, began = clients.of(key).content_provenance_checks.with_streaming_response, time.monotonic()
    try:
        async with (
            asyncio.timeout(_CHECK_S),
            checks.create(file=picture, extra_headers=clients.headers(key, own_key=own_key)) as response,
        ):
            found = _read(await read_up_to(response.http_response.aiter_bytes(), _MOST_BYTES))
            return found or Fault(FaultKind.BROKEN_ANSWER, Billed.MAYBE, detail="no provenance check")
    except openai.APIStatusError as error:
        return fault_of(
            read_reason(error.response.content),
            status=error.response.status_code,
            headers=error.response.headers,
            elapsed_s=time.monotonic() - began,
            now=now(),
            redactor=redactor,
            official=official,
            uploads=True,
        )
    except TimeoutError:
        return Fault(FaultKind.TIMED_OUT, Billed.MAYBE, detail="no provenance check in time")
    except (openai.OpenAIError, httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, OSError) as error:
        return broken_off(error, None)


def _read(body: bytes) -> Checked | None:
    try:
        return read_check(json.loads(body))
    except (ValueError, RecursionError):
        return None
