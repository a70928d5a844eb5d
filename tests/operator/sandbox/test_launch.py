"""The sandbox's one-liners as somebody types them: a process of its own, an exit code, text, and files on the disk."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import re
import select
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw

from bot.operator.sandbox.options import options_of

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.timeout(180)


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str
    pictures: tuple[Path, ...]


def environment() -> dict[str, str]:
    """Ours, without any real token or key: neither is there one, nor is one read from ``.env``."""
    return os.environ | {"OPENAI_API_KEY": "", "DISCORD_TOKEN": "", "DISPLAY": "", "WAYLAND_DISPLAY": ""}


async def _start(*words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "sandbox", *words),
        cwd=ROOT,
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def typed(folder: Path, line: str) -> Ended:
    process = await _start(line, "--out", str(folder / "out"))
    try:
        out, err = await asyncio.wait_for(process.communicate(), 120)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    pictures = tuple(sorted((folder / "out").glob("*"))) if (folder / "out").exists() else ()
    return Ended(process.returncode or 0, out.decode(), err.decode(), pictures)


def opened(path: Path) -> Image.Image:
    return Image.open(io.BytesIO(path.read_bytes())).convert("RGB")


def a_photo(folder: Path, size: tuple[int, int] = (1024, 1024)) -> Path:
    """A gradient, so that a pixel that moved or changed is seen."""
    across, down = Image.linear_gradient("L").rotate(90), Image.linear_gradient("L")
    bands = (across.resize(size), down.resize(size), ImageChops.invert(across).resize(size))
    path = folder / "photo.png"
    Image.merge("RGB", bands).save(path)
    return path


def test_the_switches_are_those_of_the_document() -> None:
    shown = re.findall(r"^\| `(--[a-z-]+)", (ROOT / "docs" / "sandbox.md").read_text(), re.MULTILINE)
    assert {name.removeprefix("--").replace("-", "_") for name in shown} == vars(options_of([])).keys() - {"command"}


@pytest.mark.slow
async def test_a_picture_is_made_by_one_command(tmp_path: Path) -> None:
    done = await typed(tmp_path, "/imagine prompt:a red fox size:1536x1024 quality:low")
    assert (done.code, done.err) == (0, "")
    assert "a red fox" in done.out
    (picture,) = done.pictures
    assert str(picture) in done.out
    assert opened(picture).size == (1536, 1024)


@pytest.mark.slow
async def test_dall_e_3_makes_several_by_several_calls(tmp_path: Path) -> None:
    done = await typed(tmp_path, "/imagine prompt:a red fox model:dall-e-3 style:vivid count:2 quality:standard")
    assert (done.code, done.err) == (0, "")
    assert [opened(path).size for path in done.pictures] == [(1024, 1024)] * 2
    assert done.pictures[0].read_bytes() != done.pictures[1].read_bytes()


@pytest.mark.slow
async def test_an_edit_changes_nothing_outside_of_its_circle(tmp_path: Path) -> None:
    photo = a_photo(tmp_path)
    done = await typed(tmp_path, f"/edit image:{photo} prompt:a straw hat area:circle size:1024x1024 quality:low")
    assert (done.code, done.err) == (0, "")
    before, after = opened(photo), opened(done.pictures[0])
    changed = ImageChops.difference(before, after).convert("L").point(lambda level: 255 if level else 0)
    left, top, right, bottom = changed.getbbox()
    assert 600 < right - left < 800  # neither nothing nor everything
    assert abs((right - left) - (bottom - top)) < 12
    round_area = Image.new("L", before.size, 0)
    ImageDraw.Draw(round_area).ellipse((left - 2, top - 2, right + 2, bottom + 2), fill=255)
    assert ImageChops.subtract(changed, round_area).getbbox() is None
    inside = Image.new("L", before.size, 0)
    ImageDraw.Draw(inside).ellipse((left + 40, top + 40, right - 40, bottom - 40), fill=255)
    both = ImageChops.multiply(changed, inside)
    assert both.histogram()[255] > 0.95 * inside.histogram()[255]


@pytest.mark.slow
@pytest.mark.parametrize("model", ["dall-e-2", "gpt-image-2.5-flare"])
async def test_a_picture_is_varied(tmp_path: Path, model: str) -> None:
    photo = a_photo(tmp_path, (700, 500))
    done = await typed(tmp_path, f"/vary image:{photo} model:{model} count:2")
    assert (done.code, done.err) == (0, "")
    assert len(done.pictures) == 2
    assert all(opened(path).size[0] >= 256 for path in done.pictures)


@pytest.mark.slow
async def test_a_command_that_does_not_exist_is_a_bad_command_line(tmp_path: Path) -> None:
    done = await typed(tmp_path, "/imagin prompt:a red fox")
    assert done.code == 2
    assert "Did you mean /imagine?" in done.out
    assert done.pictures == ()


@pytest.mark.slow
async def test_a_refusal_is_not_a_success(tmp_path: Path) -> None:
    done = await typed(tmp_path, "/imagine prompt:a red fox size:512x512")
    assert done.code == 1
    assert "only you can see this" in done.out
    assert re.search(r"816\s*[x×]\s*816", done.out)
    assert done.pictures == ()


# --- the page as a process -------------------------------------------------------------------------------------------


@dataclass
class Page:
    process: asyncio.subprocess.Process
    url: str
    said: list[str]

    def bots(self) -> list[int]:
        """The bot's process ids: children of the sandbox."""
        found = []
        for status in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = status.read_text().rpartition(")")[2].split()
                if int(fields[1]) == self.process.pid and fields[0] != "Z":
                    found.append(int(status.parent.name))
        return found


