"""Refusals help on: buttons that do what works, for who asked alone, after a restart, once; and reminders."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.ui.components.help.buttons import OFFERED_FOR
from bot.ui.components.help.offers import Offers
from sandbox.discord.clock import HandClock
from sandbox.discord.model import Upload
from sandbox.discord.world import World
from tests.support.pictures import png
from tests.support.running import town_in, until


@pytest.fixture
async def town(tmp_path):
    clock = HandClock()
    clock.advance(3900 - clock.now().timestamp() % 3600)  # five past: hours do not end in the middle of a test
    async with town_in(tmp_path, world=World(clock=clock), IMAGES_PER_MINUTE="60") as made:
        yield made


def buttons(message) -> list[str]:
    return [one["label"] for row in message.components for one in row["components"]]


def labelled(message, words: str) -> str:
    return next(label for label in buttons(message) if words in label)


def ids(message) -> list[str]:
    return [one["custom_id"] for row in message.components for one in row["components"]]


async def admin(town, command: str, **options) -> None:
    await town.settled(await town.world.slash(town.admin, town.general, f"/settings {command}", options))


async def private_answer(town, message, custom_id: str, user=None) -> str:
    pressed = await town.world.click(message, custom_id, user or town.member)
    await town.settled(pressed)
    return pressed.messages[-1].content


async def test_a_button_calls_options_as_the_reader_types_them(town):
    reader = town.world.town.admin_abroad
    refused = await town.answer(await town.imagine(reader, model="dall-e-3", style="vivd", complexity="high", frames=4))
    assert buttons(refused) == ["Mit stil vivid, ohne detailgrad und ohne einzelbilder machen · 0,04 $"]


async def test_a_default_model_that_is_gone_is_told_as_such_to_members_and_admins(town, tmp_path):
    models = tmp_path / "models.toml"
    models.write_text('[models.ours]\nlike = "gpt-image-2"\n')
    await town.restart(IMAGE_MODELS=str(models))
    await admin(town, "defaults", model="ours")
    models.write_text("")
    await town.restart()

    plain, named = [await town.answer(await town.imagine(**one)) for one in ({}, {"model": "ours"})]
    assert "It is this server's default model" in plain.content
    assert "default" not in named.content
    reader = town.world.town.admin_abroad
    for command in ("defaults", "show", "open"):
        shown = await town.answer(await town.world.slash(reader, town.general, f"/settings {command}"))
        text = f"{shown.content} {shown.embeds} {shown.components}"
        assert "Das voreingestellte Modell `ours` gibt es nicht mehr" in text
    await admin(town, "defaults", model="gpt-image-2")
    assert (await town.answer(await town.imagine(quality="low"))).attachments
    shown = await town.answer(await town.world.slash(reader, town.general, "/settings show"))
    assert "gibt es nicht mehr" not in str(shown.embeds)


async def test_the_nearest_size_is_made_by_a_press_once_and_after_a_restart(town):
    prompt = "a fox in the snow, " * 200
    refused = await town.answer(await town.imagine(prompt=prompt, size="512x512", quality="low"))
    assert refused.ephemeral
    assert town.images.calls == []
    await town.restart()

    made = await town.answer(await town.world.click(refused, labelled(refused, "816x816"), town.member))
    assert made.attachments
    assert not made.ephemeral
    (call,) = town.images.calls
    assert (call.prompt, call.fields["size"], call.fields["quality"]) == (prompt.strip(), "816x816", "low")

    town.world.clock.advance(5)
    again = await private_answer(town, refused, labelled(refused, "816x816"))
    assert again
    assert len(town.images.calls) == 1
    assert len(await town.jobs()) == 1
    await town.check()


async def test_another_model_makes_what_this_one_cannot(town):
    refused = await town.answer(await town.imagine(format="gif", frames=4, quality="low"))
    assert "These can: `gpt-image-2.6-flare` and `gpt-image-2.6-sunburst`" in refused.content
    made = await town.answer(await town.world.click(refused, labelled(refused, "2.6 flare"), town.member))
    assert made.attachments
    assert town.images.calls[0].model == "gpt-image-2.6-flare"
    await town.check()


async def test_strangers_forged_ids_and_old_buttons_make_nothing(town):
    refused = await town.answer(await town.imagine(size="512x512"))
    (make,) = ids(refused)
    shown = await town.answer(await town.imagine(quality="low"))
    theirs = shown.components[0]["components"][0]
    theirs["custom_id"] = make  # as if the button stood where everybody sees it
    assert "no longer works" in await private_answer(town, shown, make, town.painter)
    town.images.calls.clear()
    for forged in (f"{make[:-1]}7", "e1:help:AAAAAAAAAAAAAAAA:0"):
        refused.components[0]["components"][0]["custom_id"] = forged
        assert "no longer works" in await private_answer(town, refused, forged)
    town.world.clock.advance((OFFERED_FOR + timedelta(minutes=1)).total_seconds())
    refused.components[0]["components"][0]["custom_id"] = make
    assert "no longer works" in await private_answer(town, refused, make)
    assert town.images.calls == []
    assert len(await town.jobs()) == 1


async def test_a_bug_in_the_help_costs_nobody_the_reason(town, monkeypatch, caplog):
    async def broken(*_: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(Offers, "for_refused", broken)
    assert "512x512" in (await town.answer(await town.imagine(size="512x512"))).content
    message = town.world.say(town.painter, town.general, "a red fox")
    opened = await town.settled(await town.world.message_menu(town.member, message, "Use as prompt"))
    form = await town.world.submit_form(opened.modal, {"prompt": "?!"}, user=town.member)
    assert "prompt" in (await town.answer(form)).content
    assert caplog.text.count("ValueError: a bug") == 2


async def test_a_press_is_checked_by_the_rules_of_its_moment(town):
    refused = await town.answer(await town.imagine(size="512x512"))
    await admin(town, "models", deny="gpt-image-2.5-flare")
    told = await private_answer(town, refused, ids(refused)[0])
    assert "Allowed here:" in told
    assert town.images.calls == []


async def test_a_budget_offers_the_quality_that_has_room(town):
    await admin(town, "budget", usd="0.05")
    refused = await town.answer(await town.imagine(quality="max"))
    made = await town.answer(await town.world.click(refused, labelled(refused, "quality medium"), town.member))
    assert made.attachments
    assert town.images.calls[0].fields["quality"] == "medium"
    assert "There is room for quality medium" in refused.content
    await town.check()


async def test_a_quota_offers_what_is_left(town):
    await admin(town, "quota", images=3)
    refused = await town.answer(await town.imagine(count=4, quality="low"))
    made = await town.answer(await town.world.click(refused, labelled(refused, "3 pictures"), town.member))
    assert len(made.attachments) == 3
    await town.check()


async def test_an_edit_is_made_with_the_pictures_that_were_handed_in(town):
    wish = {"image": Upload("fox.png", png()), "prompt": "blue", "size": "512x512"}
    refused = await town.answer(await town.world.slash(town.member, town.general, "/edit", wish))
    await town.restart()
    made = await town.answer(await town.world.click(refused, labelled(refused, "816x816"), town.member))
    assert made.attachments
    assert town.images.calls[0].endpoint == "edits"
    await town.check()


async def test_again_of_an_edit_is_made_from_the_same_pictures(town):
    wish = {"image": Upload("fox.png", png()), "prompt": "blue", "count": 2, "quality": "low"}
    first = await town.answer(await town.world.slash(town.member, town.general, "/edit", wish))
    await admin(town, "quota", images=3)
    refused = await town.answer(await town.world.click(first, "Again", town.member))
    await town.restart()
    made = await town.answer(await town.world.click(refused, labelled(refused, "1 picture"), town.member))
    assert len(made.attachments) == 1
    before, after = town.images.calls
    assert [one.sha256 for one in before.files] == [one.sha256 for one in after.files]
    await town.check()


async def test_words_of_another_bot_are_understood_and_told(town):
    message = await town.answer(await town.imagine(prompt="a fox --ar 16:9 --v 6", quality="lo"))
    (call,) = town.images.calls
    assert (call.prompt, call.fields["size"], call.fields["quality"]) == ("a fox", "1536x864", "low")
    assert "The shape 16:9 was taken from the prompt" in str(message.embeds)
    assert "--v 6. Size" in str(message.embeds)


@pytest.mark.smoke
async def test_the_highest_quality_is_proposed_with_its_price(town):
    refused = await town.answer(await town.imagine(quality="ultra"))
    assert "max" in refused.content
    assert "quality max · $0.22" in buttons(refused)[0]
    assert town.images.calls == []


# --- the wrong model, the wrong channel --------------------------------------------------------------------------


async def test_an_unknown_model_lists_those_allowed_here(town):
    await admin(town, "models", allow="gpt-image-2")
    refused = await town.answer(await town.imagine(model="gpt-image-9"))
    assert "Allowed here: `gpt-image-2`." in refused.content
    made = await town.answer(await town.world.click(refused, ids(refused)[0], town.member))
    assert made.attachments
    assert town.images.calls[0].model == "gpt-image-2"


async def test_not_in_this_channel_says_where_it_is_allowed_as_far_as_one_can_see(town):
    pictures = town.world.town.pictures
    await admin(town, "channels", allow=pictures)
    refused = await town.answer(await town.imagine())
    assert f"<#{pictures.id}>" in refused.content


# --- reminders ---------------------------------------------------------------------------------------------------


async def test_a_reminder_comes_once_by_direct_message_when_the_limit_resets(town):
    await admin(town, "quota", images=1, per="hour")
    await town.imagined(quality="low")
    refused = await town.answer(await town.imagine(quality="low"))
    remind = labelled(refused, "Remind me")
    for _ in range(2):
        told = await town.answer(await town.world.click(refused, remind, town.member))
        assert "direct message" in told.content
    await town.app.reminders.send_due()
    direct = town.world.dm(town.member)
    assert town.world.history(direct) == []

    await town.restart()
    town.world.clock.advance(3600)
    await town.app.reminders.send_due()
    await town.app.reminders.send_due()
    await until(lambda: town.world.history(direct), 10, "the reminder, which the bot's own round may have taken first")
    (message,) = town.world.history(direct)
    assert "Pictures per hour" in message.content
    assert f"<#{town.general.id}>" in message.content


async def test_closed_direct_messages_are_no_error_and_not_tried_again(town):
    await admin(town, "quota", images=1, per="hour")
    await town.imagined(quality="low")
    refused = await town.answer(await town.imagine(quality="low"))
    await town.answer(await town.world.click(refused, labelled(refused, "Remind me"), town.member))
    town.world.closed_dms.add(town.member.id)
    town.world.clock.advance(3600)
    await town.app.reminders.send_due()
    town.world.closed_dms.clear()
    await town.app.reminders.send_due()
    assert town.world.history(town.world.dm(town.member)) == []


async def test_a_cooldown_of_seconds_is_not_worth_a_reminder_and_a_forged_one_says_so(town):
    await admin(town, "cooldown", seconds=60)
    await town.imagined(quality="low")
    refused = await town.answer(await town.imagine(size="1024x1024", quality="low"))
    assert buttons(refused) == []
    helped = await town.answer(await town.imagine(size="512x512"))
    forged = "e1:remind:everyone:dollars:month"
    helped.components[0]["components"][0]["custom_id"] = forged
    assert "no longer applies" in await private_answer(town, helped, forged)
