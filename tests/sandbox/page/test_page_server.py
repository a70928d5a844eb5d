"""What the page's server gives to whom, and what it refuses."""

import asyncio
import re
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import sandbox.page
from sandbox.discord.model import Upload, User
from sandbox.page import PageServer
from sandbox.page.socket import Tab
from sandbox.running import BotUnderTest

STATIC = Path(sandbox.page.__file__).parent / "static"
SOURCES = sorted(path for path in STATIC.rglob("*") if path.is_file())


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_file_of_the_page_makes_markup_or_reaches_outside(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text)
    addresses = set(re.findall(r"https?://[\w.-]+", text)) - {"http://www.w3.org", "https://discord.com"}
    assert addresses == set()
    assert len(text.splitlines()) < 400


def test_every_import_of_the_page_exists() -> None:
    for path in STATIC.rglob("*.js"):
        for name in re.findall(r'from "\./([\w.]+)"', path.read_text()):
            assert (path.parent / name).is_file(), f"{path.name} imports {name}"
    page = (STATIC / "index.html").read_text()
    for link in re.findall(r'(?:src|href)="/static/([^"]+)"', page):
        assert (STATIC / link).is_file()


async def test_the_page_and_its_parts_come_with_a_strict_policy(sandbox: Any, session: aiohttp.ClientSession) -> None:
    for path in ("", "static/js/app.js", "static/css/base.css", "static/icon.svg"):
        async with session.get(sandbox.page.url + path) as answer:
            assert answer.status == 200
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert "unsafe" not in answer.headers["Content-Security-Policy"]
    for path in ("static/../server.py", "static//etc/passwd.js", "static/js/nothing.js", "static/%2e%2e/server.js"):
        async with session.get(sandbox.page.url + path) as answer:
            assert answer.status == 404


STRANGERS: tuple[tuple[str, dict[str, str]], ...] = (
    ("rebinding", {"Host": "evil.example"}),
    ("another port's name", {"Host": "127.0.0.1:1"}),
    ("another site", {"Origin": "https://evil.example"}),
    ("no site at all", {"Origin": "null"}),
    ("a foreign frame", {"Sec-Fetch-Site": "cross-site"}),
    ("another local server", {"Sec-Fetch-Site": "same-site"}),
)


@pytest.mark.parametrize(("name", "headers"), STRANGERS, ids=[name for name, _ in STRANGERS])
async def test_strangers_are_refused(
    name: str, headers: dict[str, str], sandbox: Any, session: aiohttp.ClientSession
) -> None:
    body = {"channel": str(sandbox.world.town.general.id), "content": "hello"}
    url = f"{sandbox.page.url}api/say?viewer={sandbox.world.town.member.id}"
    async with session.post(url, json=body, headers=headers) as answer:
        assert answer.status == 403
    async with session.get(f"{sandbox.page.url}api/people", headers=headers) as answer:
        assert answer.status == 403
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await session.ws_connect(f"{sandbox.page.url}live?viewer={sandbox.world.town.member.id}", headers=headers)
    assert sandbox.world.history(sandbox.world.town.general) == []


async def test_everybody_sees_their_own_channels_and_nobody_elses(person: Any, sandbox: Any) -> None:
    town = sandbox.world.town

    async def rooms(user: Any) -> set[str]:
        _, state = await person(user).ask("state")
        return {one["name"] for guild in state["guilds"] for one in guild["channels"]}

    assert "staff" not in await rooms(town.member)
    assert "staff" in await rooms(town.admin)
    assert "wall" not in await rooms(town.painter)
    status, answer = await person(town.painter).ask("history", channel=str(town.wall.id))
    assert (status, answer["problem"]) == (400, "there is no such channel for you")
    _, state = await person(town.member).ask("state")
    assert [one["name"] for one in state["dms"]] == ["App"]
    assert (await person(sandbox.world.bot).ask("state"))[0] == 400


