"""What members and admins press, in a browser: on a desk and a phone, in both languages; axe finds nothing serious."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.operator.sandbox.launch import running, show
from bot.operator.sandbox.options import options_of
from bot.ui.words.catalogue import say
from tests.support import node
from tests.support.browser import started

from .visitor import Person

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]

BOT = (sys.executable, "-m", "bot", "run")
SERIOUS = (
    "async () => (await axe.run()).violations.filter((one) => ['serious', 'critical'].includes(one.impact))"
    ".flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.target} ${node.failureSummary}`))"
)
SIZES = {"desk": (1280, 850), "phone": (390, 844)}
PAGES = {
    "en": ("Limits", "Money", "Models", "Look", "Safety", "Log", "Presets"),
    "de": ("Limits", "Geld", "Modelle", "Aussehen", "Sicherheit", "Protokoll", "Voreinstellungen"),
}
ADMINS, MEMBERS = {"en": "Ada", "de": "Greta"}, {"en": "Mia", "de": "Mona"}
PRESET = {"en": "Free community", "de": "Freie Gemeinschaft"}
MENU = {"en": "Servers and channels", "de": "Server und Kanäle"}


@pytest.fixture
async def house() -> AsyncIterator[tuple[Any, Any]]:
    """A sandbox whose members have three pictures a day, and a browser. Public answers are in the server's English."""
    options = options_of(["--port", "0", "--no-browser"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", "")
        settings = {"DEFAULT_COOLDOWN_S": "0", "DEFAULT_IMAGES_PER_DAY": "3"}
        async with started() as browser, running(options, BOT, **settings) as sandbox, show(options, sandbox) as page:
            yield (sandbox, page.url), browser
            sandbox.discord.assert_clean()


@asynccontextmanager
async def visiting(house: tuple[Any, Any], size: str, name: str, language: str) -> AsyncIterator[Person]:
    """Somebody at the page; whatever they saw, nothing on it is hard to use for anybody."""
    (_, url), browser = house
    axe = (node.module("axe-core") / "axe.min.js").read_text("utf-8")
    width, height = SIZES[size]
    tab = await browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
    person = Person(tab)
    await tab.goto(url)
    await tab.locator("#messages .beginning").wait_for()
    if size == "phone":
        await tab.get_by_role("button", name=MENU["en"]).click()
    if name != MEMBERS["en"]:  # who one is at first
        await tab.get_by_role("button", name=re.compile("Be somebody else")).click()
        await tab.locator("dialog.people .person", has_text=name).first.click()
        await tab.locator("#me .me-names", has_text=name).wait_for(state="attached")
        await tab.locator("#messages .beginning").wait_for()
    await tab.keyboard.press("Escape")
    yield person
    assert await tab.evaluate("document.documentElement.scrollWidth") <= width
    await tab.evaluate(axe)
    assert await tab.evaluate(SERIOUS) == []
    assert person.wrong == []
    await tab.close()


async def chosen(tab: Any, menu: Any, name: str) -> None:
    await menu.click()
    await tab.get_by_role("option", name=name).first.click()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ADMINS)
async def test_an_admin_goes_through_the_panel_and_takes_a_preset_back(
    house: tuple[Any, Any], size: str, language: str
) -> None:
    async with visiting(house, size, ADMINS[language], language) as person:
        tab = person.page
        await person.run("/settings open")
        box = tab.locator(".container").last
        await box.wait_for()
        for name in PAGES[language]:
            await chosen(tab, box.get_by_role("combobox").first, name)
            await box.get_by_role("heading", name=name).first.wait_for()
            assert await box.evaluate("one => one.scrollWidth - one.clientWidth") <= 1, name
        await chosen(tab, box.get_by_role("combobox").nth(1), PRESET[language])
        await box.get_by_role("button", name={"en": "Apply", "de": "Anwenden"}[language]).click()
        undo = box.get_by_role("button", name={"en": "Undo", "de": "Rückgängig"}[language])
        await undo.click()
        await undo.wait_for()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", MEMBERS)
async def test_a_member_is_helped_on_zooms_out_uses_a_look_and_is_reminded(
    house: tuple[Any, Any], size: str, language: str
) -> None:
    async with visiting(house, size, MEMBERS[language], language) as person:
        tab = person.page
        newest = tab.locator("#messages > .message").last
        again = newest.get_by_role("button", name=say("en", "button.again"))

        await person.run("/imagine prompt:a red fox size:512x512 ")
        await newest.get_by_role("button", name=re.compile("816")).click()
        await again.wait_for()

        await newest.get_by_role("button", name=say("en", "button.zoom")).click()
        results = tab.locator("#messages > .message").filter(
            has=tab.get_by_role("button", name=say("en", "button.again"))
        )
        await results.nth(1).wait_for()

        await person.run("/style save name:Noir prompt:{prompt}, film noir ")
        await newest.get_by_text("Noir").first.wait_for()
        await person.run("/imagine prompt:two owls look:Noir ")
        await newest.get_by_text("Noir").first.wait_for()
        await again.wait_for()

        await person.run("/imagine prompt:one too many ")
        remind = newest.get_by_role("button", name=say(language, "remind.button"))
        await remind.click()
        await newest.locator(".content").wait_for()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ADMINS)
async def test_a_server_is_welcomed_and_an_admin_goes_on_from_there(
    house: tuple[Any, Any], size: str, language: str
) -> None:
    (sandbox, _), _ = house
    world = sandbox.discord.world
    studio, general = world.town.studio, world.town.general
    studio.system_channel_id = general.id
    studio.locale = {"en": "en-US", "de": "de"}[language]
    world.remove_bot(studio)
    for _ in range(2):  # what comes after the farewell is answered after it was noted
        ping = await world.slash(world.town.member, world.dm(world.town.member), "/help", {})
        await ping.wait_answer()
    world.add_bot(studio)
    async with visiting(house, size, ADMINS[language], language) as person:
        tab = person.page
        await (
            tab.locator("#messages > .message", has_text=say("en", "welcome.title"))
            .or_(tab.locator("#messages > .message", has_text=say("de", "welcome.title")))
            .first.wait_for()
        )
        await tab.locator("#messages > .message").last.get_by_role("button").nth(0).wait_for()
        await tab.get_by_role("button", name=re.compile("Open settings|Einstellungen öffnen")).click()
        await tab.locator(".container").last.wait_for()
