"""Words over the wire: a picture becomes a prompt, a prompt a better one; charged, private, and never asked twice."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.operator.sandbox.ledger import SqliteLedger
from bot.rules.ledger import JobState
from bot.rules.people import Place
from bot.rules.requests import Kind
from sandbox.discord.model import Interaction, Upload, User
from sandbox.images import ImageService
from sandbox.images.faults import Delay, Shape
from sandbox.images.words.chat import MODEL
from tests.support.pictures import png
from tests.support.running import Town, private_word, processes_in, said, town_in, until

PICTURE = Upload("fox.png", png(1600, 900))
CHAT = {"CHAT_MODEL": MODEL, "CHAT_PRICES": "0.15/0.60"}
OWN_KEY = "sk-our-very-own-key7"
SECOND_KEY = "second-key-0123456789"
ELSEWHERE = """
[services.second]
base_url = "{address}"
key = "env SECOND_KEY"
chat_model = "{model}"
chat_prices = {{ input = 0.15, output = 0.60 }}
"""
MOST_A_PICTURE_COSTS = 5_000
"""Micro-dollars at these prices: the picture's tokens, the instruction's, and the longest answer's."""


@pytest.fixture
async def town(tmp_path) -> AsyncIterator[Town]:
    async with town_in(tmp_path, **CHAT) as town:
        yield town
        await town.check()


async def describe(town: Town):
    interaction = await town.run("describe", image=PICTURE)
    await town.quiet()
    return interaction


async def improve(town: Town, prompt: str = "a red fox", user: User | None = None, **chosen: list[str]) -> Interaction:
    """From the form, with what was chosen in its menus."""
    message = town.world.say(town.painter, town.general, "a red fox")
    opened = await town.settled(await town.world.message_menu(user or town.member, message, "Use as prompt"))
    form = {"prompt": prompt, "improve": ["yes"], **chosen}
    return await town.settled(await town.world.submit_form(opened.modal, form, user=user or town.member))


async def admin(town: Town, command: str, **options: object) -> None:
    await town.settled(await town.world.slash(town.admin, town.general, f"/settings {command}", options))


async def give_own_key(town: Town, key: str = OWN_KEY) -> None:
    """The server pays with its own; the default service takes whichever."""
    town.images.key = None
    asked = await town.world.slash(town.admin, town.general, "/settings apikey")
    given = await town.world.submit_form(await asked.wait_modal(), {"key": key}, user=town.admin)
    await given.wait_answer()


async def test_what_the_servers_own_key_cannot_pay_is_for_its_admins_to_mend(town):
    await give_own_key(town)
    town.images.fail_next("insufficient_quota", times=None)
    first, second = [await town.answer(await town.imagine(quality="low")) for _ in range(2)]
    described = await town.answer(await describe(town))
    for one in (first, second, described):
        assert "this server's own API key" in one.content
        assert "operator" not in one.content
        assert "`/settings apikey`" in one.content
    for command, user in (("show", town.admin), ("open", town.admin)):
        shown = await town.answer(await town.world.slash(user, town.general, f"/settings {command}"))
        if command == "open":
            await town.settled(await town.world.select(shown, "e1:set:who:go", ["money"], user))
        assert "not accepted, or without funds" in f"{shown.embeds} {shown.components}"
    await admin(town, "apikey", remove=True)
    shown = await town.answer(await town.world.slash(town.admin, town.general, "/settings show"))
    assert "not accepted" not in str(shown.embeds)


@asynccontextmanager
async def words_elsewhere(town: Town, tmp_path: Path) -> AsyncIterator[ImageService]:
    """The model of words lives at a service of its own, which the operator pays for."""
    other, file = ImageService(mode="compatible", key=SECOND_KEY), tmp_path / "models.toml"
    await other.start()
    file.write_text(ELSEWHERE.format(address=other.base_url, model=MODEL))
    await town.restart(IMAGE_MODELS=str(file), SECOND_KEY=SECOND_KEY, CHAT_MODEL="", CHAT_PRICES="")
    try:
        yield other
    finally:
        await other.stop()


async def words_refused(town: Town) -> int:
    return await town.app.store.servers.words_refused(Place(town.world.town.studio.id, 0), town.world.clock.now())


def saying(words: str) -> Shape:
    """An answer of the model of words."""

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        (choice,) = body["choices"]
        return {**body, "choices": [{**choice, "message": {**choice["message"], "content": words}}]}

    return Shape("words_saying", answer)


