"""The page with the real bot behind it, as a person meets it: browser, bot process, Discord and images all for real."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from bot.operator.sandbox.launch import Sandbox, running, show
from bot.operator.sandbox.options import options_of
from sandbox.discord.model import Upload
from tests.support.browser import started
from tests.support.pictures import png

from .visitor import Person, mask

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

BOT = (sys.executable, "-m", "bot", "run")
LATENCY_S = 0.6


@dataclass
class House:
    """What the module shares: the sandbox, the address of its page, and a browser."""

    sandbox: Sandbox
    url: str
    browser: Any

    @property
    def world(self) -> Any:
        return self.sandbox.discord.world

    @property
    def calls(self) -> list[Any]:
        assert self.sandbox.images is not None
        return self.sandbox.images.calls

    async def called(self, times: int) -> None:
        """Waits until the image service was called so often."""
        async with asyncio.timeout(20):
            while len(self.calls) < times:
                await asyncio.sleep(0.05)

    def slow_down(self, seconds: float) -> None:
        assert self.sandbox.images is not None
        self.sandbox.images.latency_s = seconds


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house() -> AsyncIterator[House]:
    options = options_of(["--port", "0", "--no-browser"])
    # the tests may be started by somebody who has a key: never spend it
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", "")
        settings = {"DEFAULT_COOLDOWN_S": "0"}
        async with started() as browser, running(options, BOT, **settings) as sandbox, show(options, sandbox) as page:
            made = House(sandbox, page.url, browser)
            made.slow_down(LATENCY_S)
            yield made
            sandbox.discord.assert_clean()
            assert [breach for call in made.calls for breach in call.breaches] == []


@pytest_asyncio.fixture(loop_scope="module")
async def visitor(house: House) -> AsyncIterator[Person]:
    """Mia with the page open; any error in the page's console fails the test."""
    page = await house.browser.new_page(viewport={"width": 1200, "height": 850})
    person = Person(page)
    await page.goto(house.url)
    await page.locator("#messages .beginning").wait_for()
    yield person
    await page.close()
    house.slow_down(LATENCY_S)
    assert person.wrong == []


async def test_a_command_is_completed_previewed_and_answered(house: House, visitor: Person) -> None:
    page = visitor.page
    await visitor.type("/imag")
    await page.get_by_role("option", name="/imagine").wait_for()
    await page.keyboard.press("Enter")
    await page.keyboard.type("a lighthouse in fog")
    await page.keyboard.press("Tab")
    await page.keyboard.type("size:1536")
    await page.get_by_role("option", name="1536x1024").first.wait_for()
    await page.keyboard.press("Tab")
    await page.keyboard.type("quality:max")  # a preview costs little beside it, so it comes by itself
    house.slow_down(6)
    await page.keyboard.press("Enter")
    preview = page.locator('.message .picture img[src*="easel-preview"]')
    await preview.wait_for()
    await page.get_by_role("button", name="Cancel").wait_for()
    message = await visitor.result("a lighthouse in fog")
    assert await preview.count() == 0
    assert "2.5 flare · 1536×1024 · " in await message.inner_text()
    assert await message.locator(".picture img").get_attribute("alt") == "a lighthouse in fog"
    buttons = await message.locator(".components button").all_inner_texts()
    assert [text.split()[-1] for text in buttons] == [
        *("Again", "Remix", "Vary", "Edit"),
        *("out", "Pan", "Details", "Delete"),
    ]
    assert house.calls[-1].fields["size"] == "1536x1024"


async def test_vary_is_pressed(house: House, visitor: Person) -> None:
    await visitor.run("/imagine prompt:a green kite quality:low")
    first = await visitor.result("a green kite")
    before, count = len(house.calls), await visitor.page.locator(".message").count()
    await first.get_by_role("button", name="Vary").click()
    await visitor.page.locator(".message").nth(count).get_by_role("button", name="Again").wait_for()
    assert [call.endpoint for call in house.calls[before:]] == ["edits"]
    assert house.calls[-1].files


