"""A bot under test as a child process: started, waited for, stopped, killed, started again; its log is kept.

It knows a command line, an environment, and how a connected bot looks from Discord's side; nothing else of the bot.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sandbox.discord.server import Server
from sandbox.discord.wire.gateway import Gateway

KEPT_LINES = 400
STOP_S = 30.0
READY_S = 60.0

Result = TypeVar("Result")


class Ended(RuntimeError):
    """The bot ended, or never came, while something was expected of it."""


@dataclass(frozen=True, slots=True)
class NextConnection:
    """Awaited, it waits for a connection that was not there ``before``. Whoever gives up first may leave it alone."""

    gateway: Gateway
    before: int
    within_s: float

    def __await__(self) -> Generator[Any, None, None]:
        def connected() -> bool:
            return self.gateway.identifies > self.before and bool(self.gateway.live)

        return self.gateway.changed.until(connected, self.within_s, "the bot").__await__()


def next_connection(discord: Server, within_s: float = READY_S) -> NextConnection:
    """A connection that is not there yet. Awaiting it raises ``TimeoutError``."""
    return NextConnection(discord.gateway, discord.gateway.identifies, within_s)


async def while_alive(work: Awaitable[Result], life: asyncio.Future[Any]) -> Result:
    """The work's result. If ``life`` is over before, raises what ended it, or ``Ended`` with what it returned."""
    doing = asyncio.ensure_future(work)
    either: set[asyncio.Future[Any]] = {doing, life}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise Ended(str(life.result()))
        return doing.result()
    finally:
        doing.cancel()
        await asyncio.gather(doing, return_exceptions=True)


def ends_with_us(command: Sequence[str]) -> list[str]:
    """The command so that it ends with this process even where that is killed. Elsewhere than on Linux: as it is."""
    if not sys.platform.startswith("linux"):
        return list(command)
    return [sys.executable, "-IS", str(Path(__file__).with_name("with_parent.py")), str(os.getpid()), *command]


class BotUnderTest:
    """One bot at a time. ``env`` is added to this process's environment; one written in Python is told to keep no line
    back, and nothing else reaches the bot.

    ``listeners`` are called without words whenever the process started or ended, by whomever. Whoever starts it stops
    it: ``stop`` ends it even when it is itself cancelled.
    """

    def __init__(self, command: Sequence[str], env: Mapping[str, str], folder: Path, *, echo: bool = False) -> None:
        self._command = list(command)
        self._env = {**os.environ, "PYTHONUNBUFFERED": "1", **env}
        self._folder = folder
        self._echo = echo
        self._starting = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._follower: asyncio.Task[None] | None = None
        self.listeners: list[Callable[[], None]] = []
        self.log: deque[str] = deque(maxlen=KEPT_LINES)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        """Of the present process, or of the last one."""
        return self._process.pid if self._process is not None else None

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode if self._process is not None else None

    def last_lines(self, count: int = 15) -> str:
        return "\n".join(list(self.log)[-count:])

    async def start(self) -> None:
        """Starts the bot unless it runs."""
        async with self._starting:
            if self.running:
                return
            await self._followed()
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                env=self._env,
                cwd=self._folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            self._follower = asyncio.create_task(self._follow(self._process), name="bot-process")
        self._tell()

    async def connect(self, discord: Server, *, within_s: float = READY_S) -> None:
        """Starts the bot and waits until it is connected. Raises ``Ended`` with its last lines if it does not come."""
        ready = next_connection(discord, within_s)
        await self.start()
        try:
            await self.while_alive(ready, "did not start")
        except TimeoutError:
            raise Ended(f"The bot did not start within {within_s:g} s.{self._said()}") from None

    async def while_alive(self, work: Awaitable[Result], failed: str = "ended in the middle of it") -> Result:
        """The work's result. Raises ``Ended`` with the bot's last lines when the bot ends before."""
        life = asyncio.ensure_future(self.wait())
        try:
            return await while_alive(work, life)
        except Ended:
            raise Ended(f"The bot {failed} (exit code {self.exit_code}).{self._said()}") from None
        finally:
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)

    def send(self, number: signal.Signals) -> None:
        """A signal, as a supervisor or a terminal sends it."""
        if self._process is None:
            raise RuntimeError("the bot was never started")
        self._process.send_signal(number)

    async def stop(self) -> None:
        """Asks the bot to end, as a supervisor would; kills it when it does not within 30 s or nobody can wait."""
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_S)
            except TimeoutError:
                await self.kill()
            except asyncio.CancelledError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                raise
        await self._followed()

    async def kill(self) -> None:
        """Ends the bot at once, in the middle of whatever it does."""
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        await self._followed()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def wait(self) -> int:
        """The exit code once the bot has ended, by itself or not; its last lines are in ``log`` by then."""
        if self._process is None:
            raise RuntimeError("the bot was never started")
        code = await self._process.wait()
        await self._followed()
        return code

    def _said(self) -> str:
        return f" Its last lines:\n{self.last_lines()}" if self.log else ""

    async def _followed(self) -> None:
        """Waits until the last word of an ended process is in the log and everybody was told."""
        if self._follower is not None:
            await asyncio.shield(self._follower)

    async def _follow(self, process: asyncio.subprocess.Process) -> None:
        while process.stdout is not None and (line := await _line(process.stdout)):
            text = line.decode(errors="replace").rstrip()
            self.log.append(text)
            if self._echo:
                print(text, file=sys.stderr, flush=True)  # noqa: T201  # the bot's log, on the terminal it belongs to
        await process.wait()
        self._tell()

    def _tell(self) -> None:
        for listener in list(self.listeners):
            listener()


async def _line(stream: asyncio.StreamReader) -> bytes:
    """The next line; of one longer than the reader's buffer a piece, since a log must not end the reading."""
    try:
        return await stream.readuntil(b"\n")
    except asyncio.IncompleteReadError as end:
        return end.partial
    except asyncio.LimitOverrunError as long:
        return await stream.readexactly(long.consumed or 1)
