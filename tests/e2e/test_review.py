"""Review before posting, over the wire: nobody sees anything before a moderator says so, whatever happens meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, update

from bot.adapters.database.schema.tables import reviews
from bot.rules.people import Place
from sandbox.discord.ids import ATTACH_FILES, EMBED_LINKS, SEND_MESSAGES
from sandbox.discord.model import Upload
from tests.e2e.test_panel import opened, turned
from tests.e2e.test_settings import told
from tests.support.ledger import counts_by_state
from tests.support.running import until


@pytest.fixture
def room(town):
    """Where moderators look. That members see it too shows that seeing gives no right."""
    return town.world.town.adults


async def turn_on(town, room) -> None:
    assert f"→ <#{room.id}>" in (await told(town, "review", channel=room)).content


async def states(town) -> dict[str, int]:
    return {str(state): count for state, count in (await counts_by_state(town.app.store)).items() if count}


def with_pictures(town, channel) -> list:
    mine = [one for one in town.world.history(channel) if one.author == town.world.bot and not one.ephemeral]
    return [one for one in mine if any(not file.filename.endswith(".txt") for file in one.attachments)]


async def asked(town, room, **options):
    """A picture that waits before the moderators; the interaction and their message."""
    interaction = await town.imagine(quality="low", **options)
    await town.world.changed.until(lambda: with_pictures(town, room), 20, "a message for the moderators")
    await town.quiet()
    return interaction, with_pictures(town, room)[-1]


def private_words(interaction) -> str:
    return " ".join(one.content for one in interaction.messages if one.ephemeral)


async def press(town, message, label, user):
    interaction = await town.world.click(message, label, user)
    await interaction.wait_acknowledged()
    await town.quiet()
    return interaction


async def refuse(town, message, user, reason=""):
    form = await (await town.world.click(message, "Refuse", user)).wait_modal()
    done = await town.world.submit_form(form, {"reason": reason}, user=user)
    await done.wait_acknowledged()
    await town.quiet()
    return done


async def undecided(town) -> int:
    async with town.app.store.database.reading() as connection:
        return await connection.scalar(select(func.count()).select_from(reviews))


async def gallery_of(town, user=None):
    place = Place(town.world.town.studio.id, 0)
    member = None if user is None else user.id
    look = await town.app.store.jobs.gallery(place, member_id=member, search=None, before=None, limit=10)
    return look.jobs


@pytest.mark.smoke
async def test_a_picture_is_shown_when_a_moderator_posts_it_and_not_before(town, room):
    await turn_on(town, room)
    interaction, review = await asked(town, room)

    assert with_pictures(town, town.general) == []
    assert "moderators look at it first" in private_words(interaction)
    assert all(not one.attachments for one in interaction.messages)
    assert [button["label"] for row in review.components for button in row["components"]] == ["Post", "Refuse"]
    assert await states(town) == {"produced": 1}
    assert await gallery_of(town) == ()
    assert await gallery_of(town, town.member) == ()
    assert await town.app.store.jobs.waiting(Place(town.world.town.studio.id, 0), town.member.id) == []

    await press(town, review, "Post", town.admin)

    (shown,) = with_pictures(town, town.general)
    assert str(town.member.id) in shown.content
    assert f"Posted by <@{town.admin.id}>" in review.content
    assert review.components == []
    assert await states(town) == {"settled": 1}
    assert await undecided(town) == 0
    assert len(await gallery_of(town)) == 1
    again = await (await town.world.click(shown, "Details", town.member)).wait_answer()
    assert again.ephemeral


@pytest.mark.parametrize("reason", ["Not in *school*.", "Not in *school*"])
async def test_a_refused_picture_is_gone_and_its_maker_knows_why(town, room, reason):
    await turn_on(town, room)
    interaction, review = await asked(town, room)

    await refuse(town, review, town.world.town.moderator, reason)

    assert with_pictures(town, town.general) == []
    assert r"Not in \*school\*" in review.content
    assert review.attachments == []
    assert r"Reason: Not in \*school\*. It stays counted." in private_words(interaction)
    (job,) = await town.jobs()
    assert (job.state, job.deleted) == ("settled", True)
    assert await undecided(town) == 0
    assert [kept async for kept in town.app.files.jobs()] == []
    assert await gallery_of(town, town.member) == ()


async def test_the_gallery_tells_its_maker_alone_what_is_with_the_moderators(town, room):
    await turn_on(town, room)
    _, review = await asked(town, room)
    for user in (town.member, town.painter):
        page = await town.answer(await town.world.slash(user, town.general, "/gallery", {"mine": True}))
        assert ("With the moderators: 1" in str(page.embeds)) is (user is town.member)
    await press(town, review, "Post", town.admin)
    page = await town.answer(await town.world.slash(town.member, town.general, "/gallery"))
    assert "With the moderators" not in str(page.embeds)


async def test_what_was_changed_is_said_to_its_maker_too(town, room):
    await turn_on(town, room)
    _, review = await asked(town, room, prompt="a fox --v 6")
    assert "--v" in str(review.embeds)
    await press(town, review, "Post", town.admin)
    (shown,) = with_pictures(town, town.general)
    assert "--v" in str(shown.embeds)


@pytest.mark.parametrize("label", ["Post", "Refuse"])
async def test_a_refusal_that_was_cut_off_is_told_by_the_next_press_and_nothing_is_called_posted(town, room, label):
    await turn_on(town, room)
    _, review = await asked(town, room)
    (job,) = await town.jobs()
    await town.app.recovery.give_up(job)  # as where the process died right after
    if label == "Post":
        await press(town, review, "Post", town.admin)
        assert "refused already" in review.content
    else:
        await refuse(town, review, town.admin, "no")
        assert "Refused by" in review.content
    assert (review.attachments, review.components) == ([], [])
    assert any("did not post your picture" in one for one in town.private_words())
    assert with_pictures(town, town.general) == []


async def test_who_may_not_moderate_decides_nothing(town, room):
    await turn_on(town, room)
    _, review = await asked(town, room)
    for label in ("Post", "Refuse"):
        click = await town.world.click(review, label, town.member)
        assert "Manage Messages" in (await click.wait_answer()).content
    buttons, here = review.components, f"g{town.world.town.studio.id}"
    for label, user, row in [
        ("Post", town.admin, {"place_key": "g1"}),  # of another server
        ("Refuse", town.admin, {"place_key": "g1"}),
        ("Refuse", town.admin, {"place_key": here, "approved": True}),  # approved, and not shown yet
        ("Post", town.world.town.moderator, {"approved": False, "taken_at": datetime.now(UTC)}),  # somebody is deciding
    ]:
        async with town.app.store.database.writing() as connection:
            await connection.execute(update(reviews).values(row))
        review.components = buttons
        await (await town.world.click(review, label, user)).wait_answer()
        await town.quiet()
    assert with_pictures(town, town.general) == []
    assert await states(town) == {"produced": 1}


async def test_what_cannot_be_posted_is_approved_and_stays_its_makers(town, room):
    await turn_on(town, room)
    _, review = await asked(town, room)
    town.world.delete_channel(town.general)
    await press(town, review, "Post", town.admin)
    assert "Approved by" in review.content
    assert await states(town) == {"produced": 1}
    (job,) = await town.app.store.jobs.waiting(Place(town.world.town.studio.id, 0), town.member.id)
    assert job.waiting


@pytest.mark.smoke
async def test_of_two_moderators_one_decides(town, room):
    await turn_on(town, room)
    _, review = await asked(town, room)
    clicks = [await town.world.click(review, "Post", one) for one in (town.admin, town.world.town.moderator)]
    for click in clicks:
        await click.wait_acknowledged()
    await town.quiet()
    assert len(with_pictures(town, town.general)) == 1
    assert await states(town) == {"settled": 1}


async def test_what_waits_survives_a_restart(town, room):
    await turn_on(town, room)
    _, review = await asked(town, room)
    await town.stop()
    await town.start()
    await town.app.client.wait_until_ready()
    await town.quiet()
    assert with_pictures(town, town.general) == []
    assert len(with_pictures(town, room)) == 1

    await press(town, review, "Post", town.admin)

    assert len(with_pictures(town, town.general)) == 1
    assert await states(town) == {"settled": 1}


async def test_a_private_result_is_looked_at_too_and_stays_private(town, room):
    await turn_on(town, room)
    interaction, review = await asked(town, room, private=True)
    assert with_pictures(town, town.general) == []
    await press(town, review, "Post", town.admin)
    assert with_pictures(town, town.general) == []
    await until(lambda: any(one.attachments for one in interaction.messages))
    assert all(one.ephemeral for one in interaction.messages)


async def test_without_a_channel_it_waits_and_admins_know(town, room):
    await turn_on(town, room)
    await told(town, "log", channel=town.world.town.pictures)
    town.world.delete_channel(room)
    interaction = await town.imagine(quality="low")
    await town.world.changed.until(
        lambda: any("wait for review" in one.content for one in town.world.history(town.world.town.pictures)),
        60,
        "a word",
    )
    await town.quiet()
    assert with_pictures(town, town.general) == []
    assert "moderators look at it first" in private_words(interaction)

    another = town.world.town.pictures
    await turned(town, await opened(town, "safety"), "e1:set:safety:review", [another])
    await town.world.changed.until(lambda: with_pictures(town, another), 20, "the picture")
    assert any(one.content.startswith("Pictures come here first") for one in town.world.history(another))
    await press(town, with_pictures(town, another)[0], "Post", town.admin)
    assert len(with_pictures(town, town.general)) == 1


async def test_a_channel_that_takes_messages_again_gets_what_it_did_not_take_and_nobody_is_told_twice(town, room):
    await turn_on(town, room)
    town.world.allow(room, town.world.bot, deny=SEND_MESSAGES)
    interactions = [await town.imagined(user, quality="low") for user in (town.member, town.painter)]
    owner = town.world.town.owner
    warnings = [one.content for one in town.world.history(town.world.dm(owner), owner)]
    assert ["Attach Files" in one for one in warnings] == [True]

    await town.app.recovery.show_unseen()
    assert with_pictures(town, room) == []
    town.world.allow(room, town.world.bot, allow=SEND_MESSAGES)
    await town.app.recovery.show_unseen()
    await town.app.recovery.show_unseen()

    assert len(with_pictures(town, room)) == 2
    for one in interactions:
        assert private_words(one).count("moderators look at it first") == 1
    assert [one.content for one in town.world.history(town.world.dm(owner), owner)] == warnings
    for review in with_pictures(town, room):
        await press(town, review, "Post", town.admin)
    assert len(with_pictures(town, town.general)) == 2


@pytest.mark.parametrize("right", [ATTACH_FILES, EMBED_LINKS])
async def test_a_channel_that_takes_no_pictures_is_not_kept(town, room, right):
    town.world.allow(room, town.world.bot, deny=right)
    refused = await told(town, "review", channel=room)
    assert "I can't post pictures in" in refused.content
    assert (await town.settings_held()).review_channel_id is None
    assert town.world.history(room) == []
    town.world.allow(room, town.world.bot, allow=right)
    await turn_on(town, room)
    (greeting,) = town.world.history(room)
    assert (greeting.attachments, greeting.embeds) == ([], [])


async def delete_data(town) -> None:
    asked = await town.run("mydata delete")
    await town.press(asked.messages[0], "Delete everything")


async def test_what_waits_of_somebody_who_deletes_their_data_is_taken_from_the_moderators(town, room):
    await turn_on(town, room)
    await asked(town, room)
    await delete_data(town)
    assert with_pictures(town, room) == []
    assert await states(town) == {"settled": 1}
    assert [kept async for kept in town.app.files.jobs()] == []


async def test_what_is_drawn_for_somebody_who_deletes_their_data_meanwhile_comes_before_no_moderator(town, room):
    await turn_on(town, room)
    town.images.latency_s = 1.5
    drawing = await town.imagine(quality="low", preview=False)
    await until(lambda: town.images.calls)
    confirm = await (await town.world.slash(town.member, town.general, "/mydata delete")).wait_answer()
    pressed = await town.world.click(confirm, "Delete everything", town.member)
    await pressed.wait_until(lambda one: "Deleted" in one.source_message.content, 10, "that it is deleted")
    await town.quiet()
    assert "you deleted your data" in private_words(drawing).lower()
    assert with_pictures(town, room) == with_pictures(town, town.general) == []
    assert await states(town) == {"settled": 1}
    assert [kept async for kept in town.app.files.jobs()] == []


@pytest.mark.parametrize("posts", [True, False])
async def test_a_second_message_about_what_is_decided_loses_its_buttons_when_it_is_pressed(town, room, posts):
    await turn_on(town, room)
    await asked(town, room)
    await turn_on(town, town.world.town.announcements)
    other = town.world.town.announcements
    await town.world.changed.until(lambda: with_pictures(town, other), 20, "the picture there, too")
    (second,), (first,) = with_pictures(town, other), with_pictures(town, room)
    await (press(town, second, "Post", town.admin) if posts else refuse(town, second, town.admin))
    late = await press(town, first, "Refuse", town.admin)
    assert "no longer available" in private_words(late)
    assert first.components == []
    assert len(with_pictures(town, town.general)) == len(first.attachments) == len(first.embeds) == posts
    assert (f"<@{town.member.id}>" in first.content) is posts


async def test_a_batch_is_looked_at_in_groups(town, room):
    await turn_on(town, room)
    lines = Upload("l.txt", b"a fox\nan owl\na boat", "text/plain")
    await town.world.slash(town.member, town.general, "/batch", {"file": lines, "quality": "low"})
    await town.world.changed.until(lambda: with_pictures(town, room), 60, "a message for the moderators")
    await town.quiet()
    (review,) = with_pictures(town, room)
    assert len(review.attachments) == 3
    assert with_pictures(town, town.general) == []
    (summary,) = [one for one in town.world.history(town.general) if one.attachments and one.embeds]
    assert "Moderators look at 3 of them first" in summary.embeds[0]["description"]
    assert "/gallery" not in summary.embeds[0]["description"]
    assert summary.attachments[0].data.decode().count("made, moderators look at it first") == 3
    await press(town, review, "Post", town.admin)
    assert [len(one.attachments) for one in with_pictures(town, town.general)] == [1, 1, 1]
    assert [len(one.mentions) for one in with_pictures(town, town.general)] == [1, 0, 0]
    assert await states(town) == {"settled": 3}


async def test_no_preview_is_drawn_or_shown(town, room):
    await turn_on(town, room)
    interaction = await town.imagine(quality="high", preview=True)
    assert "previews" in (await interaction.wait_answer()).content.lower()
    await asked(town, room)
    assert not any(call.fields.get("partial_images") for call in town.images.calls)
