"""Connections: none to be had, too slow, given up, redirected; and whose key goes where."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import openai
import pytest

from bot.adapters.openai.connection import broken_off, let_in
from bot.ports import KeyPays, OperatorPays
from bot.rules.faults import Billed, FaultKind, ServiceFault
from bot.rules.requests import Inputs
from tests.adapters.openai.conftest import both_transports
from tests.adapters.openai.fault_server import (
    KEY,
    Facts,
    comments,
    completed,
    error,
    inspect,
    json_reply,
    partial,
    picture,
    pictures,
    reply,
    request,
    silence,
    stream,
)


async def fault_of(service, **more):
    given = {"payer": OperatorPays(), "member_tag": "t", "deadline_s": 20, **more}
    with pytest.raises(ServiceFault) as caught:
        await service.make(request(partial_images=1 if "on_partial" in more else 0), Inputs(), **given)
    return caught.value.fault


async def listen(_: object) -> None:
    return


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.mark.parametrize(
    ("error", "kind", "billed"),
    [
        *((never, FaultKind.UNREACHABLE, Billed.NO) for never in (httpx2.ConnectError, httpx2.ConnectTimeout)),
        *((never, FaultKind.UNREACHABLE, Billed.NO) for never in (httpx2.PoolTimeout, httpx2.ProxyError)),
        *((slow, FaultKind.TIMED_OUT, Billed.MAYBE) for slow in (httpx2.ReadTimeout, httpx2.WriteTimeout)),
        *((broken, FaultKind.BROKEN_OFF, Billed.MAYBE) for broken in (httpx2.ReadError, httpx2.RemoteProtocolError)),
    ],
)
def test_only_what_was_never_sent_cost_nothing(error, kind, billed) -> None:
    wrapped = openai.APIConnectionError(request=httpx2.Request("POST", "https://service.example"))
    wrapped.__cause__ = error("why")
    fault = broken_off(wrapped, None)
    assert (fault.kind, fault.billed) == (kind, billed)


@both_transports
async def test_a_refused_connection_cost_nothing(connect) -> None:
    fault = await fault_of(connect(base_url=f"http://127.0.0.1:{closed_port()}/v1"))
    assert (fault.kind, fault.billed) == (FaultKind.UNREACHABLE, Billed.NO)


@both_transports
async def test_a_name_that_does_not_resolve_cost_nothing(connect) -> None:
    fault = await fault_of(connect(base_url="http://no-such-host.invalid/v1"))
    assert (fault.kind, fault.billed) == (FaultKind.UNREACHABLE, Billed.NO)


@both_transports
async def test_tls_that_fails_cost_nothing(connect, server) -> None:
    server.does(silence)
    fault = await fault_of(connect(base_url=f"https://127.0.0.1:{server.port}/v1"))
    assert (fault.kind, fault.billed) == (FaultKind.UNREACHABLE, Billed.NO)


@both_transports
async def test_the_deadline_covers_a_server_that_never_answers(connect, server) -> None:
    server.does(silence)
    fault = await fault_of(connect(), deadline_s=0.1)
    assert (fault.kind, fault.billed) == (FaultKind.TIMED_OUT, Billed.MAYBE)
    await asyncio.wait_for(server.hung_up.wait(), 5)
    assert len(server.posts) == 1


@both_transports
async def test_the_deadline_covers_a_stream_that_only_trickles(connect, server) -> None:
    server.does(comments)
    fault = await fault_of(connect(), deadline_s=0.4, on_partial=listen)
    assert (fault.kind, fault.billed) == (FaultKind.TIMED_OUT, Billed.MAYBE)
    assert len(server.posts) == 1


@both_transports
async def test_comments_are_no_progress(connect, server) -> None:
    server.does(comments)
    fault = await fault_of(connect(stall_s=0.1), deadline_s=60, on_partial=listen)
    assert (fault.kind, fault.billed) == (FaultKind.TIMED_OUT, Billed.MAYBE)
    assert fault.detail == "the stream made no progress"


@both_transports
async def test_a_stream_that_stops_after_a_preview_is_given_up(connect, server) -> None:
    server.does(stream(partial(0, picture()), then="hang"))
    fault = await fault_of(connect(stall_s=0.1), deadline_s=60, on_partial=listen)
    assert (fault.kind, fault.billed) == (FaultKind.TIMED_OUT, Billed.MAYBE)


async def test_no_time_left_means_nothing_is_sent(connect, server) -> None:
    server.does(silence)
    fault = await fault_of(connect(), deadline_s=0)
    assert (fault.kind, fault.billed) == (FaultKind.TIMED_OUT, Billed.NO)
    assert server.seen == []


@both_transports
async def test_cancelling_closes_the_connection(connect, server) -> None:
    server.does(silence)
    making = asyncio.create_task(
        connect().make(request(), Inputs(), payer=OperatorPays(), member_tag="t", deadline_s=60)
    )
    await asyncio.wait_for(server.asked.wait(), 5)
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making
    await asyncio.wait_for(server.hung_up.wait(), 5)


@both_transports
async def test_cancelling_a_stream_closes_the_connection_and_stops_its_previews(connect, server) -> None:
    server.does(stream(partial(0, picture()), then="hang"))
    showing, stopped = asyncio.Event(), asyncio.Event()

    async def show(_: object) -> None:
        showing.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    asked = request(partial_images=1)
    making = asyncio.create_task(
        connect().make(asked, Inputs(), payer=OperatorPays(), member_tag="t", deadline_s=60, on_partial=show)
    )
    await asyncio.wait_for(showing.wait(), 5)
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making
    await asyncio.wait_for(stopped.wait(), 5)
    await asyncio.wait_for(server.hung_up.wait(), 5)


@both_transports
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_takes_neither_the_key_nor_the_prompt_anywhere(status, connect, server, elsewhere) -> None:
    elsewhere.does(pictures(picture()))
    server.does(reply(status, "", {"location": f"{elsewhere.url}/v1/images/generations"}))
    fault = await fault_of(connect())
    assert (fault.kind, fault.billed, fault.status) == (FaultKind.ENDPOINT_GONE, Billed.NO, status)
    assert elsewhere.seen == []


@pytest.mark.parametrize("key", ["two words", "ключ", "a\r\nx-evil: 1", "x" * 600])
async def test_a_key_that_cannot_be_a_key_is_not_sent(key: str, connect, server) -> None:
    fault = await fault_of(connect(), payer=KeyPays(key))
    assert (fault.kind, fault.billed) == (FaultKind.BAD_KEY, Billed.NO)
    assert key not in repr(fault)
    assert server.seen == []


async def test_a_key_of_ones_own_goes_without_the_operators_organization_and_project(connect, server) -> None:
    server.does(pictures(picture()))
    service = connect(organization="org-operator", project="proj-operator")
    await service.make(request(), Inputs(), payer=OperatorPays(), member_tag="t", deadline_s=20)
    await service.make(request(), Inputs(), member_tag="t", deadline_s=20, payer=KeyPays(" sk-own "))
    operators, own = (one.headers for one in server.posts)
    assert operators["authorization"] == f"Bearer {KEY}"
    assert (operators["openai-organization"], operators["openai-project"]) == ("org-operator", "proj-operator")
    assert own["authorization"] == "Bearer sk-own"
    assert "openai-organization" not in own
    assert "openai-project" not in own


async def test_a_server_without_keys_is_asked_without_one_being_configured(connect, server) -> None:
    server.does(pictures(picture()))
    await connect(api_key=None).make(request(), Inputs(), payer=OperatorPays(), member_tag="t", deadline_s=20)
    assert server.posts[0].headers["authorization"] == "Bearer no-key-needed"


async def test_the_body_is_asked_for_uncompressed(connect, server) -> None:
    server.does(pictures(picture()))
    await connect().make(request(), Inputs(), payer=OperatorPays(), member_tag="t", deadline_s=20)
    assert server.posts[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("base_url", "official"),
    [
        (None, True),
        ("https://api.openai.com/v1", True),
        ("https://eu.api.openai.com/v1", True),
        ("https://api.openai.com.evil.example/v1", False),
        ("https://evilapi.openai.com/v1", False),
        ("http://127.0.0.1:1/v1", False),
    ],
)
async def test_openais_own_service_is_known_by_its_host(base_url, official, connect) -> None:
    assert connect(base_url=base_url).is_official is official


# --- models --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "ids"),
    [
        ({"object": "list", "data": [{"id": "a"}, {"id": "b"}]}, ["a", "b"]),
        ([{"id": "a"}, 5, {"x": 1}], ["a"]),
        (["a", "b"], ["a", "b"]),
        ({"models": [{"name": "a"}]}, ["a"]),
        ({"data": []}, []),
        ({"object": "list"}, None),
        ("hello", None),
    ],
)
async def test_models_are_read_in_every_known_shape(answer, ids, connect, server) -> None:
    server.does(json_reply(answer))
    models = await connect().known_models(OperatorPays())
    assert (None if models is None else [model.id for model in models]) == ids
    assert (server.seen[0].method, server.seen[0].path) == ("GET", "/v1/models")


async def test_the_day_a_model_ends_is_read(connect, server) -> None:
    ends = {"a": "2026-12-01", "b": None, "c": "?"}
    server.does(json_reply({"data": [{"id": name, "shutdown_date": day} for name, day in ends.items()]}))
    models = await connect().known_models(OperatorPays())
    assert [str(model.ends_on) for model in models or ()] == ["2026-12-01", "None", "None"]


@pytest.mark.parametrize("answer", [reply(404), reply(405), reply(200, "<html>"), reply(302, "", {"location": "/x"})])
async def test_a_service_without_a_list_of_models_says_none(answer, connect, server) -> None:
    server.does(answer)
    assert await connect().known_models(OperatorPays()) is None


async def test_a_wrong_key_is_told_by_the_list_of_models(connect, server) -> None:
    server.does(error(401, "invalid_api_key", f"Incorrect: {KEY}"))
    with pytest.raises(ServiceFault) as caught:
        await connect().known_models(OperatorPays())
    assert (caught.value.fault.kind, caught.value.fault.billed) == (FaultKind.BAD_KEY, Billed.NO)
    assert KEY not in repr(caught.value.fault)


async def test_a_list_of_models_that_cannot_be_reached_cost_nothing(connect) -> None:
    with pytest.raises(ServiceFault) as caught:
        await connect(base_url=f"http://127.0.0.1:{closed_port()}/v1").known_models(KeyPays("sk-own"))
    assert (caught.value.fault.kind, caught.value.fault.billed) == (FaultKind.UNREACHABLE, Billed.NO)


@both_transports
async def test_a_finished_stream_is_not_waited_out(connect, server) -> None:
    server.does(stream(completed(picture()), then="hang"))
    made = await connect().make(
        request(partial_images=1), Inputs(), payer=OperatorPays(), member_tag="t", deadline_s=60, on_partial=listen
    )
    assert made.images[0].format == "png"
    await asyncio.wait_for(server.hung_up.wait(), 5)


class Porter:
    """A gate of one place that tells who is in, and lets in whom ``opened`` lets in."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.asked = asyncio.Event()
        self.inside = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[Porter]:
        yield self
        self.inside = 0

    async def take(self, *, holds: bool = False) -> None:
        self.asked.set()
        await self.opened.wait()
        self.inside = 1


