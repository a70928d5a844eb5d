"""The commands and Discord: told where they differ, refused without harm, never twice on one server."""

from __future__ import annotations

import pytest

from bot.ui.client.registration import sorted_commands
from sandbox.discord import rights
from sandbox.discord.faults import REGISTRATION
from tests.support.running import town_in, until

REFUSALS = {
    "200 new commands a day": {"status": 400, "code": 30034},
    "an invalid form": {"status": 400, "code": 50035},
    "no access": {"status": 403, "code": 50001},
}


def registrations(town):
    return town.discord.wire.requests("PUT", "/commands")


def names_offered(town):
    return [one["name"] for one in rights.commands_for(town.world, town.member, town.general)]


@pytest.fixture
def soon(monkeypatch):
    """The next try follows at once."""
    monkeypatch.setattr("bot.ui.client.registration.REFUSED_S", 0.05)
    monkeypatch.setattr("bot.ui.client.registration.AGAIN_S", 0.05)


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
async def test_refused_commands_leave_those_that_are_registered_working_and_are_tried_again(town, soon, refusal):
    [vary] = [one for one in town.world.commands.scope(None).values() if one["name"] == "vary"]
    vary["description"] = "changed elsewhere"
    fault = town.discord.fail_next(REGISTRATION, times=3, **refusal)
    await town.restart()

    assert (await town.answer(await town.imagine())).attachments

    await until(lambda: fault.left == 0 and vary not in town.world.commands.scope(None).values(), 20, "a later try")
    told = [message.content for message in town.world.history(town.world.dm(town.world.town.owner))]
    assert len([one for one in told if "register my commands" in one]) == 1


async def test_a_discord_too_ill_to_take_commands_is_served_all_the_same(town, soon):
    town.world.commands.scope(None).popitem()
    town.discord.fail_next(REGISTRATION, drop=True, times=1)
    await town.restart()

    assert (await town.answer(await town.imagine())).attachments
    ours = len(sorted_commands(town.app.client.tree))
    await until(lambda: len(town.world.commands.scope(None)) == ours, 20, "a later try")


@pytest.mark.parametrize("change", ["description", "options", "description_localizations", "contexts", "nsfw"])
async def test_a_command_that_was_changed_elsewhere_is_registered_anew(town, change):
    [vary] = [one for one in town.world.commands.scope(None).values() if one["name"] == "vary"]
    vary[change] = {
        "description": "other",
        "options": [],
        "description_localizations": None,
        "contexts": [0],
        "nsfw": True,
    }[change]
    before = len(registrations(town))
    await town.restart()
    assert len(registrations(town)) == before + 1
    await town.restart()
    assert len(registrations(town)) == before + 1


async def test_commands_of_a_server_for_development_are_taken_back_when_they_are_registered_everywhere(tmp_path):
    async with town_in(tmp_path) as town:
        studio = town.world.town.studio.id
        once = sorted(names_offered(town))
        await town.restart(DISCORD_GUILD_ID=str(studio))
        assert sorted(names_offered(town)) == sorted(once * 2)
        del town.settings["DISCORD_GUILD_ID"]
        await town.restart()
        assert sorted(names_offered(town)) == once
        assert town.world.commands.scope(studio) == {}
        before = len(registrations(town))
        await town.restart()
        assert len(registrations(town)) == before
