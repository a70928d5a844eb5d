"""What people can do: the client's checks, their rights, what they see, and attachment links."""

from collections.abc import Callable

import aiohttp
import pytest

from sandbox.discord import ids, payloads, rights
from sandbox.discord.clock import HandClock
from sandbox.discord.model import Channel, Event, Overwrite, Upload
from sandbox.discord.people.options import NotPossible, Resolved, check
from sandbox.discord.server import Server
from sandbox.discord.world import World

BAD_OPTIONS = {
    "nothing": ({}, "`prompt` is required"),
    "unknown": ({"prompt": "x", "sise": "1"}, "no option `sise`"),
    "too long": ({"prompt": "x" * 101}, "at most 100 characters"),
    "only blanks": ({"prompt": "   "}, "`prompt` must be text"),
    "not a number": ({"prompt": "x", "count": "two"}, "`count` must be a whole number"),
    "a truth as a number": ({"prompt": "x", "count": True}, "`count` must be a whole number"),
    "too many": ({"prompt": "x", "count": 5}, "`count` must be at most 4"),
    "not a truth": ({"prompt": "x", "private": "maybe"}, "`private` must be True or False"),
    "not a file": ({"prompt": "x", "image": "a.png"}, "`image` must be a file"),
    "not a member": ({"prompt": "x", "who": "mia"}, "`who` must be a member"),
}


@pytest.mark.parametrize("name", BAD_OPTIONS)
async def test_the_client_does_not_let_one_send_it(server: Server, commands: None, name: str) -> None:
    options, words = BAD_OPTIONS[name]
    town = server.world.town
    with pytest.raises(NotPossible, match=words):
        await server.world.slash(town.member, town.general, "/imagine", options)
    assert server.world.interactions == {}


def test_the_picker_shows_channels_of_the_kinds_that_are_asked_for(server: Server) -> None:
    town = server.world.town
    option = {"name": "where", "type": 7, "channel_types": [0, 15]}

    def picked(channel: Channel) -> object:
        return check([option], {"where": channel}, Resolved(server.world, town.general), town.member)

    assert picked(town.general)
    assert picked(town.forum)
    with pytest.raises(NotPossible, match="`where` shows no channel of type 2"):
        picked(town.voice)


async def test_every_problem_is_told_at_once(server: Server, commands: None) -> None:
    town = server.world.town
    with pytest.raises(NotPossible, match="`prompt` is required; `count` must be at most 4"):
        await server.world.slash(town.member, town.general, "/imagine", {"count": 9})


async def test_an_interaction_fits_the_gateway_schema_in_every_place(server: Server, rest, commands: None) -> None:
    world, town = server.world, server.world.town
    async with aiohttp.ClientSession() as session:
        socket = await session.ws_connect(server.gateway_url)
        await socket.send_json({"op": 2, "d": {"token": world.token, "intents": 1, "properties": {}}})
        await server.wait_ready()
        everything = {"prompt": "x", "count": 2, "private": "true", "who": town.painter}
        everything["image"] = Upload("a.png", b"\x89PNG\r\n\x1a\n")
        await world.slash(town.member, town.general, "/imagine", everything)
        await world.slash(town.member, world.dm(town.member), "/imagine", prompt="x")
        await world.slash(town.outsider, town.far, "/imagine", prompt="x")
        await world.autocomplete(town.painter, town.thread, "/imagine", "size", "16", {"prompt": "x"})
        posted = world.say(town.painter, town.general, "hello", [Upload("a.png", b"x")])
        await world.message_menu(town.admin, posted, "Look")
        await socket.close()
    assert len(server.world.interactions) == 5
    server.assert_clean()


async def test_what_an_interaction_mentions_is_told_in_part(server: Server, commands: None) -> None:
    world, town = server.world, server.world.town
    named = await world.slash(town.member, town.general, "/imagine", prompt="x", who=town.painter)
    resolved = Resolved(world, town.general)
    resolved.channel_(town.thread, town.member)

    mentioned = named.payload["data"]["resolved"]["members"][str(town.painter.id)]
    assert mentioned.keys() & {"user", "deaf", "mute"} == set()
    assert int(mentioned["permissions"]) & ids.VIEW_CHANNEL
    assert not resolved.parts["channels"][str(town.thread.id)].keys() & {"owner_id", "member_count"}
    assert "permission_overwrites" not in named.payload["channel"]


def test_overwrites_follow_discords_order() -> None:
    world = World()
    town = world.town
    general = town.general
    assert rights.permissions(world, town.member, general) & ids.SEND_MESSAGES
    general.overwrites[town.studio.id] = Overwrite(town.studio.id, 0, deny=ids.SEND_MESSAGES)
    assert not rights.permissions(world, town.member, general) & ids.SEND_MESSAGES
    general.overwrites[town.painters.id] = Overwrite(town.painters.id, 0, allow=ids.SEND_MESSAGES)
    assert rights.permissions(world, town.painter, general) & ids.SEND_MESSAGES
    general.overwrites[town.painter.id] = Overwrite(town.painter.id, 1, deny=ids.SEND_MESSAGES)
    assert not rights.permissions(world, town.painter, general) & ids.SEND_MESSAGES
    assert rights.permissions(world, town.owner, general) == ids.ALL_PERMISSIONS
    assert rights.permissions(world, town.outsider, general) == 0


