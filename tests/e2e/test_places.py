"""Every kind of channel and thread, threads that are closed, and servers that Discord loses sight of."""

from __future__ import annotations

from dataclasses import replace

from bot.rules.ledger import JobState
from bot.rules.people import Place
from sandbox.discord.clock import HandClock
from sandbox.discord.model import ChannelType
from sandbox.discord.world import World
from tests.support.people import becomes
from tests.support.running import private_word, said, town_in, until


async def set_rules(town, **rules: object) -> None:
    place = Place(town.world.town.studio.id, town.admin.id)
    changed = replace(await town.app.store.servers.settings(place), **rules)
    await town.app.store.servers.change_settings(place, becomes(changed), town.admin.id, town.world.clock.now())


async def test_pictures_are_shown_wherever_people_can_write(town):
    people = town.world.town
    showroom = town.world.add_channel(people.studio, "showroom", ChannelType.MEDIA)
    exhibit = town.world.add_channel(people.studio, "a fox", ChannelType.THREAD, parent_id=showroom.id)
    more = town.world.add_channel(
        people.studio, "more", ChannelType.ANNOUNCEMENT_THREAD, parent_id=people.announcements.id
    )
    places = (people.voice, people.stage, people.post, people.backstage, people.announcements, exhibit, more)

    for place in places:
        answer = await town.answer(await town.imagine(channel=place, quality="low", preview=False))
        assert answer.attachments, place.name
        assert answer.channel_id == place.id


async def test_what_is_denied_above_holds_below(town):
    people = town.world.town
    showroom = town.world.add_channel(people.studio, "showroom", ChannelType.MEDIA)
    exhibit = town.world.add_channel(people.studio, "a fox", ChannelType.THREAD, parent_id=showroom.id)
    for above, below in ((people.rooms, people.voice), (people.forum, people.post), (showroom, exhibit)):
        done = await town.world.slash(town.admin, town.general, "/settings channels", {"deny": above})
        assert f"<#{above.id}>" in said(await town.settled(done))

        assert "channel" in private_word(await town.imagined(channel=below))

    assert town.images.calls == []


async def test_a_deleted_category_that_alone_was_allowed_keeps_the_list_closed(town):
    people = town.world.town
    await set_rules(town, allowed_channels=frozenset({people.rooms.id}))
    assert (await town.answer(await town.imagine(channel=people.voice, quality="low", preview=False))).attachments

    town.world.delete_channel(people.rooms)

    assert "channel" in private_word(await town.imagined(channel=people.voice))


async def test_a_picture_of_a_post_whose_forum_is_deleted_while_it_draws_waits_to_be_fetched(town):
    town.images.latency_s = 0.4
    await town.imagine(channel=town.world.town.post, quality="low", preview=False)
    await until(lambda: town.images.calls)

    town.world.delete_channel(town.world.town.forum)

    await town.quiet()
    (job,) = await town.jobs()
    assert (job.state, job.waiting) == (JobState.PRODUCED, True)
    (told,) = town.world.history(town.world.dm(town.member))
    assert "already paid for" in told.content


async def test_a_thread_that_is_closed_while_it_draws_leaves_the_picture_within_reach(town):
    town.images.latency_s = 0.4
    interaction = await town.imagine(channel=town.world.town.thread, quality="low", preview=False)
    await until(lambda: town.images.calls)

    town.world.close_thread(town.world.town.thread, locked=True)

    await town.settled(interaction)
    (job,) = await town.jobs()
    assert (job.state, job.waiting) == (JobState.PRODUCED, True)
    assert interaction.answer.deleted
    (told,) = town.world.history(town.world.dm(town.member))
    assert "already paid for" in told.content
    claim = await town.world.click(told, told.components[0]["components"][0]["custom_id"], town.member)
    await claim.wait_until(lambda one: any(m.attachments for m in one.messages), 20, "the picture")


async def test_a_late_result_of_a_private_thread_without_the_bot_waits_to_be_fetched(tmp_path):
    async with town_in(tmp_path, world=World(clock=HandClock())) as town:
        backstage = town.world.town.backstage
        backstage.has_bot = False
        town.images.latency_s = 0.4
        await town.imagine(channel=backstage, quality="low", preview=False)
        await until(lambda: town.images.calls)
        town.world.clock.advance(16 * 60)

        await town.quiet()

        (job,) = await town.jobs()
        assert job.waiting
        assert town.public_results() == []
        await town.check()


async def test_people_are_served_while_their_server_is_in_an_outage_and_after(town):
    studio, painters = town.world.town.studio, town.world.town.painters
    town.world.outage(studio)
    await until(lambda: town.app.client.get_guild(studio.id).unavailable)

    assert (await town.answer(await town.imagine(quality="low", preview=False))).attachments
    assert (await town.answer(await town.imagine(channel=town.world.town.post, quality="low"))).attachments
    denied = await town.world.slash(town.admin, town.general, "/settings roles", {"deny": painters})
    assert f"<@&{painters.id}>" in said(await town.settled(denied))
    assert "role" in private_word(await town.imagined(user=town.painter))

    town.world.recover(studio)
    await until(lambda: not town.app.client.get_guild(studio.id).unavailable)
    assert (await town.answer(await town.imagine(quality="low", preview=False))).attachments
    assert "role" in private_word(await town.imagined(user=town.painter))


async def test_a_server_that_is_told_late_at_the_start_is_served_and_not_taken_for_gone(town):
    studio = town.world.town.studio
    await town.stop()
    town.world.outage(studio)
    await town.start()

    assert (await town.answer(await town.imagine(quality="low", preview=False))).attachments
    await town.app.departures.check()
    assert (await town.app.store.notes.servers()).get(studio.id) is None

    town.world.recover(studio)
    await until(lambda: not town.app.client.get_guild(studio.id).unavailable)
    assert (await town.answer(await town.imagine(quality="low", preview=False))).attachments
