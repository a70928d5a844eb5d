"""The gateway: sessions, shards, heartbeat, resume; and everything that can go wrong with them, on demand."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from sandbox.discord import payloads
from sandbox.discord.clock import Signal
from sandbox.discord.model import Event, Json
from sandbox.discord.state import State
from sandbox.discord.wire.log import WireLog
from sandbox.discord.wire.sessions import (
    ALL_INTENTS,
    CONTENT,
    PRIVILEGED,
    Connection,
    Packer,
    Session,
    without_content,
)
from sandbox.discord.wire.sockets import reset
from sandbox.discord.wire.specs import Specs

HEARTBEAT, IDENTIFY, PRESENCE, VOICE, RESUME = 1, 2, 3, 4, 6
RECONNECT, MEMBERS, INVALID, HELLO, ACK = 7, 8, 9, 10, 11
QUIET_OPS = {PRESENCE, VOICE, MEMBERS, 31}
LARGEST_FRAME = 4096
MOST_FRAMES_A_MINUTE = 120
IDENTIFY_EVERY_S = 5.0
SESSION_IS_OVER = frozenset({4003, 4004, 4007, 4009, 4010, 4011, 4012, 4013, 4014})
"""After these there is nothing to resume."""

PATIENCE = 1.5
"""So many heartbeat intervals may pass without a heartbeat."""


@dataclass(slots=True)
class Budget:
    """The identify budget: one per bucket in ``interval_s`` (0: as many as come)."""

    total: int = 1000
    remaining: int = 1000
    max_concurrency: int = 1
    interval_s: float = IDENTIFY_EVERY_S
    last: dict[int, float] = field(default_factory=dict)

    def is_too_soon(self, shard_id: int) -> bool:
        """Whether the shard's bucket was used a moment ago; notes this use if not."""
        bucket, now = shard_id % self.max_concurrency, time.monotonic()
        if self.interval_s and now - self.last.get(bucket, -1e9) < self.interval_s:
            return True
        self.last[bucket] = now
        return False


