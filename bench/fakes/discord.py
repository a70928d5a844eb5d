"""A Discord that says only what is needed: ``python -m bench.fakes.discord [CERTIFICATE]`` tells its port.

The bench speaks to it over the websocket ``/control``. ``{"app": 1, "send": {…}}`` sends an interaction to that bot;
``{"app": 1, "servers": 10000, "greet": {…}}`` says how many servers READY names, and which interaction follows it at
once. What it saw is told there as ``{"app": 1, "saw": "acknowledged", "id": "7", "after_s": 0.01}``: the time from the
frame leaving to the answer having arrived, by this process's clock. ``saw`` is ``ready``, ``acknowledged``, ``line``
(an edit without files), ``preview``, ``picture`` or ``words`` (one more message: a bot had to explain itself).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
import sys
import time
import zlib
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

from bench.fakes.messages import message_of, number_now, user_of
from bench.fakes.servers import guild_id, guild_text
from bench.fakes.serving import serve
from bench.figures import StallMeter, percentile

HELLO, HEARTBEAT, IDENTIFY, ACK = 10, 1, 2, 11
CUSTOM_ID = re.compile(rb'"custom_id": ?"([^"]+)"')
HEAD = 8192
BREATHE_EVERY = 20
"""Servers told before others get a turn."""


def plain_json(value: Any) -> web.Response:
    """discord.py reads JSON only under exactly this type."""
    return web.Response(body=json.dumps(value).encode(), headers={"Content-Type": "application/json"})


class Bot:
    """One bot's connection; frames go out as it asked for them: as text, or as one compressed stream."""

    def __init__(self, app: int) -> None:
        self.app = app
        self.servers = 1
        self.greet: dict[str, Any] | None = None
        self.commands: Any = []
        self._socket: web.WebSocketResponse | None = None
        self._pack: Callable[[bytes], bytes] | None = None
        self._sequence = 0

    def connect(self, socket: web.WebSocketResponse, pack: Callable[[bytes], bytes] | None) -> None:
        self._socket, self._pack = socket, pack

    async def dispatch(self, name: str, text: str) -> None:
        self._sequence += 1
        await send(self._socket, self._pack, f'{{"op":0,"s":{self._sequence},"t":"{name}","d":{text}}}')


async def send(socket: web.WebSocketResponse | None, pack: Callable[[bytes], bytes] | None, text: str) -> None:
    if socket is None:
        raise RuntimeError("that bot is not connected")
    if pack is None:
        await socket.send_str(text)
    else:
        await socket.send_bytes(pack(text.encode()))


