"""The connection to a service: which keys can be sent, what its failures mean, how much of a refusal is read."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Iterable

import httpx2
import openai

from bot.ports import Place
from bot.rules.faults import Billed, Fault, FaultKind

logger = logging.getLogger(__name__)

NO_KEY = "no-key-needed"
"""Sent where no key is configured: the SDK refuses to start without one, and keyless servers ignore it."""

KEY = re.compile(r"[\x21-\x7e]{1,512}")
"""What a key can look like in a header."""

_ERROR_BODY_S = 10.0
_MAX_ERROR_BODY = 64 * 2**10

_NEVER_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
    httpx2.InvalidURL,
)


async def read_up_to(chunks: AsyncIterator[bytes], limit: int) -> bytes:
    """The whole body, or nothing if it is longer than ``limit``."""
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > limit:
            return b""
    return bytes(body)


def broken_off(error: BaseException, request_id: str | None) -> Fault:
    """A connection that failed: before anything was sent, for want of an answer, or in the middle."""
    chain = list(_causes(error))
    names = "/".join(dict.fromkeys(type(one).__name__ for one in chain))
    if any(isinstance(one, _NEVER_SENT) for one in chain):
        return Fault(FaultKind.UNREACHABLE, Billed.NO, detail=names)
    slow = any(isinstance(one, httpx2.TimeoutException | openai.APITimeoutError) for one in chain)
    kind = FaultKind.TIMED_OUT if slow else FaultKind.BROKEN_OFF
    return Fault(kind, Billed.MAYBE, request_id=request_id, detail=names)


def _causes(error: BaseException | None) -> Iterable[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


async def bound_error_body(response: httpx2.Response) -> None:
    """A response hook: reads the body of a refusal within bounds.

    The SDK would read it without any, and when it breaks off, the status would be lost with it.
    """
    if response.is_success or not isinstance(response.stream, httpx2.AsyncByteStream):
        return
    body = bytearray()
    try:
        async with asyncio.timeout(_ERROR_BODY_S):
            async for chunk in response.stream:
                body += chunk
                if len(body) > _MAX_ERROR_BODY:
                    break
    except (httpx2.HTTPError, TimeoutError):
        logger.debug("the body of a refusal broke off after %d bytes", len(body))
    await response.stream.aclose()
    response.stream = httpx2.ByteStream(bytes(body))


async def begun(head: bytes, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The chunks, with what was read of them already."""
    if head:
        yield head
    async for chunk in chunks:
        yield chunk


async def let_in(place: Place, deadline: asyncio.Timeout) -> None:
    """Waits until a body may be read. That time is ours and not the service's: the deadline stands still."""
    now, until = asyncio.get_running_loop().time, deadline.when()
    began = now()
    if until is None or deadline.expired():
        return await place.take()
    deadline.reschedule(None)
    try:
        await place.take()
    finally:
        deadline.reschedule(until + now() - began)
