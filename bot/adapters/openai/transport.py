"""Carries the SDK's requests with aiohttp: less than half of the work per picture of the SDK's own transport.

Law: an error that says "never sent" (``httpx2.ConnectError``, ``ConnectTimeout``) is raised only where no byte of the
request has left. Whatever fails later may have been billed, a server that hung up without a word included; nothing is
sent twice. The client that ships with the SDK (``DefaultAioHttpClient``) calls just that a ``ConnectTimeout``
(docs/decisions/0021-aiohttp-under-the-sdk.md).

Where the system names a proxy, the SDK's own transport does the work: it knows SOCKS, ``NO_PROXY`` and their errors.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from urllib.request import getproxies

import aiohttp
import httpx2
from yarl import URL

_KEPT_OPEN_S = 5.0
"""How long an idle connection may be used again, as in the SDK: servers close theirs after as little."""
_HEAD, _UNREAD, _PIECE = 2**9, 2**14, 2**18
"""Who has read the head of a body and waits has little else of it in memory; who reads on takes much at once."""
_LONGEST_HEADER = 2**17
_AS_THE_SDK_SAYS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
_NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError)


def transport_for(tls: ssl.SSLContext) -> httpx2.AsyncBaseTransport | None:
    """The transport for the SDK's client; None for its own."""
    proxies = getproxies()
    return None if any(proxies.get(scheme) for scheme in ("http", "https", "all")) else AiohttpTransport(tls)


class AiohttpTransport(httpx2.AsyncBaseTransport):
    """A pool of connections for one client, which ``aclose`` closes.

    aiohttp refuses some answers that others read (a size told twice). Such an answer is lost; from then on the SDK's
    own transport asks.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None
        self._tolerant: httpx2.AsyncHTTPTransport | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if self._tolerant is not None:
            return await self._tolerant.handle_async_request(request)
        session = self._session = self._session or self._open()
        for _ in range(2):  # until the loop has seen which of the idle connections their server has closed
            await asyncio.sleep(0)
        try:
            with _errors():
                answer = await self._ask(session, request)
        except httpx2.RemoteProtocolError:
            self._tolerant = httpx2.AsyncHTTPTransport(verify=self._tls)
            raise
        return httpx2.Response(answer.status, headers=answer.raw_headers, stream=_Pieces(answer), request=request)

    async def _ask(self, session: aiohttp.ClientSession, request: httpx2.Request) -> aiohttp.ClientResponse:
        limits = request.extensions.get("timeout", {})
        return await session.request(
            request.method,
            URL(str(request.url.copy_with(userinfo=b"")), encoded=True),
            headers=request.headers.multi_items(),
            data=_body(request),
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(connect=limits.get("connect"), sock_read=limits.get("read")),
        )

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()
        if self._tolerant is not None:
            await self._tolerant.aclose()

    def _open(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=self._tls, keepalive_timeout=_KEPT_OPEN_S),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=_UNREAD,
            max_line_size=_LONGEST_HEADER,
            max_field_size=_LONGEST_HEADER,
            skip_auto_headers=_AS_THE_SDK_SAYS,
        )


class _Pieces(httpx2.AsyncByteStream):
    """The body as it comes. A connection whose answer was not read to its end is closed, not used again.

    Where nothing but the end of the connection ends the body, aiohttp takes a reset for its end.
    """

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer
        is_framed = "content-length" in answer.headers or "transfer-encoding" in answer.headers
        self._ends_it = None if is_framed or answer.connection is None else answer.connection.protocol

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _errors():
            content = self._answer.content
            if head := await content.read(_HEAD):
                yield head
            content.set_read_chunk_size(_PIECE)
            async for piece in content.iter_any():
                yield piece
            if self._ends_it is not None and isinstance(reset := self._ends_it.exception(), OSError):
                raise reset

    async def aclose(self) -> None:
        if self._answer.content.at_eof():
            self._answer.release()
        else:
            self._answer.close()


def _body(request: httpx2.Request) -> bytes | httpx2.AsyncByteStream | None:
    try:
        return request.content or None
    except httpx2.RequestNotRead:  # pictures to upload: their bytes are not joined to one
        stream = request.stream
        return stream if isinstance(stream, httpx2.AsyncByteStream) else None


@contextmanager
def _errors() -> Iterator[None]:
    """aiohttp's errors, in the words of the SDK's transport."""
    try:
        yield
    except aiohttp.ConnectionTimeoutError as error:
        raise httpx2.ConnectTimeout(str(error)) from error
    except _NEVER_SENT as error:
        raise httpx2.ConnectError(str(error)) from error
    except TimeoutError as error:
        raise httpx2.ReadTimeout(str(error)) from error
    except aiohttp.ClientResponseError as error:
        raise httpx2.RemoteProtocolError(error.message) from error
    except (aiohttp.ClientError, OSError) as error:
        raise httpx2.ReadError(str(error)) from error
