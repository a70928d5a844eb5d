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

from .stage import Stage, is_last_word, picture_of, played, png, private_word, running, said

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with played() as (discord, images), running(discord, images, tmp_path) as made:
        yield made


async def test_a_picture_comes_with_alt_text_embed_and_buttons(stage: Stage) -> None:
    done = await stage.imagine(prompt="a red **fox** @everyone", size="1536x1024", quality="low")
    (message,) = done.messages
    assert picture_of(message).description == "a red **fox** @everyone"
    assert (picture_of(message).width, picture_of(message).height) == (1536, 1024)
    assert r"\*\*fox\*\*" in message.embeds[0]["description"]
    assert not message.ephemeral
    labels = [child["label"] for child in message.components[0]["components"]]
    assert labels == ["Again", "Vary", "Edit", "Details", "Delete"]


async def test_a_refusal_is_private_and_costs_nothing(stage: Stage) -> None:
    done = await stage.imagine(prompt="x", size="512x512")
    (message,) = done.messages
    assert message.ephemeral
    assert "Nearest: 816x816." in message.content
    assert sum((await counts_by_state(stage.app.store)).values()) == 0
    assert not stage.images.calls


async def test_a_private_picture_is_seen_by_one(stage: Stage) -> None:
    done = await stage.imagine(prompt="x", private=True)
    assert done.messages[0].ephemeral


async def test_a_service_that_fails_is_told_in_private_although_the_answer_was_public(stage: Stage) -> None:
    stage.images.fail_next("moderation_blocked")
    done = await stage.imagine(prompt="x")
    assert "safety system" in await private_word(done)
    assert done.answer is not None
    assert done.answer.deleted


async def test_edit_changes_only_the_area(stage: Stage) -> None:
    edited = await stage.run(
        "edit", image=Upload("photo.png", png(), "image/png"), prompt="a hat", area="left", size="1024x1024"
    )
    assert edited.messages[0].attachments
    assert [file.field for file in stage.images.calls[-1].files] == ["image", "mask"]


async def test_the_mask_can_be_seen_first_for_nothing(stage: Stage) -> None:
    shown = await stage.run(
        "edit", image=Upload("photo.png", png(), "image/png"), prompt="x", area="circle", preview_mask=True
    )
    (message,) = shown.messages
    assert message.ephemeral
    assert message.attachments
    assert not stage.images.calls
    assert sum((await counts_by_state(stage.app.store)).values()) == 0


async def test_a_preview_of_no_mask_says_so(stage: Stage) -> None:
    shown = await stage.run("edit", image=Upload("p.png", png(), "image/png"), prompt="x", preview_mask=True)
    assert "nothing to preview" in said(shown)


@pytest.mark.parametrize(
    ("name", "data", "word"),
    [
        ("a.png", b"<html></html>", "PNG, JPEG and WebP"),
        ("a.png", b"", "empty"),
        ("a.png", png()[:500], "damaged"),
    ],
)
async def test_a_file_that_is_no_picture_is_refused_in_private(stage: Stage, name: str, data: bytes, word: str) -> None:
    done = await stage.run("edit", image=Upload(name, data, "image/png"), prompt="x")
    (message,) = done.messages
    assert message.ephemeral
    assert word in message.content
    assert not stage.images.calls


