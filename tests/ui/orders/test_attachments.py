from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from bot.rules.uploads import BadUpload, UploadProblem
from bot.ui.orders.attachments import Source, fetch, is_ours, read_all

DISCORD = "https://discord.com/api/v10"


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        ("https://cdn.discordapp.com/attachments/1/2/a.png?ex=1", True),
        ("https://media.discordapp.net/attachments/1/2/a.png", True),
        ("http://cdn.discordapp.com/a.png", False),
        ("https://cdn.discordapp.com:8443/a.png", False),
        ("https://cdn.discordapp.com.evil.example/a.png", False),
        ("https://cdn.discordapp.com@evil.example/a.png", False),
        ("https://user:pw@cdn.discordapp.com/a.png", False),
        ("https://discord.com/api/v10/users/@me", False),
        ("http://127.0.0.1/a.png", False),
        ("http://169.254.169.254/latest/meta-data", False),
        ("http://[::1]/a.png", False),
        ("http://2130706433/", False),
        ("file:///etc/passwd", False),
        ("https://cdn.discordapp.com:99999/a.png", False),
        ("", False),
    ],
)
def test_only_discords_attachment_hosts_are_fetched(url: str, ours: bool) -> None:
    assert is_ours(url, DISCORD) is ours


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        ("http://127.0.0.1:8123/attachments/1/a.png", True),
        ("http://127.0.0.1:8124/attachments/1/a.png", False),
        ("https://127.0.0.1:8123/attachments/1/a.png", False),
        ("http://localhost:8123/a.png", False),
    ],
)
def test_another_api_base_adds_exactly_its_own_origin(url: str, ours: bool) -> None:
    assert is_ours(url, "http://127.0.0.1:8123/api/v10") is ours


@pytest.fixture
async def base() -> AsyncIterator[str]:
    async def picture(request: web.Request) -> web.Response:
        return web.Response(body=b"x" * int(request.query["size"]))

    async def streamed(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(64):
            await response.write(b"y" * 65536)
        return response

    async def moved(request: web.Request) -> web.Response:
        raise web.HTTPFound("/picture?size=5")

    async def broken(request: web.Request) -> web.Response:
        return web.Response(status=503)

    app = web.Application()
    app.router.add_get("/picture", picture)
    app.router.add_get("/streamed", streamed)
    app.router.add_get("/moved", moved)
    app.router.add_get("/broken", broken)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def get(base: str, path: str, *, size: int = 5, max_bytes: int = 1000) -> bytes:
    async with aiohttp.ClientSession() as session:
        return await fetch(session, base + path, "image", size=size, max_bytes=max_bytes, own_base=base)


async def test_an_attachment_is_read_whole(base: str) -> None:
    assert await get(base, "/picture?size=7") == b"xxxxxxx"


@pytest.mark.parametrize(
    ("path", "size", "problem"),
    [
        ("/picture?size=5", 1001, UploadProblem.TOO_MANY_BYTES),
        ("/picture?size=1001", 5, UploadProblem.TOO_MANY_BYTES),
        ("/streamed", 5, UploadProblem.TOO_MANY_BYTES),
        ("/picture?size=0", 5, UploadProblem.EMPTY),
        ("/moved", 5, UploadProblem.GONE),
        ("/nothing", 5, UploadProblem.GONE),
        ("/broken", 5, UploadProblem.STALLED),
    ],
)
async def test_what_cannot_be_had_is_refused_by_name(base: str, path: str, size: int, problem: UploadProblem) -> None:
    with pytest.raises(BadUpload) as caught:
        await get(base, path, size=size)
    assert (caught.value.problem, caught.value.name) == (problem, "image")


async def test_a_host_that_is_away_stalls() -> None:
    gone = "http://127.0.0.1:9"
    with pytest.raises(BadUpload) as caught:
        await get(gone, "/a.png")
    assert caught.value.problem is UploadProblem.STALLED


async def test_the_first_bad_upload_of_several_is_told() -> None:
    async def bad() -> bytes:
        raise BadUpload(UploadProblem.GONE, "image2")

    async def good() -> bytes:
        return b"ok"

    with pytest.raises(BadUpload) as caught:
        await read_all([Source("image", good), Source("image2", bad)])
    assert caught.value.name == "image2"
    assert await read_all([Source("image", good)]) == [("image", b"ok")]
