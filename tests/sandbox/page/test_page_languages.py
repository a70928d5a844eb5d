"""The page in the language of the person one is: its own words, the bot's commands, times, and what the bot is told."""

import re
from pathlib import Path
from typing import Any

import pytest

import sandbox.page
from sandbox.page.switches import SWITCHES

SCRIPTS = Path(sandbox.page.__file__).parent / "static" / "js"
FILLED = re.compile(r"\{(\w+)\}")


def german() -> dict[str, str]:
    lines = (SCRIPTS / "german.js").read_text("utf-8")
    return dict(re.findall(r'^  "(.+)": "(.*)",$', lines, re.MULTILINE))


def program() -> str:
    return "\n".join(path.read_text("utf-8") for path in SCRIPTS.glob("*.js") if path.name != "german.js")


def test_every_word_of_the_page_has_its_german() -> None:
    """Words given to ``t`` as they stand or by a choice between two, and those of the faults."""
    said = set(re.findall(r'\bt\("([^"]+)"', program()))
    for chosen in re.findall(r'\bt\([\w.]+(?: [=><]+ \w+)? \? "([^"]+)" : "([^"]+)"', program()):
        said |= set(chosen)
    said |= {text for one in SWITCHES for text in (one.label, one.about)}
    assert len(said) > 150
    assert said - german().keys() == set()


def test_no_german_is_left_over_and_each_is_filled_in_alike() -> None:
    page = (SCRIPTS.parent / "index.html").read_text("utf-8")
    everything = program() + page + "\n".join(f"{one.label}\n{one.about}" for one in SWITCHES)
    for english, words in german().items():
        assert english in everything, english
        assert sorted(FILLED.findall(english)) == sorted(FILLED.findall(words)), english


async def test_commands_are_named_as_the_bot_names_them_there(sandbox: Any, person: Any) -> None:
    town = sandbox.world.town
    where = str(town.general.id)
    _, there = await person(town.moderator).ask("commands", channel=where)
    [paint] = [one for one in there["commands"] if one["name"] == "paint"]
    assert (paint["label"], paint["description"]) == ("male", "Malt ein Bild")
    assert [one["label"] for one in paint["options"][:3]] == ["prompt", "größe", "count"]
    [level] = [one for one in there["commands"] if one["name"] == "level"]
    assert [one["name"] for one in level["options"][0]["options"][0]["choices"]] == ["Low", "Hoch"]

    _, here = await person(town.member).ask("commands", channel=where)
    [paint] = [one for one in here["commands"] if one["name"] == "paint"]
    assert (paint["label"], paint["description"]) == ("paint", "Paints a picture")


async def test_who_changes_their_language_stays_who_they_are(sandbox: Any, person: Any) -> None:
    world, town = sandbox.world, sandbox.world.town
    mia = person(town.member)
    where = str(town.general.id)
    _, said = await mia.act("say", {"channel": where, "content": "before"})
    assert await mia.act("language", {"locale": "xx"}) == (400, {"problem": "Discord has no such language"})
    assert await mia.act("language", {"locale": "de"}) == (200, {"locale": "de"})

    _, began = await mia.act("slash", {"channel": where, "name": "paint", "options": {"prompt": "hills"}})
    assert world.interactions[int(began["interaction"])].payload["locale"] == "de"
    assert await mia.act("delete", {"channel": where, "message": said["message"]}) == (200, {})
    assert town.studio.members[town.member.id].user.locale == "de"


@pytest.mark.browser
async def test_a_german_sees_german_and_others_their_own_times(tab: Any, sandbox: Any) -> None:
    town = sandbox.world.town
    sandbox.world.say(town.painter, town.general, "since <t:1000000000:R>")
    await tab.locator("time.stamp", has_text="years ago").wait_for()
    await tab.get_by_role("button", name=re.compile("You are Mia")).click()
    await tab.get_by_role("button", name=re.compile("Greta")).click()
    await tab.get_by_role("button", name=re.compile("Du bist Greta")).wait_for()
    await tab.locator("time.stamp", has_text="vor").wait_for()
    assert await tab.locator("html").get_attribute("lang") == "de"
    assert await tab.get_by_role("button", name="Unter der Haube").count() == 1
    assert await tab.get_by_role("button", name="#staff").count() == 1
    await tab.locator("#composer-text").focus()
    await tab.keyboard.type("/mal")
    await tab.get_by_role("option", name="/male").get_by_text("Malt ein Bild").wait_for()
    await tab.keyboard.press("Enter")
    await tab.keyboard.type("ein Boot")
    await tab.keyboard.press("Tab")
    await tab.keyboard.type("größe:51")
    await tab.get_by_role("option", name="512x512").wait_for()
    await tab.keyboard.press("Enter")
    await tab.keyboard.press("Enter")
    await tab.locator(".embed-field", has_text="512x512").wait_for()


@pytest.mark.browser
async def test_the_language_is_changed_on_the_page(tab: Any, sandbox: Any) -> None:
    await tab.get_by_role("button", name=re.compile("You are Mia")).click()
    await tab.get_by_label("Language of Mia").select_option("de")
    await tab.get_by_role("button", name=re.compile("Du bist Mia")).wait_for()
    assert sandbox.world.users[sandbox.world.town.member.id].locale == "de"


@pytest.mark.browser
async def test_private_messages_are_gone_when_the_page_is_opened_anew(tab: Any, sandbox: Any) -> None:
    await tab.locator("#composer-text").focus()
    await tab.keyboard.type("/paint prompt:hills private:True")
    await tab.keyboard.press("Enter")
    await tab.locator(".message.private .embed").wait_for()
    await tab.get_by_role("button", name="#pictures").click()
    await tab.get_by_role("button", name="#general").click()
    await tab.locator(".message.private .embed").wait_for()
    sandbox.world.say(sandbox.world.town.painter, sandbox.world.town.general, "for everybody")
    await tab.reload()
    await tab.get_by_text("for everybody").wait_for()
    assert await tab.locator(".message.private").count() == 0
