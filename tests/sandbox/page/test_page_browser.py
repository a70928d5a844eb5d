"""The page in a real browser, with the keyboard and the mouse of a person."""

import re
from typing import Any

import pytest

pytestmark = pytest.mark.browser


async def _type(tab: Any, line: str) -> None:
    await tab.locator("#composer-text").focus()
    await tab.keyboard.type(line)


async def _offered(listed: Any, first: str) -> list[str]:
    """The names in a list, once it begins with that one: the page may still be asking which commands there are."""
    await listed.first.filter(has_text=first).wait_for()
    return [text.split()[0] for text in await listed.all_inner_texts()]


async def test_a_command_is_completed_filled_in_and_answered_live(tab: Any, sandbox: Any) -> None:
    sandbox.bot.may_finish.clear()
    await _type(tab, "/")
    options = tab.get_by_role("listbox", name="Commands").get_by_role("option")
    assert await _offered(options, "/change") == ["/change", "/level", "/paint", "/silent"]
    await tab.keyboard.type("pa")
    await tab.keyboard.press("Enter")
    await tab.keyboard.type("a boat")
    await tab.keyboard.press("Tab")
    offered = tab.get_by_role("listbox", name="Options").get_by_role("option")
    assert await _offered(offered, "size") == ["size", "count", "private", "image"]
    await tab.keyboard.type("size:51")
    await tab.get_by_role("option", name="512x512").wait_for()
    await tab.keyboard.press("Tab")
    await tab.keyboard.type("count:2")
    await tab.keyboard.press("Enter")
    await tab.get_by_text("App is thinking…").wait_for()
    sandbox.bot.may_finish.set()
    await tab.locator(".embed-title", has_text="a boat").wait_for()
    assert await tab.locator(".embed-field", has_text="Size").inner_text() == "Size\n512x512"
    assert await tab.locator(".picture img").count() == 2
    assert await tab.locator(".picture img").first.get_attribute("alt") == "a boat"
    assert await tab.get_by_text("App is thinking…").count() == 0
    assert "<b>bold?</b> bold!" in await tab.locator(".embed-text").inner_text()
    assert await tab.locator(".embed-text b").count() == 0


async def test_wrong_values_are_told_before_anything_is_sent(tab: Any, sandbox: Any) -> None:
    await _type(tab, "/paint prompt:hills count:9")
    await tab.keyboard.press("Enter")
    await tab.locator(".toast.bad", has_text="Count must be at most 4").wait_for()
    assert await tab.locator(".pill.wrong").get_attribute("data-option") == "count"
    await tab.keyboard.press("Escape")
    await _type(tab, "/paint ")
    await tab.keyboard.press("Enter")
    await tab.locator(".toast.bad", has_text="Prompt is required").wait_for()
    assert [one for one in sandbox.world.interactions.values() if int(one.type) == 2] == []


async def test_a_file_is_dropped_on_an_option_and_a_large_one_refused(tab: Any, sandbox: Any, png: Any) -> None:
    await _type(tab, "/paint a boat")
    drop = """([bytes, name]) => {
      const carried = new DataTransfer();
      const content = bytes === null ? new ArrayBuffer(200 * 1048576) : new Uint8Array(bytes);
      carried.items.add(new File([content], name, {type: "image/png"}));
      window.dispatchEvent(new DragEvent("drop", {dataTransfer: carried, bubbles: true, cancelable: true}));
    }"""
    await tab.evaluate(drop, [None, "huge.png"])
    await tab.locator(".toast.bad", has_text="huge.png has 200 MB. A file may have at most 20.0 MB here.").wait_for()
    await tab.evaluate(drop, [list(png()), "small.png"])
    await tab.locator(".pill-file", has_text="small.png").wait_for()
    await tab.get_by_role("button", name="Send").click()
    await tab.get_by_text(f"small.png has {len(png())} bytes").wait_for()


async def test_a_form_takes_words_a_file_and_a_choice(tab: Any, sandbox: Any, png: Any) -> None:
    await _type(tab, "/change")
    await tab.keyboard.press("Enter")
    dialog = tab.get_by_role("dialog", name="Change it")
    words = dialog.get_by_label("Words")
    assert await words.input_value() == "as it was"
    await words.fill("in blue")
    await dialog.get_by_role("button", name="Submit").click()
    await dialog.get_by_text("Kind: a choice is needed.").wait_for()
    await dialog.locator("input[type=file]").set_input_files(
        {"name": "m.png", "mimeType": "image/png", "buffer": png()}
    )
    await dialog.get_by_role("combobox", name="Kind").click()
    await dialog.get_by_role("option", name="Ink").click()
    await dialog.get_by_role("button", name="Submit").click()
    await tab.get_by_text(f"in blue in Ink with [{len(png())}]").wait_for()
    assert await tab.get_by_role("dialog").count() == 0


