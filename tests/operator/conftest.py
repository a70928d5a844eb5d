"""Surroundings in which a test plants what is wrong: a small Discord and an image service over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.adapters.secrets import Secrets
from bot.operator.discord_api import DiscordApi
from bot.operator.doctor.context import LedgerLook, Surroundings
from bot.operator.doctor.doctor import CHECKS, examine
from bot.operator.doctor.findings import Finding
from bot.operator.migrate import look_at_ledger
from bot.parts import catalogue_of, service_of
from bot.ports import ImageService, Setup
from bot.rules.servers.invitation import PERMISSION_BITS
from bot.settings.model import Settings
from bot.settings.sources import read_settings
from bot.ui.client.commands import command_names

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcDE.abcdefghijklmnopqrstuvwxyz0123456789AB"
KEY = "sk-canary-0123456789abcdef"
PNG = (b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==").decode()


@dataclass
class FakeDiscord:
    """What it answers; a test changes a field and looks what the doctor says."""

    base: str = ""
    status: int = 200
    html: bool = False
    me: dict[str, Any] = field(default_factory=lambda: {"id": "1", "username": "Easel", "bot": True})
    application: dict[str, Any] = field(default_factory=lambda: {"id": "7", "name": "Easel", "bot_public": True})
    limit: dict[str, int] = field(
        default_factory=lambda: {"total": 1000, "remaining": 990, "reset_after": 7_200_000, "max_concurrency": 1}
    )
    shards: int = 1
    hello: str = json.dumps({"op": 10, "d": {"heartbeat_interval": 41250}})
    gateway: str = ""
    commands: list[str] = field(default_factory=list)
    commands_of_a_server: list[str] = field(default_factory=list)
    servers: list[dict[str, str]] = field(
        default_factory=lambda: [{"id": "123456789012345678", "name": "Foxes", "permissions": str(PERMISSION_BITS)}]
    )
    late: timedelta = timedelta(0)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/gateway":
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            await socket.send_str(self.hello)
            await socket.close()
            return socket
        headers = {"Date": (NOW - self.late).strftime("%a, %d %b %Y %H:%M:%S GMT")}
        if self.html:
            return web.Response(text="<html>It works!</html>", content_type="text/html", headers=headers)
        if request.headers.get("Authorization") != f"Bot {TOKEN}":
            return web.json_response({"message": "401: Unauthorized", "code": 0}, status=401, headers=headers)
        return web.json_response(self.body(request), status=self.status, headers=headers)

    def body(self, request: web.Request) -> Any:
        path = request.path.removeprefix("/api")
        if path == "/users/@me/guilds":
            after = request.query.get("after", "0")
            return [one for one in self.servers if int(one["id"]) > int(after)][: int(request.query["limit"])]
        if path.endswith("/commands"):
            names = self.commands_of_a_server if "/guilds/" in path else self.commands
            return [{"id": "1", "name": name} for name in names]
        return {
            "/users/@me": self.me,
            "/oauth2/applications/@me": self.application,
            "/gateway/bot": {"url": self.gateway, "shards": self.shards, "session_start_limit": self.limit},
        }[path]


@dataclass
class FakeImages:
    """An image service as far as the doctor asks it."""

    base: str = ""
    status: int = 200
    code: str = ""
    html: bool = False
    batches: bool = False
    models: list[dict[str, Any]] | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.html:
            return web.Response(text="<html>It works!</html>", content_type="text/html")
        if self.status != 200:
            error = {"message": f"Incorrect API key provided: {KEY}", "code": self.code, "type": "x", "param": None}
            return web.json_response({"error": error}, status=self.status)
        if request.path.endswith("/batches"):
            status = 200 if self.batches else 403
            return web.json_response({"object": "list", "data": [], "has_more": False}, status=status)
        if request.path.endswith("/models"):
            if self.models is None:
                return web.json_response({"detail": "Not Found"}, status=404)
            return web.json_response({"object": "list", "data": self.models})
        self.asked.append(await request.json())
        return web.json_response({"created": 1, "data": [{"b64_json": PNG}]})


async def serve(answer: Callable[[web.Request], Any], stack: list[web.AppRunner]) -> str:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    stack.append(runner)
    return f"127.0.0.1:{runner.addresses[0][1]}"


@dataclass
class Clinic:
    """One set of surroundings: all well until a test says otherwise."""

    folder: Path
    discord: FakeDiscord
    images: FakeImages
    session: aiohttp.ClientSession
    environ: dict[str, str]
    free: int = 50 * 1024**3
    now: datetime = NOW
    spend: bool = False
    others: list[Setup] = field(default_factory=list)
    ledger: Callable[[Settings], Awaitable[LedgerLook]] = look_at_ledger
    closing: list[ImageService] = field(default_factory=list)

    async def setups(self, settings: Settings, secrets: Secrets) -> list[Setup]:
        return self.others

    def here(self) -> Surroundings:
        reading = read_settings(self.environ, self.folder, self.folder / "no-secrets")
        token = reading.settings.discord_token

        def service() -> ImageService:
            if not self.closing:
                self.closing.append(service_of(reading.settings, catalogue_of(reading.settings)))
            return self.closing[0]

        return Surroundings(
            reading=reading,
            discord=DiscordApi(
                self.session, reading.settings.discord_api_base, token.get_secret_value(), lambda: self.now
            )
            if token
            else None,
            service=service,
            ledger=self.ledger,
            setups=self.setups,
            catalogue=lambda: catalogue_of(reading.settings),
            folder=self.folder,
            clock=lambda: self.now,
            free_bytes=lambda _path: self.free,
            spend=self.spend,
        )

    async def findings(self) -> list[Finding]:
        return await examine(self.here(), CHECKS)


@pytest.fixture
async def clinic(tmp_path: Path) -> AsyncIterator[Clinic]:
    """All is well here: every check passes or has a reason not to, and no test has planted anything yet."""
    runners: list[web.AppRunner] = []
    discord, images = FakeDiscord(), FakeImages()
    host = await serve(discord.answer, runners)
    discord.base, discord.gateway = f"http://{host}/api", f"ws://{host}/gateway"
    images.base = f"http://{await serve(images.answer, runners)}/v1"
    discord.commands = sorted(await command_names() - {"describe"})  # there is no model of words
    images.models = [{"id": "gpt-image-2.5-flare", "object": "model"}]
    environ = {
        "DISCORD_TOKEN": TOKEN,
        "DISCORD_API_BASE": discord.base,
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": images.base,
        "DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/data/easel.db",
        "DATA_DIR": str(tmp_path / "data"),
        "HTTP_PORT": str(await unused_port()),
        "SECRET_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        "OPERATOR_BUDGET_USD": "100",
        "PRIVACY_URL": "https://example.org/privacy",
    }
    async with aiohttp.ClientSession() as session:
        made = Clinic(tmp_path, discord, images, session, environ)
        yield made
        for service in made.closing:
            await service.aclose()
    for runner in runners:
        await runner.cleanup()


async def unused_port() -> int:
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
    port = int(server.sockets[0].getsockname()[1])
    server.close()
    await server.wait_closed()
    return port