async def test_a_command_is_seen_live_by_those_who_may_see_it(person: Any, sandbox: Any) -> None:
    town = sandbox.world.town
    mia, ada = person(town.member), person(town.admin)
    await mia.listen()
    await ada.listen()
    channel = str(town.general.id)
    await mia.act("slash", {"channel": channel, "name": "paint", "options": {"prompt": "a secret", "private": True}})
    done = await mia.hear("message", lambda one: one["message"]["embeds"])
    assert done["message"]["private"]
    assert done["message"]["used"]["command"] == "paint"
    await mia.act("slash", {"channel": channel, "name": "paint", "options": {"prompt": "a boat", "count": 2}})
    seen = await ada.hear("message", lambda one: one["message"]["embeds"])
    assert seen["message"]["embeds"][0]["title"] == "a boat"
    assert all(file["url"].startswith("/files/") for file in seen["message"]["attachments"])


async def test_what_the_client_would_not_allow_is_refused_in_words(person: Any, sandbox: Any) -> None:
    mia = person()
    channel = str(sandbox.world.town.general.id)

    async def refused(name: str, options: dict[str, Any]) -> str:
        status, answer = await mia.act("slash", {"channel": channel, "name": name, "options": options})
        assert status == 400
        return str(answer["problem"])

    assert "`prompt` is required" in await refused("paint", {})
    assert "at most 4" in await refused("paint", {"prompt": "x", "count": 5})
    assert "there is no command /nothing" in await refused("nothing", {})
    assert "there is no such person" in await refused("level set", {"to": "Low", "who": "1"})
    assert "did not arrive" in await refused("paint", {"prompt": "x", "image": "image"})
    assert (await mia.act("slash", {"channel": channel}))[0] == 400
    assert sandbox.world.interactions == {}


async def test_completions_come_from_the_bot(person: Any, sandbox: Any) -> None:
    ask = {
        "channel": str(sandbox.world.town.general.id),
        "name": "paint",
        "focused": "size",
        "typed": "51",
        "options": {},
    }
    assert await person().act("complete", ask) == (200, {"choices": [{"name": "512x512", "value": "512x512"}]})


async def test_a_form_opens_in_the_tab_that_asked_and_is_sent_with_its_file(
    person: Any, sandbox: Any, png: Any
) -> None:
    one, two = person(tab="one"), person(tab="two")
    await one.listen()
    await two.listen()
    channel = str(sandbox.world.town.general.id)
    await one.act("slash", {"channel": channel, "name": "change", "options": {}})
    form = (await one.hear("form"))["form"]
    assert form["title"] == "Change it"
    fields = [part["component"]["custom_id"] for part in form["components"]]
    values = {fields[0]: "in blue", fields[1]: ["mask"], fields[2]: ["Ink"]}
    stranger = await person(sandbox.world.town.admin).act(
        "form", {"form": form["id"], "values": values}, {"mask": png()}
    )
    assert stranger[1]["problem"] == "the form is no longer open"
    assert (await one.act("form", {"form": form["id"], "values": values}, {"mask": png()}))[0] == 200
    said = await two.hear("message", lambda heard: "in blue" in heard["message"]["content"])
    assert said["message"]["content"] == f"in blue in Ink with [{len(png())}]"
    again = await one.act("form", {"form": form["id"], "values": values}, {"mask": png()})
    assert again[1]["problem"] == "the form is no longer open"


