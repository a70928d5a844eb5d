"""Commands, menus and deliveries against the pretend Discord: real client, sockets and ledger, pretend pictures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.rules.ledger import JobState
from sandbox.discord.faults import ANY_EDIT, FIRST_ANSWER, RESULT_EDIT
from sandbox.discord.model import Upload
from tests.support.ledger import counts_by_state
from tests.support.pictures import png
from tests.support.running import Town, picture_of, private_word, said, town_in, until

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with town_in(tmp_path) as made:
        yield made
        made.discord.assert_clean()


@pytest.mark.smoke
async def test_a_picture_comes_with_alt_text_embed_and_buttons(town: Town) -> None:
    done = await town.imagined(prompt="a red **fox** @everyone", size="1536x1024", quality="low")
    (message,) = done.messages
    assert picture_of(message).description == "a red **fox** @everyone"
    assert (picture_of(message).width, picture_of(message).height) == (1536, 1024)
    assert r"\*\*fox\*\*" in message.embeds[0]["description"]
    assert not message.ephemeral
    labels = [child["label"] for row in message.components for child in row["components"]]
    assert labels == ["Again", "Remix", "Vary", "Edit", "Zoom out", "Pan", "Details", "Delete"]


async def test_a_refusal_is_private_and_costs_nothing(town: Town) -> None:
    done = await town.imagined(prompt="x", size="512x512")
    (message,) = done.messages
    assert message.ephemeral
    assert "Closest: 816x816." in message.content
    assert sum((await counts_by_state(town.app.store)).values()) == 0
    assert not town.images.calls


async def test_a_private_picture_is_seen_by_one(town: Town) -> None:
    done = await town.imagined(prompt="x", private=True)
    assert done.messages[0].ephemeral


async def test_a_service_that_fails_is_told_in_private_although_the_answer_was_public(town: Town) -> None:
    town.images.fail_next("moderation_blocked")
    done = await town.imagined(prompt="x")
    assert "safety system" in private_word(done)
    assert done.answer is not None
    assert done.answer.deleted


async def test_edit_changes_only_the_area(town: Town) -> None:
    edited = await town.run(
        "edit", image=Upload("photo.png", png(), "image/png"), prompt="a hat", area="left", size="1024x1024"
    )
    assert edited.messages[0].attachments
    assert [file.field for file in town.images.calls[-1].files] == ["image", "mask"]


async def test_the_mask_can_be_seen_first_for_nothing(town: Town) -> None:
    shown = await town.run(
        "edit", image=Upload("photo.png", png(), "image/png"), prompt="x", area="circle", preview_mask=True
    )
    (message,) = shown.messages
    assert message.ephemeral
    assert message.attachments
    assert not town.images.calls
    assert sum((await counts_by_state(town.app.store)).values()) == 0


async def test_a_preview_of_no_mask_says_so(town: Town) -> None:
    shown = await town.run("edit", image=Upload("p.png", png(), "image/png"), prompt="x", preview_mask=True)
    assert "nothing to preview" in said(shown)


@pytest.mark.parametrize(
    ("name", "data", "word"),
    [
        ("a.png", b"<html></html>", "PNG, JPEG or WebP"),
        ("a.png", b"", "empty"),
        ("a.png", png()[:-30], "damaged"),
    ],
)
async def test_a_file_that_is_no_picture_is_refused_in_private(town: Town, name: str, data: bytes, word: str) -> None:
    done = await town.run("edit", image=Upload(name, data, "image/png"), prompt="x")
    (message,) = done.messages
    assert message.ephemeral
    assert word in message.content
    assert not town.images.calls


async def test_a_stalling_attachment_is_acknowledged_in_time_and_refused(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.ui.orders.attachments.STALL_LIMIT_S", 2.0)
    town.discord.cdn.fail_next("stall")
    done = await town.run("edit", image=Upload("p.png", png(), "image/png"), prompt="x")
    assert (done.ack_s or 9) < 2.0
    assert "did not deliver the file" in private_word(done)
    town.discord.cdn.release()


@pytest.mark.parametrize("kind", ["missing", "redirect", "truncated", "dropped", "error", "other"])
async def test_an_attachment_that_cannot_be_had_costs_nothing(town: Town, kind: Any) -> None:
    town.discord.cdn.fail_next(kind, times=3)
    done = await town.run("edit", image=Upload("p.png", png(), "image/png"), prompt="x")
    assert private_word(done).startswith("**image:**")
    assert not town.images.calls


async def test_vary_with_dall_e_2_uses_the_variations_endpoint(town: Town) -> None:
    done = await town.run("vary", image=Upload("p.png", png(), "image/png"), model="dall-e-2", count=2)
    assert town.images.calls[-1].endpoint == "variations"
    assert len(done.messages[0].attachments) == 2


async def test_the_message_menu_varies_edits_and_quotes(town: Town) -> None:
    message = town.world.say(town.painter, town.general, "a fox in the snow", [Upload("p.png", png(), "image/png")])
    varied = await town.settled(await town.world.message_menu(town.member, message, "Vary image"))
    assert varied.messages[0].attachments
    editing = await town.settled(await town.world.message_menu(town.member, message, "Edit image"))
    assert editing.modal is not None
    edited = await town.settled(await town.world.submit_form(editing.modal, {"prompt": "a hat"}))
    assert "a hat" in said(edited)
    quoting = await town.settled(await town.world.message_menu(town.member, message, "Use as prompt"))
    assert quoting.modal is not None
    assert "a fox in the snow" in str(quoting.modal.components)
    made = await town.settled(await town.world.submit_form(quoting.modal, {"prompt": "a fox in the snow"}))
    assert made.messages[0].attachments


async def test_a_message_without_a_picture_says_so(town: Town) -> None:
    message = town.world.say(town.painter, town.general, "words")
    done = await town.settled(await town.world.message_menu(town.member, message, "Vary image"))
    assert "no picture" in said(done)


async def test_direct_messages_threads_and_user_installs_work(town: Town) -> None:
    for user, channel in (
        (town.member, town.world.dm(town.member)),
        (town.member, town.world.town.thread),
        (town.world.town.outsider, town.world.town.far),
    ):
        done = await town.imagined(user, channel, prompt="x")
        assert done.messages[0].attachments, channel.name
    keys = {job.asker.place.key for job in await town.jobs(town.world.town.outsider)}
    assert keys == {f"u{town.world.town.outsider.id}"}


async def test_a_job_on_its_way_can_be_cancelled(town: Town) -> None:
    town.images.latency_s = 30
    running = await town.world.slash(town.member, town.general, "imagine", {"prompt": "x"})
    await running.changed.until(lambda: bool(running.messages), 10, "the progress line")
    progress = running.messages[0]
    assert "Drawing" in progress.content
    pressed = await town.world.click(progress, "Cancel", town.member)
    await pressed.changed.until(lambda: pressed.acknowledged, 5, "the acknowledgement")
    await town.quiet()
    assert private_word(running) == (
        "Cancelled. It had already been sent to the image service, so it may have been billed and still counts."
    )
    assert not pressed.messages


async def test_previews_appear_and_give_way_to_the_result(town: Town) -> None:
    town.images.latency_s = 4.0
    running = await town.imagine(quality="high", preview=True)

    def shows() -> set[bool]:
        return {"preview" in a.filename for m in running.messages for a in m.attachments}

    await running.changed.until(lambda: shows() == {True}, 20, "a preview")
    await town.settled(running)
    assert ["preview" in a.filename for a in running.messages[0].attachments] == [False]


@pytest.mark.parametrize("after_taking", [False, True])
async def test_a_result_survives_discords_failures_and_is_shown_once(town: Town, after_taking: bool) -> None:
    town.discord.fail_next(RESULT_EDIT, status=502, times=1, after_taking=after_taking)
    done = await town.imagined(prompt="x")
    assert len([m for m in town.world.history(town.general) if m.attachments]) == 1
    assert done.messages[0].attachments


async def test_a_reset_connection_is_no_reason_to_lose_a_picture(town: Town) -> None:
    town.discord.fail_next(RESULT_EDIT, drop=True, after_taking=False)
    done = await town.imagined(prompt="x")
    assert done.messages[0].attachments


async def test_a_dead_token_leads_to_one_post_that_mentions_only_the_asker(town: Town) -> None:
    town.discord.fail_next(ANY_EDIT, status=401, code=50027, times=50)
    await town.world.slash(town.member, town.general, "imagine", {"prompt": "@everyone look"})
    await until(lambda: any(m.attachments for m in town.world.history(town.general)))
    (posted,) = [m for m in town.world.history(town.general) if m.attachments]
    assert posted.content == f"<@{town.member.id}>, your picture is ready."
    town.discord.faults.clear()
    pressed = await town.press(posted, "Details")
    assert pressed.messages[0].embeds, said(pressed)


async def test_a_picture_that_could_not_be_shown_is_offered_with_the_next_command(town: Town) -> None:
    outsider, far = town.world.town.outsider, town.world.town.far
    town.discord.fail_next(ANY_EDIT, status=401, code=50027, times=50)
    await town.world.slash(outsider, far, "imagine", {"prompt": "the first"})

    async def waits() -> bool:
        return any(job.waiting for job in await town.jobs(outsider))

    await until(waits)
    town.discord.faults.clear()
    following = await town.imagined(outsider, far, prompt="the second")
    await until(lambda: len(following.messages) == 2)
    offer = next(m for m in following.messages if m.ephemeral)
    claimed = await town.press(offer, offer.components[0]["components"][0]["custom_id"], outsider)
    assert "the first" in said(claimed)
    assert claimed.messages[0].attachments
    assert claimed.messages[0].ephemeral
    assert len(town.images.calls) == 2


async def test_an_answer_deleted_on_the_way_still_brings_the_picture(town: Town) -> None:
    town.images.latency_s = 2.0
    running = await town.world.slash(town.member, town.general, "imagine", {"prompt": "x"})
    await running.changed.until(lambda: bool(running.messages), 10, "the progress line")
    town.world.delete_message(running.messages[0])
    await until(lambda: any(m.attachments for m in town.world.history(town.general)))


async def test_an_acknowledgement_taken_but_answered_500_goes_on(town: Town) -> None:
    town.discord.fail_next(FIRST_ANSWER, status=500, after_taking=True)
    done = await town.imagined(prompt="x")
    assert done.messages[0].attachments
    assert len(await town.jobs(town.member)) == 1


async def test_a_forgotten_interaction_costs_nothing(town: Town) -> None:
    town.discord.fail_next(FIRST_ANSWER, status=404, code=10062)
    await town.world.slash(town.member, town.general, "imagine", {"prompt": "x"})

    async def released() -> bool:
        return (await counts_by_state(town.app.store)).get(JobState.RELEASED, 0) == 1

    await until(released)
    assert not town.images.calls


async def test_a_replayed_interaction_is_one_job(town: Town) -> None:
    done = await town.imagined(prompt="x")
    town.world.replay(done)
    await town.imagined(prompt="y")
    assert len(await town.jobs(town.member)) == 2


async def test_a_malformed_interaction_does_not_end_the_bot(town: Town) -> None:
    town.discord.gateway.malformed()
    done = await town.imagined(prompt="x")
    assert done.messages[0].attachments


async def test_models_are_shown_in_private_with_the_details_of_one(town: Town) -> None:
    done = await town.run("models")
    (message,) = done.messages
    assert message.ephemeral
    assert "2.5 flare" in said(done)
    [menu] = [part for row in message.components for part in row["components"]]
    await town.settled(await town.world.select(message, menu["custom_id"], ["dall-e-2"], town.member))
    assert "256x256" in f"{said(done)} {message.embeds}"


async def test_a_prompt_file_is_read_and_returned_where_it_does_not_fit(town: Town) -> None:
    text = "🦊 and more. " * 500
    done = await town.imagined(prompt="-", prompt_file=Upload("prompt.txt", text.encode(), "text/plain"))
    assert [a.filename for a in done.messages[0].attachments][1:] == ["prompt.txt"]
    assert town.images.calls[-1].fields["prompt"] == text.strip()


async def test_commands_are_registered_once(town: Town) -> None:
    await town.restart()
    assert len(town.discord.wire.requests("PUT", "/commands")) == 1
