"""Where is this from? The menu of any message, over the wire: what it tells to whom, and what odd files come to."""

from __future__ import annotations

import pytest

from bot.ui.interactions.bounds import BOUNDS, Bounded
from sandbox.discord.model import Message, Upload, User
from sandbox.images.drawing.marks import marked
from tests.support.pictures import png
from tests.support.running import private_word

MENU = "Where is this from?"


async def asked(town, message: Message, user: User | None = None) -> Message:
    """The one private answer."""
    found = await town.settled(await town.world.message_menu(user or town.painter, message, MENU))
    (answer,) = found.messages
    assert answer.ephemeral
    return answer


async def embed_of(town, message: Message, user: User | None = None) -> dict:
    (embed,) = (await asked(town, message, user)).embeds
    return embed


def fields(embed: dict) -> dict[str, str]:
    return {field["name"]: field["value"] for field in embed["fields"]}


def posted(town, *files: Upload) -> Message:
    return town.world.say(town.admin, town.general, "", list(files))


@pytest.mark.smoke
async def test_a_picture_of_ours_is_known_by_job_model_time_and_asker(town):
    result = await town.answer(await town.imagine(quality="low", count=2))
    (job,) = await town.jobs()
    embed = await embed_of(town, result)
    assert embed["title"] == "Easel made this"
    assert fields(embed) == {
        "In Easel's records": "Made with AI by `gpt-image-2.5-flare`\n"
        f"<t:{int(job.created_at.timestamp())}:f>, for <@{town.member.id}>\nJob `{job.id}`",
        "Marks of origin (C2PA), pictures 1, 2": "None.",
    }
    assert "None of this is proof" in embed["footer"]["text"]


async def test_a_group_of_a_batch_is_known_too(town):
    file = Upload("prompts.txt", b"a fox\na hen", "text/plain")
    await town.settled(await town.world.slash(town.member, town.general, "/batch", {"file": file, "quality": "low"}))
    group = next(one for one in town.world.history(town.general) if len(one.attachments) == 2)
    told = [field["value"] for field in (await embed_of(town, group))["fields"]]
    assert all(any(job.id in value for value in told) for job in await town.jobs())


async def test_a_foreign_message_that_borrows_the_name_of_our_file_is_foreign(town):
    result = await town.answer(await town.imagine(quality="low"))
    embed = await embed_of(town, posted(town, Upload(result.attachments[0].filename, png())))
    assert embed["title"] == "Nothing says where this picture comes from"
    assert list(fields(embed)) == ["Marks of origin (C2PA)"]


async def test_a_picture_of_ours_that_somebody_shows_again_is_known_by_its_bytes(town):
    result = await town.answer(await town.imagine(quality="low", count=2))
    (job,) = await town.jobs()
    second = result.attachments[1]
    for again in (
        town.world.forward(town.admin, town.general, result),
        posted(town, Upload(f"SPOILER_{second.filename}", second.data)),
    ):
        embed = await embed_of(town, again)
        assert embed["title"] == "Easel made this"
        assert job.id in fields(embed)["In Easel's records"]
    embed = await embed_of(town, posted(town, Upload(second.filename, result.attachments[0].data)))
    assert "In Easel's records" not in fields(embed)


async def test_a_private_picture_that_is_shown_again_is_known_to_its_maker_alone(town):
    result = await town.answer(await town.imagine(quality="low", private=True))
    again = posted(town, Upload(result.attachments[0].filename, result.attachments[0].data))
    assert "In Easel's records" in fields(await embed_of(town, again, town.member))
    assert "In Easel's records" not in fields(await embed_of(town, again, town.painter))


async def test_a_deleted_picture_of_ours_is_not_spoken_of(town):
    result = await town.answer(await town.imagine(quality="low"))
    (job,) = await town.jobs()
    await town.app.store.jobs.mark_deleted(job.id)
    assert list(fields(await embed_of(town, result))) == ["Marks of origin (C2PA)"]


async def test_marks_are_told_and_their_words_are_only_words(town):
    odd = "@everyone **bold** `code` [x](https://evil.example) " + "y" * 10_000
    message = posted(town, Upload("a.png", marked(png(), "png", odd)))
    embed = await embed_of(town, message)
    assert embed["title"] == "This picture says: made with AI"
    told = fields(embed)["Marks of origin (C2PA)"]
    assert told.startswith("They say that it was made with AI, and the picture has not been changed since")
    assert "Made with `@everyone **bold** ˋcodeˋ [x](https://evil.example) yyy" in told
    assert "Signed by `Easel sandbox`" in told
    assert len(told) < 500


async def test_several_pictures_are_told_together_and_no_more_than_four(town):
    files = [Upload(f"{n}.png", png()) for n in range(4)] + [Upload("x.png", png())] * 2
    files[1] = Upload("1.png", marked(png(), "png", "x")[:-30])
    embed = await embed_of(town, posted(town, *files))
    assert fields(embed) == {
        "Marks of origin (C2PA), pictures 1, 3, 4": "None.",
        "Marks of origin (C2PA), picture 2": "Unreadable: the file is damaged or cut off.",
    }
    assert embed["footer"]["text"].startswith("2 more pictures were not looked at.")


async def test_a_message_without_pictures_and_a_picture_that_is_gone_are_one_sentence(town):
    word = await town.settled(await town.world.message_menu(town.painter, posted(town), MENU))
    assert private_word(word) == "There is no picture in that message."
    message = posted(town, Upload("a.png", png()))
    town.discord.cdn.fail_next("missing")
    word = await town.settled(await town.world.message_menu(town.painter, message, MENU))
    assert "no longer there" in private_word(word)


async def test_the_menu_has_a_bound(town):
    message = posted(town, Upload("a.png", png()))
    for _ in range(BOUNDS[Bounded.ORIGIN].most):
        assert (await asked(town, message)).embeds
    assert "too often" in (await asked(town, message)).content


async def test_the_answer_is_in_the_readers_language(town):
    reader = town.world.speak(town.painter, "de")
    embed = await embed_of(town, posted(town, Upload("a.png", png())), reader)
    assert embed["title"] == "Nichts sagt, woher dieses Bild stammt"
    assert "Nichts davon ist ein Beweis" in embed["footer"]["text"]


async def test_a_file_of_25_mb_is_read(town):
    message = posted(town, Upload("a.png", png() + bytes(25_000_000)))
    assert fields(await embed_of(town, message)) == {"Marks of origin (C2PA)": "None."}
