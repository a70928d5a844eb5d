"""The real bot as a child process: started, stopped, killed and started again, its log kept for whoever asks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

KEPT_LINES = 400
STOP_S = 30.0


class BotProcess:
    """One bot at a time. ``env`` is added to this process's environment; nothing else reaches the bot."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], folder: Path, *, echo: bool = False) -> None:
        self._command = list(command)
        self._env = {**os.environ, **env}
        self._folder = folder
        self._echo = echo
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self.log: deque[str] = deque(maxlen=KEPT_LINES)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode if self._process is not None else None

    async def start(self) -> None:
        """Starts the bot unless it runs."""
        if self.running:
            return
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            env=self._env,
            cwd=self._folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self._reader = asyncio.create_task(self._read(self._process))

    async def stop(self) -> None:
        """Asks the bot to end, as a supervisor would; kills it when it does not within 30 s."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            await self.kill()
        await self._drained()

    async def kill(self) -> None:
        """Ends the bot at once, in the middle of whatever it does."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        await process.wait()
        await self._drained()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def wait(self) -> int:
        """The exit code, when the bot has ended by itself."""
        if self._process is None:
            raise RuntimeError("the bot was never started")
        return await self._process.wait()

    async def _drained(self) -> None:
        if self._reader is not None:
            await self._reader
            self._reader = None

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            return
        while line := await process.stdout.readline():
            text = line.decode(errors="replace").rstrip()
            self.log.append(text)
            if self._echo:
                print(text, file=sys.stderr, flush=True)  # noqa: T201  # the bot's log, on the terminal it belongs to