async def test_buttons_menus_and_message_menus_reach_the_bot(person: Any, sandbox: Any) -> None:
    town = sandbox.world.town
    mia = person()
    await mia.listen()
    channel = str(town.general.id)
    await mia.act("slash", {"channel": channel, "name": "paint", "options": {"prompt": "hills"}})
    shown = (await mia.hear("message", lambda one: one["message"]["embeds"]))["message"]
    button = shown["components"][0]["components"][0]["custom_id"]
    await mia.act("click", {"channel": channel, "message": shown["id"], "custom_id": button})
    assert (await mia.hear("message", lambda one: one["message"]["content"]))["message"]["content"] == "again: hills"
    await mia.act("menu", {"channel": channel, "message": shown["id"], "name": "Look"})
    assert (await mia.hear("message", lambda one: one["message"]["content"]))["message"]["content"] == "1 pictures"
    await mia.act(
        "slash", {"channel": channel, "name": "level set", "options": {"to": "High", "who": str(town.admin.id)}}
    )
    menu = (await mia.hear("message", lambda one: one["message"]["components"]))["message"]
    await mia.act("select", {"channel": channel, "message": menu["id"], "custom_id": "colours", "values": ["Blue"]})
    assert (await mia.hear("message", lambda one: "chose" in one["message"]["content"]))["message"][
        "content"
    ] == "chose Blue"


async def test_files_are_shown_only_when_they_are_pictures(person: Any, sandbox: Any, session: Any, png: Any) -> None:
    town = sandbox.world.town
    files = [Upload("a.png", png()), Upload("b.svg", b"<svg/>", "image/svg+xml"), Upload("c.html", b"<b>", "text/html")]
    sandbox.world.say(town.member, town.general, "files", files)
    _, answer = await person().ask("history", channel=str(town.general.id))
    kinds = []
    for file in answer["messages"][0]["attachments"]:
        async with session.get(sandbox.page.url.rstrip("/") + file["url"]) as got:
            kinds.append((got.headers["Content-Type"], got.headers["Content-Disposition"].partition(";")[0]))
    assert kinds == [("image/png", "inline"), *[("application/octet-stream", "attachment")] * 2]


async def test_two_hundred_megabytes_are_refused_politely(sandbox: Any, session: aiohttp.ClientSession) -> None:
    async def flood():  # type: ignore[no-untyped-def]
        head = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
        yield head
        for _ in range(200):
            yield b"\0" * (1 << 20)

    headers = {"Content-Type": "multipart/form-data; boundary=b", "X-Viewer": str(sandbox.world.town.member.id)}
    async with session.post(f"{sandbox.page.url}api/say", data=flood(), headers=headers) as answer:
        assert answer.status == 413
        assert "too large to upload" in (await answer.json())["problem"]


async def test_people_write_and_delete_by_their_rights(person: Any, sandbox: Any, png: Any) -> None:
    town = sandbox.world.town
    mia, pablo, mona = person(town.member), person(town.painter), person(town.moderator)
    channel = str(town.general.id)
    _, said = await mia.act("say", {"channel": channel, "content": "look"}, {"file0": png()})
    where = {"channel": channel, "message": said["message"]}
    assert "moderator" in (await pablo.act("delete", where))[1]["problem"]
    assert (await mona.act("delete", where))[0] == 200
    assert sandbox.world.history(town.general) == []
    assert (await mia.act("say", {"channel": channel, "content": " "}))[1]["problem"] == "there is nothing to send"
    assert "2000" in (await mia.act("say", {"channel": channel, "content": "x" * 2001}))[1]["problem"]


async def test_a_fault_is_switched_on_once_or_until_it_is_switched_off(person: Any, sandbox: Any) -> None:
    mia = person()

    async def setting(name: str) -> str:
        _, listed = await mia.ask("faults")
        return str(next(one["setting"] for one in listed["faults"] if one["id"] == name))

    await mia.act("fault", {"id": "rate_limited", "setting": "once"})
    await mia.act("fault", {"id": "edit_500", "setting": "always"})
    assert (await setting("rate_limited"), await setting("edit_500")) == ("once", "always")
    assert sandbox.images.rules[0].fault.name == "rate_limited"
    assert sandbox.server.faults.take("PATCH", "/webhooks/1/t/messages/@original", has_files=True).status == 500
    assert await setting("edit_500") == "always"
    sandbox.images.rules.clear()
    assert await setting("rate_limited") == "off"
    await mia.act("fault", {"id": "all", "setting": "off"})
    assert sandbox.server.faults.active == []
    assert (await mia.act("fault", {"id": "nonsense", "setting": "once"}))[0] == 400


