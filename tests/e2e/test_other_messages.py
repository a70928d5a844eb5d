"""The menu of messages that are not ours: forwards, embeds and galleries of other bots, files without a type."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sandbox.discord import links
from sandbox.discord.model import ChannelType, Upload
from tests.support.pictures import png
from tests.support.running import private_word, said


@pytest.fixture
def posted(town):
    """A message with a picture and words."""
    return town.world.say(town.admin, town.general, "a lighthouse in fog", [Upload("pic.png", png())])


def shown_by_a_bot(town, **parts: object):
    """A message of another bot that shows its file in an embed or in components."""
    other = replace(town.world.new_user("Renderer"), bot=True)
    message = town.world.say(other, town.general, "", [Upload("render.png", png())])
    url = links.stored(message.attachments[0])
    for name, make in parts.items():
        setattr(message, name, make(url))
    return message


GALLERY = {"type": 12, "id": 2}
LOOKS = {
    "embed image": {"embeds": lambda url: [{"type": "rich", "title": "My render", "image": {"url": url}}]},
    "embed thumbnail": {"embeds": lambda url: [{"type": "image", "thumbnail": {"url": url}}]},
    "gallery": {
        "components": lambda url: [GALLERY | {"items": [{"media": {"id": "1", "url": url}, "spoiler": False}]}]
    },
    "gallery in a container": {
        "components": lambda url: [
            {
                "type": 17,
                "id": 1,
                "spoiler": False,
                "components": [GALLERY | {"items": [{"media": {"id": "1", "url": url}, "spoiler": False}]}],
            }
        ]
    },
    "section": {
        "components": lambda url: [
            {
                "type": 9,
                "id": 1,
                "components": [{"type": 10, "id": 2, "content": "a render"}],
                "accessory": {"type": 11, "id": 3, "media": {"id": "1", "url": url}, "spoiler": False},
            }
        ]
    },
}


@pytest.mark.parametrize("looks", LOOKS.values(), ids=LOOKS)
async def test_a_picture_that_another_bot_shows_is_found(town, looks):
    message = shown_by_a_bot(town, **looks)

    editing = await town.settled(await town.world.message_menu(town.member, message, "Edit image"))
    assert editing.modal is not None
    edited = await town.world.submit_form(editing.modal, {"prompt": "in the rain"}, user=town.member)

    assert (await town.answer(edited)).attachments
    assert len(town.images.calls[-1].files) == 1


async def test_a_forwarded_picture_is_varied_and_its_words_are_a_prompt(town, posted):
    message = town.world.forward(town.member, town.general, posted)

    varied = await town.world.message_menu(town.member, message, "Vary image")
    assert (await town.answer(varied)).attachments
    quoting = await town.settled(await town.world.message_menu(town.member, message, "Use as prompt"))

    assert quoting.modal is not None
    assert "a lighthouse in fog" in str(quoting.modal.components)


async def test_an_attachment_without_a_type_is_a_picture_by_its_name(town, posted):
    posted.attachments = [replace(posted.attachments[0], content_type="")]

    varied = await town.world.message_menu(town.member, posted, "Vary image")

    assert (await town.answer(varied)).attachments


async def test_a_picture_that_does_not_lie_at_discord_is_never_fetched(town):
    message = town.world.say(town.member, town.general, "look")
    message.embeds = [{"type": "image", "thumbnail": {"url": "https://example.org/attachments/1/2/a.png"}}]

    refused = await town.settled(await town.world.message_menu(town.member, message, "Vary image"))

    assert "no picture" in private_word(refused)


async def test_a_thread_that_discord_describes_in_part_is_read(town):
    thread = town.world.add_channel(
        town.world.town.studio, "plans", ChannelType.THREAD, parent_id=town.world.town.pictures.id
    )

    done = await town.settled(await town.world.slash(town.admin, town.general, "/settings channels", {"deny": thread}))

    assert f"<#{thread.id}>" in said(done)


async def test_an_option_that_cannot_be_read_is_answered_in_words(town, monkeypatch):
    def unreadable(*_: object) -> None:
        raise KeyError("owner_id")

    monkeypatch.setattr("discord.app_commands.models.AppCommandThread.__init__", unreadable)
    asked = await town.world.slash(town.admin, town.general, "/settings channels", {"deny": town.world.town.thread})

    assert "report this code" in private_word(await town.settled(asked))


async def test_an_interaction_that_cannot_be_read_is_answered_in_words(town, monkeypatch):
    send = town.world.dispatch

    def without_version(name, data, guild_id):
        send(name, {key: value for key, value in data.items() if key != "version"}, guild_id)

    monkeypatch.setattr(town.world, "dispatch", without_version)
    asked = await town.settled(await town.imagine())

    assert "`/imagine`" in private_word(asked) or "command" in private_word(asked)
    assert await town.jobs() == []
    town.discord.breaches.clear()  # Discord itself broke its rules here
