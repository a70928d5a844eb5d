"""Each of Discord's refusals, by status and code, asked for by hand."""

import asyncio
from dataclasses import replace

import aiohttp
import pytest

from sandbox.discord import ids, rights
from sandbox.discord.faults import RESULT_EDIT, Target
from sandbox.discord.model import MIB, ChannelType, Interaction
from sandbox.discord.rest.limits import Rate
from sandbox.discord.server import Server


async def begin(server: Server, **changes: object) -> Interaction:
    town = server.world.town
    return await server.world.slash(
        changes.get("user", town.member), changes.get("channel", town.general), "/imagine", prompt="fox"
    )


def callback(interaction: Interaction) -> str:
    return f"/interactions/{interaction.id}/{interaction.token}/callback?with_response=1"


def hook(server: Server, interaction: Interaction, rest: str = "") -> str:
    return f"/webhooks/{server.world.application_id}/{interaction.token}{rest}"


ORIGINAL = "/messages/@original"


async def deferred(server: Server, rest, flags: int = 0, **changes: object) -> Interaction:
    interaction = await begin(server, **changes)
    status, _, _ = await rest("POST", callback(interaction), {"type": 5, "data": {"flags": flags}})
    assert status == 200
    return interaction


async def refused(answer: tuple[int, dict[str, object], object]) -> tuple[int, object]:
    status, data, _ = answer
    return status, data["code"]


async def test_an_interaction_is_answered_once(server: Server, rest, commands: None) -> None:
    interaction = await deferred(server, rest)

    assert await refused(await rest("POST", callback(interaction), {"type": 5})) == (400, 40060)
    server.assert_clean()


async def test_an_answer_after_three_seconds_is_10062(server: Server, rest, commands: None, clock) -> None:
    interaction = await begin(server)
    clock.advance(3.01)

    assert await refused(await rest("POST", callback(interaction), {"type": 5})) == (404, 10062)
    assert interaction.failed


async def test_a_token_nobody_gave_out_is_10062_or_10015(server: Server, rest, commands: None) -> None:
    interaction = await begin(server)
    assert await refused(await rest("POST", f"/interactions/{interaction.id}/x/callback", {"type": 5})) == (404, 10062)
    assert await refused(await rest("PATCH", hook(server, interaction, ORIGINAL), {"content": "x"})) == (404, 10015)
    app = server.world.application_id
    assert await refused(await rest("POST", f"/webhooks/{app}/nonsense", {"content": "x"})) == (404, 10015)


async def test_a_token_lasts_fifteen_minutes(server: Server, rest, commands: None, clock) -> None:
    interaction = await deferred(server, rest)
    clock.advance(14 * 60 + 59)
    status, _, _ = await rest("PATCH", hook(server, interaction, ORIGINAL), {"content": "just in time"})
    assert status == 200
    clock.advance(2)

    assert await refused(await rest("PATCH", hook(server, interaction, ORIGINAL), {"content": "x"})) == (401, 50027)
    assert await refused(await rest("POST", hook(server, interaction), {"content": "x"})) == (401, 50027)


async def test_a_deleted_message_or_channel_is_gone(server: Server, rest, commands: None) -> None:
    world, town = server.world, server.world.town
    interaction = await deferred(server, rest)
    assert interaction.answer is not None
    world.delete_message(interaction.answer)
    assert await refused(await rest("PATCH", hook(server, interaction, ORIGINAL), {"content": "x"})) == (404, 10008)

    other = await deferred(server, rest, channel=town.pictures)
    world.delete_channel(town.pictures)
    assert await refused(await rest("PATCH", hook(server, other, ORIGINAL), {"content": "x"})) == (404, 10003)
    path = f"/channels/{town.pictures.id}/messages"
    assert await refused(await rest("POST", path, {"content": "x"})) == (404, 10003)


