"""Fetching what people attached: from Discord's own hosts only, never through a redirect, bounded in bytes and time.

Law: nothing but Discord's attachment hosts is ever asked, whatever address stands in a message. The only other origin
is that of ``DISCORD_API_BASE``, where the sandbox and REST proxies serve attachments.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Protocol
from urllib.parse import SplitResult, urlsplit

import aiohttp

from bot.rules.requests import InputImage, MadeImage
from bot.rules.uploads import BadUpload, Bytes, UploadProblem
from bot.ui.shell import Shell

HOSTS = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
MAX_BYTES = 50 * 1024 * 1024
MAX_TEXT_BYTES = 256 * 1024
FETCH_LIMIT_S = 30.0
STALL_LIMIT_S = 10.0
CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a file can be found again later: at Discord, or among the pictures of a job."""

    url: str = ""
    size: int = 0
    max_bytes: int = MAX_BYTES
    job_id: str = ""
    index: int = 0


@dataclass(frozen=True, slots=True)
class Source:
    """A file that can be read once it is needed. ``name`` is the option it came with, for telling about it.

    ``size`` is what reading it takes of memory at most: nothing, where it is there already. ``origin`` None: it cannot
    be found again.
    """

    name: str
    read: Callable[[], Coroutine[Any, Any, bytes]]
    size: int = 0
    origin: Origin | None = None


def open_web() -> aiohttp.ClientSession:
    """For fetching attachments: no cookies, no credentials, nothing unpacked on the way."""
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(), headers={"Accept-Encoding": "identity"}, auto_decompress=False
    )


class Stored(Protocol):
    """A file at Discord: an attachment, or a picture found in a message. ``size`` 0 where Discord did not say."""

    @property
    def url(self) -> str: ...
    @property
    def size(self) -> int: ...


def attached(shell: Shell, attachment: Stored, name: str, *, max_bytes: int = MAX_BYTES) -> Source:
    """A file of the interaction. Reading it raises ``BadUpload``."""

    async def read() -> bytes:
        return await fetch(
            shell.web, attachment.url, name, size=attachment.size, max_bytes=max_bytes, own_base=shell.config.api_base
        )

    return Source(name, read, attachment.size or max_bytes, Origin(attachment.url, attachment.size, max_bytes))


def held(name: str, picture: MadeImage | InputImage, origin: Origin | None = None) -> Source:
    """A picture that Easel still holds."""

    async def read() -> bytes:
        return picture.data

    return Source(name, read, origin=origin)


async def fetch(
    session: aiohttp.ClientSession, url: str, name: str, *, size: int, max_bytes: int, own_base: str
) -> bytes:
    """The attachment's bytes. ``size`` is what Discord said; the true size is checked again while reading.

    Raises ``BadUpload``: ``FOREIGN_HOST``, ``TOO_MANY_BYTES``, ``GONE``, ``STALLED`` or ``EMPTY``.
    """
    if not is_ours(url, own_base):
        raise BadUpload(UploadProblem.FOREIGN_HOST, name)
    if size > max_bytes:
        raise BadUpload(UploadProblem.TOO_MANY_BYTES, name, Bytes(size), Bytes(max_bytes))
    limits = aiohttp.ClientTimeout(total=FETCH_LIMIT_S, sock_connect=STALL_LIMIT_S, sock_read=STALL_LIMIT_S)
    try:
        async with session.get(url, allow_redirects=False, timeout=limits) as response:
            if response.status != 200:
                raise BadUpload(UploadProblem.STALLED if response.status >= 500 else UploadProblem.GONE, name)
            data = await _read(response, name, max_bytes)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise BadUpload(UploadProblem.STALLED, name) from error
    if not data:
        raise BadUpload(UploadProblem.EMPTY, name)
    return data


async def _read(response: aiohttp.ClientResponse, name: str, max_bytes: int) -> bytes:
    pieces = BytesIO()
    async for piece in response.content.iter_chunked(CHUNK):
        pieces.write(piece)
        if pieces.tell() > max_bytes:
            raise BadUpload(UploadProblem.TOO_MANY_BYTES, name, Bytes(pieces.tell()), Bytes(max_bytes))
    return pieces.getvalue()  # which is no copy


def is_ours(url: str, own_base: str) -> bool:
    """Whether this address is one of Discord's attachment hosts over TLS, or the configured API's own origin."""
    try:
        there, ours = urlsplit(url), urlsplit(own_base)
        if there.username is not None or there.password is not None:
            return False
        if there.scheme == "https" and there.hostname in HOSTS and there.port in (None, 443):
            return True
        return (ours.hostname or "") not in ("", "discord.com") and _origin(there) == _origin(ours)
    except ValueError:
        return False


def _origin(address: SplitResult) -> tuple[str, str | None, int | None]:
    return address.scheme, address.hostname, address.port or {"http": 80, "https": 443}.get(address.scheme)


async def read_all(sources: list[Source]) -> list[tuple[str, bytes]]:
    """Every source at once, as (option, bytes). The first ``BadUpload`` ends the others."""
    try:
        async with asyncio.TaskGroup() as group:
            reading = [group.create_task(source.read()) for source in sources]
    except* BadUpload as several:
        raise next(_leaves(several)) from None
    return [(source.name, task.result()) for source, task in zip(sources, reading, strict=True)]


def _leaves(group: BaseExceptionGroup[BadUpload]) -> Iterator[BadUpload]:
    for one in group.exceptions:
        if isinstance(one, BaseExceptionGroup):
            yield from _leaves(one)
        else:
            yield one