async def test_the_edit_form_takes_words_and_a_mask(house: House, visitor: Person) -> None:
    await visitor.run("/imagine prompt:an empty chair size:1024x1024 quality:low")
    message = await visitor.result("an empty chair")
    await message.get_by_role("button", name="Edit").click()
    form = visitor.page.get_by_role("dialog")
    words = form.locator("textarea")
    assert await words.input_value() == "an empty chair"
    await words.fill("a cat sleeps on it")
    await form.locator("input[type=file]").set_input_files(
        {"name": "mask.png", "mimeType": "image/png", "buffer": mask((1024, 1024))}
    )
    await form.get_by_role("button", name="Submit").click()
    await visitor.result("a cat sleeps on it")
    assert house.calls[-1].endpoint == "edits"
    assert {file.field.removesuffix("[]") for file in house.calls[-1].files} == {"image", "mask"}


async def test_an_admin_limits_a_member_who_is_told_the_number_in_private(house: House, visitor: Person) -> None:
    page = visitor.page
    await visitor.become("Ada")
    await visitor.go("pictures")
    await visitor.run("/settings quota images:1 member:Pablo")
    await page.locator(".message", has_text=re.compile("Pablo.*1", re.DOTALL)).last.wait_for()
    await visitor.become("Pablo")
    await visitor.run("/imagine prompt:one small boat quality:low")
    await visitor.result("one small boat")
    made = len(house.calls)
    await visitor.run("/imagine prompt:two small boats quality:low")
    refusal = page.locator(".message.private").last
    await refusal.get_by_text("Only you can see this").wait_for()
    assert re.search(r"\b1\b", await refusal.locator(".content, .embed").first.inner_text())
    assert len(house.calls) == made
    text = await refusal.locator(".content, .embed").first.inner_text()
    await visitor.become("Mia")
    await page.locator(".message", has_text="one small boat").first.wait_for()
    assert text not in await page.locator("#messages").inner_text()
    assert await page.locator(".message.private").count() == 0


async def test_a_german_member_is_answered_in_german(house: House, visitor: Person) -> None:
    await visitor.become("Mona")
    await visitor.run("/imagine prompt:-")
    refusal = visitor.page.locator(".message.private").last
    await refusal.wait_for()
    assert re.search(r"kann|muss|nicht|Bild", await refusal.inner_text())


async def test_a_private_result_is_seen_by_one_alone(house: House, visitor: Person) -> None:
    await visitor.run("/imagine prompt:a secret garden quality:low private:True")
    await visitor.page.locator(".message.private", has_text="a secret garden").locator(".picture").wait_for()
    await visitor.become("Ada")
    assert await visitor.page.get_by_text("a secret garden").count() == 0


async def test_old_buttons_work_after_a_restart(house: House, visitor: Person) -> None:
    page = visitor.page
    await visitor.run("/imagine prompt:an old harbour quality:low")
    message = await visitor.result("an old harbour")
    first = house.sandbox.bot.pid
    await visitor.hood("Faults")
    await page.get_by_role("button", name="Restart").click()
    await page.locator("#banner.shown").wait_for()
    await page.locator("#banner.shown").wait_for(state="detached")
    assert house.sandbox.bot.pid != first
    await message.get_by_role("button", name="Again").click()
    await visitor.result("an old harbour", 2)


async def test_a_killed_bot_tells_the_member_when_it_is_back(house: House, visitor: Person) -> None:
    page = visitor.page
    house.slow_down(60)
    before = len(house.calls)
    await visitor.run("/imagine prompt:a paper moon preview:False")
    await page.get_by_role("button", name="Cancel").wait_for()
    await house.called(before + 1)
    await visitor.hood("Faults")
    await page.get_by_role("button", name="Kill").click()
    await page.locator("#banner", has_text="not running (exit code -9)").wait_for()
    house.slow_down(LATENCY_S)
    await page.get_by_role("button", name="Start", exact=True).click()
    await page.locator("#banner.shown").wait_for(state="detached")
    told = page.locator(".message", has_text="I was restarted while the picture was being made")
    await told.wait_for()
    assert "It may have been billed" in await told.inner_text()
    await visitor.run("/imagine prompt:a paper sun quality:low")
    await visitor.result("a paper sun")