async def test_files_over_the_limit_are_413(server: Server, rest, commands: None) -> None:
    town = server.world.town
    town.studio.upload_limit = MIB
    town_user = replace(town.member, upload_limit=MIB)
    town.studio.members[town.member.id].user = town_user
    interaction = await deferred(server, rest, user=town_user)
    path = hook(server, interaction, ORIGINAL)

    assert interaction.payload["attachment_size_limit"] == MIB
    assert await refused(await rest("PATCH", path, {}, files={"a.png": bytes(MIB + 1)})) == (413, 40005)
    status, data, _ = await rest("PATCH", path, {}, files={"a.png": bytes(MIB)})
    assert (status, data["attachments"][0]["size"]) == (200, MIB)
    server.assert_clean()


async def test_a_request_over_25_mib_is_413_even_if_each_file_is_allowed(server: Server, rest, commands: None) -> None:
    interaction = await deferred(server, rest)
    files = {"a.png": bytes(13 * MIB), "b.png": bytes(13 * MIB)}

    assert await refused(await rest("PATCH", hook(server, interaction, ORIGINAL), {}, files=files)) == (413, 40005)


async def test_a_channel_needs_its_permissions(server: Server, rest) -> None:
    world, town = server.world, server.world.town
    send = f"/channels/{town.general.id}/messages"
    assert await refused(await rest("POST", f"/channels/{town.quiet.id}/messages", {"content": "x"})) == (403, 50013)
    assert await refused(await rest("POST", f"/channels/{town.hidden.id}/messages", {"content": "x"})) == (403, 50001)
    assert await refused(await rest("POST", f"/channels/{town.far.id}/messages", {"content": "x"})) == (403, 50001)

    world.allow(town.general, world.bot, deny=ids.ATTACH_FILES)
    assert await refused(await rest("POST", send, {}, files={"a.png": b"x"})) == (403, 50013)
    world.allow(town.general, world.bot, deny=ids.EMBED_LINKS)
    assert await refused(await rest("POST", send, {"embeds": [{"title": "x"}]})) == (403, 50013)
    world.closed_dms.add(town.member.id)
    dm = f"/channels/{world.dm(town.member).id}/messages"
    assert await refused(await rest("POST", dm, {"content": "x"})) == (403, 50007)
    assert await refused(await rest("POST", f"/channels/{town.forum.id}/messages", {"content": "x"})) == (400, 50008)
    server.assert_clean()


async def test_messages_of_others_are_not_the_bots_to_change(server: Server, rest) -> None:
    world, town = server.world, server.world.town
    posted = world.say(town.member, town.general, "mine")
    path = f"/channels/{town.general.id}/messages/{posted.id}"

    assert await refused(await rest("PATCH", path, {"content": "x"})) == (403, 50005)
    assert await refused(await rest("DELETE", path)) == (403, 50013)
    assert await refused(await rest("DELETE", f"/channels/{town.general.id}/messages/1")) == (404, 10008)


async def test_a_private_message_does_not_exist_for_the_bot_token(server: Server, rest, commands: None) -> None:
    town = server.world.town
    interaction = await deferred(server, rest, flags=64)
    assert interaction.answer is not None
    assert interaction.answer.visible_to(town.member.id)
    assert not interaction.answer.visible_to(town.admin.id)

    path = f"/channels/{town.general.id}/messages/{interaction.answer.id}"
    assert await refused(await rest("PATCH", path, {"content": "x"})) == (404, 10008)
    status, _, _ = await rest("PATCH", hook(server, interaction, ORIGINAL), {"content": "by token"})
    assert status == 200


async def test_the_same_nonce_sends_once(server: Server, rest) -> None:
    town = server.world.town
    path = f"/channels/{town.general.id}/messages"
    body = {"content": "picture", "nonce": "job-1", "enforce_nonce": True}
    first, again = await rest("POST", path, body), await rest("POST", path, body)

    assert first[1]["id"] == again[1]["id"]
    assert len(server.world.history(town.general)) == 1
    server.assert_clean()


async def test_a_user_install_may_follow_up_five_times(server: Server, rest, commands: None) -> None:
    town = server.world.town
    interaction = await deferred(server, rest, user=town.outsider, channel=town.far)
    await rest("PATCH", hook(server, interaction, ORIGINAL), {"content": "done"})
    server.limits.rates.clear()
    statuses = [(await rest("POST", hook(server, interaction), {"content": "more"}))[0] for _ in range(6)]

    assert statuses == [200] * 5 + [400]
    server.assert_clean()