@pytest.fixture
async def a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Page]:
    """The page on a port that another program has already."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # a killed one leaves its folder
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = await _start("--no-browser", "--port", str(taken.getsockname()[1]))
        said: list[str] = []
        try:
            assert process.stdout is not None
            async with asyncio.timeout(60):
                while not (found := re.search(r"http://\S+", "".join(said))):
                    said.append((await process.stdout.readline()).decode())
            yield Page(process, found[0], said)
        finally:
            if process.returncode is None:
                process.terminate()  # not killed: its bot has to end with it
            await process.communicate()


@pytest.mark.slow
async def test_a_port_in_use_is_said_and_another_taken(a_page: Page) -> None:
    first = next(line for line in a_page.said if "in use" in line)
    port = re.search(r"Port (\d+) is in use", first)
    assert port
    assert f":{port[1]}/" not in a_page.url
    reader, writer = await asyncio.open_connection("127.0.0.1", int(a_page.url.rstrip("/").rpartition(":")[2]))
    writer.write(f"GET / HTTP/1.1\r\nHost: {a_page.url.removeprefix('http://').rstrip('/')}\r\n\r\n".encode())
    assert b"200 OK" in await reader.readline()
    writer.close()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
async def test_the_bot_ends_with_the_sandbox(a_page: Page, name: str) -> None:
    (bot,) = a_page.bots()
    a_page.process.send_signal(getattr(signal, name))
    assert await asyncio.wait_for(a_page.process.wait(), 40) == 0
    assert not Path(f"/proc/{bot}").exists()


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a child")
async def test_the_bot_ends_with_a_sandbox_that_is_killed(a_page: Page) -> None:
    (bot,) = a_page.bots()
    ended = os.pidfd_open(bot)
    watched = select.poll()
    watched.register(ended, select.POLLIN)
    a_page.process.kill()
    try:
        assert await asyncio.to_thread(watched.poll, 40_000)
    finally:
        os.close(ended)


@pytest.mark.slow
async def test_a_bot_that_cannot_start_is_told_with_its_last_lines(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "sandbox", "/imagine prompt:a red fox"),
        cwd=ROOT,
        env=environment() | {"JOB_TIMEOUT_S": "soon"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert "The bot did not start (exit code 78)" in err.decode()
    assert "JOB_TIMEOUT_S" in err.decode()
