"""Fetches a picture that the service answered as an address, at once (such addresses live an hour or less).

Law: the key goes to the origin of the base URL and nowhere else; an address inside a private network is fetched only if
it is where the base URL itself points, or a host that the operator named; what redirects to elsewhere is held to the
same; every answer has a bound in bytes and time. A foreign host is resolved once and only those very addresses are
connected to: DNS cannot change its mind. A GET costs nothing and what it gets is paid for: whatever may pass is tried
again until the time is over.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

MAX_PICTURE = 64 * 2**20
_ATTEMPTS = 14
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 5.0
_REDIRECTS = 5
_NOT_YET = frozenset({202, 204, 404, 408, 409, 425, 429})
"""The file is not there yet, or not for everybody at once."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_PORTS: Mapping[str, int] = {"https": 443, "http": 80}

Resolve = Callable[[str, int], Awaitable[list[str]]]
Pause = Callable[[float], Awaitable[None]]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class DownloadFailed(Exception):
    """The picture could not be fetched. Its words are ours, without the address (which may carry a signature)."""


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host. Raises ``OSError``."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))


_ITSELF = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "::1", "::"})  # noqa: S104  # names, nothing is bound
"""What a server calls itself that does not know its name."""


@dataclass(frozen=True, slots=True)
class _Target:
    """``urls``: the same address at each host that answers to its name."""

    asked: httpx2.URL
    urls: tuple[httpx2.URL, ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    extensions: Mapping[str, Any] = field(default_factory=dict)


class Downloader:
    """Fetches pictures for the service at ``base_url``. Owns its own client, which knows no key.

    ``hosts`` (``host`` or ``host:port``) may be inside a private network, and without TLS.
    """

    def __init__(
        self,
        base_url: httpx2.URL,
        *,
        hosts: frozenset[str] = frozenset(),
        tls: ssl.SSLContext,
        resolve: Resolve = resolve,
        pause: Pause = asyncio.sleep,
        timeout_s: float = 60.0,
    ) -> None:
        self._base = base_url
        self._hosts = hosts
        self._resolve = resolve
        self._pause = pause
        self._timeout_s = timeout_s
        self._client = httpx2.AsyncClient(
            follow_redirects=False,
            verify=tls,
            timeout=httpx2.Timeout(20.0, connect=5.0),
            headers={"accept-encoding": "identity"},
        )

    async def aclose(self) -> None:
        await self._client.aclose()

    async def fetch(self, address: str, *, headers: Mapping[str, str]) -> bytes:
        """The bytes at an address, which may be relative to the base URL. Raises ``DownloadFailed``.

        ``headers``, with the key, are for the origin of the base URL alone.
        """
        failure = DownloadFailed("the picture could not be fetched in time")
        try:
            async with asyncio.timeout(self._timeout_s):
                target = await self._target(self._base.join(address), headers)
                for attempt in range(_ATTEMPTS):
                    outcome = await self._followed(target, attempt, headers)
                    if isinstance(outcome, bytes):
                        return outcome
                    failure = outcome
                    if attempt + 1 < _ATTEMPTS:
                        await self._pause(min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**attempt))
        except TimeoutError:
            pass
        except (OSError, ValueError, httpx2.InvalidURL):
            raise DownloadFailed("the address of the picture cannot be used") from None
        raise failure

    async def _target(self, url: httpx2.URL, headers: Mapping[str, str]) -> _Target:
        url = self._as_reached(url)
        if _origin(url) == _origin(self._base):
            return _Target(url, (url,), headers)
        is_named = bool(self._hosts & {url.host.lower(), f"{url.host.lower()}:{url.port or _PORTS.get(url.scheme)}"})
        schemes = _PORTS.keys() if is_named else {"https", self._base.scheme} & _PORTS.keys()
        if url.scheme not in schemes or url.userinfo or not url.host:
            raise DownloadFailed("the address of the picture is not one to fetch")
        port = url.port or _PORTS[url.scheme]
        addresses = await self._resolve(url.host, port)
        is_open = is_named or all(map(_is_public, addresses)) or await self._is_base_host(addresses, port)
        if not addresses or not is_open:
            raise DownloadFailed("the address of the picture is inside a private network")
        pinned = tuple(url.copy_with(host=host) for host in addresses)
        return _Target(url, pinned, {"host": url.netloc.decode("ascii")}, {"sni_hostname": url.host})

    def _as_reached(self, url: httpx2.URL) -> httpx2.URL:
        """The address as seen from here, where the server wrote how it sees itself: by its own name, or without TLS."""
        base = self._base
        same_port = (url.port or _PORTS.get(url.scheme)) == (base.port or _PORTS.get(base.scheme))
        if url.scheme not in _PORTS or url.userinfo:
            return url
        if (url.host == base.host and url.scheme == "http" and base.scheme == "https") or (
            url.host in _ITSELF and url.host != base.host and same_port
        ):
            return url.copy_with(scheme=base.scheme, host=base.host, port=base.port)
        if url.scheme == "http" and base.scheme == "https" and url.port in (None, 80):
            return url.copy_with(scheme="https", port=None)
        return url

    async def _is_base_host(self, addresses: list[str], port: int) -> bool:
        """Whether this is the service itself by another of its names (LocalAI answers with the name it knows)."""
        base_port = self._base.port or _PORTS.get(self._base.scheme, 0)
        return port == base_port and set(addresses) <= set(await self._resolve(self._base.host, base_port))

    async def _followed(self, target: _Target, attempt: int, headers: Mapping[str, str]) -> bytes | DownloadFailed:
        """The bytes, or why not yet. Raises ``DownloadFailed`` where another attempt cannot help."""
        for _ in range(_REDIRECTS):
            outcome = await self._attempt(target, attempt)
            if not isinstance(outcome, httpx2.URL):
                return outcome
            target = await self._target(outcome, headers)
        raise DownloadFailed("the address of the picture leads in a circle")

    async def _attempt(self, target: _Target, attempt: int) -> bytes | httpx2.URL | DownloadFailed:
        """One GET at the address whose turn it is; where nobody listens, at the next one."""
        failure = DownloadFailed("the picture could not be fetched")
        for at in range(len(target.urls)):
            url = target.urls[(attempt + at) % len(target.urls)]
            try:
                async with self._client.stream(
                    "GET", url, headers=dict(target.headers), extensions=dict(target.extensions)
                ) as response:
                    return await _read(response, target.asked)
            except httpx2.HTTPError as error:
                failure = DownloadFailed(f"fetching the picture failed: {type(error).__name__}")
        return failure


async def _read(response: httpx2.Response, asked: httpx2.URL) -> bytes | httpx2.URL | DownloadFailed:
    status = response.status_code
    if status == 200:
        return await _read_bounded(response) or DownloadFailed("the picture is empty")
    failure = DownloadFailed(f"fetching the picture was answered with {status}")
    if status in {301, 302, 303, 307, 308} and (location := response.headers.get("location")):
        return asked.join(location)
    if status in _NOT_YET or status >= 500:
        return failure
    raise failure


async def _read_bounded(response: httpx2.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_PICTURE:
            raise DownloadFailed("the picture is larger than any picture")
    return bytes(body)


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host.lower(), url.port or _PORTS.get(url.scheme)


def _is_public(address: str) -> bool:
    """Whether an address is on the open internet, also as seen through the ways to write IPv4 inside IPv6."""
    ip = ipaddress.ip_address(address)
    hidden: list[Address | None] = [ip]
    if isinstance(ip, ipaddress.IPv6Address):
        nat64 = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None
        hidden += [ip.ipv4_mapped, ip.sixtofour, nat64]
        if ip.ipv4_mapped:
            hidden.remove(ip)
    return all(one.is_global and not one.is_multicast for one in hidden if one is not None)
