"""The welcome over the wire: once for a join, never for an outage or a start, and its buttons by who presses them."""

from __future__ import annotations

import pytest

from bot.rules.people import Place
from tests.support.running import until


@pytest.fixture
def studio(town):
    return town.world.town.studio


async def rejoin(town, guild) -> None:
    """The bot is asked to leave, and let in again."""
    await town.app.departures.check()
    town.world.remove_bot(guild)
    await until(lambda: town.app.client.get_guild(guild.id) is None)
    town.world.add_bot(guild)
    await until(lambda: town.app.client.get_guild(guild.id) is not None)
    await town.quiet()


def welcomes(town, channel) -> list:
    mine = [one for one in town.world.history(channel) if one.author == town.world.bot]
    return [one for one in mine if one.embeds and one.embeds[0]["title"] == "Hello, I am Easel"]


async def until_welcomed(town, channel):
    await town.world.changed.until(lambda: welcomes(town, channel), 10, "a welcome")
    (message,) = welcomes(town, channel)
    return message


@pytest.mark.smoke
async def test_a_server_is_welcomed_once_in_its_system_channel(town, studio):
    studio.system_channel_id = town.general.id
    assert welcomes(town, town.general) == []
    await rejoin(town, studio)
    message = await until_welcomed(town, town.general)
    assert "$10.00" in message.embeds[0]["fields"][0]["value"]

    town.world.outage(studio)
    await until(lambda: town.app.client.get_guild(studio.id).unavailable)
    town.world.recover(studio)
    await until(lambda: not town.app.client.get_guild(studio.id).unavailable)
    await town.stop()
    await town.start()
    await town.app.client.wait_until_ready()
    await town.quiet()
    assert len(welcomes(town, town.general)) == 1


async def test_its_buttons_work_after_a_restart_for_those_who_may(town, studio):
    studio.system_channel_id = town.general.id
    await rejoin(town, studio)
    message = await until_welcomed(town, town.general)
    await town.stop()
    await town.start()

    form = await (await town.world.click(message, "Make the first picture", town.member)).wait_modal()
    refused = await (await town.world.click(message, "Open settings", town.member)).wait_answer()
    shown = await (await town.world.click(message, "Open settings", town.admin)).wait_answer()

    assert form.title
    assert refused.ephemeral
    assert "Manage Server" in refused.content
    assert shown.ephemeral
    assert "Who and where" in str(shown.components)

    logs = town.world.town.pictures
    denied = await (await town.world.select(message, "e1:picklog", [logs], town.member)).wait_answer()
    assert "Manage Server" in denied.content
    done = await (await town.world.select(message, "e1:picklog", [logs], town.admin)).wait_answer()
    assert done.ephemeral
    assert f"<#{logs.id}>" in done.content
    assert (await town.app.store.servers.settings(Place(studio.id, 0))).log_channel_id == logs.id


async def test_the_owner_is_told_where_there_is_no_such_channel(town, studio):
    await rejoin(town, studio)
    owner = town.world.users[studio.owner_id]
    await town.world.changed.until(lambda: town.world.history(town.world.dm(owner)), 10, "a letter")
    letters = town.world.history(town.world.dm(owner))
    assert letters[0].embeds[0]["title"] == "Hello, I am Easel"
    assert studio.name in letters[0].embeds[0]["footer"]["text"]