async def test_a_user_install_whispers_where_external_apps_are_forbidden(server: Server, rest, commands: None) -> None:
    town = server.world.town
    everyone = town.elsewhere.roles[town.elsewhere.id]
    plain = replace(everyone, permissions=everyone.permissions & ~ids.USE_EXTERNAL_APPS)
    server.world.set_role(town.elsewhere, plain)
    # the owner of a server has every permission, so another person asks
    server.world.user_installs.add(town.member.id)
    interaction = await deferred(server, rest, user=town.member, channel=town.far)

    assert interaction.answer is not None
    assert interaction.answer.ephemeral_for == town.member.id


async def test_completions_are_for_completions_and_a_form_is_no_answer_to_a_form(
    server: Server, rest, commands: None
) -> None:
    world, town = server.world, server.world.town
    typing = await world.autocomplete(town.member, town.general, "/imagine", "size", "1")
    assert await refused(await rest("POST", callback(typing), {"type": 5})) == (400, 50035)
    interaction = await begin(server)
    assert await refused(await rest("POST", callback(interaction), {"type": 6})) == (400, 50035)
    choices = {"type": 8, "data": {"choices": []}}
    assert await refused(await rest("POST", callback(interaction), choices)) == (400, 50035)


async def test_a_bad_form_body_says_where(server: Server, rest, commands: None) -> None:
    interaction = await deferred(server, rest)
    embed = {"title": "x", "url": "https://nowhere"}
    status, data, _ = await rest("PATCH", hook(server, interaction, ORIGINAL), {"embeds": [embed]})

    assert (status, data["code"]) == (400, 50035)
    assert data["errors"]["embeds"]["0"]["url"]["_errors"][0]["code"] == "URL_TYPE_INVALID_URL"
    assert [b.side for b in server.breaches] == ["rule"]


async def test_an_edit_may_not_leave_nothing(server: Server, rest, commands: None) -> None:
    interaction = await deferred(server, rest)
    await rest("PATCH", hook(server, interaction, ORIGINAL), {"content": "something"})
    empty = {"content": "", "embeds": []}

    assert await refused(await rest("PATCH", hook(server, interaction, ORIGINAL), empty)) == (400, 50006)
    assert interaction.answer is not None
    assert interaction.answer.content == "something"


async def test_an_edit_keeps_and_drops_files_as_listed(server: Server, rest, commands: None) -> None:
    interaction = await deferred(server, rest)
    path = hook(server, interaction, ORIGINAL)
    body = {"attachments": [{"id": 0, "description": "one"}, {"id": 1, "description": "two"}]}
    _, data, _ = await rest("PATCH", path, body, files={"a b.png": b"1", "b.png": b"2"})
    assert [a["filename"] for a in data["attachments"]] == ["a_b.png", "b.png"]

    kept = {"attachments": [{"id": data["attachments"][1]["id"]}, {"id": 0}]}
    _, data, _ = await rest("PATCH", path, kept, files={"c.png": b"3"})
    assert [(a["filename"], a.get("description")) for a in data["attachments"]] == [("b.png", "two"), ("c.png", None)]
    server.assert_clean()


async def test_limits_answer_429_with_everything_a_client_needs(server: Server, rest, commands: None) -> None:
    interaction = await deferred(server, rest)
    answers = [await rest("PATCH", hook(server, interaction, ORIGINAL), {"content": str(n)}) for n in range(6)]

    assert [status for status, _, _ in answers] == [200] * 5 + [429]
    _, data, headers = answers[-1]
    assert 0 < data["retry_after"] <= 2
    assert headers["Via"]
    assert headers["X-RateLimit-Remaining"] == "0"
    assert float(headers["Retry-After"]) == pytest.approx(data["retry_after"], abs=0.01)
    server.assert_clean()


async def test_old_messages_are_edited_rarely(server: Server, rest, clock) -> None:
    town = server.world.town
    _, data, _ = await rest("POST", f"/channels/{town.general.id}/messages", {"content": "x"})
    clock.advance(3601)
    server.limits.rates.pop("edit")
    path = f"/channels/{town.general.id}/messages/{data['id']}"
    for n in range(30):
        assert (await rest("PATCH", path, {"content": f"edit {n}"}))[0] == 200
    assert await refused(await rest("PATCH", path, {"content": "one too many"})) == (429, 30046)