async def job_of(town: Town, kind: Kind):
    return next(job for job in await town.jobs() if job.request.kind is kind)


async def over(ledger: SqliteLedger, interaction_id: int) -> bool:
    return not await ledger.is_busy(interaction_id)


def labels(message) -> list[str]:
    return [one["label"] for row in message.components for one in row["components"]]


async def test_a_picture_becomes_a_prompt_that_only_its_asker_sees_and_a_picture_of_it(town):
    described = await describe(town)
    (message,) = described.messages
    assert message.ephemeral
    assert "A prompt for this picture" in said(described)
    assert message.content == ""
    assert labels(message) == ["Make it", "Use as prompt"]
    (call,) = town.images.calls
    assert call.endpoint == "chat"
    job = await job_of(town, Kind.DESCRIBE)
    assert (job.state, job.request.count, job.bill.images) == (JobState.SETTLED, 0, 0)
    assert 0 < job.charged_micro_usd < MOST_A_PICTURE_COSTS
    made = await town.press(message, "Make it")
    await town.quiet()
    picture = await job_of(town, Kind.IMAGINE)
    assert picture.request.prompt == job.revised_prompt
    assert made.messages[-1].attachments


async def test_use_as_prompt_opens_the_form_filled_in_also_after_a_restart(town):
    described = await describe(town)
    words = (await job_of(town, Kind.DESCRIBE)).revised_prompt
    await town.restart()
    pressed = await town.settled(await town.world.click(described.messages[0], "Use as prompt", town.member))
    assert words in str(pressed.modal)


@pytest.mark.smoke
async def test_a_prompt_is_improved_before_anything_is_drawn_with_the_old_words_one_press_away(town):
    message = town.world.say(town.painter, town.general, "a red fox")
    opened = await town.settled(await town.world.message_menu(town.member, message, "Use as prompt"))
    form = {"prompt": "a red fox", "size": ["landscape"], "improve": ["yes"]}
    improved = await town.settled(await town.world.submit_form(opened.modal, form, user=town.member))
    await town.quiet()
    (shown,) = improved.messages
    assert shown.ephemeral
    assert labels(shown) == ["Make it", "Change it", "Use my words"]
    assert [call.endpoint for call in town.images.calls] == ["chat"]
    await town.press(shown, "Use my words")
    await town.quiet()
    drawn = await job_of(town, Kind.IMAGINE)
    assert drawn.request.prompt == "a red fox"
    width, height = map(int, drawn.request.size.split("x"))
    assert width > height


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ("words_empty", JobState.UNKNOWN),
        ("words_refused", JobState.UNKNOWN),
        ("words_broken", JobState.UNKNOWN),
        ("error_500_html", JobState.UNKNOWN),
        ("insufficient_quota", JobState.RELEASED),
        ("model_not_found", JobState.RELEASED),
    ],
)
async def test_what_goes_wrong_is_said_in_private_and_nothing_is_asked_twice(town, fault, state):
    town.images.fail_next(fault)
    failed = await describe(town)
    (message,) = failed.messages
    assert message.ephemeral
    assert message.content
    job = await job_of(town, Kind.DESCRIBE)
    assert (job.state, len(town.images.calls)) == (state, 1)


async def test_where_the_model_is_gone_only_the_operator_can_help_and_ones_own_words_are_drawn(town):
    town.images.fail_next("model_not_found")
    failed = await improve(town)
    assert "Only the operator can set another one" in private_word(failed)
    assert labels(failed.messages[0]) == ["Use my words"]
    await town.restart()
    assert (await town.press(failed.messages[0], "Use my words")).messages[-1].attachments


async def test_while_words_are_paused_ones_own_are_drawn_where_pictures_are_not(town, tmp_path):
    async with words_elsewhere(town, tmp_path) as other:
        other.fail_next("insufficient_quota")
        await describe(town)
        assert "Prompts cannot be written" in private_word(await describe(town))
        paused = await improve(town)
        (button,) = labels(paused.messages[0])
        assert button.startswith("Use my words")
        assert (await town.press(paused.messages[0], button)).messages[-1].attachments
        town.images.fail_next("insufficient_quota")
        await town.imagined(quality="low")
        assert (await improve(town)).messages[0].components == []


