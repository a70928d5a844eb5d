"""Where is this from? What the service is asked, when it is not, and what its trouble comes to: one sentence."""

from __future__ import annotations

import json

import pytest

from bot.rules.people import Place
from sandbox.discord.model import Message, Upload
from sandbox.images.faults import Answer, Delay
from tests.e2e.test_origins import MENU, asked, fields, posted
from tests.support.pictures import encoded, opened, png
from tests.support.running import private_word, said, until

HEADING = "Image service: recognised as its own?"
NO = "No. That does not rule out AI"


async def can_tell(town, tmp_path, more: str = "", **settings: str):
    """A bot whose service can be asked."""
    file = tmp_path / "models.toml"
    file.write_text(f"[services.default]\nprovenance = true\n{more}")
    await town.restart(IMAGE_MODELS=str(file), **settings)
    return town


@pytest.fixture
async def checking(town, tmp_path):
    return await can_tell(town, tmp_path)


@pytest.fixture
async def priced(town, tmp_path):
    """The same, at a price: a budget of a cent has room for three checks."""
    return await can_tell(town, tmp_path, "provenance_price = 0.003\n", DEFAULT_BUDGET_USD="0.01")


async def ends(town) -> list[tuple[str, int]]:
    return [(job.state.value, job.charged_micro_usd) for job in await town.jobs(town.painter)]


async def told(town, message: Message) -> str:
    (embed,) = (await asked(town, message)).embeds
    return next(value for name, value in fields(embed).items() if name.startswith(HEADING))


def trouble(status: int, code: str = "server_error", **headers: str) -> Answer:
    error = {"error": {"message": "no", "type": code, "code": code}}
    return Answer(code, status, json.dumps(error).encode(), headers=headers)


async def test_a_copy_of_a_picture_is_recognised_by_its_service(checking):
    result = await checking.answer(await checking.imagine(quality="low"))
    copy = encoded(opened(result.attachments[0].data), "PNG")
    message = posted(checking, Upload("found.png", copy))
    (embed,) = (await asked(checking, message)).embeds
    assert embed["title"] == "Made with AI"
    lines = fields(embed)[HEADING].splitlines()
    assert lines[:3] == [
        "Yes, it was made with AI there.",
        "Its watermark (SynthID) is in the picture.",
        "Made with `gpt-image-2.5-flare`",
    ]
    assert lines[3].startswith("Made on <t:")
    (check,) = checking.images.provenance.checks
    assert (check.status, check.file.mime, check.file.size) == (200, "image/png", (1024, 1024))


async def test_our_own_picture_is_not_sent_anywhere(checking):
    result = await checking.answer(await checking.imagine(quality="low"))
    (embed,) = (await asked(checking, result)).embeds
    assert HEADING not in fields(embed)
    assert checking.images.provenance.checks == []


async def test_a_service_that_cannot_tell_is_not_asked(town):
    (embed,) = (await asked(town, posted(town, Upload("a.png", png())))).embeds
    assert list(fields(embed)) == ["Marks of origin (C2PA)"]
    assert town.images.provenance.checks == []