def test_a_thread_follows_its_parent() -> None:
    world = World()
    town = world.town
    world.allow(town.pictures, town.studio.roles[town.studio.id], deny=ids.VIEW_CHANNEL)
    assert rights.permissions(world, town.member, town.thread) == 0
    assert rights.permissions(world, town.owner, town.thread)


def test_people_see_what_is_theirs_to_see() -> None:
    world = World()
    town = world.town
    dm = world.dm(town.member)
    assert town.hidden not in world.channels_for(town.member)
    assert town.hidden in world.channels_for(town.admin)
    assert dm in world.channels_for(town.member)
    assert dm not in world.channels_for(town.admin)
    assert world.dm(town.member) is dm


def test_who_listens_is_told() -> None:
    world = World()
    events: list[Event] = []
    stop = world.subscribe(events.append)
    message = world.say(world.town.member, world.town.general, "hi")
    world.delete_message(message)
    stop()
    world.say(world.town.member, world.town.general, "unheard")

    assert [e.kind for e in events] == ["message_created", "message_deleted"]
    assert message.deleted


def test_ids_grow_and_carry_the_time() -> None:
    clock = HandClock()
    world = World(clock=clock)
    first, second = world.ids.make(), world.ids.make()
    clock.advance(60)
    third = world.ids.make()
    assert first < second < third
    assert (ids.created_at(third) - ids.created_at(first)).total_seconds() == pytest.approx(60, abs=1)


async def fetch(url: str) -> tuple[int, bytes]:
    async with aiohttp.ClientSession() as session, session.get(url, allow_redirects=False) as response:
        return response.status, await response.read()


def link(server: Server, data: bytes = b"x" * 1000) -> str:
    town = server.world.town
    message = server.world.say(town.member, town.general, "", [Upload("größe a.png", data)])
    url: str = payloads.message(server.world, message)["attachments"][0]["url"]
    return url


async def test_a_link_works_for_a_day_and_cannot_be_forged(server: Server, clock: HandClock) -> None:
    url = link(server)
    assert await fetch(url) == (200, b"x" * 1000)
    assert (await fetch(url.replace("hm=", "hm=0")))[0] == 404
    assert (await fetch(url.split("?")[0]))[0] == 404
    clock.advance(25 * 3600)
    assert (await fetch(url))[0] == 404


@pytest.mark.parametrize(
    ("kind", "status", "size"),
    [
        ("missing", 404, None),
        ("error", 502, None),
        ("redirect", 302, None),
        ("longer", 200, 3024),
        ("shorter", 200, 500),
    ],
)
async def test_attachments_fail_on_demand(server: Server, kind: str, status: int, size: int | None) -> None:
    url = link(server)
    server.cdn.fail_next(kind)  # type: ignore[arg-type]
    got, data = await fetch(url)
    assert got == status
    assert size is None or len(data) == size
    assert await fetch(url) == (200, b"x" * 1000)


@pytest.mark.parametrize("kind", ["truncated", "dropped"])
async def test_a_download_can_break(server: Server, kind: str) -> None:
    url = link(server)
    server.cdn.fail_next(kind, 2)  # type: ignore[arg-type]  # aiohttp asks a second time by itself
    with pytest.raises(aiohttp.ClientError):
        await fetch(url)


async def test_a_download_can_stall(server: Server) -> None:
    url = link(server)
    server.cdn.fail_next("stall")
    with pytest.raises(TimeoutError):
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(0.2)) as session, session.get(url) as response:
            await response.read()


async def test_sizes_of_pictures_are_told(server: Server, picture: Callable[..., bytes]) -> None:
    town = server.world.town
    message = server.world.say(town.member, town.general, "", [Upload("a.txt", picture(32, 16))])
    shown = payloads.message(server.world, message)["attachments"][0]
    assert (shown["width"], shown["height"], shown["content_type"]) == (32, 16, "image/png")


async def test_the_description_is_really_looked_at(server: Server, rest) -> None:
    if not server.specs.present:
        pytest.skip("the official descriptions are not at hand (EASEL_SPECS)")
    path = f"/channels/{server.world.town.general.id}/messages"
    status, data, _ = await rest("POST", path, {"content": 5})
    assert (status, data["code"]) == (400, 50035)
    assert any(b.side == "request" for b in server.breaches)
    assert server.specs.event("INTERACTION_CREATE", {"id": "1"})
    assert server.specs.answer("/users/@me", "GET", 200, {"id": 5})
