"""The private parts of discord.py that ``bot/ui/internals.py`` touches are there, and do what is thought of them."""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest
from discord.gateway import DiscordWebSocket

from bot.ui.client.client import Client
from bot.ui.client.guilds import SHARED_EVENTS, keep_packed
from bot.ui.components.forms import ImagineForm
from bot.ui.components.result_view import DYNAMIC_ITEMS
from bot.ui.internals import (
    commands_of,
    complete,
    drop_guild,
    is_bot_installed_here,
    knows_component,
    knows_form,
    parsers_of,
    role_ids_of,
    submit,
    take_turns,
    webhook_of,
)
from bot.ui.servers import Servers
from tests.ui.conftest import APP, GUILD

ROOT = Path(__file__).parents[2]


def test_no_other_file_touches_what_is_private_to_discord_py() -> None:
    """Ours are underscored too, so only names that are discord.py's own are looked for."""
    text = (ROOT / "bot/ui/internals.py").read_text(encoding="utf-8")
    private = {node.attr for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute)}
    names = {name for name in private if re.fullmatch(r"_[a-z]\w*", name)} - {"_call"}
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in [*(ROOT / "bot/ui").rglob("*.py"), *(ROOT / "cogs").glob("*.py")]
        if path.name != "internals.py"
        for name in sorted(names)
        if re.search(rf"(?<!self)\.{name}\b", path.read_text(encoding="utf-8"))
    ]
    assert names
    assert found == []


def test_who_installed_the_bot_is_told_by_the_interaction(interact: Callable[..., Any]) -> None:
    assert is_bot_installed_here(interact())
    assert not is_bot_installed_here(interact(authorizing_integration_owners={"1": "33"}))
    assert role_ids_of(interact().user) == {501, 502}


def test_a_webhook_speaks_for_the_interaction(client: Client) -> None:
    assert webhook_of(client, APP, "token").url.endswith(f"/webhooks/{APP}/token")


def test_events_have_parsers_and_commands_a_tree(client: Client) -> None:
    assert {"READY", "INTERACTION_CREATE", "GUILD_CREATE"} <= parsers_of(client).keys()
    assert commands_of(client.tree) == []


async def test_a_dropped_server_is_gone(client: Client) -> None:
    parse: Callable[[dict[str, Any]], None] = parsers_of(client)["GUILD_CREATE"]
    parse({"id": str(GUILD), "name": "Here", "channels": [], "roles": [], "members": [], "emojis": [], "features": []})
    guild = client.get_guild(GUILD)
    assert guild is not None
    drop_guild(client, guild)
    assert client.get_guild(GUILD) is None


async def test_a_waiting_button_and_an_open_form_are_known(client: Client, interact: Callable[..., Any]) -> None:
    client.add_dynamic_items(*DYNAMIC_ITEMS)
    assert knows_component(interact(type=3, data={"custom_id": "e1:again:JOB", "component_type": 2}))
    assert not knows_component(interact(type=3, data={"custom_id": "e0:gone:1", "component_type": 2}))
    assert not knows_form(interact(type=5, data={"custom_id": "e1:imagine:1", "components": []}))


async def test_a_form_made_after_the_fact_takes_what_was_sent(
    interact: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    typed: list[str] = []

    async def submitted(form: ImagineForm, interaction: discord.Interaction[Any]) -> None:
        typed.append(form.prompt)

    monkeypatch.setattr(ImagineForm, "submitted", submitted)
    label = {"type": 18, "id": 1, "component": {"type": 4, "id": 2, "custom_id": "prompt", "value": "a fox"}}
    data = {"custom_id": "e1:imagine:1", "components": [label]}
    await submit(ImagineForm(1, "en-US"), interact(type=5, data=data))
    assert typed == ["a fox"]


def test_a_thread_that_was_chosen_is_complete() -> None:
    thread: dict[str, Any] = {"thread_metadata": {}, "member_count": 3}
    room: dict[str, Any] = {}
    complete({"data": {"resolved": {"channels": {"1": thread, "2": room}}}})
    assert (thread["owner_id"], thread["member_count"], thread["message_count"], room) == (0, 3, 0, {})


class Crowded:
    """A connection on which another event has always arrived already."""

    async def receive(self, timeout: float | None = None) -> aiohttp.WSMessage:
        return aiohttp.WSMessage(aiohttp.WSMsgType.TEXT, "{}", None)


class Counting(DiscordWebSocket):
    """Reads so many events as those of servers, and the rest as nothing."""

    _max_heartbeat_timeout = 60.0
    read = 0
    of_servers = 0

    async def received_message(self, msg: Any, /) -> None:
        self.read += 1
        if self.read <= self.of_servers:
            parsers: dict[str, Callable[[Any], None]] = dict.fromkeys(SHARED_EVENTS, lambda _: None)
            keep_packed(parsers, Servers())
            parsers["GUILD_CREATE"]({"id": str(self.read), "roles": [], "channels": [], "threads": []})


@pytest.mark.parametrize("of_servers", [1000, 1, 0])
async def test_an_answer_does_not_wait_for_all_servers_that_lie_there_and_commands_are_known_at_once(
    of_servers: int,
) -> None:
    """Whoever answers a command needs some turns of the loop, for the ledger and for Discord."""
    take_turns()
    socket: Any = Crowded()
    gateway = Counting(socket, loop=asyncio.get_running_loop())
    gateway.of_servers = of_servers

    async def answer() -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    answering = asyncio.create_task(answer())
    while not answering.done() and gateway.read < 1000:
        await gateway.poll_event()
    assert answering.done() is (gateway.read < 50) is (of_servers == 1000)
    await answering
