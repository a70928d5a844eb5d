"""The wire of the pretend Discord: REST under ``/api/v10``, the gateway, attachments; one server on loopback."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from sandbox.discord.faults import Faults
from sandbox.discord.model import Event
from sandbox.discord.rest.limits import RateLimits
from sandbox.discord.rest.rest import Rest
from sandbox.discord.wire.cdn import Cdn
from sandbox.discord.wire.gateway import IDENTIFY_EVERY_S, Gateway
from sandbox.discord.wire.log import WireLog
from sandbox.discord.wire.specs import Breach, Specs
from sandbox.discord.world import World


class Server:
    """A running Discord for one ``World``: ``async with Server() as server: …``.

    ``specs`` is the folder of the official descriptions; with it every request, answer and gateway event is held
    against them. What is wrong with the bot's requests (or, a bug here, with the answers) is collected in ``breaches``;
    a test asserts it is empty.

    A message with an @mention in it that ``allowed_mentions`` does not forbid is a breach, too.

    ``identify_every_s``: how soon a bot may come again; 0 for tests that restart theirs.

    ``url`` is the origin, ``api_base`` what belongs into ``DISCORD_API_BASE``, ``world.token`` into ``DISCORD_TOKEN``.
    Before ``start`` further routes may be put into ``app`` (free: everything outside ``/api``, ``/gateway``,
    ``/attachments`` and ``/ephemeral-attachments``).

    Parts for tests: ``faults`` (also ``fail_next``), ``gateway`` (drop, close, op 7, op 9, silence, malformed events),
    ``cdn.fail_next``, ``limits`` (rate limits), ``wire`` (the log of everything).
    """

    def __init__(
        self,
        world: World | None = None,
        *,
        specs: Path | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        identify_every_s: float = IDENTIFY_EVERY_S,
    ) -> None:
        self.world = world or World()
        self.breaches: list[Breach] = []
        self.host, self.port = host, port
        self.specs = Specs(specs, self.breaches)
        self.wire = WireLog(self._told, self.world.clock.now)
        self.faults = Faults()
        self.fail_next = self.faults.fail_next
        self.limits = RateLimits(self.world.clock.now)
        self.gateway = Gateway(self.world, self.specs, self.wire, identify_every_s)
        self.cdn = Cdn(self.world)
        self.rest = Rest(self.world, self.gateway, self.limits, self.specs, self.wire, self.faults)
        self.app = web.Application(client_max_size=64 * 1024 * 1024)
        self.rest.attach(self.app)
        self.gateway.attach(self.app)
        self.cdn.attach(self.app)
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The origin, such as ``http://127.0.0.1:40123``; only after ``start``."""
        return f"http://{self.host}:{self.port}"

    @property
    def api_base(self) -> str:
        """What a bot uses instead of ``https://discord.com/api/v10``."""
        return f"{self.url}/api/v10"

    @property
    def gateway_url(self) -> str:
        """The address ``GET /gateway/bot`` answers."""
        return f"ws://{self.host}:{self.port}/gateway"

    async def start(self) -> None:
        """Begins to listen; with port 0 the real one stands in ``port`` afterwards. ``OSError`` if it is taken."""
        runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, self.host, self.port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self.port = runner.addresses[0][1]
        self.world.origin = self.url
        self.gateway.url = self.gateway_url
        self.world.sinks.append(self.gateway)

    async def stop(self) -> None:
        """Ends every connection and stops listening."""
        if self.gateway in self.world.sinks:
            self.world.sinks.remove(self.gateway)
        await self.gateway.shut()
        self.cdn.release()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def wait_ready(self, shards: int = 1, timeout_s: float = 20) -> None:
        """Waits until a bot is connected with this many shards."""
        await self.gateway.wait_ready(shards, timeout_s)

    def assert_clean(self) -> None:
        """Raises ``AssertionError`` that lists every breach."""
        if self.breaches:
            raise AssertionError("\n".join(str(b) for b in self.breaches))

    def _told(self) -> None:
        self.world.emit(Event("wire"))
