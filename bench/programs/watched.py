"""Easel itself, with a meter in its event loop that is read from outside: ``python -m bench.programs.watched``.

SIGUSR1 begins anew; SIGUSR2 writes the longest delay so far, in seconds, to a file in ``DATA_DIR``.
"""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from bench.figures import StallMeter
from bot.process import run
from bot.settings.sources import read_settings

FILE = "longest-stall"


class Watch:
    """The meter, from outside."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE

    def forget(self, pid: int) -> None:
        os.kill(pid, signal.SIGUSR1)

    async def longest_s(self, pid: int) -> float:
        self._file.unlink(missing_ok=True)
        os.kill(pid, signal.SIGUSR2)
        async with asyncio.timeout(10):
            while not self._file.exists():  # noqa: ASYNC110  # it is another process that writes
                await asyncio.sleep(0.01)
        return float(self._file.read_text(encoding="ascii"))


async def main() -> int:
    settings = read_settings().settings
    loop = asyncio.get_running_loop()
    async with StallMeter() as meter:

        def tell() -> None:
            part = settings.data_dir / f"{FILE}.part"
            part.write_text(str(max(meter.late_s, default=0.0)), encoding="ascii")
            part.rename(settings.data_dir / FILE)

        loop.add_signal_handler(signal.SIGUSR1, meter.late_s.clear)
        loop.add_signal_handler(signal.SIGUSR2, tell)
        return await run(settings)


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
