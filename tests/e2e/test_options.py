"""Every option of the table, all the way: typed into a command, sent, kept, shown in Details, and asked for Again."""

from __future__ import annotations

from typing import Any

import pytest

from bot.rules.options.table import OPTIONS, Option, Shown
from bot.ui.words.options import option_told
from sandbox.discord.model import Message, Upload
from tests.support.pictures import png


def drawn() -> Upload:
    return Upload("fox.png", png())


JOURNEYS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    # what is tried: the command, what is given beside, the options
    "a moving picture": (
        "/imagine",
        {"model": "gpt-image-2.6-flare"},
        {"size": "960x640", "quality": "low", "format": "gif", "frames": 4, "frame_ms": 150, "complexity": "high"},
    ),
    "a compressed one": ("/imagine", {}, {"format": "webp", "compression": 60, "moderation": "low", "preview": True}),
    "several without ground": ("/imagine", {"quality": "low"}, {"background": "transparent", "count": 2}),
    "a styled one": ("/imagine", {"model": "dall-e-3"}, {"style": "natural", "private": True}),
    "an edit": ("/edit", {"model": "gpt-image-1.5"}, {"fidelity": "high", "moderation": "low"}),
}


def test_every_option_of_the_table_makes_its_journey() -> None:
    tried = {name for _, _, options in JOURNEYS.values() for name in options}
    assert {option.name for option in OPTIONS} == tried


@pytest.mark.parametrize("journey", JOURNEYS)
async def test_an_option_goes_from_the_command_to_the_post_to_details_and_again(town, journey: str) -> None:
    command, beside, options = JOURNEYS[journey]
    asked = [option for option in OPTIONS if option.name in options]
    given = {"prompt": "a red fox", **beside, **options} | ({"image": drawn()} if command == "/edit" else {})
    message = await town.answer(await town.world.slash(town.member, town.general, command, given))
    await town.quiet()  # what was uploaded is kept last
    (job,) = await town.jobs()

    assert {option.name: getattr(job.request, option.name) for option in asked} == options
    first = town.images.calls[-1].fields
    assert {option.name: first.get(option.wire_name) for option in asked if option.wire_name} == {
        option.name: as_sent(option, options[option.name], is_form=command == "/edit")
        for option in asked
        if option.wire_name
    }

    told = await details_of(town, message)
    for option in asked:
        value = options[option.name]
        line = option_told(option.name, value, "en-US")
        assert (line in told) is (option.shown is not Shown.NOWHERE), (line, told)

    answered = await town.answer(await town.world.click(message, "Again", town.member))
    await town.quiet()
    assert answered.attachments, answered.content
    (again,) = [one for one in await town.jobs() if one.id != job.id]
    carried = [option.name for option in asked if option.is_carried]
    assert {name: getattr(again.request, name) for name in carried} == {name: options[name] for name in carried}
    assert town.images.calls[-1].fields == first


def as_sent(option: Option, value: object, *, is_form: bool) -> object:
    """The option's value in the body of the call: previews are asked for as a number of pictures."""
    if option.name == "preview":
        return 2
    return str(value) if is_form else value


async def details_of(town, message: Message) -> str:
    told = await town.answer(await town.world.click(message, "Details", town.member))
    return "\n".join(field["value"].replace("\\", "") for embed in told.embeds for field in embed["fields"])
