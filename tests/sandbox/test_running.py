"""The bot's process as others see it: log, exit codes, who is told, and that nothing outlives whoever started it."""

import asyncio
import sys
from pathlib import Path

import pytest

from sandbox.running import BotUnderTest

STUBBORN = "import signal as s, time; s.signal(s.SIGTERM, s.SIG_IGN); print('up', flush=True); time.sleep(600)"


def _bot(folder: Path, program: str) -> BotUnderTest:
    return BotUnderTest([sys.executable, "-c", program], {"EASEL_SAID": "hello"}, folder)


async def _until_it_says(bot: BotUnderTest, line: str) -> None:
    async with asyncio.timeout(20):
        while line not in bot.log:
            await asyncio.sleep(0.02)


async def test_the_last_lines_are_there_when_the_end_is_known(tmp_path: Path) -> None:
    bot = _bot(tmp_path, "import os; print(os.environ['EASEL_SAID']); print('x' * 200_000); print('bye'); exit(3)")
    told: list[bool] = []
    bot.listeners.append(lambda: told.append(bot.running))
    await bot.start()
    assert await bot.wait() == 3
    assert (bot.log[0], bot.log[-1]) == ("hello", "bye")
    assert sum(len(line) for line in bot.log) == len("hello") + 200_000 + len("bye")
    assert bot.last_lines(1) == "bye"
    assert (bot.exit_code, told[-1]) == (3, False)


async def test_it_is_started_once_however_often_one_asks(tmp_path: Path) -> None:
    bot = _bot(tmp_path, "import time; print('up', flush=True); time.sleep(600)")
    await asyncio.gather(bot.start(), bot.start(), bot.start())
    await _until_it_says(bot, "up")
    first = bot.pid
    await bot.restart()
    assert bot.pid != first
    await bot.kill()
    assert (bot.running, list(bot.log).count("up") <= 2) == (False, True)


async def test_who_cannot_wait_any_longer_leaves_no_process_behind(tmp_path: Path) -> None:
    bot = _bot(tmp_path, STUBBORN)
    await bot.start()
    await _until_it_says(bot, "up")
    stopping = asyncio.create_task(bot.stop())
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    assert await asyncio.wait_for(bot.wait(), 20) == -9


async def test_a_bot_that_never_was_has_no_end(tmp_path: Path) -> None:
    bot = _bot(tmp_path, "")
    assert (bot.running, bot.exit_code, bot.pid, bot.last_lines()) == (False, None, None, "")
    await bot.stop()
    await bot.kill()
    with pytest.raises(RuntimeError, match="never started"):
        await bot.wait()