async def test_a_form_that_was_open_while_the_model_went_offers_ones_own_words(town):
    message = town.world.say(town.painter, town.general, "a red fox")
    opened = await town.settled(await town.world.message_menu(town.member, message, "Use as prompt"))
    await town.restart(CHAT_MODEL="", CHAT_PRICES="")
    form = {"prompt": "a red fox", "improve": ["yes"]}
    refused = await town.settled(await town.world.submit_form(opened.modal, form, user=town.member))
    assert "no model that writes prompts" in private_word(refused)
    (button,) = labels(refused.messages[0])
    assert (await town.press(refused.messages[0], button)).messages[-1].attachments


@pytest.mark.parametrize(("language", "sentence"), [("en-US", "your prompt was being written"), ("de", "dein Prompt")])
async def test_stopped_on_the_way_it_is_words_that_were_being_written(town, language, sentence):
    town.images.fail_next(Delay("late", 5))
    member = town.world.speak(town.member, language)
    asked = await town.world.slash(member, town.general, "describe", {"image": PICTURE})
    await until(lambda: town.images.calls)
    await town.restart()
    await town.quiet()
    assert sentence in private_word(asked)


async def test_a_cooldown_counts_words_and_says_when_a_picture_may_be_made_of_them(town):
    await admin(town, "cooldown", seconds=30)
    described = await describe(town)
    assert re.search(r"\*\*Make it\*\* works <t:\d+:R>", described.messages[0].content)
    assert "One command every 30 s" in private_word(await town.press(described.messages[0], "Make it"))
    await admin(town, "cooldown", seconds=0)
    assert (await describe(town)).messages[0].content == ""


async def test_mentions_and_markdown_in_an_answer_are_only_letters(town):
    town.images.fail_next("words_mentioning")
    described = await describe(town)
    assert "@everyone" not in said(described)
    assert "**now**" not in said(described)


async def test_fifty_thousand_characters_are_shown_as_far_as_they_go(town):
    town.images.fail_next("words_long")
    (message,) = (await describe(town)).messages
    assert "A very long road" in str(message.embeds)


async def test_words_use_no_pictures_of_a_limit_but_money(town):
    await town.settled(await town.world.slash(town.admin, town.general, "settings quota", {"images": 1, "per": "day"}))
    await describe(town)
    await describe(town)
    jobs = await town.jobs()
    assert [job.state for job in jobs] == [JobState.SETTLED] * 2
    assert all(job.charged_micro_usd > 0 for job in jobs)
    await town.settled(await town.imagine(quality="low"))
    assert (await job_of(town, Kind.IMAGINE)).state is JobState.SETTLED


@pytest.mark.parametrize("ask", [describe, improve])
async def test_over_a_budget_the_rule_is_told_with_its_number(town, ask):
    await admin(town, "budget", usd="0.0001", per="month")
    refused = await ask(town)
    assert "$0.0001 per month" in private_word(refused)
    assert "lower quality" not in private_word(refused)
    assert await town.jobs() == []


async def test_over_the_operators_budget_ones_own_words_are_drawn_with_the_servers_key(tmp_path):
    async with town_in(tmp_path, OPERATOR_BUDGET_USD="0.0001") as town:
        async with words_elsewhere(town, tmp_path) as other:
            await give_own_key(town)
            assert "whole budget for a month.\n" in private_word(await describe(town))
            refused = await improve(town)
            assert "operator" in private_word(refused)
            button = next(label for label in labels(refused.messages[0]) if label.startswith("Use my words"))
            await town.restart()
            made = await town.press(refused.messages[0], button)
            assert made.messages[-1].attachments
            assert other.calls == []


async def test_for_who_is_blocked_no_file_is_read_and_no_word_looked_at(town):
    await admin(town, "block", member=town.member, reason="too many owls")
    await admin(town, "words", add="fox")
    assert "too many owls" in private_word(await town.run("describe", image=Upload("fox.png", b"no picture")))
    assert "too many owls" in private_word(await improve(town))
    assert await words_refused(town) == 0
    assert await town.jobs() == []


async def test_a_refused_word_is_not_improved_and_counted(town):
    await admin(town, "words", add="fox")
    assert "not allowed on this server" in private_word(await improve(town, "a red FOX"))
    assert (await town.jobs(), town.images.calls) == ([], [])
    assert await words_refused(town) == 1


