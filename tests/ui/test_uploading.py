"""A picture goes to Discord from the very bytes it is."""

from __future__ import annotations

from typing import Any

import aiohttp
import discord
import pytest
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import PAYLOAD_REGISTRY

from bot.ui.messages import File, opened
from bot.ui.uploading import PIECE, HeldBytes

PICTURE = bytes(range(256)) * 4096 + b"end"


class Wire(AbstractStreamWriter):
    """What is written, piece by piece."""

    def __init__(self) -> None:
        self.pieces: list[Any] = []

    async def write_eof(self, chunk: bytes = b"") -> None: ...
    async def drain(self) -> None: ...
    def enable_compression(self, *_: Any, **__: Any) -> None: ...
    def enable_chunking(self) -> None: ...
    async def write_headers(self, *_: Any) -> None: ...

    async def write(self, piece: Any) -> None:
        self.pieces.append(piece)


async def test_every_piece_is_part_of_the_same_bytes_however_often_it_is_tried() -> None:
    held = HeldBytes(PICTURE)
    for _ in range(2):
        wire = Wire()
        payload = PAYLOAD_REGISTRY.get(held)
        assert payload.size == len(PICTURE)
        await payload.write(wire)
        assert b"".join(wire.pieces) == PICTURE
        assert all(piece.obj is PICTURE and len(piece) <= PIECE for piece in wire.pieces)


def test_it_reads_like_a_file() -> None:
    held = HeldBytes(b"abcdef")
    assert (held.read(2), held.tell(), held.read(), held.read()) == (b"ab", 2, b"cdef", b"")
    assert (held.seek(-3, 2), held.read(1), held.seek(1, 1), held.read(9)) == (3, b"d", 5, b"f")
    assert (held.seek(0), held.read(None)) == (0, b"abcdef")


async def test_a_server_gets_it_whole(unused_tcp_port: int) -> None:
    got: list[bytes] = []

    async def take(request: web.Request) -> web.Response:
        got.append((await request.post())["files[0]"].file.read())  # type: ignore[union-attr]
        return web.Response()

    app = web.Application(client_max_size=2**23)
    app.router.add_post("/", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    async with aiohttp.ClientSession() as session:
        for data in (PICTURE, b"x", b""):
            with opened([File("a.png", data)]) as (file,):
                form = aiohttp.FormData()
                form.add_field("files[0]", file.fp, filename=file.filename, content_type="application/octet-stream")
                async with session.post(f"http://127.0.0.1:{unused_tcp_port}/", data=form) as answer:
                    assert answer.status == 200
    await runner.cleanup()
    assert got == [PICTURE, b"x", b""]


def test_its_memory_is_given_back_when_discord_py_has_closed_it() -> None:
    with opened([File("a.png", PICTURE)]) as (file,):
        held = file.fp
        assert isinstance(held, HeldBytes)
        file.close()
        assert held.data is PICTURE
    assert held.data == b""


@pytest.mark.parametrize("spoiler", [True, False])
def test_a_file_is_named_and_told_as_it_was(spoiler: bool) -> None:
    with opened([File("a.png", PICTURE, "a fox", spoiler)]) as (file,):
        assert isinstance(file, discord.File)
        assert file.to_dict(0) == {
            "id": 0,
            "filename": ("SPOILER_" if spoiler else "") + "a.png",
            "description": "a fox",
        }