class Gateway:
    """The websocket side of a server; also the ``Sink`` of its world.

    Settings: ``shards`` (recommended), ``required_shards``, ``heartbeat_interval_ms``, ``privileged_allowed``,
    ``budget``.
    ``identifies`` and ``resumes`` count what came; ``refusals`` is how many of the next connections are turned away.
    """

    def __init__(self, state: State, specs: Specs, wire: WireLog, identify_every_s: float = IDENTIFY_EVERY_S) -> None:
        self._state, self._specs, self._wire = state, specs, wire
        self.url = ""
        self.shards = 1
        self.required_shards = 1
        self.heartbeat_interval_ms = 41_250
        self.privileged_allowed = False
        self.budget = Budget(interval_s=identify_every_s)
        self.sessions: dict[str, Session] = {}
        self.connections: list[Connection] = []
        self.identifies = 0
        self.resumes = 0
        self.refusals = 0
        self.close_codes: list[int | None] = []
        self.changed = Signal()
        self._muted = False
        self._held: list[tuple[str, Json, int | None]] | None = None
        self._ops: dict[int, Callable[[Connection, Any], Awaitable[None]]] = {
            HEARTBEAT: self._heartbeat,
            IDENTIFY: self._identify,
            RESUME: self._resume,
        }

    def attach(self, app: web.Application) -> None:
        """Serves ``/gateway``."""
        app.router.add_get("/gateway", self.handle)
        app.router.add_get("/gateway/", self.handle)

    # --- one connection ------------------------------------------------------------------------------------------

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """A connection from HELLO to its end."""
        if self.refusals > 0:
            self.refusals -= 1
            return web.Response(status=503, text="upstream connect error")
        socket = web.WebSocketResponse(max_msg_size=1 << 20, autoping=True)
        await socket.prepare(request)
        connection = Connection(socket, request, Packer(request.query.get("compress")), silent=self._muted)
        self.connections.append(connection)
        pump = asyncio.create_task(connection.pump())
        watch = asyncio.create_task(self._watch(connection))
        connection.send(self._frame(HELLO, {"heartbeat_interval": self.heartbeat_interval_ms, "_trace": ["sandbox"]}))
        try:
            if request.query.get("v", "10") != "10":
                await connection.close(4012)
            await self._listen(connection)
        finally:
            connection.outbox.put_nowait(None)
            pump.cancel()
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await pump
            self._forget(connection)
        return socket

    async def _watch(self, connection: Connection) -> None:
        """Closes a connection whose heartbeats stay away. One that is made a zombie hears none, and stays."""
        seen = -1
        while seen != connection.heartbeats or connection.silent:
            seen = connection.heartbeats
            await asyncio.sleep(self.heartbeat_interval_ms / 1000 * PATIENCE)
        await self._end(connection, 4009)

    async def _end(self, connection: Connection, code: int) -> None:
        if code in SESSION_IS_OVER and connection.session is not None:
            self.sessions.pop(connection.session.id, None)
        await connection.close(code)

    def _forget(self, connection: Connection) -> None:
        code = connection.closed_with or connection.socket.close_code
        self.close_codes.append(code)
        self.connections.remove(connection)
        session = connection.session
        if session is not None and session.connection is connection:
            session.connection = None
            if code in {1000, 1001}:
                self.sessions.pop(session.id, None)
        self.changed.fire()
        self._state.emit(Event("gateway", detail="gone"))

    async def _listen(self, connection: Connection) -> None:
        seen: list[float] = []
        async for message in connection.socket:
            if message.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
                continue
            now = time.monotonic()
            seen = [*[at for at in seen if now - at < 60], now]
            raw = message.data
            try:
                frame = json.loads(raw)
                op = frame["op"]
            except (ValueError, KeyError, TypeError):
                await connection.close(4002)
                return
            if connection.silent:
                continue
            self._note("gateway in", op, frame.get("d"))
            code = self._objection(connection, op, len(raw), len(seen))
            if code:
                await connection.close(code)
                return
            if op in self._ops:
                await self._ops[op](connection, frame.get("d"))

    def _objection(self, connection: Connection, op: int, size: int, count: int) -> int | None:
        """The close code a frame deserves, if any."""
        if size > LARGEST_FRAME:
            return 4002
        if count > MOST_FRAMES_A_MINUTE:
            return 4008
        if op not in self._ops and op not in QUIET_OPS:
            return 4001
        if op in QUIET_OPS and connection.session is None:
            return 4003
        return 4005 if op == IDENTIFY and connection.session is not None else None

    async def _heartbeat(self, connection: Connection, _: Any) -> None:
        connection.heartbeats += 1
        connection.send(self._frame(ACK, None))

    async def _identify(self, connection: Connection, data: Any) -> None:
        self.identifies += 1
        self.budget.remaining -= 1
        code = self._identify_objection(data)
        if code:
            await connection.close(code)
            return
        shard_id, shard_count = data.get("shard") or (0, 1)
        if self.budget.is_too_soon(shard_id):
            connection.send(self._frame(INVALID, False))
            return
        session = Session(shard_id, shard_count, data["intents"], connection=connection)
        connection.session = session
        self.sessions[session.id] = session
        self._deliver(session, "READY", self._ready(session))
        for guild in self._state.guilds.values():
            told = guild.has_bot and not guild.is_out and session.covers(guild.id)
            if told and session.wants("GUILD_CREATE", guild.id):
                self._deliver(session, "GUILD_CREATE", payloads.guild_create(self._state, guild))
        self.changed.fire()
        self._state.emit(Event("gateway", detail="connected"))

    def _identify_objection(self, data: Any) -> int | None:
        if not isinstance(data, dict) or not {"token", "intents", "properties"} <= data.keys():
            return 4002
        if self.budget.remaining < 0 or str(data["token"]).removeprefix("Bot ") != self._state.token:
            return 4004
        intents = data["intents"]
        if not isinstance(intents, int) or intents & ~ALL_INTENTS:
            return 4013
        if intents & PRIVILEGED and not self.privileged_allowed:
            return 4014
        shard_id, shard_count = data.get("shard") or (0, 1)
        if not 0 <= shard_id < shard_count:
            return 4010
        return 4011 if shard_count < self.required_shards else None

    def _ready(self, session: Session) -> Json:
        guilds = [g for g in self._state.guilds.values() if g.has_bot and session.covers(g.id)]
        return {
            "v": 10,
            "user": payloads.self_user(self._state.bot),
            "guilds": [{"id": str(g.id), "unavailable": True} for g in guilds],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "session_type": "normal",
            "private_channels": [],
            "relationships": [],
            "presences": [],
            "application": {"id": str(self._state.application_id), "flags": 0, "flags_new": "0"},
            "shard": [session.shard_id, session.shard_count],
            "_trace": ["sandbox"],
        }

    async def _resume(self, connection: Connection, data: Any) -> None:
        self.resumes += 1
        session = self.sessions.get(str((data or {}).get("session_id")))
        if session is None or str(data.get("token")).removeprefix("Bot ") != self._state.token:
            connection.send(self._frame(INVALID, False))
            return
        seq = data.get("seq") or 0
        if seq > session.seq:
            self.sessions.pop(session.id)
            await connection.close(4007)
            return
        session.connection, connection.session = connection, session
        session.resumes += 1
        for frame in [f for f in session.sent if f["s"] > seq]:
            connection.send(frame)
        session.dispatch("RESUMED", {"_trace": ["sandbox"]})
        self.changed.fire()
        self._state.emit(Event("gateway", detail="connected"))

    @staticmethod
    def _frame(op: int, data: Any) -> Json:
        return {"op": op, "d": data, "s": None, "t": None}

    def _note(self, lane: Any, op: int | str, data: Any) -> None:
        self._wire.add(lane, f"op {op}" if isinstance(op, int) else op, request=data)

    # --- sending -------------------------------------------------------------------------------------------------

    def dispatch(self, name: str, data: Json, guild_id: int | None) -> None:
        """Sends an event to every session of its shard that asked for its kind (two processes: both)."""
        if self._held is not None:
            self._held.append((name, data, guild_id))
            return
        for session in self.sessions.values():
            if session.covers(guild_id) and session.wants(name, guild_id):
                bare = name.startswith("MESSAGE_") and not session.intents & CONTENT
                self._deliver(session, name, without_content(data, self._state.bot.id) if bare else data)

    def _deliver(self, session: Session, name: str, data: Json) -> None:
        self._specs.event(name, data)
        number = int(data["id"]) if name == "INTERACTION_CREATE" else None
        if session.connection is not None:  # what waits for a RESUME is no event on the wire
            self._wire.add("gateway out", name, request=data, interaction_id=number)
        session.dispatch(name, data)

    @property
    def live(self) -> list[Session]:
        """Sessions that are connected now."""
        return [s for s in self.sessions.values() if s.connection is not None]

    async def wait_ready(self, shards: int = 1, timeout_s: float = 20) -> None:
        """Waits until this many shards are connected."""
        await self.changed.until(lambda: len({s.shard_id for s in self.live}) >= shards, timeout_s, "the connection")

    async def wait_gone(self, timeout_s: float = 20) -> None:
        """Waits until nobody is connected."""
        await self.changed.until(lambda: not self.live, timeout_s, "the end of the connection")

    async def wait_resumed(self, times: int = 1, timeout_s: float = 20) -> None:
        """Waits until there were ``times`` RESUMEs (that were tried, successful or not)."""
        await self.changed.until(lambda: self.resumes >= times, timeout_s, "the resume")

    # --- faults --------------------------------------------------------------------------------------------------

    def _chosen(self, shard_id: int | None) -> list[Connection]:
        return [s.connection for s in self.live if s.connection and shard_id in {None, s.shard_id}]

    def reconnect(self, shard_id: int | None = None) -> None:
        """Asks to reconnect and resume (op 7)."""
        for connection in self._chosen(shard_id):
            connection.send(self._frame(RECONNECT, None))

    def invalidate(self, shard_id: int | None = None, *, resumable: bool = False) -> None:
        """Says that the session is over (op 9); without ``resumable`` it really is."""
        for connection in self._chosen(shard_id):
            connection.send(self._frame(INVALID, resumable))
            if not resumable and connection.session is not None:
                self.sessions.pop(connection.session.id, None)

    async def close(self, code: int, shard_id: int | None = None) -> None:
        """Closes the websocket with a code; most leave the session resumable."""
        for connection in self._chosen(shard_id):
            await self._end(connection, code)

    def drop(self, shard_id: int | None = None) -> None:
        """Breaks the TCP connection without a word."""
        for connection in self._chosen(shard_id):
            reset(connection.request)

    def silence(self, on: bool = True) -> None:
        """Makes every connection, present and next, a zombie: open, and never a word. Off is for the next ones only."""
        self._muted = on
        for connection in self.connections if on else ():
            connection.silent = True

    def hold(self) -> None:
        """Keeps events back until ``release``: so they come late."""
        self._held = []

    def release(self) -> None:
        """Sends what ``hold`` kept."""
        held, self._held = self._held or [], None
        for name, data, guild_id in held:
            self.dispatch(name, data, guild_id)

    def refuse(self, times: int = 1) -> None:
        """Answers the next connections with 503."""
        self.refusals = times

    def malformed(self, data: Json | None = None) -> None:
        """Sends an INTERACTION_CREATE that lacks nearly everything (or ``data`` as it is), unchecked."""
        self.send_raw("INTERACTION_CREATE", {"id": "1"} if data is None else data)

    def send_raw(self, name: str, data: Any) -> None:
        """Sends an event to all sessions, unchecked."""
        for session in self.live:
            session.dispatch(name, data)

    def live_shards(self) -> Counter[int]:
        """How many connections each shard has."""
        return Counter(s.shard_id for s in self.live)

    async def shut(self) -> None:
        """Ends every connection for good, as Discord does when it restarts."""
        for connection in list(self.connections):
            await connection.close(1001)
        self.sessions.clear()
