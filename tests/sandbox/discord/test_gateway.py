"""The gateway: what a healthy connection does, and every way in which it breaks."""

import asyncio
import json

import aiohttp
import pytest

from sandbox.discord.server import Server

discord = pytest.importorskip("discord")


async def identify(
    server: Server, session: aiohttp.ClientSession, **changes: object
) -> aiohttp.ClientWebSocketResponse:
    socket = await session.ws_connect(server.gateway_url + "?v=10&encoding=json")
    hello = await socket.receive_json()
    assert hello["op"] == 10
    data = {"token": server.world.token, "intents": 1, "properties": {}, "shard": [0, 1], **changes}
    await socket.send_json({"op": 2, "d": data})
    return socket


async def close_code(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    async with asyncio.timeout(5):
        while not socket.closed:
            await socket.receive()
    return socket.close_code


async def test_a_dropped_connection_is_resumed_and_missed_events_are_replayed(server: Server, bot) -> None:
    world, town = server.world, server.world.town
    server.gateway.drop()
    await server.gateway.wait_gone()
    interaction = await world.slash(town.member, town.general, "/draw", prompt="fox")
    await server.gateway.wait_resumed()

    assert (await interaction.wait_answer()).content == "Here is fox"
    assert server.gateway.identifies == 1
    server.assert_clean()


@pytest.mark.parametrize("how", ["reconnect", "close 4000", "close 1006-like drop"])
async def test_what_discord_does_when_it_restarts_leads_to_a_resume(server: Server, bot, how: str) -> None:
    match how:
        case "reconnect":
            server.gateway.reconnect()
        case "close 4000":
            await server.gateway.close(4000)
        case _:
            server.gateway.drop()
    await server.gateway.wait_resumed()
    await asyncio.wait_for(bot.resumed.wait(), 5)

    town = server.world.town
    interaction = await server.world.slash(town.member, town.general, "/draw", prompt="fox")
    assert (await interaction.wait_answer()).content == "Here is fox"
    server.assert_clean()


async def test_a_wrong_token_is_refused_by_rest_and_gateway(server: Server, rest) -> None:
    status, data, _ = await rest("GET", "/users/@me", token="wrong")
    assert (status, data["code"]) == (401, 0)
    async with aiohttp.ClientSession() as session:
        assert await close_code(await identify(server, session, token="wrong")) == 4004


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"intents": 1 | 1 << 15}, 4014),
        ({"intents": 1 << 40}, 4013),
        ({"shard": [3, 2]}, 4010),
        ({"properties": {"os": "x" * 5000}}, 4002),
    ],
)
async def test_a_wrong_identify_is_closed_with_its_code(server: Server, changes: dict[str, object], code: int) -> None:
    async with aiohttp.ClientSession() as session:
        assert await close_code(await identify(server, session, **changes)) == code


async def test_a_server_that_needs_shards_says_so(server: Server) -> None:
    server.gateway.required_shards = 2
    async with aiohttp.ClientSession() as session:
        assert await close_code(await identify(server, session)) == 4011


async def test_a_frame_before_identify_or_nonsense_ends_the_connection(server: Server) -> None:
    async with aiohttp.ClientSession() as session:
        early = await session.ws_connect(server.gateway_url)
        await early.send_json({"op": 3, "d": {}})
        assert await close_code(early) == 4003
        broken = await session.ws_connect(server.gateway_url)
        await broken.send_str("{")
        assert await close_code(broken) == 4002


async def test_heartbeats_are_answered_until_the_connection_is_a_zombie(server: Server) -> None:
    async with aiohttp.ClientSession() as session:
        socket = await identify(server, session)
        frames = [await socket.receive_json() for _ in range(3)]
        assert [f["t"] for f in frames] == ["READY", "GUILD_CREATE", "GUILD_CREATE"]
        await socket.send_json({"op": 1, "d": 3})
        assert (await socket.receive_json())["op"] == 11
        server.gateway.silence()
        await socket.send_json({"op": 1, "d": 3})
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.receive(), 0.1)
        await socket.close()
    server.assert_clean()


async def test_a_client_without_a_heartbeat_is_cut_and_has_nothing_to_resume(server: Server) -> None:
    server.gateway.heartbeat_interval_ms = 40
    async with aiohttp.ClientSession() as session:
        socket = await identify(server, session)
        await socket.receive_json()
        assert await close_code(socket) == 4009
    assert server.gateway.sessions == {}


async def test_a_client_with_a_heartbeat_stays(server: Server) -> None:
    server.gateway.heartbeat_interval_ms = 60
    async with aiohttp.ClientSession() as session:
        socket = await identify(server, session)
        for _ in range(8):
            await socket.send_json({"op": 1, "d": 3})
            await asyncio.sleep(0.02)
        assert not socket.closed
        assert server.gateway.live
        await socket.close()


