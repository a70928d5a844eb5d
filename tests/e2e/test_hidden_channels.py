"""Channels that the bot may not view: Discord hides what they are, and the server's rules hold in them all the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.rules.people import Place
from sandbox.discord.model import ChannelType
from tests.support.people import becomes
from tests.support.running import private_word


@pytest.fixture
def hidden(town):
    return town.world.town.hidden


async def set_rules(town, **rules: object) -> None:
    place = Place(town.world.town.studio.id, town.admin.id)
    changed = replace(await town.app.store.servers.settings(place), **rules)
    await town.app.store.servers.change_settings(place, becomes(changed), town.admin.id, town.world.clock.now())


def as_known(town, channel):
    """What the gateway told of it."""
    return town.app.client.shell.servers.of(channel.guild_id).rooms[channel.id]


async def test_a_hidden_channel_that_is_age_restricted_counts_as_such(town, hidden):
    hidden.nsfw = True
    town.world.channel_changed(hidden)
    await set_rules(town, age_restricted_only=True)

    answer = await town.answer(await town.imagine(user=town.admin, channel=hidden))

    assert not as_known(town, hidden).age_restricted
    assert answer.attachments


async def test_a_hidden_channel_that_is_not_age_restricted_does_not(town, hidden):
    await set_rules(town, age_restricted_only=True)

    refused = await town.settled(await town.imagine(user=town.admin, channel=hidden))

    assert "age" in private_word(refused)


async def test_a_denied_category_holds_in_its_hidden_channels(town, hidden):
    category = town.world.add_channel(town.world.town.studio, "Staff", ChannelType.CATEGORY)
    hidden.parent_id = category.id
    town.world.channel_changed(hidden)
    await set_rules(town, denied_channels=frozenset({category.id}))

    await town.settled(await town.imagine(user=town.admin, channel=hidden))

    assert as_known(town, hidden).parent_id is None
    assert town.images.calls == []


async def test_in_a_thread_of_a_hidden_channel_nobody_passes_by_what_may_be_a_denied_category(town, hidden):
    studio = town.world.town.studio
    category = town.world.add_channel(studio, "Staff", ChannelType.CATEGORY)
    hidden.parent_id = category.id
    town.world.channel_changed(hidden)
    thread = town.world.add_channel(studio, "plans", ChannelType.THREAD, parent_id=hidden.id)
    await set_rules(town, denied_channels=frozenset({category.id}))

    await town.settled(await town.imagine(user=town.admin, channel=thread))
    assert town.images.calls == []

    await set_rules(town, denied_channels=frozenset())
    assert (await town.answer(await town.imagine(user=town.admin, channel=thread))).attachments
