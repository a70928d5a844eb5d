"""Fetches a picture that the service answered as an address, at once (such addresses live an hour or less).

Law: the key goes to the origin of the base URL and nowhere else; redirects are not followed; an address inside a
private network is fetched only if it is where the base URL itself points; every answer has a bound in bytes and time.
A foreign host is resolved once and that very address is connected to, so that DNS cannot change its mind.
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
_ATTEMPTS = 3
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


@dataclass(frozen=True, slots=True)
class _Target:
    url: httpx2.URL
    headers: Mapping[str, str] = field(default_factory=dict)
    extensions: Mapping[str, Any] = field(default_factory=dict)


class Downloader:
    """Fetches pictures for the service at ``base_url``. Owns its own client, which knows no key."""

    def __init__(
        self,
        base_url: httpx2.URL,
        *,
        tls: ssl.SSLContext,
        resolve: Resolve = resolve,
        pause: Pause = asyncio.sleep,
        timeout_s: float = 60.0,
    ) -> None:
        self._base = base_url
        self._resolve = resolve
        self._pause = pause
        self._timeout_s = timeout_s
        self._client = httpx2.AsyncClient(
            follow_redirects=False,
            verify=tls,
            timeout=httpx2.Timeout(20.0),
            headers={"accept-encoding": "identity"},
        )

    async def aclose(self) -> None:
        await self._client.aclose()

    async def fetch(self, address: str, *, api_key: str) -> bytes:
        """The bytes at an address, which may be relative to the base URL. Raises ``DownloadFailed``.

        A GET costs nothing, and what it gets is paid for: failures that may pass are tried again.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                target = await self._target(address, api_key)
                for attempt in range(1, _ATTEMPTS + 1):
                    data = await self._attempt(target, last=attempt == _ATTEMPTS)
                    if data is not None:
                        return data
                    await self._pause(0.5 * attempt)
        except TimeoutError:
            raise DownloadFailed("the picture could not be fetched in time") from None
        except (OSError, ValueError, httpx2.InvalidURL):
            raise DownloadFailed("the address of the picture cannot be used") from None
        raise DownloadFailed("the picture could not be fetched")

    async def _target(self, address: str, api_key: str) -> _Target:
        url = self._base.join(address)
        if _origin(url) == _origin(self._base):
            return _Target(url, {"authorization": f"Bearer {api_key}"})
        if url.scheme not in {"https", self._base.scheme} or url.scheme not in _PORTS or url.userinfo or not url.host:
            raise DownloadFailed("the address of the picture is not one to fetch")
        port = url.port or _PORTS[url.scheme]
        addresses = await self._resolve(url.host, port)
        if not addresses or not (all(map(_is_public, addresses)) or await self._is_base_host(addresses, port)):
            raise DownloadFailed("the address of the picture is inside a private network")
        host = addresses[0]
        pinned = url.copy_with(host=host)
        return _Target(pinned, {"host": url.netloc.decode("ascii")}, {"sni_hostname": url.host})

    async def _is_base_host(self, addresses: list[str], port: int) -> bool:
        """Whether this is the service itself by another of its names (LocalAI answers with the name it knows)."""
        base_port = self._base.port or _PORTS.get(self._base.scheme, 0)
        return port == base_port and set(addresses) <= set(await self._resolve(self._base.host, base_port))

    async def _attempt(self, target: _Target, *, last: bool) -> bytes | None:
        """The bytes, or None if another attempt may help."""
        try:
            async with self._client.stream(
                "GET", target.url, headers=dict(target.headers), extensions=dict(target.extensions)
            ) as response:
                if response.status_code >= 500 and not last:
                    return None
                if response.status_code != 200:
                    raise DownloadFailed(f"fetching the picture was answered with {response.status_code}")
                return await _read_bounded(response)
        except httpx2.HTTPError as error:
            if last:
                raise DownloadFailed(f"fetching the picture failed: {type(error).__name__}") from None
            return None


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