async def test_the_drawer_shows_one_interaction_without_its_token(person: Any, sandbox: Any) -> None:
    mia = person()
    await mia.listen()
    channel = str(sandbox.world.town.general.id)
    _, begun = await mia.act("slash", {"channel": channel, "name": "paint", "options": {"prompt": "hills"}})
    await mia.hear("message", lambda one: one["message"]["embeds"])
    _, everything = await mia.ask("wire")
    _, own = await mia.ask("wire", interaction=begun["interaction"])
    titles = [one["title"] for one in own["entries"]]
    assert titles[0] == "INTERACTION_CREATE"
    assert any("callback" in title for title in titles)
    assert any("@original" in title for title in titles)
    assert len(everything["entries"]) > len(own["entries"])
    token = sandbox.world.interactions[int(begun["interaction"])].token
    assert token not in str(everything)
    assert sandbox.world.token not in str(everything)
    assert await mia.ask("ledger") == (200, {"rows": None})


async def test_the_ledger_is_asked_for_the_interaction(
    sandbox: Any, session: aiohttp.ClientSession, person: Any
) -> None:
    asked: list[int | None] = []

    async def ledger(interaction_id: int | None) -> list[dict[str, object]]:
        asked.append(interaction_id)
        return [{"id": 1, "state": "settled", "cost": "$0.01"}]

    async with PageServer(sandbox.world, ledger=ledger) as page:
        async with session.get(f"{page.url}api/ledger", params={"viewer": str(sandbox.world.town.member.id)}) as answer:
            assert (await answer.json())["rows"][0]["state"] == "settled"
    assert asked == [None]


async def test_a_taken_port_is_an_error_at_once(sandbox: Any) -> None:
    with pytest.raises(OSError, match="in use"):
        await PageServer(sandbox.world, port=sandbox.page.port).start()


async def test_the_bot_is_killed_and_started_from_the_page(
    sandbox: Any, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    bot = BotUnderTest([sys.executable, "-c", "import time; time.sleep(600)"], {}, tmp_path)
    async with PageServer(sandbox.world, bot=bot) as page:
        headers = {"X-Viewer": str(sandbox.world.town.member.id)}

        async def press(what: str) -> Any:
            async with session.post(f"{page.url}api/bot", json={"do": what}, headers=headers) as answer:
                return await answer.json()

        assert await press("start") == {"control": {"running": True}}
        first = bot.pid
        assert await press("kill") == {"control": {"running": False, "exit_code": -9, "last_lines": ""}}
        assert await press("start") == {"control": {"running": True}}
        assert await press("restart") == {"control": {"running": True}}
        assert bot.pid not in (None, first)
        assert "problem" in await press("dance")
    assert bot.listeners == []
    await bot.stop()


async def test_everybody_is_told_when_the_bot_ends_by_itself(sandbox: Any, tmp_path: Path, session: Any) -> None:
    bot = BotUnderTest([sys.executable, "-c", "print('no token'); raise SystemExit(78)"], {}, tmp_path)
    async with PageServer(sandbox.world, bot=bot) as page:
        url = f"{page.url}live?viewer={sandbox.world.town.member.id}&tab=1"
        async with session.ws_connect(url) as socket, asyncio.timeout(10):
            await socket.receive_json()
            await bot.start()
            ended = {"running": False, "exit_code": 78, "last_lines": "no token"}
            while (await socket.receive_json()).get("bot") != ended:
                pass  # that it started, and perhaps that it ended before its last word was read


def test_a_tab_that_does_not_read_is_told_to_load_anew() -> None:
    tab = Tab(User(1, "slow", "Slow"), "x")
    for number in range(2001):
        tab.tell({"type": "message", "number": number})
    assert tab.outbox.qsize() == 1
    assert tab.outbox.get_nowait() == {"type": "reload"}