async def test_a_picture_is_read_and_checked_in_its_place_and_no_longer(connect, server) -> None:
    porter, inside_while_checked = Porter(), []
    porter.opened.set()

    async def looks(data: bytes) -> Facts:
        inside_while_checked.append(porter.inside)
        return await inspect(data)

    server.does(pictures(picture()))
    await connect(gate=porter, inspect=looks).make(
        request(), Inputs(), payer=OperatorPays(), member_tag="t", deadline_s=20
    )
    assert inside_while_checked == [1]
    assert porter.inside == 0


class Broken(Porter):
    async def take(self, *, holds: bool = False) -> None:
        raise RuntimeError("a bug")


async def test_what_breaks_within_ourselves_after_asking_may_have_been_billed(connect, server) -> None:
    server.does(pictures(picture()))
    with pytest.raises(ServiceFault) as failed:
        await connect(gate=Broken()).make(request(), Inputs(), payer=OperatorPays(), member_tag="t", deadline_s=20)
    assert failed.value.fault.billed is Billed.MAYBE


async def test_who_waits_for_a_place_loses_no_time_of_the_deadline() -> None:
    porter, loop = Porter(), asyncio.get_running_loop()
    async with asyncio.timeout(0.05) as deadline:
        began, until = loop.time(), deadline.when() or 0
        loop.call_later(0.1, porter.opened.set)
        await let_in(porter, deadline)
        assert (deadline.when() or 0) - until >= loop.time() - began - 0.04
        assert loop.time() - began >= 0.09
