"""The first minutes: from a clone to the page in the browser, everything downloaded and installed anew."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

from bench.figures import median
from bench.goals import FIRST, Line, named
from bench.size import Size
from bench.stage import ROOT

WAIT_S = 300.0
NOTHING_KEPT = {"PIP_NO_CACHE_DIR": "1", "UV_NO_CACHE": "1"}
ASIDE = ("DISCORD_TOKEN", "OPENAI_API_KEY", "OPENAI_BASE_URL", "VIRTUAL_ENV", "PYTHONPATH")


async def first(size: Size) -> list[Line]:
    """With pip, and with uv where it is."""
    uv = shutil.which("uv")
    lines = [await _line("pip", [folder for folder in _path() if not (Path(folder) / "uv").exists()], size)]
    return lines if uv is None else [*lines, await _line("uv", _path(), size)]


def _path() -> list[str]:
    return os.environ.get("PATH", "").split(os.pathsep)


async def _line(installer: str, path: list[str], size: Size) -> Line:
    seconds = [await _from_clone_to_page(path) for _ in range(size.fresh_rounds)]
    return Line(named(FIRST, installer=installer), tuple(seconds), {"ours": median(seconds)})


async def _from_clone_to_page(path: list[str]) -> float:
    with tempfile.TemporaryDirectory(prefix="easel bench-") as name:
        folder = Path(name) / "easel"
        begun = time.perf_counter()
        clone = await asyncio.create_subprocess_exec("git", "clone", "-q", "--no-local", str(ROOT), str(folder))
        if await clone.wait():
            raise RuntimeError("Easel cannot be cloned from here")
        env = {key: value for key, value in os.environ.items() if key not in ASIDE} | NOTHING_KEPT
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "run.py", "sandbox", "--port", "0", "--no-browser"),
            cwd=folder,
            env=env | {"PATH": os.pathsep.join(path)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(WAIT_S):
                await _page(process)
            return time.perf_counter() - begun
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            await process.wait()


async def _page(process: asyncio.subprocess.Process) -> None:
    """Fetches the page as soon as its address is said."""
    if process.stdout is None:
        raise RuntimeError("the sandbox says nothing")
    said = []
    async for line in process.stdout:
        said.append(line.decode(errors="replace"))
        if found := re.search(r"http://\S+", said[-1]):
            async with aiohttp.ClientSession() as session, session.get(found[0]) as answer:
                answer.raise_for_status()
                return
    raise RuntimeError(f"it ended before there was a page: {''.join(said[-3:])}")