async def test_private_answers_are_marked_and_go_away(tab: Any, sandbox: Any) -> None:
    await _type(tab, "/paint prompt:hills private:True")
    await tab.keyboard.press("Enter")
    message = tab.locator(".message.private", has_text="Only you can see this")
    await message.locator(".embed").wait_for()
    await message.get_by_role("button", name="Again").click()
    await tab.get_by_text("again: hills").wait_for()
    await tab.get_by_role("button", name="Dismiss message").last.click()
    await tab.get_by_text("again: hills").wait_for(state="detached")
    here = sandbox.world.town.general
    await sandbox.world.changed.until(lambda: len(sandbox.world.history(here)) == 1, 5, "the deletion")


async def test_silence_is_told_as_discord_tells_it(tab: Any) -> None:
    await _type(tab, "/silent")
    await tab.keyboard.press("Enter")
    await tab.get_by_text("Sending /silent…").wait_for()
    await tab.get_by_text("The application did not respond").wait_for()


async def test_one_becomes_somebody_else_and_uses_the_menu_of_a_message(tab: Any, sandbox: Any, png: Any) -> None:
    town = sandbox.world.town
    assert await tab.get_by_role("button", name="#staff").count() == 0
    await tab.get_by_role("button", name=re.compile("You are Mia")).click()
    await tab.get_by_role("button", name=re.compile("^A?\\s*Ada")).click()
    await tab.get_by_role("button", name="#staff").wait_for()
    sandbox.world.say(town.member, town.general, "by **Mia** <@1> `x` <script>alert(1)</script> <t:0:R>")
    message = tab.locator(".message", has_text="by Mia")
    await message.wait_for()
    assert await message.locator("script").count() == 0
    assert "ago" in await message.locator("time.stamp").inner_text()
    await message.click(button="right")
    await tab.get_by_role("menuitem", name="Look").click()
    await tab.get_by_text("0 pictures").wait_for()
    await tab.get_by_role("button", name="b Mia").or_(tab.locator(".origin button.mention")).first.click()
    await tab.locator(".message.flash", has_text="by Mia").wait_for()


async def test_pictures_open_in_the_viewer_with_arrows_and_download(tab: Any, sandbox: Any) -> None:
    await _type(tab, "/paint prompt:hills count:3")
    await tab.keyboard.press("Enter")
    await tab.locator(".picture").first.click()
    viewer = tab.get_by_role("dialog", name="Picture")
    await viewer.get_by_text("1 / 3").wait_for()
    await tab.keyboard.press("ArrowRight")
    await viewer.get_by_text("p1.png · 320 × 200").wait_for()
    async with tab.expect_download() as download:
        await viewer.get_by_role("link", name="Download").click()
    assert (await download.value).suggested_filename == "p1.png"
    await tab.keyboard.press("Escape")
    assert await tab.get_by_role("dialog").count() == 0


async def test_under_the_hood_shows_the_wire_and_switches_faults(tab: Any, sandbox: Any) -> None:
    await _type(tab, "/paint prompt:hills")
    await tab.keyboard.press("Enter")
    await tab.locator(".embed").hover()
    await tab.get_by_role("button", name="What went over the wire").click()
    await tab.get_by_text("INTERACTION_CREATE · paint").click()
    assert "…hidden…" in await tab.locator(".entry pre").first.inner_text()
    await tab.get_by_role("tab", name="Faults").click()
    row = tab.get_by_role("group", name="Slow service")
    await row.get_by_role("button", name="Always").click()
    await tab.locator(".fault.always").first.wait_for(state="attached")
    assert sandbox.images.rules[0].times is None
    await tab.get_by_role("button", name="Cut the gateway connection").click()
    await sandbox.server.gateway.wait_resumed()


async def test_the_page_fits_a_phone_and_opens_twice(browser: Any, sandbox: Any, tab: Any) -> None:
    phone = await browser.new_page(viewport={"width": 360, "height": 700}, has_touch=True)
    await phone.goto(sandbox.page.url)
    await phone.locator("#messages .beginning").wait_for()
    assert await phone.evaluate("document.documentElement.scrollWidth") <= 360
    await phone.get_by_role("button", name="Servers and channels").click()
    await phone.get_by_role("button", name="#pictures").click()
    await phone.get_by_role("heading", name="pictures", exact=True).wait_for()
    await _type(tab, "hello both")
    await tab.keyboard.press("Enter")
    await phone.get_by_role("button", name="Servers and channels").click()
    await phone.locator(".channel.unread", has_text="general").click()
    await phone.get_by_text("hello both").wait_for()
    await phone.close()
