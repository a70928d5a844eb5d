"""A bot without discord.py and without the SDK: the gateway, the calls of one conversation, and nothing else.

No checks, nothing kept, no byte copied twice: base64 decoded as it arrives, a multipart upload written from the very
bytes that were decoded. It assumes what a bot must not (one picture, unescaped, the key spelled so), which is why it is
a floor and not a design.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pybase64
from aiohttp.payload import Payload

KEY = b'"b64_json": "'
BOUNDARY = "easel-bench-boundary"
FIRST_LINE_S = 0.8
"""When people are told that it is being drawn; a picture that comes at once needs no line before it."""

PREVIEWS = 3

HELLO, HEARTBEAT, IDENTIFY = 10, 1, 2
Order = dict[str, Any]


class Parts(Payload):
    """A request body of several pieces, written one after the other without joining them."""

    def __init__(self, *pieces: bytes) -> None:
        super().__init__(pieces, content_type=f"multipart/form-data; boundary={BOUNDARY}")
        self._pieces = pieces
        self._size = sum(map(len, pieces))

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return b"".join(self._pieces).decode(encoding, errors)

    async def write(self, writer: Any) -> None:
        for piece in self._pieces:
            await writer.write(piece)


class Bare:
    """The calls of one conversation, by the shortest way."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._api = os.environ["DISCORD_API_BASE"]
        self._images = os.environ["OPENAI_BASE_URL"]
        self._token = os.environ["DISCORD_TOKEN"]

    async def serve(self, handle: Callable[[Order], Awaitable[None]]) -> None:
        """Connects, and hands every interaction to ``handle`` in a task of its own."""
        headers = {"Authorization": f"Bot {self._token}"}
        async with self._session.get(f"{self._api}/gateway/bot", headers=headers) as response:
            url = (await response.json())["url"]
        tasks: set[asyncio.Task[Any]] = set()

        def start(work: Any) -> None:
            task = asyncio.ensure_future(work)
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        async with self._session.ws_connect(f"{url}/?v=10&encoding=json", max_msg_size=0) as socket:
            async for message in socket:
                frame = json.loads(message.data)
                if frame["op"] == HELLO:
                    me = {"token": self._token, "intents": 1, "properties": {}}
                    await socket.send_str(json.dumps({"op": IDENTIFY, "d": me}))
                    start(_beat(socket, frame["d"]["heartbeat_interval"] / 1000))
                elif frame["t"] == "INTERACTION_CREATE":
                    start(handle(frame["d"]))

    async def defer(self, order: Order) -> None:
        address = f"{self._api}/interactions/{order['id']}/{order['token']}/callback"
        async with self._session.post(address, json={"type": 5}) as response:
            await response.read()

    @asynccontextmanager
    async def drawing(self, order: Order) -> AsyncIterator[None]:
        """Tells that it is being drawn, unless the block ends before."""

        async def tell() -> None:
            await asyncio.sleep(FIRST_LINE_S)
            async with self._session.patch(self._original(order), json={"content": "Being drawn …"}) as response:
                await response.read()

        telling = asyncio.ensure_future(tell())
        try:
            yield
        finally:
            telling.cancel()

    async def show(self, order: Order, data: bytes, name: str = "a.png") -> None:
        head = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="payload_json"\r\n'
            f"Content-Type: application/json\r\n\r\n{json.dumps({'attachments': [{'id': 0, 'filename': name}]})}\r\n"
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files[0]"; filename="{name}"\r\n'
            "Content-Type: image/png\r\n\r\n"
        ).encode()
        body = Parts(head, data, f"\r\n--{BOUNDARY}--\r\n".encode())
        async with self._session.patch(self._original(order), data=body) as response:
            await response.json()

    async def made(self, order: Order) -> bytes:
        """The picture, decoded as it arrives."""
        reader = Reader()
        async for chunk in self._asked(order, {}):
            reader.feed(chunk)
        return reader.data()

    async def streamed(self, order: Order) -> AsyncIterator[bytes]:
        """Every preview, and at last the picture."""
        reader = Reader()
        async for chunk in self._asked(order, {"stream": True, "partial_images": PREVIEWS}):
            rest = reader.feed(chunk)
            while reader.ended:
                yield reader.data()
                reader = Reader()
                rest = reader.feed(rest)

    async def _asked(self, order: Order, more: dict[str, Any]) -> AsyncIterator[bytes]:
        words = {"model": "gpt-image-2.5-flare", "prompt": prompt_of(order), "size": "1024x1024", "quality": "low"}
        headers = {"Accept-Encoding": "identity", "Authorization": "Bearer key"}
        address = f"{self._images}/images/generations"
        async with self._session.post(address, json=words | more, headers=headers) as response:
            async for chunk in response.content.iter_any():
                yield chunk

    def _original(self, order: Order) -> str:
        return f"{self._api}/webhooks/{order['application_id']}/{order['token']}/messages/@original"


class Reader:
    """One picture out of JSON: base64 in, bytes out."""

    def __init__(self) -> None:
        self.ended = False
        self._inside = False
        self._rest = b""
        self._pieces: list[bytes] = []

    def feed(self, chunk: bytes) -> bytes:
        """What of the chunk comes after the picture."""
        if self.ended:
            return b""
        rest = self._rest + chunk
        if not self._inside:
            start = rest.find(KEY)
            if start < 0:
                self._rest = rest[-len(KEY) :]
                return b""
            rest, self._inside = rest[start + len(KEY) :], True
        end = rest.find(b'"')
        self.ended = end >= 0
        usable = end if self.ended else len(rest) // 4 * 4
        self._pieces.append(pybase64.b64decode(memoryview(rest)[:usable], validate=True))
        self._rest = b"" if self.ended else rest[usable:]
        return rest[usable:] if self.ended else b""

    def data(self) -> bytes:
        return b"".join(self._pieces)


def prompt_of(order: Order) -> str:
    return next(str(one["value"]) for one in order["data"]["options"] if one["name"] == "prompt")


def wants_previews(order: Order) -> bool:
    return any(one["name"] == "preview" and one["value"] for one in order["data"]["options"])


async def _beat(socket: aiohttp.ClientWebSocketResponse, every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        await socket.send_str(json.dumps({"op": HEARTBEAT, "d": None}))


@asynccontextmanager
async def bare() -> AsyncIterator[Bare]:
    """A session for a bot of this process, which is made ready to run for long, as Easel's is."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        gc.collect()
        gc.freeze()
        sys.setswitchinterval(0.0005)
        yield Bare(session)
