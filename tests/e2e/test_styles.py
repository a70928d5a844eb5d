"""Looks and own defaults over the wire: saved, offered, used, told, and never another's."""

from __future__ import annotations

import pytest

from sandbox.discord.model import Message, Upload

LONG = "@everyone <@1> **x** " + "long " * 1190


async def ask(town, command: str, user=None, channel=None, /, **options: object) -> Message:
    who, where = user or town.member, channel or town.general
    return await town.answer(await town.world.slash(who, where, command, options))


def text(message: Message) -> str:
    return f"{message.content} {message.embeds}"


async def looks(town, command: str = "/imagine", typed: str = "", user=None, channel=None) -> list[str]:
    asked = await town.world.autocomplete(user or town.member, channel or town.general, command, "look", typed)
    return [choice["value"] for choice in await asked.wait_choices()]


@pytest.mark.smoke
async def test_a_look_is_saved_offered_used_and_its_prompt_kept_for_again(town):
    saved = await ask(town, "/style save", name="Noir", prompt="{prompt}, film noir {x}", quality="low", size="1:1")
    assert saved.ephemeral
    assert "Noir" in text(saved)
    assert await looks(town, typed="oi") == ["Noir"]
    assert await looks(town, "/edit") == await looks(town, "/batch") == ["Noir"]

    drawn = await ask(town, "/imagine", prompt="a fox", look="nOIR")
    assert "look: Noir" in text(drawn)
    first = town.images.calls[-1].fields
    assert (first["prompt"], first["quality"]) == ("a fox, film noir {x}", "low")
    assert "look: Noir" in text(await town.answer(await town.world.click(drawn, "Details", town.member)))

    assert "Deleted" in text(await ask(town, "/style delete", name="noir"))
    again = await town.answer(await town.world.click(drawn, "Again", town.member))
    assert "look: Noir" in text(again)
    assert town.images.calls[-1].fields == first
    gone = await ask(town, "/imagine", prompt="a fox", look="noir")
    assert gone.ephemeral
    assert "no look called `noir`" in text(gone)
    assert len(town.images.calls) == 2


async def test_a_look_is_told_in_the_readers_language(town):
    options = {"prompt": "{prompt}, *klein*", "quality": "low", "size": "1:1", "model": "gpt-image-2"}
    saved = await ask(town, "/style save", town.world.town.admin_abroad, name="Klein", **options)
    listed = await ask(town, "/style list", town.world.town.admin_abroad)
    for one in (saved, listed):
        description = one.embeds[0]["description"]
        assert "Modell gpt-image-2 · Größe 1:1 · Qualität low" in description
        assert "{prompt}, \\*klein\\*" in description


async def test_the_servers_looks_are_for_all_there_and_made_by_who_manages_it(town):
    people = town.world.town
    refused = await ask(town, "/style save", name="ours", prompt="comic", server=True)
    assert "Manage Server" in text(refused)
    assert await looks(town) == []
    await ask(town, "/style save", town.admin, name="ours", prompt="comic", server=True)
    await ask(town, "/style save", town.admin, name="mine alone", prompt="comic")

    assert await looks(town) == ["ours"]
    assert await looks(town, user=town.admin) == ["mine alone", "ours"]
    assert await looks(town, user=town.admin, channel=people.wall) == ["mine alone"]
    assert "look: ours" in text(await ask(town, "/imagine", prompt="a fox", look="ours"))
    listed = text(await ask(town, "/style list"))
    assert "ours" in listed
    assert "mine alone" not in listed
    assert "no look called" in text(await ask(town, "/imagine", prompt="a fox", look="mine alone"))
    assert "no look called" in text(await ask(town, "/style delete", name="ours"))
    assert "Manage Server" in text(await ask(town, "/style delete", name="ours", server=True))
    direct = await ask(town, "/style save", town.member, town.world.dm(town.member), name="x", prompt="y", server=True)
    assert "only on a server" in text(direct)
    trail = text(await ask(town, "/settings audit", town.admin))
    assert "Saved look “ours”" in trail
    assert "mine alone" not in trail
    exported = await ask(town, "/settings export", town.admin)
    assert b"comic, {prompt}" in exported.attachments[0].data


