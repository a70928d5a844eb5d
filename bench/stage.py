"""Everything a measurement needs around it, each in a process of its own: Discord, the image service, and the bots.

What the bench itself does is told here too: it sends orders and hears of what became of them, and no byte of a picture
passes through its process.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import ssl
import sys
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from bench.fakes.tls import certificate
from bench.orders import Payload, bot_token
from bot.operator.sandbox.environment import environment
from sandbox.running import BotUnderTest

ROOT = Path(__file__).resolve().parent.parent
READY_S = 120.0
NEVER_MET = {
    "MAX_CONCURRENT_JOBS": "200",
    "DEFAULT_IMAGES_PER_DAY": "1000000",
    "DEFAULT_BUDGET_USD": "1000000",
    "JOB_TIMEOUT_S": "600",
    "LOG_LEVEL": "WARNING",
}
"""Every kind of default limit is there, none of them is met."""

EASEL = ("-m", "bot", "run")
PROGRAMS = {
    "ours": EASEL,
    **{name: ("-m", f"bench.programs.{name}") for name in ("floor", "promise", "naive", "core", "watched")},
}
_apps = itertools.count(1001)


class NotAnswered(RuntimeError):
    """A bot did not do what was asked within the time; its last lines are in it."""


@dataclass(slots=True)
class Followed:
    """What became of an interaction so far. ``acknowledged_s`` is None until it was."""

    acknowledged_s: float | None = None
    acknowledgement: str = ""
    lines: int = 0
    previews: int = 0
    pictures: int = 0
    words: list[str] = field(default_factory=list)
    buttons: list[str] = field(default_factory=list)


class DiscordSide:
    """The Discord's process, seen from the bench."""

    def __init__(self, origin: str, session: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._late = f"{origin}/late"
        self._session = session
        self._socket = socket
        self._news = asyncio.Condition()
        self.seen: dict[str, Followed] = defaultdict(Followed)
        self.ready: dict[int, int] = defaultdict(int)

    async def listen(self) -> None:
        async for message in self._socket:
            told = json.loads(message.data)
            one = self.seen[told["id"]]
            match told["saw"]:
                case "ready":
                    self.ready[told["app"]] += 1
                case "acknowledged":
                    one.acknowledged_s, one.acknowledgement = told["after_s"], told["text"]
                case "line":
                    one.lines += 1
                case "preview":
                    one.previews += 1
                case "picture":
                    one.pictures += 1
                    one.buttons = told["buttons"]
                case "words":
                    one.words.append(told["text"])
            async with self._news:
                self._news.notify_all()

    async def send(self, payload: Payload) -> str:
        """Sends the interaction to its bot; its number."""
        await self._socket.send_str(json.dumps({"app": int(payload["application_id"]), "send": payload}))
        return str(payload["id"])

    async def servers(self, app: int, count: int, greet: Payload | None = None) -> None:
        """From now on READY names so many servers to that bot, and ``greet`` follows at once."""
        await self._socket.send_str(json.dumps({"app": app, "servers": count, "greet": greet}))

    async def watch(self) -> None:
        """From now on it is noted how late that process runs."""
        async with self._session.post(self._late) as response:
            response.raise_for_status()

    async def lateness_s(self) -> float:
        """How late it ran since, at the 99th percentile."""
        async with self._session.get(self._late) as response:
            return float((await response.json())["p99_s"])

    async def until(self, come: Callable[[], bool], timeout_s: float, what: str) -> None:
        """Waits until something was seen. Raises ``NotAnswered``."""
        try:
            async with asyncio.timeout(timeout_s), self._news:
                await self._news.wait_for(come)
        except TimeoutError:
            raise NotAnswered(f"{what} did not come within {timeout_s:g} s") from None

    async def until_shown(self, numbers: Iterable[str], timeout_s: float = 120.0) -> None:
        """Waits until every one of the orders has its picture. Raises ``NotAnswered`` where words came instead."""
        wanted = list(numbers)

        def come() -> bool:
            refused = next((self.seen[one].words for one in wanted if self.seen[one].words), None)
            if refused is not None:
                raise NotAnswered(f"words came instead of a picture: {refused[0][:500]}")
            return all(self.seen[one].pictures for one in wanted)

        await self.until(come, timeout_s, "a picture")


class ImagesSide:
    """The image service's process, seen from the bench."""

    def __init__(self, origin: str, session: aiohttp.ClientSession) -> None:
        self._control = f"{origin}/control"
        self._session = session

    async def set(self, **wanted: Any) -> None:
        async with self._session.post(self._control, json=wanted) as response:
            response.raise_for_status()

    async def told(self) -> dict[str, Any]:
        async with self._session.get(self._control) as response:
            counts: dict[str, Any] = await response.json()
            return counts

    async def until_waiting(self, number: int, timeout_s: float = 60) -> None:
        """Waits until so many calls for pictures are kept back. Raises ``NotAnswered``."""
        with _in_words(f"the {number} calls for pictures"):
            async with asyncio.timeout(timeout_s):
                while (await self.told())["waiting"] < number:  # noqa: ASYNC110  # it is another process that changes
                    await asyncio.sleep(0.02)


@contextlib.contextmanager
def _in_words(what: str) -> Any:
    try:
        yield
    except TimeoutError:
        raise NotAnswered(f"{what} did not come in time") from None


@dataclass(slots=True)
class Bot:
    """A bot's process. ``app`` is its number at Discord."""

    name: str
    app: int
    folder: Path
    process: BotUnderTest

    @property
    def pid(self) -> int:
        if self.process.pid is None:
            raise RuntimeError(f"{self.name} was not started")
        return self.process.pid


@dataclass(slots=True)
class Stage:
    """The other side, ready for bots."""

    discord: DiscordSide
    images: ImagesSide
    sizes: dict[str, int]
    folder: Path
    addresses: dict[str, str]
    stack: AsyncExitStack

    def prepared(self, name: str, *, root: Path = ROOT, **settings: str) -> Bot:
        """A bot that is not started; it is ended with the stage."""
        app = next(_apps)
        folder = self.folder / f"{name}-{app}"
        folder.mkdir()
        env = environment(
            folder,
            token=bot_token(app),
            discord=self.addresses["discord"],
            images=(self.addresses["images"], "key"),
            **NEVER_MET | {"SSL_CERT_FILE": self.addresses.get("certificate", ""), "EASEL_BENCH": str(ROOT)} | settings,
        )
        if not env["SSL_CERT_FILE"]:
            del env["SSL_CERT_FILE"]
        process = BotUnderTest((sys.executable, *PROGRAMS[name.partition(" ")[0]]), env, root)
        self.stack.push_async_callback(process.stop)
        return Bot(name, app, folder, process)

    async def bot(self, name: str, *, root: Path = ROOT, **settings: str) -> Bot:
        """A bot that is connected."""
        bot = self.prepared(name, root=root, **settings)
        await self.connect(bot)
        return bot

    async def connect(self, bot: Bot, timeout_s: float = READY_S) -> None:
        before = self.discord.ready[bot.app]
        await bot.process.start()

        def come() -> bool:
            return self.discord.ready[bot.app] > before

        await self.explained(bot, self.discord.until(come, timeout_s, "the connection"))

    async def explained(self, bot: Bot, work: Awaitable[Any]) -> None:
        """Awaits the work; what goes wrong is told with the bot's name and last lines."""
        try:
            await bot.process.while_alive(work)
        except NotAnswered as problem:
            raise NotAnswered(f"{bot.name}: {problem}\n{bot.process.last_lines()}") from None


@asynccontextmanager
async def stage(*kinds: str, side: int = 1024, tls: bool = False) -> AsyncIterator[Stage]:
    """Everything started, and ended on exit. ``kinds`` of pictures are drawn before."""
    async with AsyncExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="easel-bench-", ignore_cleanup_errors=True))
        folder = Path(name)
        key = certificate(folder) if tls else None
        context = ssl.create_default_context(cafile=str(key)) if key else None
        words = [str(key)] if key else []
        pictures = ("-m", "bench.fakes.images", ",".join(kinds) or "tiny", str(side), *words)
        ports = [await _started(stack, *one) for one in (pictures, ("-m", "bench.fakes.discord", *words))]
        scheme = "https" if key else "http"
        images, discord = (f"{scheme}://127.0.0.1:{port}" for port in ports)
        connector = aiohttp.TCPConnector(ssl=context) if context else aiohttp.TCPConnector()
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        socket = await stack.enter_async_context(session.ws_connect(f"{discord}/control", max_msg_size=0))
        seen = DiscordSide(discord, session, socket)
        listening = asyncio.create_task(seen.listen())
        stack.callback(listening.cancel)
        service = ImagesSide(images, session)
        addresses = {"discord": f"{discord}/api/v10", "images": f"{images}/v1"} | (
            {"certificate": str(key)} if key else {}
        )
        sizes = (await service.told())["sizes"]
        yield Stage(seen, service, sizes, folder, addresses, await stack.enter_async_context(AsyncExitStack()))


async def _started(stack: AsyncExitStack, *words: str) -> int:
    """Starts a fake; its port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )

    async def end() -> None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()

    stack.push_async_callback(end)
    if process.stdout is None:
        raise RuntimeError("a fake has no output")
    return int(await asyncio.wait_for(process.stdout.readline(), 60))
