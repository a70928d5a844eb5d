"""Refused words over the wire: wherever a prompt comes from, told in private, without the word, and at no cost."""

from __future__ import annotations

import pytest

from sandbox.discord.model import Upload
from tests.e2e.test_settings import told


async def refused(town, interaction) -> str:
    """What is left once a neutral "is thinking" is gone."""
    await interaction.wait_answer()
    await town.quiet()
    (message,) = interaction.messages
    assert message.ephemeral
    assert "not allowed on this server" in message.content
    assert "badger" not in message.content.casefold()
    return message.content


@pytest.mark.smoke
async def test_a_word_is_refused_wherever_it_comes_from(town):
    assert "0 → 1" in (await told(town, "words", add="Badger")).content
    slash = town.world.slash
    file = Upload("p.txt", "a fox\nand a b\u0430dger".encode(), "text/plain")
    lines = Upload("l.txt", b"a fox\nb.a.d.g.e.r\nan owl\na badger", "text/plain")
    await refused(town, await slash(town.member, town.general, "/imagine", {"prompt": "a BADGER"}))
    await refused(town, await slash(town.member, town.general, "/imagine", {"prompt": "-", "prompt_file": file}))
    batch = await refused(town, await slash(town.member, town.general, "/batch", {"file": lines}))
    assert "2" in batch
    assert "4" in batch
    assert town.images.calls == []
    assert await town.app.store.servers.words_refused(town.here, town.world.clock.now()) == 4
    page = (await told(town, "show")).embeds[0]
    assert any("1 (prompts refused this month: 4)" in field["value"] for field in page["fields"])


async def test_whose_look_has_the_word_is_told_so_and_a_batch_once(town):
    slash = town.world.slash
    look = {"name": "Noir", "prompt": "{prompt}, a badger"}
    await town.settled(await slash(town.member, town.general, "/style save", look))
    await told(town, "words", add="badger")
    lines = Upload("l.txt", b"a fox\nan owl", "text/plain")
    for command, options in (("/imagine", {"prompt": "a fox"}), ("/batch", {"file": lines})):
        said = await refused(town, await slash(town.member, town.general, command, {**options, "look": "noir"}))
        assert said.startswith("The look `Noir` has a word")
    typed = await slash(town.member, town.general, "/imagine", {"prompt": "a badger", "look": "noir"})
    said = await refused(town, typed)
    assert said.startswith("Your prompt has a word")
    assert await town.app.store.servers.words_refused(town.here, town.world.clock.now()) == 3


async def test_an_old_picture_is_not_gone_on_from(town):
    interaction = await town.world.slash(
        town.member, town.general, "/imagine", {"prompt": "a badger", "quality": "low"}
    )
    await interaction.wait_answer()
    await town.quiet()
    message = interaction.answer
    await told(town, "words", add="badger")
    for label, words in (("Again", "Your prompt has"), ("Vary", "This picture was made"), ("Zoom out", "This picture")):
        click = await town.world.click(message, label, town.member)
        assert (await refused(town, click)).startswith(words)
    assert len(town.images.calls) == 1


async def test_admins_see_the_list_in_private_and_the_log_says_only_numbers(town):
    await told(town, "log", channel=town.world.town.pictures)
    shown = await told(town, "words")
    click = await town.world.click(shown, "Add several", town.admin)
    done = await town.world.submit_form(await click.wait_modal(), {"words": "badger\nsecret cow"})
    message = await done.wait_answer()
    assert message.ephemeral
    assert "0 → 2 (+2, −0)" in message.content
    assert "||badger, secret cow||" in (await told(town, "words")).content
    audit = str((await told(town, "audit")).embeds)
    log = str([one.content for one in town.world.history(town.world.town.pictures)])
    assert "badger" not in audit + log
    assert "+2" in audit
    assert "+2" in log
