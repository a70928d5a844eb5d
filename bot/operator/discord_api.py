"""A few questions to Discord's REST API with the bot's token, for ``doctor``, ``invite`` and ``setup``."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from multidict import CIMultiDictProxy

from bot.ports import Clock

TIMEOUT_S = 15.0
MAX_PAGES = 5
PAGE = 200


class Unreachable(Exception):
    """No answer; the text says why in words, without the address's secrets."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. ``body`` is parsed JSON or None. ``skew_s`` is our clock minus theirs, None where it is unknown."""

    status: int
    body: Any
    skew_s: float | None = None

    @property
    def ok(self) -> bool:
        return self.status == 200 and self.body is not None


class DiscordApi:
    """Asks each question once and remembers the answer."""

    def __init__(self, session: aiohttp.ClientSession, base: str, token: str, clock: Clock) -> None:
        self._session = session
        self._base = base
        self._token = token
        self._clock = clock
        self._answers: dict[str, Answer | Unreachable] = {}

    async def get(self, path: str) -> Answer:
        """Raises ``Unreachable``."""
        if path not in self._answers:
            try:
                self._answers[path] = await self._ask(path)
            except Unreachable as failure:
                self._answers[path] = failure
        known = self._answers[path]
        if isinstance(known, Unreachable):
            raise known
        return known

    async def servers(self) -> tuple[list[dict[str, Any]], bool]:
        """The servers the bot is in, and whether these are all of them."""
        found: list[dict[str, Any]] = []
        for _ in range(MAX_PAGES):
            after = f"&after={found[-1]['id']}" if found else ""
            answer = await self.get(f"/users/@me/guilds?limit={PAGE}{after}")
            if not isinstance(answer.body, list):
                return found, False
            found += [server for server in answer.body if isinstance(server, dict) and "id" in server]
            if len(answer.body) < PAGE:
                return found, True
        return found, False

    async def hello(self, url: str) -> None:
        """Connects to the gateway and waits for its greeting, without identifying. Raises ``Unreachable``."""
        try:
            async with asyncio.timeout(TIMEOUT_S), self._session.ws_connect(f"{url}?v=10&encoding=json") as socket:
                message = await socket.receive()
                greeting = json.loads(message.data) if message.type is aiohttp.WSMsgType.TEXT else None
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise Unreachable(why(error)) from error
        if not isinstance(greeting, dict) or greeting.get("op") != 10:
            raise Unreachable("it did not greet as a gateway does")

    async def _ask(self, path: str) -> Answer:
        headers = {"Authorization": f"Bot {self._token}", "User-Agent": "DiscordBot (easel doctor, 1)"}
        try:
            async with (
                asyncio.timeout(TIMEOUT_S),
                self._session.get(self._base + path, headers=headers, allow_redirects=False) as response,
            ):
                data = await response.content.read(4_000_000)
                return Answer(response.status, _parsed(data), self._skew(response.headers))
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise Unreachable(why(error)) from error

    def _skew(self, headers: CIMultiDictProxy[str]) -> float | None:
        try:
            theirs = parsedate_to_datetime(headers.get("Date", ""))
        except ValueError:
            return None
        return (self._clock() - theirs.astimezone(UTC)).total_seconds()


def why(error: BaseException) -> str:
    """In words why a connection failed; never an address with a secret in it."""
    match error:
        case aiohttp.ClientConnectorCertificateError() | ssl.SSLCertVerificationError():
            return "its certificate is not trusted by this machine"
        case aiohttp.ClientConnectorDNSError() | socket.gaierror():
            return "its name cannot be found (DNS)"
        case TimeoutError():
            return "no answer in time"
        case aiohttp.WSServerHandshakeError() as refusal:
            return f"it refused the connection with status {refusal.status}"
        case aiohttp.ClientConnectorError() as failure:
            return (failure.os_error.strerror or "no connection").lower()
        case aiohttp.InvalidURL():
            return "the address is not well-formed"
        case _:
            return type(error).__name__


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None