async def test_a_stalling_attachment_is_acknowledged_in_time_and_refused(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.ui.orders.attachments.STALL_LIMIT_S", 2.0)
    stage.discord.cdn.fail_next("stall")
    done = await stage.run("edit", image=Upload("p.png", png(), "image/png"), prompt="x")
    assert (done.ack_s or 9) < 2.0
    assert "did not hand the file over" in await private_word(done)
    stage.discord.cdn.release()


@pytest.mark.parametrize("kind", ["missing", "redirect", "truncated", "dropped", "error", "other"])
async def test_an_attachment_that_cannot_be_had_costs_nothing(stage: Stage, kind: Any) -> None:
    stage.discord.cdn.fail_next(kind, times=3)
    done = await stage.run("edit", image=Upload("p.png", png(), "image/png"), prompt="x")
    assert (await private_word(done)).startswith("**image:**")
    assert not stage.images.calls


async def test_vary_with_dall_e_2_uses_the_variations_endpoint(stage: Stage) -> None:
    done = await stage.run("vary", image=Upload("p.png", png(), "image/png"), model="dall-e-2", count=2)
    assert stage.images.calls[-1].endpoint == "variations"
    assert len(done.messages[0].attachments) == 2


async def test_the_message_menu_varies_edits_and_quotes(stage: Stage) -> None:
    message = stage.world.say(
        stage.town.painter, stage.town.general, "a fox in the snow", [Upload("p.png", png(), "image/png")]
    )
    varied = await stage.ended(await stage.world.message_menu(stage.town.member, message, "Vary image"))
    assert varied.messages[0].attachments
    editing = await stage.ended(await stage.world.message_menu(stage.town.member, message, "Edit image"))
    assert editing.modal is not None
    edited = await stage.ended(await stage.world.submit_form(editing.modal, {"prompt": "a hat"}))
    assert "a hat" in said(edited)
    quoting = await stage.ended(await stage.world.message_menu(stage.town.member, message, "Use as prompt"))
    assert quoting.modal is not None
    assert "a fox in the snow" in str(quoting.modal.components)
    made = await stage.ended(await stage.world.submit_form(quoting.modal, {"prompt": "a fox in the snow"}))
    assert made.messages[0].attachments


async def test_a_message_without_a_picture_says_so(stage: Stage) -> None:
    message = stage.world.say(stage.town.painter, stage.town.general, "words")
    done = await stage.ended(await stage.world.message_menu(stage.town.member, message, "Vary image"))
    assert "no picture" in said(done)


async def test_direct_messages_threads_and_user_installs_work(stage: Stage) -> None:
    for user, channel in (
        (stage.town.member, stage.world.dm(stage.town.member)),
        (stage.town.member, stage.town.thread),
        (stage.town.outsider, stage.town.far),
    ):
        done = await stage.imagine(user, channel, prompt="x")
        assert done.messages[0].attachments, channel.name
    keys = {job.asker.place.key for job in await stage.jobs_of(stage.town.outsider.id)}
    assert keys == {f"u{stage.town.outsider.id}"}


async def test_a_job_on_its_way_can_be_cancelled(stage: Stage) -> None:
    stage.images.latency_s = 30
    running = await stage.world.slash(stage.town.member, stage.town.general, "imagine", {"prompt": "x"})
    await running.changed.until(lambda: bool(running.messages), 10, "the progress line")
    progress = running.messages[0]
    assert "Drawing" in progress.content
    pressed = await stage.world.click(progress, "Cancel", stage.town.member)
    await pressed.changed.until(lambda: pressed.acknowledged, 5, "the acknowledgement")
    assert await private_word(running) == (
        "Cancelled. It had been sent to the image service already, so it may have been billed and stays counted."
    )
    assert not pressed.messages


async def test_previews_appear_and_give_way_to_the_result(stage: Stage) -> None:
    stage.images.latency_s = 4.0
    seen: list[str] = []
    running = await stage.world.slash(
        stage.town.member, stage.town.general, "imagine", {"prompt": "x", "quality": "high", "preview": True}
    )

    def ended() -> bool:
        seen.extend(a.filename for m in running.messages for a in m.attachments if a.filename not in seen)
        return is_last_word(running)

    await running.changed.until(ended, 20, "the result")
    assert any("preview" in name for name in seen)
    assert ["preview" in a.filename for a in running.messages[0].attachments] == [False]


@pytest.mark.parametrize("after_taking", [False, True])
async def test_a_result_survives_discords_failures_and_is_shown_once(stage: Stage, after_taking: bool) -> None:
    stage.discord.fail_next(RESULT_EDIT, status=502, times=1, after_taking=after_taking)
    done = await stage.imagine(prompt="x")
    assert len([m for m in stage.world.history(stage.town.general) if m.attachments]) == 1
    assert done.messages[0].attachments


async def test_a_reset_connection_is_no_reason_to_lose_a_picture(stage: Stage) -> None:
    stage.discord.fail_next(RESULT_EDIT, drop=True, after_taking=False)
    done = await stage.imagine(prompt="x")
    assert done.messages[0].attachments


async def test_a_dead_token_leads_to_one_post_that_mentions_only_the_asker(stage: Stage) -> None:
    stage.discord.fail_next(ANY_EDIT, status=401, code=50027, times=50)
    await stage.world.slash(stage.town.member, stage.town.general, "imagine", {"prompt": "@everyone look"})
    await stage.until(lambda: any(m.attachments for m in stage.world.history(stage.town.general)))
    (posted,) = [m for m in stage.world.history(stage.town.general) if m.attachments]
    assert posted.content == f"<@{stage.town.member.id}>, your picture is ready."
    stage.discord.faults.clear()
    pressed = await stage.press(posted, "Details")
    assert pressed.messages[0].embeds, said(pressed)


async def test_a_picture_that_could_not_be_shown_is_offered_with_the_next_command(stage: Stage) -> None:
    outsider, far = stage.town.outsider, stage.town.far
    stage.discord.fail_next(ANY_EDIT, status=401, code=50027, times=50)
    await stage.world.slash(outsider, far, "imagine", {"prompt": "the first"})

    async def waits() -> bool:
        return any(job.waiting for job in await stage.jobs_of(outsider.id))

    await stage.until_true(waits)
    stage.discord.faults.clear()
    following = await stage.imagine(outsider, far, prompt="the second")
    await stage.until(lambda: len(following.messages) == 2)
    offer = next(m for m in following.messages if m.ephemeral)
    claimed = await stage.press(offer, offer.components[0]["components"][0]["custom_id"], outsider)
    assert "the first" in said(claimed)
    assert claimed.messages[0].attachments
    assert claimed.messages[0].ephemeral
    assert len(stage.images.calls) == 2


async def test_an_answer_deleted_on_the_way_still_brings_the_picture(stage: Stage) -> None:
    stage.images.latency_s = 2.0
    running = await stage.world.slash(stage.town.member, stage.town.general, "imagine", {"prompt": "x"})
    await running.changed.until(lambda: bool(running.messages), 10, "the progress line")
    stage.world.delete_message(running.messages[0])
    await stage.until(lambda: any(m.attachments for m in stage.world.history(stage.town.general)))


async def test_an_acknowledgement_taken_but_answered_500_goes_on(stage: Stage) -> None:
    stage.discord.fail_next(FIRST_ANSWER, status=500, after_taking=True)
    done = await stage.imagine(prompt="x")
    assert done.messages[0].attachments
    assert len(await stage.jobs_of(stage.town.member.id)) == 1


async def test_a_forgotten_interaction_costs_nothing(stage: Stage) -> None:
    stage.discord.fail_next(FIRST_ANSWER, status=404, code=10062)
    await stage.world.slash(stage.town.member, stage.town.general, "imagine", {"prompt": "x"})

    async def released() -> bool:
        return (await counts_by_state(stage.app.store)).get(JobState.RELEASED, 0) == 1

    await stage.until_true(released)
    assert not stage.images.calls


async def test_a_replayed_interaction_is_one_job(stage: Stage) -> None:
    done = await stage.imagine(prompt="x")
    stage.world.replay(done)
    await stage.imagine(prompt="y")
    assert len(await stage.jobs_of(stage.town.member.id)) == 2


async def test_a_malformed_interaction_does_not_end_the_bot(stage: Stage) -> None:
    stage.app.client._connection.parsers["INTERACTION_CREATE"]({"id": "1"})
    done = await stage.imagine(prompt="x")
    assert done.messages[0].attachments


async def test_models_are_shown_in_private_page_by_page(stage: Stage) -> None:
    done = await stage.run("models")
    (message,) = done.messages
    assert message.ephemeral
    assert "gpt-image-2.5-flare (default)" in said(done)
    await stage.world.click(message, "▶", stage.town.member)
    await stage.until(lambda: "Page 2" in str(message.embeds))


async def test_a_prompt_file_is_read_and_returned_where_it_does_not_fit(stage: Stage) -> None:
    text = "🦊 and more. " * 500
    done = await stage.imagine(prompt="-", prompt_file=Upload("prompt.txt", text.encode(), "text/plain"))
    assert [a.filename for a in done.messages[0].attachments][1:] == ["prompt.txt"]
    assert stage.images.calls[-1].fields["prompt"] == text.strip()


async def test_commands_are_registered_once(tmp_path: Path) -> None:
    async with played() as (discord, images):
        for _ in range(2):
            async with running(discord, images, tmp_path):
                puts = discord.wire.requests("PUT", "/commands")
                assert len(puts) == 1