@pytest.mark.parametrize(("code", "is_over"), [(4000, False), (4008, False), (4007, True), (4009, True)])
async def test_some_codes_leave_nothing_to_resume(server: Server, code: int, is_over: bool) -> None:
    async with aiohttp.ClientSession() as session:
        socket = await identify(server, session)
        await socket.receive_json()
        await server.gateway.close(code)
        assert await close_code(socket) == code
    assert (server.gateway.sessions == {}) is is_over


def test_a_bot_may_come_again_after_five_seconds() -> None:
    assert Server().gateway.budget.interval_s == 5


async def test_an_invalid_session_makes_resume_impossible(server: Server) -> None:
    async with aiohttp.ClientSession() as session:
        socket = await identify(server, session)
        ready = (await socket.receive_json())["d"]
        server.gateway.invalidate()
        while (frame := await socket.receive_json())["op"] != 9:
            pass
        assert frame["d"] is False
        again = await session.ws_connect(server.gateway_url)
        await again.receive_json()
        data = {"token": server.world.token, "session_id": ready["session_id"], "seq": 1}
        await again.send_json({"op": 6, "d": data})
        assert (await again.receive_json())["op"] == 9
        await again.close()
        await socket.close()


async def test_the_identify_budget_is_told_and_enforced(server: Server, rest) -> None:
    server.gateway.budget.interval_s = 60
    server.gateway.budget.remaining = 2
    async with aiohttp.ClientSession() as session:
        first = await identify(server, session)
        assert (await first.receive_json())["t"] == "READY"
        soon = await identify(server, session)
        assert (await soon.receive_json())["op"] == 9
        spent = await identify(server, session)
        assert await close_code(spent) == 4004
        await first.close()
        await soon.close()
    _, data, _ = await rest("GET", "/gateway/bot")
    assert data["session_start_limit"]["remaining"] == -1


async def test_each_shard_gets_the_events_of_its_servers(server: Server, start_bot) -> None:
    world, town = server.world, server.world.town
    server.gateway.shards = 2
    bot = await start_bot()
    await server.wait_ready(shards=2)

    assert bot.shard_count == 2
    for channel in (town.general, town.wall, world.dm(town.member)):
        interaction = await world.slash(town.member, channel, "/draw", prompt="fox")
        assert (await interaction.wait_answer()).content == "Here is fox"
    assert sorted(server.gateway.live_shards().items()) == [(0, 1), (1, 1)]
    server.assert_clean()


async def test_a_malformed_event_ends_a_client_without_a_guard(server: Server, bot) -> None:
    bot.crash_expected = True
    server.gateway.malformed()

    with pytest.raises(KeyError, match="type"):
        await asyncio.wait_for(bot.run, 5)


async def test_a_refused_connection_is_tried_again_by_the_sharded_client(server: Server, rest) -> None:
    server.gateway.refuse()
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
            await session.ws_connect(server.gateway_url)
        socket = await identify(server, session)
        assert (await socket.receive_json())["t"] == "READY"
        await socket.close()


async def test_two_processes_with_one_shard_both_get_the_event(server: Server, commands: None) -> None:
    world, town = server.world, server.world.town
    async with aiohttp.ClientSession() as session:
        sockets = [await identify(server, session) for _ in range(2)]
        for socket in sockets:
            for _ in range(3):
                await socket.receive_json()
        interaction = await world.slash(town.member, town.general, "/imagine", prompt="fox")
        ids = [(await socket.receive_json())["d"]["id"] for socket in sockets]
        assert ids == [str(interaction.id)] * 2
        for socket in sockets:
            await socket.close()
    server.assert_clean()


async def test_frames_can_come_as_one_zlib_stream(server: Server) -> None:
    import zlib

    stream = zlib.decompressobj()
    async with aiohttp.ClientSession() as session:
        socket = await session.ws_connect(server.gateway_url + "?v=10&encoding=json&compress=zlib-stream")
        raw = await socket.receive_bytes()
        assert raw.endswith(b"\x00\x00\xff\xff")
        assert json.loads(stream.decompress(raw))["op"] == 10
        await socket.close()


async def test_the_wire_log_shows_no_token(server: Server, bot) -> None:
    town = server.world.town
    interaction = await server.world.slash(town.member, town.general, "/draw", prompt="fox")
    await interaction.wait_answer()

    shown = json.dumps([e.shown() for e in server.wire.since()])
    assert "INTERACTION_CREATE" in shown
    assert interaction.token not in shown
    assert server.world.token not in shown
    assert server.world.token not in repr(server.wire.since())
    assert interaction.token not in repr(interaction)
    assert server.wire.of([interaction.id])
