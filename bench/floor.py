"""The floor a picture's path is held against: no SDK, no discord.py, no checks, nothing kept, no byte copied twice.

Bare aiohttp; base64 decoded as it arrives; a multipart upload written from the very bytes that were decoded. It assumes
what a bot must not (one picture, unescaped, the key spelled so), which is why it is a floor and not a design.
"""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pybase64
from aiohttp.payload import Payload

from bench.fakes import Other

KEY = b'"b64_json": "'
BOUNDARY = "easel-bench-boundary"
PROMPT = {"model": "gpt-image-2.5-flare", "prompt": "a fox", "size": "1024x1024", "quality": "low"}


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


class Floor:
    """One picture from the service to Discord, by the shortest way."""

    def __init__(self, session: aiohttp.ClientSession, other: Other) -> None:
        self._session = session
        self._other = other

    async def picture(self) -> None:
        data = await self._made()
        head = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="payload_json"\r\n'
            f"Content-Type: application/json\r\n\r\n{json.dumps({'attachments': [{'id': 0, 'filename': 'a.png'}]})}\r\n"
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files[0]"; filename="a.png"\r\n'
            "Content-Type: image/png\r\n\r\n"
        ).encode()
        body = Parts(head, data, f"\r\n--{BOUNDARY}--\r\n".encode())
        address = f"{self._other.discord_url}/webhooks/1/token/messages/@original"
        async with self._session.patch(address, data=body) as response:
            await response.json()

    async def _made(self) -> bytes:
        address = f"{self._other.images_url}/images/generations"
        headers = {"Accept-Encoding": "identity", "Authorization": "Bearer key"}
        pieces: list[bytes] = []
        rest = b""
        inside = ended = False
        async with self._session.post(address, json=PROMPT, headers=headers) as response:
            async for chunk in response.content.iter_any():
                if ended:
                    continue
                rest += chunk
                if not inside:
                    start = rest.find(KEY)
                    if start < 0:
                        continue
                    rest, inside = rest[start + len(KEY) :], True
                end = rest.find(b'"')
                ended = end >= 0
                usable = end if ended else len(rest) // 4 * 4
                pieces.append(pybase64.b64decode(memoryview(rest)[:usable], validate=True))
                rest = rest[usable:]
        return b"".join(pieces)
