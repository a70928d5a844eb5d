"""A bot in a process of its own, started, killed and watched: what the page's power switches work on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence


class BotProcess:
    """Runs ``argv`` with exactly this environment. ``changed`` is called whenever the process started or ended.

    Output goes where this process's own goes, or to ``log`` line by line if given. ``exit_code`` tells of the last end.
    """

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        *,
        cwd: str | None = None,
        log: Callable[[str], None] | None = None,
    ) -> None:
        self._argv, self._env, self._cwd, self._log = tuple(argv), dict(env), cwd, log
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self.exit_code: int | None = None
        self.changed: Callable[[], None] = lambda: None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self.running else None

    async def start(self) -> None:
        """Starts it if it does not run."""
        if self.running:
            return
        await self._watched()
        pipe = asyncio.subprocess.PIPE if self._log is not None else None
        kept = asyncio.subprocess.STDOUT if self._log is not None else None
        self._process = await asyncio.create_subprocess_exec(
            *self._argv, env=self._env, cwd=self._cwd, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=kept
        )
        self._watch = asyncio.create_task(self._follow(self._process), name="bot-process")
        self.changed()

    async def kill(self) -> None:
        """Ends it as ``kill -9`` does; returns when it is gone."""
        if self._process is not None and self.running:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await self._watched()

    async def stop(self, grace_s: float = 30.0) -> None:
        """Asks it to end, and kills it after ``grace_s``."""
        if self._process is not None and self.running:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), grace_s)
        await self.kill()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def _watched(self) -> None:
        if self._watch is not None:
            await self._watch

    async def _follow(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is not None and self._log is not None:
            async for line in process.stdout:
                self._log(line.decode("utf-8", "replace").rstrip("\n"))
        self.exit_code = await process.wait()
        self.changed()
