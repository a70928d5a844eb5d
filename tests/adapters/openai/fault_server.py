"""A server of faults on a real socket: it does what it is told, once per request, and remembers what it was sent."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.parser import BytesParser
from typing import Any

from PIL import Image

from bot.rules.catalogue.model import Model
from bot.rules.options.sizes import SizeList
from bot.rules.requests import Endpoint, ImageRequest, InputImage, Inputs, Kind

KEY = "sk-operator-0123456789abcdefghij"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@dataclass
class Upload:
    name: str
    filename: str | None
    mime: str
    data: bytes


@dataclass
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def parts(self) -> list[Upload]:
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        message = BytesParser().parsebytes(head + self.body)
        return [
            Upload(
                str(part.get_param("name", header="content-disposition")),
                part.get_filename(),
                part.get_content_type(),
                part.get_payload(decode=True),
            )
            for part in message.get_payload()
        ]

    @property
    def fields(self) -> dict[str, str]:
        return {part.name: part.data.decode() for part in self.parts if part.filename is None}


@dataclass
class Wire:
    """What a behaviour may do with its connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    server: FaultServer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        connection = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Behaviour = Callable[[Wire, Seen], Awaitable[None]]


@dataclass
class FaultServer:
    """Answers the nth request with the nth behaviour, the last one for ever."""

    behaviours: list[Behaviour] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    port: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def posts(self) -> list[Seen]:
        return [one for one in self.seen if one.method == "POST"]

    def does(self, *behaviours: Behaviour) -> None:
        self.behaviours = list(behaviours)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await self._read(reader)) is not None:
                self.seen.append(request)
                self.asked.set()
                at = min(len(self.seen), len(self.behaviours)) - 1
                await self.behaviours[at](Wire(reader, writer, self), request)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.hung_up.set()
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> Seen | None:
        line = (await reader.readline()).decode()
        if not line.strip():
            return None
        method, path, _ = line.split(" ", 2)
        headers: dict[str, str] = {}
        while (row := (await reader.readline()).decode().strip()) != "":
            name, _, value = row.partition(":")
            headers[name.strip().lower()] = value.strip()
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while (size := int(await reader.readline(), 16)) > 0:
                body += await reader.readexactly(size)
                await reader.readline()
            await reader.readline()
        else:
            body = await reader.readexactly(int(headers.get("content-length", 0)))
        return Seen(method, path, headers, body)


# --- behaviours ----------------------------------------------------------------------------------------------------


def reply(status: int, body: bytes | str = b"", headers: dict[str, str] | None = None) -> Behaviour:
    data = body.encode() if isinstance(body, str) else body

    async def behave(wire: Wire, seen: Seen) -> None:
        rows = {"content-type": "text/html", "content-length": str(len(data)), **(headers or {})}
        head = f"HTTP/1.1 {status} Whatever\r\n" + "".join(f"{k}: {v}\r\n" for k, v in rows.items())
        await wire.send(head.encode() + b"\r\n" + data)

    return behave


def json_reply(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Behaviour:
    rows = {"content-type": "application/json", "x-request-id": "req_1", **(headers or {})}
    return reply(status, json.dumps(value), rows)


def error(
    status: int, code: object = None, message: str = "no", *, headers: dict[str, str] | None = None, **more: Any
) -> Behaviour:
    return json_reply({"error": {"code": code, "message": message, **more}}, status, headers)


def pictures(*images: bytes, **more: Any) -> Behaviour:
    return json_reply({"created": 1, "data": [{"b64_json": b64(image)} for image in images], **more})


def cut(head: bytes, *, reset: bool = False) -> Behaviour:
    """Sends the bytes and ends the connection."""

    async def behave(wire: Wire, seen: Seen) -> None:
        if head:
            await wire.send(head)
        if reset:
            wire.reset()
        raise ConnectionError

    return behave


def stream(*events: object, then: str = "end") -> Behaviour:
    """Server-sent events (dicts, or raw bytes), then: end, reset, or hang."""

    async def behave(wire: Wire, seen: Seen) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
        await wire.send(head + b"x-request-id: req_s\r\n\r\n")
        for event in events:
            await wire.send(event if isinstance(event, bytes) else sse(event))
        if then == "hang":
            await wire.reader.read()
        if then == "reset":
            wire.reset()
        raise ConnectionError

    return behave


async def silence(wire: Wire, seen: Seen) -> None:
    """Never answers; notices when the client hangs up."""
    await wire.reader.read()
    raise ConnectionError


async def comments(wire: Wire, seen: Seen) -> None:
    """A stream kept alive by comments alone."""
    await wire.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
    while True:
        await wire.send(b": still here\n\n")
        await asyncio.sleep(0.005)


def sse(event: object) -> bytes:
    kind = event.get("type", "message") if isinstance(event, dict) else "message"
    return f"event: {kind}\ndata: {json.dumps(event)}\n\n".encode()


def partial(index: int, image: bytes, kind: str = "image_generation") -> dict[str, Any]:
    return {"type": f"{kind}.partial_image", "partial_image_index": index, "b64_json": b64(image)}


def completed(image: bytes, kind: str = "image_generation", **more: Any) -> dict[str, Any]:
    return {"type": f"{kind}.completed", "b64_json": b64(image), **more}


# --- pictures ------------------------------------------------------------------------------------------------------


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def picture(colour: str = "red", image_format: str = "PNG", size: tuple[int, int] = (8, 6)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, image_format)
    return out.getvalue()


@dataclass(frozen=True)
class Facts:
    format: str
    width: int
    height: int


async def inspect(data: bytes) -> Facts:
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            return Facts(str(image.format).lower(), *image.size)
    except OSError as fault:
        raise ValueError("not a whole picture") from fault


# --- requests ------------------------------------------------------------------------------------------------------


def request(**more: Any) -> ImageRequest:
    given = {"kind": Kind.IMAGINE, "endpoint": Endpoint.GENERATIONS, "model": "m", "prompt": "a red fox on the snow"}
    return ImageRequest(**{**given, **more})


def upload(name: str = "holiday.png") -> InputImage:
    return InputImage(name, "image/png", picture(), 8, 6)


ONE_INPUT = Inputs(images=(upload(),))


class Catalogue:
    """Two models: a modern one, and one that needs ``response_format``."""

    def get(self, model_id: str) -> Model | None:
        return Model(
            id=model_id,
            endpoints=frozenset(Endpoint),
            max_prompt={},
            max_count=10,
            sizes=SizeList(sizes=(), auto=True),
            takes_response_format=model_id == "old",
        )


class Ticks:
    """A monotonic clock that moves by ``step_s`` each time it is read."""

    def __init__(self, step_s: float) -> None:
        self.now_s = 0.0
        self.step_s = step_s

    def __call__(self) -> float:
        self.now_s += self.step_s
        return self.now_s