async def test_a_fault_can_come_before_or_after_the_work(server: Server, rest, commands: None) -> None:
    interaction = await deferred(server, rest)
    await rest("PATCH", hook(server, interaction, ORIGINAL), {"content": "first"})
    fault = server.fail_next(Target("POST", "/webhooks/*"), status=500, after_taking=True)
    server.fail_next(Target("POST", "/webhooks/*"), status=503)
    statuses = [(await rest("POST", hook(server, interaction), {"content": str(n)}))[0] for n in range(3)]

    assert statuses == [500, 503, 200]
    assert [m.content for m in interaction.followups] == ["0", "2"]
    assert fault.hits == 1


async def test_a_fault_finds_its_request_by_what_it_carries(server: Server, rest, commands: None) -> None:
    interaction = await deferred(server, rest)
    fault = server.fail_next(RESULT_EDIT, status=502)
    original = hook(server, interaction, ORIGINAL)

    assert (await rest("PATCH", original, {"content": "soon"}))[0] == 200
    assert (await rest("PATCH", original, {}, files={"fox.png": b"fox"}))[0] == 502
    assert (await rest("PATCH", original, {}, files={"fox.png": b"fox"}))[0] == 200
    assert fault.hits == 1


async def test_a_dropped_connection_is_a_reset(server: Server, rest) -> None:
    server.fail_next(Target("POST", "/users/@me/channels"), drop=True)
    with pytest.raises(aiohttp.ClientOSError, match="reset"):
        await rest("POST", "/users/@me/channels", {})
    assert (await rest("GET", "/users/@me"))[0] == 200


async def test_the_limit_of_everything_says_that_it_is_global(server: Server, rest) -> None:
    server.limits.global_rate = Rate(1, 60.0)
    await rest("GET", "/users/@me")

    status, data, headers = await rest("GET", "/users/@me")

    assert (status, data["global"], headers["X-RateLimit-Scope"]) == (429, True, "global")


async def test_a_429_without_via_looks_like_a_ban(server: Server, rest) -> None:
    server.fail_next(Target("GET", "/users/@me"), status=429, via=False, retry_after_s=2)
    status, data, headers = await rest("GET", "/users/@me")
    assert (status, data["retry_after"]) == (429, 2)
    assert "Via" not in headers
    assert headers["Content-Type"] == "application/json"


async def test_a_delay_holds_the_answer_back(server: Server, rest) -> None:
    server.fail_next(Target("GET", "/users/@me"), status=0, delay_s=30)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(rest("GET", "/users/@me"), 0.1)
    assert (await rest("GET", "/gateway"))[0] == 200


async def test_a_message_that_could_ping_is_a_breach_though_discord_takes_it(server: Server, rest) -> None:
    path = f"/channels/{server.world.town.general.id}/messages"
    safe = {"content": "@everyone", "allowed_mentions": {"parse": []}}
    assert (await rest("POST", path, safe))[0] == 200
    server.assert_clean()

    status, data, _ = await rest("POST", path, {"content": "hello @everyone"})
    assert (status, data["mention_everyone"]) == (200, True)
    assert "could ping" in str(server.breaches[0])


async def test_unknown_paths_and_fields_are_noticed(server: Server, rest) -> None:
    assert (await rest("GET", "/nonsense"))[0] == 404
    path = f"/channels/{server.world.town.general.id}/messages"
    assert (await rest("POST", path, {"content": "x", "contents": "y"}))[0] == 200
    assert any("contents" in str(b) for b in server.breaches)
    assert any("no such operation" in str(b) for b in server.breaches)