async def test_the_menu_of_a_message_edits_its_picture(house: House, visitor: Person) -> None:
    page = visitor.page
    house.world.say(house.world.town.painter, house.world.town.general, "my garden", [Upload("garden.png", png(640))])
    message = page.locator(".message", has_text="my garden")
    await message.locator("img").last.wait_for()
    await message.locator(".content").click(button="right")
    await page.get_by_role("menuitem", name="Edit image").click()
    form = page.get_by_role("dialog")
    await form.locator("textarea").fill("with a pond in it")
    await form.get_by_role("button", name="Submit").click()
    await visitor.result("with a pond in it")
    assert house.calls[-1].endpoint == "edits"


async def test_files_are_dropped_and_chosen(house: House, visitor: Person) -> None:
    page = visitor.page
    await visitor.type("/edit ")
    await visitor.drop("garden.png", png(640))
    await page.locator(".pill-file", has_text="garden.png").wait_for()
    await page.keyboard.type("a round window")
    await page.keyboard.press("Tab")
    await page.keyboard.type("mask")
    async with page.expect_file_chooser() as chosen:
        await page.keyboard.press("Enter")
        await page.locator('.pill[data-option="mask"] .pill-file').click()
    await (await chosen.value).set_files({"name": "hole.png", "mimeType": "image/png", "buffer": mask((640, 640))})
    await page.locator(".pill-file", has_text="hole.png").wait_for()
    await page.get_by_role("button", name="Send", exact=True).click()
    await visitor.result("a round window")
    assert {file.field.removesuffix("[]") for file in house.calls[-1].files} == {"image", "mask"}


async def test_two_hundred_megabytes_are_refused_before_anything_is_sent(house: House, visitor: Person) -> None:
    before = len(house.world.interactions)
    await visitor.type("/edit ")
    await visitor.drop("huge.png", None)
    await visitor.page.locator(".toast.bad", has_text="huge.png has 200 MB").wait_for()
    assert len(house.world.interactions) == before


async def test_everything_is_done_with_the_keyboard(house: House, visitor: Person) -> None:
    page = visitor.page
    keyboard = page.keyboard
    await keyboard.type("/imagine a brass key")
    await keyboard.press("Tab")
    await keyboard.type("quality:low")
    await keyboard.press("Enter")
    await visitor.result("a brass key")
    for _ in range(60):
        await keyboard.press("Shift+Tab")
        if await page.evaluate("document.activeElement.innerText?.includes('Details')"):
            break
    before = await page.locator(".message").count()
    await keyboard.press("Enter")
    await page.wait_for_function("(n) => document.querySelectorAll('.message').length > n", arg=before)
    await page.locator(".message.private", has_text="a brass key").or_(page.locator(".message.private")).last.wait_for()
    assert await page.evaluate("document.activeElement.innerText?.includes('Details')")
    await keyboard.press("Escape")
    assert await page.evaluate("document.activeElement.id") == "composer-text"


async def test_whoever_types_faster_than_the_commands_load_loses_nothing(house: House, visitor: Person) -> None:
    loaded = asyncio.Event()

    async def late(route: Any) -> None:
        await loaded.wait()
        await route.continue_()

    await visitor.page.route("**/commands?*", late)
    await visitor.page.reload()
    await visitor.page.locator("#messages .beginning").wait_for()
    await visitor.type("/imagine a swift hare")
    await visitor.page.keyboard.press("Tab")
    await visitor.run("quality:low")
    loaded.set()
    await visitor.result("a swift hare")
    assert house.calls[-1].fields["quality"] == "low"