@pytest.mark.parametrize("ask", [describe, improve])
async def test_a_servers_own_key_pays_for_words_of_the_default_service_whatever_the_operator_has_left(tmp_path, ask):
    async with town_in(tmp_path, **CHAT, OPERATOR_BUDGET_USD="0.0001") as town:
        await give_own_key(town)
        await ask(town)
        (job,) = await town.jobs()
        assert (job.state, job.own_key) == (JobState.SETTLED, True)
        assert [call.key_tail for call in town.images.calls] == [OWN_KEY[-4:]]


@pytest.mark.parametrize("ask", [describe, improve])
async def test_the_operators_key_pays_for_words_elsewhere_though_the_server_has_its_own(town, tmp_path, ask):
    async with words_elsewhere(town, tmp_path) as other:
        await give_own_key(town)
        await ask(town)
        (job,) = await town.jobs()
        assert (job.state, job.own_key) == (JobState.SETTLED, False)
        assert [call.key_tail for call in other.calls] == [SECOND_KEY[-4:]]
        assert town.images.calls == []


@pytest.mark.parametrize("prompt", ["\u200b", "   ", "\n", "?!"])
async def test_words_that_say_nothing_are_not_improved_for_money(town, prompt):
    assert "a text to go by" in private_word(await improve(town, prompt))
    assert (await town.jobs(), town.images.calls) == ([], [])


async def test_flags_are_for_the_picture_and_only_a_persons_mean_anything(town):
    town.images.fail_next(saying("a fox on a poster that says sale --ar 9:16"))
    improved = await improve(town, "a red fox --ar 16:9 --v 6")
    assert (await job_of(town, Kind.IMPROVE)).request.prompt == "a red fox"
    assert "--v 6" in improved.messages[0].content
    await town.press(improved.messages[0], "Make it")
    drawn = await job_of(town, Kind.IMAGINE)
    assert drawn.request.prompt == "a fox on a poster that says sale"
    width, height = map(int, drawn.request.size.split("x"))
    assert width > height


async def test_words_are_exported_and_deleted_with_whatever_else_is_kept_of_a_person(town):
    await describe(town)
    words = (await job_of(town, Kind.DESCRIBE)).revised_prompt
    exported = await town.app.store.people.export(town.member.id)
    assert words in str(exported)
    assert exported["jobs"][0]["request"]["prompt"] == ""  # nobody wrote one
    asked = await town.answer(await town.world.slash(town.member, town.general, "mydata delete", {}))
    await town.press(asked, "Delete everything")
    await town.quiet()
    assert words not in str(await town.app.store.people.export(town.member.id))
    assert await town.jobs() == []


async def test_words_are_in_no_gallery(town):
    await describe(town)
    place = Place(town.world.town.studio.id, 0)
    look = await town.app.store.jobs.gallery(place, member_id=town.member.id, search=None, before=None, limit=10)
    assert look.jobs == ()


async def test_a_forged_button_of_pictures_finds_no_words(town):
    described = await describe(town)
    job = await job_of(town, Kind.DESCRIBE)
    message = described.messages[0]
    message.components[0]["components"][0]["custom_id"] = forged = f"e1:again:{job.id}"
    await town.settled(await town.world.click(message, forged, town.member))
    assert len(await town.jobs()) == 1


@pytest.mark.parametrize(("point", "state", "calls"), [("dispatched", "unknown", 0), ("produced", "settled", 1)])
async def test_a_kill_on_the_way_asks_nothing_twice_and_loses_no_words(tmp_path, point, state, calls):
    async with processes_in(tmp_path) as stage:
        stage.settings |= CHAT
        bot = await stage.start(EASEL_CRASH_AT=point)
        interaction = await stage.world.slash(stage.member, stage.general, "describe", {"image": PICTURE})
        assert await asyncio.wait_for(bot.wait(), 30) == -9
        await stage.start()
        await until(lambda: interaction.messages and (said(interaction) or interaction.messages[-1].content))
        await until(lambda: "A prompt for this picture" in said(interaction) or state == "unknown")
        ledger = SqliteLedger(stage.folder / "easel.db")
        await until(lambda: over(ledger, interaction.id))
        (job,) = await stage.end()
        assert (job.state, len(stage.images.calls)) == (state, calls)


async def test_without_a_model_of_words_there_is_no_such_command(tmp_path):
    async with town_in(tmp_path) as town:
        assert "describe" not in [one["name"] for one in town.world.commands.everything(None)]