async def test_a_long_look_with_mentions_pings_nobody_and_fits_everywhere(town):
    saved = await ask(town, "/style save", name="@everyone <@1> **x**", prompt=LONG)
    assert saved.ephemeral
    assert "…" in text(saved)
    for number in range(3):
        await ask(town, "/style save", name=f"{number} " + "*_" * 18, prompt=LONG)
    assert "4 looks" in text(await ask(town, "/style list"))
    drawn = await ask(town, "/imagine", prompt="a fox", look="@everyone <@1> **x**")
    assert town.images.calls[-1].fields["prompt"].endswith("long, a fox")
    assert not drawn.mentions
    wrong = await ask(town, "/style save", name="x", prompt="y", quality="superb")
    assert "Nothing was saved" in text(wrong)


async def test_a_batch_is_drawn_in_a_look_and_says_in_private_what_is_otherwise(town):
    await ask(town, "/style save", name="Grand", prompt="grand", model="dall-e-3", quality="hd")
    lines = Upload("prompts.txt", b"a fox\na hen\n")
    asked = await town.world.slash(
        town.member, town.general, "/batch", {"file": lines, "look": "grand", "model": "gpt-image-2"}
    )
    await town.settled(asked)

    assert sorted(call.fields["prompt"] for call in town.images.calls) == ["grand, a fox", "grand, a hen"]
    (told,) = [message for message in asked.messages if message.ephemeral]
    assert "quality hd" in told.content


async def test_own_defaults_hold_where_nothing_was_typed_and_are_taken_back(town):
    await ask(town, "/settings defaults", town.admin, quality="medium")
    assert "You have none" in text(await ask(town, "/mydefaults"))
    set_now = await ask(town, "/mydefaults", model="dall-e-3", quality="hd", private=True)
    assert "model dall-e-3, quality hd, private: yes" in text(set_now)

    drawn = await ask(town, "/imagine", prompt="a fox")
    assert drawn.ephemeral
    assert (town.images.calls[-1].fields["model"], town.images.calls[-1].fields["quality"]) == ("dall-e-3", "hd")
    other = await ask(town, "/imagine", prompt="a fox", model="gpt-image-2", private=False)
    assert not other.ephemeral
    assert town.images.calls[-1].fields["quality"] == "medium"
    assert "Your default quality hd was left out" in text(other)
    await ask(town, "/settings models", town.admin, deny="dall-e-3")
    assert "Your default model dall-e-3 was left out" in text(await ask(town, "/imagine", prompt="a fox"))
    assert not (await ask(town, "/imagine", town.world.town.painter, prompt="a fox")).ephemeral

    assert "none" not in text(await ask(town, "/mydefaults", model="none"))
    assert "model" not in (await ask(town, "/mydefaults")).embeds[0]["description"].split("\n")[-1]
    assert "do not fit" in text(await ask(town, "/mydefaults", quality="superb"))
    await ask(town, "/mydefaults", reset=True)
    assert "You have none" in text(await ask(town, "/mydefaults"))


async def test_forms_offer_looks_and_shapes_and_outlive_a_restart(town):
    await ask(town, "/style save", name="Noir", prompt="{prompt}, film noir")
    said = town.world.say(town.member, town.general, "a fox")
    opened = await town.world.message_menu(town.member, said, "Use as prompt")
    form = await opened.wait_modal()
    await town.restart()
    sent = await town.world.submit_form(form, {"size": "portrait", "look": "Noir"})
    assert "look: Noir" in text(await town.answer(sent))
    assert town.images.calls[-1].fields["prompt"] == "a fox, film noir"
    width, height = map(int, town.images.calls[-1].fields["size"].split("x"))
    assert width < height

    asked = await town.world.slash(town.member, town.general, "/batch", {})
    sent = await town.world.submit_form(await asked.wait_modal(), {"lines": "a hen", "look": "Noir"})
    await town.settled(sent)
    assert town.images.calls[-1].fields["prompt"] == "a hen, film noir"


async def test_a_private_result_says_that_it_is_kept(town):
    drawn = await ask(town, "/imagine", prompt="a fox", private=True)
    assert text(drawn).count("/gallery mine:True keeps it") == 1
    assert "keeps it" not in text(await ask(town, "/imagine", prompt="a fox"))
