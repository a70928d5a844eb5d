"""The other side, as cheap as can be, in a process of its own: an image service with a prebuilt answer, and a Discord
that reads what is uploaded and says thanks.

    python -m bench.fakes [--side 1024]      prints its port

``POST /control`` with ``{"latency_s": 2}`` sets about how long a picture takes, ``{"hold": true}`` keeps answers back,
``{"hold": false}`` lets all of them go at once. ``GET /control`` says how many wait and how many were answered.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import io
import json
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
BOT = {"id": "1", "username": "easel", "discriminator": "0", "avatar": None, "global_name": None}
USAGE = {
    "input_tokens": 20,
    "input_tokens_details": {"text_tokens": 20, "image_tokens": 0},
    "output_tokens": 150,
    "total_tokens": 170,
}
NOISE = 6.0  # near five bits a sample, as in a photograph: about 2 MB at 1024x1024


def plain_json(value: Any) -> web.Response:
    """discord.py reads JSON only under exactly this type."""
    return web.Response(body=json.dumps(value).encode(), headers={"Content-Type": "application/json"})


def picture(side: int) -> bytes:
    """A PNG that compresses like a photograph."""
    bands = [Image.effect_noise((side, side), NOISE) for _ in range(3)]
    out = io.BytesIO()
    Image.merge("RGB", bands).save(out, "PNG", compress_level=1)
    return out.getvalue()


class Fakes:
    """Both services on one port. ``body`` is the whole answer to a call for a picture."""

    def __init__(self, data: bytes) -> None:
        encoded = base64.b64encode(data).decode()
        self.body = json.dumps({"created": 1, "data": [{"b64_json": encoded}], "usage": USAGE}).encode()
        self.latency_s = 0.0
        self.waiting = self.answered = self.uploads = 0
        self.released = asyncio.Event()
        self.released.set()

    def app(self) -> web.Application:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post("/v1/images/generations", self.generate)
        app.router.add_get("/api/v10/users/@me", self.me)
        app.router.add_patch("/api/v10/webhooks/{app}/{token}/messages/@original", self.edit)
        app.router.add_get("/control", self.told)
        app.router.add_post("/control", self.control)
        return app

    async def generate(self, request: web.Request) -> web.Response:
        await request.read()
        self.waiting += 1
        try:
            await asyncio.sleep(self.latency_s * random.uniform(0.5, 1.5))
            await self.released.wait()
        finally:
            self.waiting -= 1
        self.answered += 1
        return web.Response(body=self.body, content_type="application/json", headers={"x-request-id": "req_1"})

    async def me(self, _: web.Request) -> web.Response:
        return plain_json(BOT)

    async def edit(self, request: web.Request) -> web.Response:
        async for _ in request.content.iter_any():
            pass
        self.uploads += 1
        message: dict[str, Any] = {
            "id": "5",
            "channel_id": "6",
            "author": BOT,
            "type": 0,
            "content": "",
            "timestamp": "2026-01-01T00:00:00+00:00",
            "edited_timestamp": None,
            "tts": False,
            "pinned": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": [],
            "components": [],
        }
        return plain_json(message)

    async def told(self, _: web.Request) -> web.Response:
        return web.json_response({"waiting": self.waiting, "answered": self.answered, "uploads": self.uploads})

    async def control(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        self.latency_s = float(wanted.get("latency_s", self.latency_s))
        if "hold" in wanted:
            (self.released.clear if wanted["hold"] else self.released.set)()
        return web.Response()


class Other:
    """The process with the fakes in it, seen from the bench."""

    def __init__(self, port: int, session: aiohttp.ClientSession) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.images_url = f"{self.origin}/v1"
        self.discord_url = f"{self.origin}/api/v10"
        self._session = session

    async def set(self, **wanted: Any) -> None:
        async with self._session.post(f"{self.origin}/control", json=wanted) as response:
            response.raise_for_status()

    async def told(self) -> dict[str, int]:
        async with self._session.get(f"{self.origin}/control") as response:
            counts: dict[str, int] = await response.json()
            return counts

    async def until_waiting(self, number: int, timeout_s: float = 60) -> None:
        """Waits until so many calls for pictures are kept back."""
        async with asyncio.timeout(timeout_s):
            while (await self.told())["waiting"] < number:  # noqa: ASYNC110  # it is another process that changes
                await asyncio.sleep(0.02)


@asynccontextmanager
async def other_process(side: int = 1024) -> AsyncIterator[Other]:
    """Starts the fakes; ended on exit."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.fakes", "--side", str(side)), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        if process.stdout is None:
            raise RuntimeError("the fakes have no output")
        port = int(await asyncio.wait_for(process.stdout.readline(), 30))
        async with aiohttp.ClientSession() as session:
            yield Other(port, session)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def serve(side: int) -> None:
    runner = web.AppRunner(Fakes(picture(side)).app(), access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.fakes")
    parser.add_argument("--side", type=int, default=1024, help="of the square picture, in pixels")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(parser.parse_args().side))


if __name__ == "__main__":
    main()
