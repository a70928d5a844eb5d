"""What must hold whichever transport carries a request: odd answers are taken, and nothing is ever sent twice."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
from contextlib import suppress
from dataclasses import replace

import httpx2
import pytest

from bot.adapters.openai.images import OpenAIImages
from bot.adapters.openai.transport import AiohttpTransport
from bot.ports import OperatorPays
from bot.rules.faults import Billed, FaultKind, ServiceFault
from bot.rules.requests import Endpoint, Inputs, Made
from tests.adapters.openai.conftest import both_transports
from tests.adapters.openai.fault_server import (
    KEY,
    ONE_INPUT,
    FaultServer,
    b64,
    cut,
    error,
    picture,
    pictures,
    reply,
    request,
    upload,
)

NO_INPUT = Inputs()
PICTURE = picture()
BODY = json.dumps({"data": [{"b64_json": b64(PICTURE)}]}).encode()
SIZE = b"content-length: %d\r\n" % len(BODY)
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
OK = b"HTTP/1.1 200 OK\r\n"

ODD_ANSWERS = {
    "of HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
    "that only the end of the connection ends": OK + b"\r\n" + BODY,
    "without a reason": b"HTTP/1.1 200\r\n" + SIZE + b"\r\n" + BODY,
    "behind a hint": b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + OK + SIZE + b"\r\n" + BODY,
    "in chunks with extensions and a trailer": OK
    + b"transfer-encoding: chunked\r\n\r\n"
    + CHUNKS.replace(b"\r\n", b";a=b\r\n", 1).replace(b"0\r\n\r\n", b"0\r\nx-sum: 1\r\n\r\n"),
    "with a header of 60,000 signs": OK + b"x-policy: " + b"a" * 60_000 + b"\r\n" + SIZE + b"\r\n" + BODY,
    "with a hundred cookies": OK + b"set-cookie: a=b; path=/\r\n" * 100 + SIZE + b"\r\n" + BODY,
    "with a header in Latin-1": OK + b"x-city: K\xf6ln\r\n" + SIZE + b"\r\n" + BODY,
    "with lines that end in a line feed alone": (OK + SIZE + b"\r\n").replace(b"\r\n", b"\n") + BODY,
    "compressed although nobody asked": OK
    + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(gzip.compress(BODY))
    + gzip.compress(BODY),
}

REFUSED_BY_AIOHTTP = {
    "whose size is told twice": OK + SIZE + SIZE + b"\r\n" + BODY,
    "in chunks, with a size too": OK + b"transfer-encoding: chunked\r\n" + SIZE + b"\r\n" + CHUNKS,
}


async def make(service: OpenAIImages, inputs: Inputs = NO_INPUT, **more: object) -> Made:
    return await service.make(request(**more), inputs, payer=OperatorPays(), member_tag="t", deadline_s=20)


@both_transports
@pytest.mark.parametrize("answer", ODD_ANSWERS.values(), ids=ODD_ANSWERS)
async def test_a_picture_is_taken_from_an_answer(answer: bytes, server: FaultServer, connect) -> None:
    server.does(cut(answer))
    assert (await make(connect())).images[0].data == PICTURE
    assert len(server.posts) == 1


@pytest.mark.parametrize("answer", REFUSED_BY_AIOHTTP.values(), ids=REFUSED_BY_AIOHTTP)
async def test_a_server_that_aiohttp_does_not_understand_is_lost_once(answer: bytes, server, connect) -> None:
    server.does(cut(answer))
    service = connect()
    with pytest.raises(ServiceFault) as caught:
        await make(service)
    assert (caught.value.fault.kind, caught.value.fault.billed) == (FaultKind.BROKEN_OFF, Billed.MAYBE)
    assert (await make(service)).images[0].data == PICTURE
    assert len(server.posts) == 2


@both_transports
async def test_a_connection_that_the_server_closed_is_not_used_again(server: FaultServer, connect) -> None:
    server.does(cut(OK + SIZE + b"\r\n" + BODY), pictures(PICTURE))
    service = connect()
    await make(service)
    assert (await make(service)).images[0].data == PICTURE
    assert len(server.posts) == 2


@both_transports
async def test_a_server_that_hangs_up_on_a_connection_in_use_is_not_asked_again(server: FaultServer, connect) -> None:
    server.does(pictures(PICTURE), cut(b""))
    service = connect()
    await make(service)
    with pytest.raises(ServiceFault) as caught:
        await make(service)
    assert (caught.value.fault.kind, caught.value.fault.billed) == (FaultKind.BROKEN_OFF, Billed.MAYBE)
    assert len(server.posts) == 2


@both_transports
async def test_a_refusal_that_comes_before_the_upload_is_over_is_heard(connect) -> None:
    over = asyncio.Event()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        with suppress(ConnectionError):
            while await reader.read(2**16):  # as servers do, so that the client is not reset while it writes
                pass
        writer.close()
        over.set()

    big = Inputs(images=(replace(upload(), data=PICTURE + bytes(2**22)),))
    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        with pytest.raises(ServiceFault) as caught:
            await make(connect(base_url=f"http://127.0.0.1:{port}/v1"), big, endpoint=Endpoint.EDITS)
        await asyncio.wait_for(over.wait(), 5)
    assert (caught.value.fault.kind, caught.value.fault.status) == (FaultKind.TOO_LARGE, 413)


@both_transports
async def test_a_file_arrives_as_it_was_and_with_its_size(server: FaultServer, connect) -> None:
    server.does(pictures(PICTURE))
    await make(connect(), ONE_INPUT, endpoint=Endpoint.EDITS)
    sent = server.posts[0]
    assert [part.data for part in sent.parts if part.filename] == [ONE_INPUT.images[0].data]
    assert int(sent.headers["content-length"]) == len(sent.body)
    assert "transfer-encoding" not in sent.headers


@both_transports
async def test_the_query_and_the_spelling_of_an_address_are_kept(server: FaultServer, connect) -> None:
    server.does(error(400, "invalid_value"))
    service = connect(base_url=f"http://user:secret@127.0.0.1:{server.port}/a%2Fb/v1")
    with pytest.raises(ServiceFault):
        await make(service)
    assert server.posts[0].path == "/a%2Fb/v1/images/generations"


@both_transports
async def test_the_headers_are_the_sdks_and_no_others(server: FaultServer, connect) -> None:
    server.does(pictures(PICTURE))
    await make(connect())
    headers = {name: value for name, value in server.posts[0].headers.items() if not name.startswith("x-stainless")}
    assert headers.pop("user-agent").startswith("AsyncOpenAI/")
    assert headers.pop("content-length") == str(len(server.posts[0].body))
    assert headers == {
        "host": f"127.0.0.1:{server.port}",
        "accept": "application/json",
        "accept-encoding": "identity",
        "connection": "keep-alive",
        "content-type": "application/json",
        "authorization": f"Bearer {KEY}",
    }


async def test_a_proxy_that_the_system_names_is_asked(
    server: FaultServer, elsewhere: FaultServer, connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", elsewhere.url)
    elsewhere.does(pictures(PICTURE))
    assert (await make(connect(base_url="http://images.invalid/v1"))).images[0].data == PICTURE
    assert elsewhere.posts[0].path == "http://images.invalid/v1/images/generations"


@both_transports
async def test_a_certificate_that_is_trusted_is_enough(tls_server, connect) -> None:
    server, tls = tls_server
    server.does(pictures(PICTURE))
    made = await make(connect(base_url=f"https://127.0.0.1:{server.port}/v1", tls=tls))
    assert made.images[0].data == PICTURE


@both_transports
async def test_a_certificate_that_nobody_signed_cost_nothing(tls_server, connect) -> None:
    server, _ = tls_server
    server.does(pictures(PICTURE))
    with pytest.raises(ServiceFault) as caught:
        await make(connect(base_url=f"https://127.0.0.1:{server.port}/v1"))
    assert (caught.value.fault.kind, caught.value.fault.billed) == (FaultKind.UNREACHABLE, Billed.NO)
    assert server.seen == []


async def test_who_has_only_begun_to_read_a_body_has_little_of_it(server: FaultServer, tls: ssl.SSLContext) -> None:
    """Pictures that wait for a place lie with the network."""
    server.does(reply(200, "x" * 2_000_000))
    transport = AiohttpTransport(tls)
    answer = await transport.handle_async_request(httpx2.Request("GET", server.url))
    assert isinstance(answer.stream, httpx2.AsyncByteStream)
    pieces = aiter(answer.stream)
    assert len(await anext(pieces)) <= 512
    assert sum([len(piece) async for piece in pieces]) >= 2_000_000 - 512
    await answer.aclose()
    await transport.aclose()
