"""Prompts that no form holds: they are shown in part, which is said, and go on whole where nothing was changed."""

from __future__ import annotations

import pytest

from sandbox.discord.model import Upload

LONG = " ".join(f"word{number:04d}" for number in range(700)) + " THE END"


async def form_of(town, opener):
    opened = await town.settled(opener)
    assert opened.modal is not None
    return opened.modal


def note_of(form) -> str:
    return form.components[0]["description"]


@pytest.fixture
async def edit_form(town):
    text = Upload("prompt.txt", LONG.encode(), "text/plain")
    message = await town.answer(await town.imagine(prompt="-", prompt_file=text, preview=False))
    return await form_of(town, await town.world.click(message, "Edit", town.member))


async def test_a_long_prompt_left_unchanged_in_the_edit_form_goes_on_whole(town, edit_form):
    assert f"of {len(LONG):,} characters" in note_of(edit_form)
    edited = await town.world.submit_form(edit_form, {}, user=town.member)

    assert (await town.answer(edited)).attachments
    assert town.images.calls[-1].fields["prompt"] == LONG


async def test_the_same_holds_for_a_form_that_was_open_across_a_restart(town, edit_form):
    await town.restart()
    edited = await town.world.submit_form(edit_form, {}, user=town.member)

    assert (await town.answer(edited)).attachments
    assert town.images.calls[-1].fields["prompt"] == LONG


async def test_a_long_prompt_that_was_changed_in_the_form_is_what_was_written(town, edit_form):
    edited = await town.world.submit_form(edit_form, {"prompt": "in the rain"}, user=town.member)

    assert (await town.answer(edited)).attachments
    assert town.images.calls[-1].fields["prompt"] == "in the rain"


async def test_a_long_prompt_used_again_from_a_picture_goes_on_whole(town, edit_form):
    message = edit_form.interaction.source_message
    form = await form_of(town, await town.world.message_menu(town.member, message, "Use as prompt"))
    made = await town.world.submit_form(form, {}, user=town.member)

    assert (await town.answer(made)).attachments
    assert town.images.calls[-1].fields["prompt"] == LONG
