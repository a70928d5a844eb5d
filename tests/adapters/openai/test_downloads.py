"""Pictures answered as an address: fetched at once, only from where they may lie, with the key kept at home."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.ports import KeyPays, OperatorPays
from bot.rules.catalogue.services import Service
from bot.rules.faults import Billed, FaultKind, ServiceFault
from bot.rules.requests import Inputs
from tests.adapters.openai.fault_server import KEY, Seen, Wire, cut, json_reply, picture, reply, request

RED = picture("red")


async def make(service, **more: Any):
    return await service.make(
        request(count=2), Inputs(), **{"payer": OperatorPays(), "member_tag": "t", "deadline_s": 20, **more}
    )


def served(data: bytes):
    return reply(200, data, {"content-type": "image/png"})


def addressed(*urls: str):
    return json_reply({"data": [{"url": url} for url in urls]})


@pytest.mark.parametrize("path", ["/v1/images/1/content", "images/1/content"])
async def test_a_relative_address_is_fetched_from_the_service_with_the_key(path: str, server, connect) -> None:
    server.does(addressed(path), served(RED))
    answer = await make(connect(), payer=KeyPays("sk-own"))
    assert answer.images[0].data == RED
    fetched = server.seen[1]
    assert (fetched.method, fetched.path) == ("GET", "/v1/images/1/content")
    assert fetched.headers["authorization"] == "Bearer sk-own"


async def test_an_absolute_address_of_the_service_itself_is_fetched(server, connect) -> None:
    server.does(addressed(f"{server.url}/generated-images/x.png"), served(RED))
    assert (await make(connect())).images[0].data == RED


async def test_the_service_by_its_other_name_is_fetched_without_the_key(server, connect) -> None:
    server.does(addressed(f"http://localai.test:{server.port}/generated-images/x.png"), served(RED))

    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    assert (await make(connect(resolve=resolve))).images[0].data == RED
    assert "authorization" not in server.seen[1].headers
    assert server.seen[1].headers["host"] == f"localai.test:{server.port}"


async def test_a_link_without_tls_of_a_server_with_tls_is_fetched_with_it(tmp_path, tls_server, connect) -> None:
    server, trusting = tls_server
    server.does(addressed(f"http://127.0.0.1:{server.port}/x.png"), served(RED))
    service = connect(base_url=f"https://127.0.0.1:{server.port}/v1", tls=trusting)
    assert (await make(service)).images[0].data == RED
    assert server.seen[1].headers["authorization"] == f"Bearer {KEY}"


ADDRESSES = {
    "loopback": "http://127.0.0.1:{port}/secret",
    "metadata": "http://169.254.169.254/latest/meta-data/",
    "private": "https://10.0.0.5/x.png",
    "IPv6 loopback": "http://[::1]:{port}/x",
    "IPv4 in IPv6": "http://[::ffff:127.0.0.1]:{port}/x",
    "NAT64": "http://[64:ff9b::7f00:1]:{port}/x",
    "6to4": "http://[2002:7f00:1::]/x",
    "decimal": "http://2130706433:{port}/x",
    "short": "http://127.1:{port}/x",
    "nothing": "http://0.0.0.0:{port}/x",
    "file": "file:///etc/passwd",
    "ftp": "ftp://example.com/x.png",
    "with a password": "https://user:pass@example.com/x.png",
    "no scheme": "//127.0.0.1:{port}/x",
}


@pytest.mark.parametrize("name", ADDRESSES)
async def test_an_address_inside_is_not_fetched(name: str, server, elsewhere, connect) -> None:
    elsewhere.does(served(RED))
    server.does(addressed(ADDRESSES[name].format(port=elsewhere.port)), served(RED))
    with pytest.raises(ServiceFault) as caught:
        await make(connect())
    assert (caught.value.fault.kind, caught.value.fault.billed) == (FaultKind.BROKEN_ANSWER, Billed.MAYBE)
    assert elsewhere.seen == []
    assert len(server.seen) == 1


@pytest.mark.parametrize(("named", "fetched"), [("minio.lan:{port}", 1), ("minio.lan", 1), ("other.lan", 0)])
async def test_a_host_that_the_operator_names_is_fetched_though_it_is_private_and_without_the_key(
    named: str, fetched: int, server, elsewhere, connect
) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"] if host == "minio.lan" else ["10.9.9.9"]

    server.does(addressed(f"http://minio.lan:{elsewhere.port}/x.png"))
    elsewhere.does(served(RED))
    service = Service("local", hosts=frozenset({named.format(port=elsewhere.port)}))
    try:
        await make(connect(service=service, resolve=resolve))
    except ServiceFault:
        assert fetched == 0
    assert len(elsewhere.seen) == fetched
    assert all("authorization" not in seen.headers for seen in elsewhere.seen)


async def test_a_name_that_points_inside_is_not_fetched(server, elsewhere, connect) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["93.184.216.34", "127.0.0.1"] if host == "rebind.test" else ["10.9.9.9"]

    server.does(addressed(f"http://rebind.test:{elsewhere.port}/x.png"))
    elsewhere.does(served(RED))
    with pytest.raises(ServiceFault):
        await make(connect(resolve=resolve))
    assert elsewhere.seen == []


async def test_a_redirect_leads_only_where_the_picture_itself_might_lie(server, elsewhere, connect) -> None:
    elsewhere.does(served(RED))
    server.does(addressed("/x.png"), reply(302, "", {"location": f"{elsewhere.url}/x.png"}))
    with pytest.raises(ServiceFault) as caught:
        await make(connect())
    assert caught.value.fault.detail == "the address of the picture is inside a private network"
    assert elsewhere.seen == []


@pytest.mark.parametrize("location", ["/y.png", "y.png", "{url}/y.png"])
async def test_a_redirect_within_the_service_is_followed(location: str, server, connect) -> None:
    server.does(addressed("/x.png"), reply(307, "", {"location": location.format(url=server.url)}), served(RED))
    assert (await make(connect())).images[0].data == RED
    assert [one.path for one in server.seen[1:]] == ["/x.png", "/y.png"]


async def test_redirects_in_a_circle_end(server, connect) -> None:
    server.does(addressed("/x.png"), reply(302, "", {"location": "/x.png"}))
    with pytest.raises(ServiceFault):
        await make(connect())
    assert len(server.seen) < 10


async def test_where_the_first_of_several_addresses_is_dead_the_next_is_asked(server, connect) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.77", "127.0.0.1"]

    server.does(addressed(f"http://localai.test:{server.port}/x.png"), served(RED))
    assert (await make(connect(resolve=resolve))).images[0].data == RED


@pytest.mark.parametrize("name", ["0.0.0.0", "localhost", "[::1]"])
async def test_a_server_that_does_not_know_its_name_is_asked_where_it_is_reached(name: str, server, connect) -> None:
    server.does(addressed(f"http://{name}:{server.port}/x.png"), served(RED))
    assert (await make(connect())).images[0].data == RED


async def test_a_picture_that_cannot_be_looked_at_is_kept_as_it_came(server, connect) -> None:
    async def inspect(data: bytes) -> None:
        raise OSError(24, "Too many open files")

    server.does(addressed("/x.png"), served(RED))
    (image,) = (await make(connect(inspect=inspect))).images
    assert (image.data, image.format, image.width) == (RED, "png", 0)


@pytest.mark.parametrize(
    "failure",
    [
        *(reply(status) for status in (202, 204, 404, 408, 425, 429, 500, 503)),
        cut(b""),
        cut(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nabc"),
        served(b""),
    ],
)
async def test_a_picture_that_is_paid_for_is_fetched_again_when_that_may_help(failure, server, connect) -> None:
    server.does(addressed("/x.png"), failure, served(RED))
    assert (await make(connect())).images[0].data == RED
    assert [one.method for one in server.seen] == ["POST", "GET", "GET"]


async def test_several_pictures_are_fetched_side_by_side(server, connect) -> None:
    both, come = asyncio.Event(), []

    async def only_together(wire: Wire, seen: Seen) -> None:
        come.append(seen.path)
        if len(come) == 2:
            both.set()
        await both.wait()
        await served(RED)(wire, seen)

    server.does(addressed("/a.png", "/b.png"), only_together)
    assert [image.data for image in (await make(connect())).images] == [RED, RED]
    assert sorted(come) == ["/a.png", "/b.png"]


async def test_a_fault_of_ours_with_one_picture_does_not_take_the_other_with_it(server, connect) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise ZeroDivisionError

    server.does(addressed("http://elsewhere.test/a.png", "/b.png"), served(RED))
    assert [image.data for image in (await make(connect(resolve=resolve))).images] == [RED]


async def test_a_picture_that_never_comes_is_a_broken_answer_that_may_be_charged(server, connect) -> None:
    server.does(addressed("/x.png"), reply(404))
    with pytest.raises(ServiceFault) as caught:
        await make(connect())
    assert (caught.value.fault.kind, caught.value.fault.billed) == (FaultKind.BROKEN_ANSWER, Billed.MAYBE)
    assert len(server.posts) == 1


async def test_an_address_of_html_is_not_a_picture(server, connect) -> None:
    server.does(addressed("/x.png"), served(b"<html>"))
    with pytest.raises(ServiceFault) as caught:
        await make(connect())
    assert caught.value.fault.kind is FaultKind.NOT_A_PICTURE


async def test_a_picture_larger_than_any_is_not_read_to_its_end(server, connect, monkeypatch) -> None:
    monkeypatch.setattr("bot.adapters.openai.download.MAX_PICTURE", 1000)
    server.does(addressed("/x.png"), served(b"x" * 5000))
    with pytest.raises(ServiceFault) as caught:
        await make(connect())
    assert caught.value.fault.detail == "the picture is larger than any picture"


async def test_the_key_is_in_no_request_but_those_to_the_service(server, elsewhere, connect) -> None:
    server.does(addressed(f"http://cdn.test:{elsewhere.port}/x.png"))
    elsewhere.does(served(RED))

    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"] if host == "cdn.test" else ["10.0.0.1"]

    with pytest.raises(ServiceFault):
        await make(connect(resolve=resolve))
    assert all(KEY not in str(one.headers) for one in elsewhere.seen)