async def test_the_whole_of_the_small_questions_is_answered_by_the_book(server: Server, rest) -> None:
    world, town = server.world, server.world.town
    person = await rest("POST", "/users/@me/channels", {"recipient_id": str(town.member.id)})
    paths = [
        "/users/@me",
        "/applications/@me",
        "/oauth2/applications/@me",
        "/gateway",
        "/gateway/bot",
        "/users/@me/guilds",
        f"/users/{town.member.id}",
        f"/guilds/{town.studio.id}",
        f"/guilds/{town.studio.id}?with_counts=true",
        f"/guilds/{town.studio.id}/channels",
        f"/guilds/{town.studio.id}/roles",
        f"/guilds/{town.studio.id}/members/{town.painter.id}",
        f"/applications/{world.application_id}/entitlements",
        f"/applications/{world.application_id}/commands",
        f"/channels/{person[1]['id']}",
        *(f"/channels/{c.id}" for c in world.channels_of(town.studio) if c is not town.hidden),
        f"/channels/{town.general.id}/messages?limit=10",
    ]
    for path in paths:
        status, data, _ = await rest("GET", path)
        assert status == 200, (path, data)
    assert {c.type for c in world.channels_of(town.studio)} >= {ChannelType.FORUM, ChannelType.THREAD}
    server.assert_clean()


async def test_a_channels_history_comes_in_pages(server: Server, rest) -> None:
    world, general = server.world, server.world.town.general
    said = [str(world.say(world.town.member, general, str(n)).id) for n in range(6)]

    async def page(query: str) -> list[int]:
        _, data, _ = await rest("GET", f"/channels/{general.id}/messages?{query}")
        return [said.index(one["id"]) for one in data]

    assert await page("limit=2") == [5, 4]
    assert await page(f"before={said[3]}&limit=2") == [2, 1]
    assert await page(f"after={said[1]}&limit=2") == [3, 2]
    assert await page(f"around={said[3]}&limit=3") == [4, 3, 2]
    assert await page(f"around={said[0]}&limit=1") == [0]
    assert await refused(await rest("GET", f"/channels/{general.id}/messages?limit=101")) == (400, 50035)
    assert await refused(await rest("GET", f"/channels/{general.id}/messages?around=x")) == (400, 50035)


async def test_the_bots_servers_come_in_pages(server: Server, rest) -> None:
    async def page(query: str) -> list[str]:
        _, data, _ = await rest("GET", f"/users/@me/guilds?{query}")
        return [one["name"] for one in data]

    every = await page("")
    assert every == ["App Studio", "Night Gallery"]
    first = server.world.town.studio.id
    assert await page("limit=1") == every[:1]
    assert await page(f"after={first}") == every[1:]
    assert await page(f"before={first}") == []
    assert await refused(await rest("GET", "/users/@me/guilds?limit=201")) == (400, 50035)


async def test_commands_keep_their_id_and_are_counted(server: Server, rest, commands: None) -> None:
    app = server.world.application_id
    _, listed, _ = await rest("GET", f"/applications/{app}/commands")
    _, again, _ = await rest("PUT", f"/applications/{app}/commands", [{"name": "imagine", "description": "Other"}])

    assert again[0]["id"] == next(c["id"] for c in listed if c["name"] == "imagine")
    assert [
        c["name"] for c in rights.commands_for(server.world, server.world.town.member, server.world.town.general)
    ] == ["imagine"]
    path = f"/applications/{app}/guilds/{server.world.town.studio.id}/commands"
    status, one, _ = await rest("POST", path, {"name": "local", "description": "Here only"})
    assert status == 201
    assert (await rest("PATCH", f"{path}/{one['id']}", {"description": "New"}))[1]["description"] == "New"
    assert (await rest("DELETE", f"{path}/{one['id']}"))[0] == 204
    assert await refused(await rest("GET", f"{path}/{one['id']}")) == (404, 10063)
    server.assert_clean()


async def test_a_bot_that_dies_in_the_middle_of_an_upload_is_no_breach(server: Server, rest) -> None:
    head = (
        f"POST /api/v10/channels/{server.world.town.general.id}/messages HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bot {server.world.token}\r\nContent-Length: 5000\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
        'Content-Disposition: form-data; name="files[0]"; filename="a.png"\r\n\r\nhalf of it'
    )
    _, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(head.encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()

    assert (await rest("GET", "/gateway"))[0] == 200
    await server.stop()
    assert server.world.history(server.world.town.general) == []
    server.assert_clean()