class Discord:
    def __init__(self) -> None:
        self._bots: dict[int, Bot] = {}
        self._bench: web.WebSocketResponse | None = None
        self._sent: dict[str, float] = {}
        self._by_token: dict[str, str] = {}
        self._known_as: dict[str, str] = {}
        self._meter = StallMeter()

    def app(self) -> web.Application:
        app = web.Application(client_max_size=64 * 2**20)
        api, webhook = "/api/v10", "/api/v10/webhooks/{app}/{token}"
        app.router.add_get("/control", self.control)
        app.router.add_post("/late", self.watch)
        app.router.add_get("/late", self.lateness)
        app.router.add_get("/gateway", self.gateway)
        app.router.add_get("/gateway/", self.gateway)
        app.router.add_get(f"{api}/users/@me", self.me)
        app.router.add_get(f"{api}/oauth2/applications/@me", self.application)
        app.router.add_get(f"{api}/applications/@me", self.application)
        app.router.add_get(f"{api}/gateway/bot", self.gateway_address)
        app.router.add_get(f"{api}/applications/{{app}}/commands", self.commands)
        app.router.add_put(f"{api}/applications/{{app}}/commands", self.register)
        app.router.add_post(f"{api}/interactions/{{id}}/{{token}}/callback", self.callback)
        app.router.add_patch(f"{webhook}/messages/@original", self.edit)
        app.router.add_delete(f"{webhook}/messages/@original", self.delete)
        app.router.add_post(webhook, self.follow)
        return app

    def bot(self, app: int) -> Bot:
        return self._bots.setdefault(app, Bot(app))

    # --- the bench ----------------------------------------------------------------------------------------------------

    async def control(self, request: web.Request) -> web.WebSocketResponse:
        self._bench = socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            wanted = json.loads(message.data)
            bot = self.bot(wanted["app"])
            if "servers" in wanted:
                bot.servers, bot.greet = wanted["servers"], wanted.get("greet")
            else:
                await self._interaction(bot, wanted["send"])
        return socket

    async def watch(self, _: web.Request) -> web.Response:
        """From now on it is noted how late this process runs: that is part of every time it tells."""
        self._meter = StallMeter()
        self._meter.begin()
        return web.Response()

    async def lateness(self, _: web.Request) -> web.Response:
        await self._meter.end()
        return web.json_response({"p99_s": percentile(self._meter.late_s, 0.99)})

    async def _interaction(self, bot: Bot, payload: dict[str, Any]) -> None:
        self._by_token[payload["token"]] = payload["id"]
        text = json.dumps(payload)
        self._sent[payload["id"]] = time.perf_counter()
        await bot.dispatch("INTERACTION_CREATE", text)

    def _of_this_moment(self, payload: dict[str, Any]) -> dict[str, Any]:
        """The interaction under a new number, since a number says when it was made; the bench knows it by the old."""
        number = str(number_now())
        self._known_as[number] = payload["id"]
        return payload | {"id": number}

    async def _tell(self, app: int, saw: str, number: str = "", **more: Any) -> None:
        if self._bench is not None and not self._bench.closed:
            await self._bench.send_str(json.dumps({"app": app, "saw": saw, "id": number, **more}))

    # --- the gateway --------------------------------------------------------------------------------------------------

    async def gateway(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=1 << 20)
        await socket.prepare(request)
        pack = _packer(request.query.get("compress"))
        await send(socket, pack, json.dumps({"op": HELLO, "s": None, "t": None, "d": {"heartbeat_interval": 41_250}}))
        async for message in socket:
            if message.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
                continue
            frame = json.loads(message.data)
            if frame["op"] == HEARTBEAT:
                await send(socket, pack, json.dumps({"op": ACK, "s": None, "t": None, "d": None}))
            elif frame["op"] == IDENTIFY:
                bot = self.bot(app_of(frame["d"]["token"]))
                bot.connect(socket, pack)
                with contextlib.suppress(ConnectionError):  # it was ended in the middle
                    await self._ready(bot)
        return socket

    async def _ready(self, bot: Bot) -> None:
        """READY, then perhaps an interaction in the middle of everything, then every server in full."""
        ready = {
            "v": 10,
            "user": user_of(bot.app),
            "guilds": [{"id": str(guild_id(number)), "unavailable": True} for number in range(bot.servers)],
            "session_id": "bench",
            "resume_gateway_url": "",
            "session_type": "normal",
            "private_channels": [],
            "relationships": [],
            "presences": [],
            "application": {"id": str(bot.app), "flags": 0},
            "shard": [0, 1],
        }
        await bot.dispatch("READY", json.dumps(ready))
        if bot.greet is not None:
            await self._interaction(bot, self._of_this_moment(bot.greet))
        for number in range(bot.servers):
            await bot.dispatch("GUILD_CREATE", guild_text(number, bot.app))
            if number % BREATHE_EVERY == 0:
                await asyncio.sleep(0)
        await self._tell(bot.app, "ready")

    # --- REST ---------------------------------------------------------------------------------------------------------

    async def me(self, request: web.Request) -> web.Response:
        return plain_json(user_of(app_of(request.headers["Authorization"])))

    async def application(self, request: web.Request) -> web.Response:
        app = app_of(request.headers["Authorization"])
        owner = user_of(app) | {"id": "9", "bot": False}
        flags = {"bot_public": True, "bot_require_code_grant": False, "verify_key": "0" * 64, "flags": 0}
        return plain_json({"id": str(app), "name": "Easel", "icon": None, "description": "", "owner": owner, **flags})

    async def gateway_address(self, request: web.Request) -> web.Response:
        scheme = "wss" if request.scheme == "https" else "ws"
        limit = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
        return plain_json({"url": f"{scheme}://{request.host}/gateway", "shards": 1, "session_start_limit": limit})

    async def commands(self, request: web.Request) -> web.Response:
        return plain_json(self.bot(int(request.match_info["app"])).commands)

    async def register(self, request: web.Request) -> web.Response:
        bot = self.bot(int(request.match_info["app"]))
        bot.commands = [{**one, "id": str(at), "version": "1"} for at, one in enumerate(await request.json(), 1)]
        return plain_json(bot.commands)

    async def callback(self, request: web.Request) -> web.Response:
        number = request.match_info["id"]
        answered = await request.read()
        after_s = time.perf_counter() - self._sent.pop(number, 0.0)
        number = self._known_as.get(number, number)
        await self._tell(0, "acknowledged", number, after_s=after_s, text=answered[:2000].decode(errors="replace"))
        told = {"id": number, "type": 2, "channel_id": "6", "response_message_id": "5"}
        return plain_json({"interaction": told}) if "with_response" in request.query else web.Response(status=204)

    async def edit(self, request: web.Request) -> web.Response:
        """Reads what is uploaded and forgets it. The first bytes tell a preview: they name every file."""
        saw, head = ("picture" if request.content_type.startswith("multipart/") else "line"), b""
        async for piece in request.content.iter_any():
            if len(head) < HEAD:
                head += piece[:HEAD]
        if saw == "picture" and b"preview" in head:
            saw = "preview"
        buttons = [one.decode() for one in CUSTOM_ID.findall(head)]
        number = self._by_token.get(request.match_info["token"], "")
        await self._tell(int(request.match_info["app"]), saw, number, buttons=buttons)
        return plain_json(message_of(int(request.match_info["app"])))

    async def delete(self, _: web.Request) -> web.Response:
        return web.Response(status=204)

    async def follow(self, request: web.Request) -> web.Response:
        text = (await request.read())[:2000].decode(errors="replace")
        app, number = int(request.match_info["app"]), self._by_token.get(request.match_info["token"], "")
        await self._tell(app, "words", number, text=text)
        return plain_json(message_of(app))


def app_of(token: str) -> int:
    """Whose token it is: its first part is the bot's number."""
    head = token.removeprefix("Bot ").partition(".")[0]
    return int(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))


def _packer(compress: str | None) -> Callable[[bytes], bytes] | None:
    if compress != "zlib-stream":
        return None
    stream = zlib.compressobj(1)
    return lambda raw: stream.compress(raw) + stream.flush(zlib.Z_SYNC_FLUSH)


if __name__ == "__main__":
    serve(Discord().app(), sys.argv[1:])