@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        (500, "server_error", "No answer. Try again later."),
        (404, "not_found", "No answer. Try again later."),
        (401, "invalid_api_key", "No answer. Try again later."),
        (429, "rate_limit_exceeded", "Not asked: too many checks just now. Try again in a minute."),
    ],
)
async def test_trouble_at_the_service_is_one_sentence_and_it_is_asked_once(checking, status, code, sentence):
    checking.images.provenance.troubles.append(trouble(status, code))
    assert await told(checking, posted(checking, Upload("a.png", png()))) == sentence
    assert len(checking.images.provenance.checks) == 1


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"results": 5}', b'{"results": [' * 5000])
async def test_an_odd_answer_is_no_answer(checking, body):
    checking.images.provenance.troubles.append(Answer("odd", 200, body))
    assert await told(checking, posted(checking, Upload("a.png", png()))) == "No answer. Try again later."


async def test_after_too_many_requests_nobody_asks_for_a_while(checking):
    checking.images.provenance.troubles.append(trouble(429, "rate_limit_exceeded"))
    for _ in range(2):
        assert (await told(checking, posted(checking, Upload("a.png", png())))).startswith("Not asked: too many")
    assert len(checking.images.provenance.checks) == 1


async def test_foreign_words_in_the_answer_are_only_words(checking):
    found = {"type": "synthid", "outcome": "detected", "model": "@everyone `x` " + "y" * 10_000, "generated_at": "soon"}
    checking.images.provenance.troubles.append(Answer("odd", 200, json.dumps({"results": [found]}).encode()))
    text = await told(checking, posted(checking, Upload("a.png", png())))
    assert "Made with `@everyone ˋxˋ yyy" in text
    assert len(text) < 400


async def test_who_may_not_use_easel_here_sends_nothing_to_the_service(checking):
    town = checking
    block = await town.world.slash(town.admin, town.general, "/settings block", {"member": town.painter})
    await town.settled(block)
    assert await told(town, posted(town, Upload("a.png", png()))) == "Not asked: you may not use Easel here."
    assert town.images.provenance.checks == []
    assert (await told(town, posted(town, Upload("a.png", png())))).startswith("Not asked")


async def test_several_pictures_are_asked_for_one_by_one(checking):
    assert (
        NO
        in (await asked(checking, posted(checking, *[Upload(f"{n}.png", png()) for n in range(3)]))).embeds[0][
            "fields"
        ][1]["value"]
    )
    assert len(checking.images.provenance.checks) == 3


async def test_a_check_with_a_price_is_charged_once_and_is_no_picture(priced):
    assert (await told(priced, posted(priced, Upload("a.png", png())))).startswith(NO)
    assert await ends(priced) == [("settled", 3000)]
    gallery = await priced.settled(await priced.world.slash(priced.painter, priced.general, "/gallery", {"mine": True}))
    assert "content_provenance" not in str(gallery.messages)
    assert gallery.messages[0].attachments == []


async def test_a_check_is_not_made_where_a_limit_has_no_room_for_its_price_and_the_rule_is_named(priced):
    await asked(priced, posted(priced, Upload("a.png", png()), Upload("b.png", png())))
    refused = await told(priced, posted(priced, *[Upload(f"{n}.png", png()) for n in range(2)]))
    assert refused.startswith("Not asked, because it has a price.")
    assert "$0.01" in refused
    assert (await told(priced, posted(priced, Upload("a.png", png())))).startswith(NO)
    assert len(priced.images.provenance.checks) == 3
    assert await ends(priced) == [("settled", 6000), ("settled", 3000)]


async def test_one_look_at_several_pictures_is_one_command(town, tmp_path):
    priced = await can_tell(town, tmp_path, "provenance_price = 0.003\n", DEFAULT_COOLDOWN_S="30")
    await asked(priced, posted(priced, *[Upload(f"{n}.png", png()) for n in range(4)]))
    assert len(priced.images.provenance.checks) == 4
    assert await ends(priced) == [("settled", 12000)]
    refused = await told(priced, posted(priced, Upload("a.png", png())))
    assert "30 s" in refused or "seconds" in refused


async def test_of_several_checks_only_those_that_may_be_billed_are_charged(priced):
    priced.images.provenance.troubles.append(trouble(401, "invalid_api_key"))
    await asked(priced, posted(priced, *[Upload(f"{n}.png", png()) for n in range(3)]))
    assert await ends(priced) == [("settled", 6000)]


async def test_a_picture_that_cannot_be_had_costs_nothing(priced):
    message = posted(priced, Upload("a.png", b""))
    answer = await asked(priced, message)
    assert answer.embeds == []
    assert await ends(priced) == [("released", 0)]


async def test_what_may_have_been_billed_is_charged_beside_what_was_answered(priced):
    priced.images.provenance.troubles.append(trouble(504, "x"))
    await asked(priced, posted(priced, *[Upload(f"{n}.png", png()) for n in range(2)]))
    assert await ends(priced) == [("settled", 6000)]


async def test_a_picture_that_is_not_sent_costs_nothing(priced):
    await asked(priced, posted(priced, Upload("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>")))
    assert [charged for _, charged in await ends(priced)] in ([], [0])
    assert priced.images.provenance.checks == []


async def test_a_servers_own_key_asks_for_its_people_and_the_operators_never_does(priced):
    await priced.app.store.servers.set_api_key(
        Place(priced.general.guild_id, 0), "sk-our-own-key", priced.admin.id, priced.world.clock.now()
    )
    priced.images.key = "sk-our-own-key"
    assert (await told(priced, posted(priced, Upload("a.png", png())))).startswith(NO)
    (check,) = priced.images.provenance.checks
    assert check.status == 200


async def test_a_menu_that_was_sent_twice_is_answered_and_charged_once(priced):
    message = posted(priced, Upload("a.png", png()))
    first = await priced.world.message_menu(priced.painter, message, MENU)
    priced.world.replay(first)
    await priced.settled(first)
    await priced.quiet()
    assert await ends(priced) == [("settled", 3000)]
    assert len(first.messages) == 1


@pytest.mark.parametrize(
    ("status", "code", "end"),
    [
        (429, "rate_limit_exceeded", ("released", 0)),
        (401, "invalid_api_key", ("released", 0)),
        (504, "x", ("unknown", 3000)),
    ],
)
async def test_a_check_that_failed_is_charged_only_where_it_may_have_been_billed(priced, status, code, end):
    priced.images.provenance.troubles.append(trouble(status, code))
    await asked(priced, posted(priced, Upload("a.png", png())))
    assert await ends(priced) == [end]
    assert len(priced.images.provenance.checks) == 1


async def test_a_check_that_a_stop_cut_off_stays_charged_and_is_told_once(priced):
    priced.images.provenance.troubles.append(Delay("slow", 30))
    message = posted(priced, Upload("a.png", png()))
    interaction = await priced.world.message_menu(priced.painter, message, MENU)
    await until(lambda: priced.images.provenance.checks, 10, "the check")
    await priced.restart()
    await priced.quiet()
    assert await ends(priced) == [("unknown", 3000)]
    assert len(priced.images.provenance.checks) == 1
    assert "may have been billed" in private_word(interaction)


async def test_privacy_says_that_foreign_pictures_go_to_the_service_only_where_they_do(checking):
    assert "somebody asks **Where is this from?**" in said(await checking.run("/privacy"))
    await checking.restart(IMAGE_MODELS="")
    assert "Where is this from?" not in said(await checking.run("/privacy"))
