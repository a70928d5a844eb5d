"""Servers that remove the bot, over the gateway: noticed when it happens, and when it happened unseen."""

from __future__ import annotations

from datetime import datetime

import pytest

from bot.rules.people import Place
from bot.ui.client.guilds import is_member
from tests.support.running import until

HERE = None  # not removed


async def noted(town) -> dict[int, datetime | None]:
    return await town.app.store.notes.servers()


async def until_noted(town, what) -> None:
    async def is_so() -> bool:
        return what(await noted(town))

    await until(is_so)


def servers_of(town) -> set[int]:
    return {guild.id for guild in town.world.guilds.values() if guild.has_bot}


async def test_a_start_notes_where_the_bot_is(town):
    await town.app.departures.check()
    assert await noted(town) == dict.fromkeys(servers_of(town), HERE)


@pytest.mark.smoke
async def test_a_removal_is_noted_at_once_and_taken_back_when_the_bot_returns(town):
    studio = town.world.town.studio
    await town.app.departures.check()
    town.world.remove_bot(studio)
    await until_noted(town, lambda servers: servers[studio.id] is not HERE)
    assert is_member(town.app.client, studio.id) is False

    town.world.add_bot(studio)

    await until_noted(town, lambda servers: servers[studio.id] is HERE)
    assert is_member(town.app.client, studio.id) is True


async def test_an_outage_is_no_removal(town):
    studio = town.world.town.studio
    await town.app.departures.check()
    town.world.dispatch("GUILD_DELETE", {"id": str(studio.id), "unavailable": True}, studio.id)
    await until(lambda: town.app.client.get_guild(studio.id).unavailable)
    await town.app.departures.check()
    assert (await noted(town))[studio.id] is HERE


async def test_a_removal_between_two_starts_is_noticed(town):
    studio = town.world.town.studio
    await town.app.departures.check()
    await town.stop()
    town.world.remove_bot(studio)
    await town.start()
    await town.app.client.wait_until_ready()
    await town.app.departures.check()
    assert (await noted(town))[studio.id] is not HERE
    assert await town.app.store.servers.settings(Place(studio.id, 0)) is not None


@pytest.mark.slow
async def test_a_removal_between_two_sessions_of_one_process_is_noticed(town):
    studio = town.world.town.studio
    await town.app.departures.check()
    gateway = town.discord.gateway
    studio.has_bot = False  # the event that would say so is lost with the session
    gateway.invalidate()
    await gateway.changed.until(lambda: gateway.identifies == 2, 30, "the new session")
    await until_noted(town, lambda servers: servers[studio.id] is not HERE)
    assert is_member(town.app.client, studio.id) is False
