"""A bot's session with the gateway: what it asked for, what it was sent, and the connection it uses just now."""

from __future__ import annotations

import asyncio
import importlib
import json
import secrets
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from sandbox.discord.model import Json

KEPT_EVENTS = 1000

GUILDS, MEMBERS, PRESENCES = 1 << 0, 1 << 1, 1 << 8
GUILD_MESSAGES, DM_MESSAGES, CONTENT = 1 << 9, 1 << 12, 1 << 15
PRIVILEGED = MEMBERS | PRESENCES | CONTENT
ALL_INTENTS = (1 << 26) - 1

ALWAYS = {"READY", "RESUMED", "INTERACTION_CREATE", "ENTITLEMENT_CREATE", "ENTITLEMENT_UPDATE", "ENTITLEMENT_DELETE"}


class Packer:
    """Frames as the connection asked for them: plain text, or one compressed stream over all of them."""

    def __init__(self, compress: str | None) -> None:
        self._pack: Callable[[bytes], bytes] | None = None
        if compress == "zlib-stream":
            stream = zlib.compressobj()
            self._pack = lambda raw: stream.compress(raw) + stream.flush(zlib.Z_SYNC_FLUSH)
        elif compress == "zstd-stream":
            self._pack = _zstd()

    async def send(self, socket: web.WebSocketResponse, payload: Any) -> None:
        """Sends one payload."""
        text = json.dumps(payload, separators=(",", ":"))
        if self._pack is None:
            await socket.send_str(text)
        else:
            await socket.send_bytes(self._pack(text.encode()))


def _zstd() -> Callable[[bytes], bytes]:
    """The compressor of Python 3.14 or of the ``zstandard`` package: whichever made the client ask for it."""
    try:
        zstd = importlib.import_module("compression.zstd")
    except ImportError:
        other = importlib.import_module("zstandard").ZstdCompressor().compressobj()
        return lambda raw: bytes(other.compress(raw) + other.flush(1))
    stream = zstd.ZstdCompressor()
    return lambda raw: bytes(stream.compress(raw, stream.FLUSH_BLOCK))


@dataclass(eq=False)
class Connection:
    """One websocket. ``outbox`` keeps the order; ``silent`` makes it a zombie: nothing goes out any more.

    ``closed_with`` is our code where we closed it.
    """

    socket: web.WebSocketResponse
    request: web.Request
    packer: Packer
    outbox: asyncio.Queue[Json | None] = field(default_factory=asyncio.Queue)
    session: Session | None = None
    silent: bool = False
    heartbeats: int = 0
    closed_with: int | None = None

    async def close(self, code: int) -> None:
        """Closes from our side: the other answers with a code of its own, which then says nothing."""
        self.closed_with = code
        await self.socket.close(code=code)

    def send(self, payload: Json) -> None:
        """Puts a payload in line."""
        if not self.silent:
            self.outbox.put_nowait(payload)

    async def pump(self) -> None:
        """Sends what stands in line until ``None`` comes or the socket closes."""
        while (payload := await self.outbox.get()) is not None:
            try:
                await self.packer.send(self.socket, payload)
            except (ConnectionError, RuntimeError):
                return


@dataclass(eq=False)
class Session:
    """A session outlives its connections until it is invalidated. ``sent`` is replayed by RESUME."""

    shard_id: int
    shard_count: int
    intents: int
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    seq: int = 0
    sent: deque[Json] = field(default_factory=lambda: deque(maxlen=KEPT_EVENTS))
    connection: Connection | None = None
    resumes: int = 0

    def covers(self, guild_id: int | None) -> bool:
        """Whether events of this server belong to this shard (outside of servers: to shard 0)."""
        return self.shard_id == (0 if guild_id is None else (guild_id >> 22) % self.shard_count)

    def wants(self, name: str, guild_id: int | None) -> bool:
        """Whether its intents include the event."""
        if name in ALWAYS:
            return True
        if name.startswith("MESSAGE_"):
            return bool(self.intents & (GUILD_MESSAGES if guild_id is not None else DM_MESSAGES))
        return bool(self.intents & GUILDS)

    def dispatch(self, name: str, data: Json) -> None:
        """Counts the event, keeps it for RESUME and sends it if there is a connection."""
        self.seq += 1
        frame: Json = {"op": 0, "s": self.seq, "t": name, "d": data}
        self.sent.append(frame)
        if self.connection is not None:
            self.connection.send(frame)


def without_content(data: Json, bot_id: int) -> Json:
    """A message as seen without the message content intent (the bot's own and direct ones stay whole)."""
    own = data.get("author", {}).get("id") == str(bot_id)
    if own or "guild_id" not in data or any(m["id"] == str(bot_id) for m in data.get("mentions", ())):
        return data
    return data | {key: [] for key in ("embeds", "attachments", "components") if key in data} | {"content": ""}
