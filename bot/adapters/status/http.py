"""Health, readiness and figures over HTTP, for supervisors and Prometheus. It answers questions and changes nothing.

/healthz   200 while the event loop answers at all: a supervisor restarts the process when it does not
/readyz    200 when work can be taken, else 503; the body names each check with ``ok`` or what is wrong
/metrics   Prometheus' text format
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from bot.ports import CannotStart

log = logging.getLogger(__name__)

CHECK_TIMEOUT_S = 2.0
ReadyCheck = Callable[[], Awaitable[object]]
"""Returns when all is well, raises when it is not: the words of ``NotReady`` and ``Limping`` are shown, anything else
is only in the log.
"""


class NotReady(Exception):
    """Why the process cannot take work now, in words fit for the page."""


class Limping(Exception):
    """What is wrong although the process can take work, in words fit for the page."""


class StatusServer:
    """Serves the three pages. ``metrics`` renders the figures; ``checks`` are asked at every ``/readyz``."""

    def __init__(
        self,
        host: str,
        port: int,
        checks: Mapping[str, ReadyCheck],
        metrics: Callable[[], bytes],
        *,
        metrics_type: str = "text/plain; version=0.0.4; charset=utf-8",
        check_timeout_s: float = CHECK_TIMEOUT_S,
    ) -> None:
        self._host = host
        self._port = port
        self._checks = dict(checks)
        self._metrics = metrics
        self._metrics_type = metrics_type
        self._check_timeout_s = check_timeout_s
        self._failing: frozenset[str] = frozenset()
        self._limping: frozenset[str] = frozenset()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listens. Raises ``CannotStart`` when the address cannot be had."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/healthz", self._health),
                web.get("/readyz", self._ready),
                web.get("/metrics", self._figures),
            ]
        )
        runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError as error:
            await runner.cleanup()
            raise CannotStart(cannot_listen(self._host, self._port, error)) from error
        self._runner = runner

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens; with port 0, the port the system chose."""
        if self._runner is None or not self._runner.addresses:
            raise RuntimeError("the status server is not listening")
        host, port = self._runner.addresses[0][:2]
        return str(host), int(port)

    async def aclose(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def _ready(self, _request: web.Request) -> web.Response:
        answers = dict(zip(self._checks, await asyncio.gather(*map(self._ask, self._checks)), strict=True))
        said = {name: str(answer) for name, answer in answers.items()}
        limping = frozenset(name for name, answer in answers.items() if isinstance(answer, Limping))
        failing = frozenset(name for name, words in said.items() if words != "ok") - limping
        if (failing, limping) != (self._failing, self._limping):
            log.log(logging.WARNING if failing or limping else logging.INFO, "ready: %s", said)
            self._failing, self._limping = failing, limping
        return web.json_response({"ready": not failing, "checks": said}, status=503 if failing else 200)

    async def _ask(self, name: str) -> str | Limping:
        try:
            async with asyncio.timeout(self._check_timeout_s):
                await self._checks[name]()
        except NotReady as reason:
            return str(reason)
        except Limping as reason:
            return reason
        except TimeoutError:
            return f"no answer within {self._check_timeout_s:g} s"
        except Exception as error:  # any library may speak here; the page must still be served
            if name not in self._failing:
                log.warning("readiness check %s failed", name, exc_info=error)
            return f"failed ({type(error).__name__}); the log says more"
        return "ok"

    async def _figures(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._metrics(), headers={"Content-Type": self._metrics_type})


def cannot_listen(host: str, port: int, error: OSError) -> str:
    """The sentence for an address that cannot be had."""
    if error.errno == errno.EADDRINUSE:
        return (
            f"HTTP_PORT: port {port} on {host} is taken by another program (another Easel?). "
            "Stop that one, or set HTTP_PORT to another port (0 turns the page off)."
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"HTTP_PORT: port {port} needs more rights than this user has. Set HTTP_PORT to one above 1023."
    return f"HTTP_HOST: {host} is no address of this machine ({error.strerror}). Usual are 127.0.0.1 and 0.0.0.0."


async def probe(host: str, port: int) -> OSError | None:
    """Whether the address could be listened on now: None, or what is in the way."""
    try:
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), host, port)
    except OSError as error:
        return error
    server.close()
    with contextlib.suppress(OSError):
        await server.wait_closed()
    return None