async def test_no_list_stays_over_what_was_said(house: House, visitor: Person) -> None:
    await visitor.run("//shrug, said with two slashes")
    await visitor.page.locator(".message", has_text="said with two slashes").wait_for()
    assert await visitor.page.locator(".popup:visible").count() == 0


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_dark_and_light_on_a_phone(house: House, visitor: Person, scheme: str) -> None:
    await visitor.run(f"/imagine prompt:a quiet pier, {scheme} quality:low")
    await visitor.result(f"a quiet pier, {scheme}")
    phone = await house.browser.new_page(viewport={"width": 375, "height": 720}, color_scheme=scheme, has_touch=True)
    other = Person(phone)
    await phone.goto(house.url)
    message = await other.result(f"a quiet pier, {scheme}")
    assert await phone.evaluate("document.documentElement.scrollWidth") <= 375
    for button in await message.locator(".components button").all():
        box = await button.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 375
        assert box["height"] >= 32
    shade = await phone.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]")
    assert (shade < 100) == (scheme == "dark")
    await phone.close()
    assert other.wrong == []


async def test_opened_twice_both_show_the_same(house: House, visitor: Person) -> None:
    page = await house.browser.new_page(viewport={"width": 1200, "height": 850})
    other = Person(page)
    await page.goto(visitor.page.url)
    await page.locator("#messages .beginning").wait_for()
    await visitor.run("/imagine prompt:twin towers of cake quality:low")
    mine = await visitor.result("twin towers of cake")
    theirs = await other.result("twin towers of cake")
    assert await mine.inner_text() == await theirs.inner_text()
    await theirs.get_by_role("button", name="Delete").click()
    await other.page.get_by_role("button", name="Delete").last.click()
    await mine.wait_for(state="detached")
    await theirs.wait_for(state="detached")
    await page.close()
    assert other.wrong == []


async def test_the_drawer_shows_interaction_request_and_ledger(house: House, visitor: Person) -> None:
    page = visitor.page
    await visitor.run("/imagine prompt:a glass bridge quality:low")
    message = await visitor.result("a glass bridge")
    await message.hover()
    await message.get_by_role("button", name="What went over the wire").click()
    await page.get_by_text("INTERACTION_CREATE · imagine").wait_for()
    request = page.locator(".entry", has_text="POST /v1/images/generations").last
    await request.locator("summary").click()
    assert "a glass bridge" in await request.locator("pre").first.inner_text()
    await page.get_by_role("tab", name="Ledger").click()
    rows = page.locator(".drawer-body .entry")
    from playwright.async_api import expect

    await expect(rows).to_have_count(1)
    assert "gpt-image" in await rows.inner_text()
    await rows.locator("td", has_text=re.compile("^(delivered|settled)$")).wait_for()
    shown = await page.locator("#drawer").inner_text()
    assert house.world.token not in shown


async def test_what_the_card_offers_works(house: House, visitor: Person) -> None:
    page = visitor.page
    card = page.get_by_role("region", name="Try it")
    await card.get_by_role("button", name="A red fox in snow").click()
    await page.locator("#option-prompt").wait_for()
    await page.keyboard.press("Enter")
    await visitor.result("a red fox in snow")
    before = len(house.calls)
    await page.get_by_role("button", name="Pinned").click()
    await page.get_by_role("dialog").get_by_role("button", name="Edit this photo").click()
    await page.locator(".pill-preview").wait_for()
    await page.keyboard.press("Enter")
    await visitor.result("at night, with a full moon")
    assert [call.endpoint for call in house.calls[before:]] == ["edits"]
    await page.get_by_role("button", name="Pinned").click()
    await page.get_by_role("dialog").get_by_role("button", name="Be the admin").click()
    await page.get_by_role("option", name="/settings show").wait_for()
    await page.keyboard.press("Enter")
    await page.locator(".message.private").last.wait_for()
