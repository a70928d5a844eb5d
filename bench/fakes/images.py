"""An image service with prebuilt answers: ``python -m bench.fakes.images KINDS SIDE [CERTIFICATE]`` tells its port.

``POST /control`` with ``{"latency_s": 2, "spread": 0.5}`` says how long a picture takes (give or take half of it),
``{"hold": true}`` keeps answers back, ``{"hold": false}`` lets all of them go at once, ``{"rush": true}`` makes what
is being drawn ready now. ``GET /control`` says how many wait. A call with ``stream`` gets three previews at
``PREVIEWS_S`` and then the picture.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import random
import sys
from typing import Any

from aiohttp import web

from bench.fakes.pictures import KINDS
from bench.fakes.serving import serve

USAGE = {
    "input_tokens": 20,
    "input_tokens_details": {"text_tokens": 20, "image_tokens": 0},
    "output_tokens": 150,
    "total_tokens": 170,
}
PREVIEWS_S = (1.0, 4.0, 7.0)
"""So far apart that each can be shown: a bot may edit a message about every three seconds."""

LAST_S = 10.4


class Images:
    """Every body is made beforehand; ``sizes`` are the bytes of the pictures in them."""

    def __init__(self, kinds: list[str], side: int) -> None:
        drawn = {kind: KINDS[kind](side) for kind in kinds}
        self.sizes = {kind: len(data) for kind, data in drawn.items()}
        encoded = {kind: base64.b64encode(data).decode() for kind, data in drawn.items()}
        self._bodies = {kind: json.dumps({"created": 1, "data": [{"b64_json": text}], "usage": USAGE}).encode()
                        for kind, text in encoded.items()}  # fmt: skip
        self._frames = {kind: _frames(text) for kind, text in encoded.items()}
        self._latency_s, self._spread = 0.0, 0.0
        self._waiting = self._answered = 0
        self._rush = asyncio.Event()
        self._released = asyncio.Event()
        self._released.set()

    def app(self) -> web.Application:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post("/v1/images/generations", self.generate)
        app.router.add_get("/v1/models", self.models)
        app.router.add_get("/control", self.told)
        app.router.add_post("/control", self.control)
        return app

    async def generate(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        kind = str(asked["prompt"]).partition(" ")[0]
        if asked.get("stream"):
            return await self._streamed(request, kind)
        self._waiting += 1
        try:
            await self._drawn(self._latency_s * random.uniform(1 - self._spread, 1 + self._spread))
            await self._released.wait()
        finally:
            self._waiting -= 1
        self._answered += 1
        return web.Response(body=self._bodies[kind], content_type="application/json", headers={"x-request-id": "req_1"})

    async def _drawn(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rush.wait()

    async def _streamed(self, request: web.Request, kind: str) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "x-request-id": "req_1"})
        await response.prepare(request)
        begun = asyncio.get_running_loop().time()
        for frame, at_s in zip(self._frames[kind], (*PREVIEWS_S, LAST_S), strict=True):
            await asyncio.sleep(max(0.0, begun + at_s - asyncio.get_running_loop().time()))
            await response.write(frame)
        self._answered += 1
        await response.write_eof()
        return response

    async def models(self, _: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": []})

    async def told(self, _: web.Request) -> web.Response:
        return web.json_response({"waiting": self._waiting, "answered": self._answered, "sizes": self.sizes})

    async def control(self, request: web.Request) -> web.Response:
        wanted: dict[str, Any] = await request.json()
        self._latency_s = float(wanted.get("latency_s", self._latency_s))
        self._spread = float(wanted.get("spread", self._spread))
        if wanted.get("rush"):
            self._rush.set()
            self._rush = asyncio.Event()
        if "hold" in wanted:
            (self._released.clear if wanted["hold"] else self._released.set)()
        return web.Response()


def _frames(encoded: str) -> list[bytes]:
    """The events of a stream: three previews as large as the picture, and the picture."""
    usual = {"created_at": 1, "size": "1024x1024", "quality": "low", "background": "opaque", "output_format": "png"}
    partials = [
        {"type": "image_generation.partial_image", "b64_json": encoded, "partial_image_index": number, **usual}
        for number in range(len(PREVIEWS_S))
    ]
    done = {"type": "image_generation.completed", "b64_json": encoded, "usage": USAGE, **usual}
    return [f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in (*partials, done)]


if __name__ == "__main__":
    serve(Images(sys.argv[1].split(","), int(sys.argv[2])).app(), sys.argv[3:])
