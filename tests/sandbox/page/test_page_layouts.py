"""The page in a browser: layouts and menus as Discord draws them, what stays in view, what a screen reader is told."""

import re
from typing import Any

import pytest

from sandbox.discord.model import Flags, Message, Upload
from sandbox.discord.rest import drafts
from sandbox.discord.rest.bodies import Body
from sandbox.discord.rules.messages import check_message
from tests.support import node

pytestmark = pytest.mark.browser

NAMES = ("Red", "Green", "Blue", "Gold", "Grey")
MENU = {
    "type": 3,
    "custom_id": "colours",
    "placeholder": "Colours",
    "min_values": 0,
    "max_values": 3,
    "options": [{"label": n, "value": n, "default": n in ("Red", "Blue")} for n in NAMES],
}
SIZES = {"desk": (1280, 850), "phone": (390, 844)}


def put(sandbox: Any, *components: dict[str, Any], files: dict[str, bytes] | None = None) -> Message:
    """A layout of the bot's in #general, held to Discord's laws first."""
    world = sandbox.world
    message = Message(
        id=world.ids.make(), channel_id=world.town.general.id, author=world.bot, created_at=world.clock.now()
    )
    uploads = {number: Upload(name, data) for number, (name, data) in enumerate((files or {}).items())}
    body = Body({"flags": Flags.COMPONENTS_V2, "components": list(components)}, uploads)
    assert check_message(body.data or {}, "create", files=body.names) == []
    drafts.apply(world, message, body, fresh=True)
    world.put_message(message)
    return message


def panel(sandbox: Any, png: Any) -> Message:
    town = sandbox.world.town
    return put(
        sandbox,
        {
            "type": 17,
            "accent_color": 0x22AA66,
            "components": [
                {
                    "type": 9,
                    "components": [{"type": 10, "content": "### Studio\n**strong** <b>plain</b>"}],
                    "accessory": {"type": 11, "media": {"url": "attachment://a.png"}, "description": "the sign"},
                },
                {"type": 14, "spacing": 2},
                {
                    "type": 9,
                    "components": [{"type": 10, "content": "Once more"}],
                    "accessory": {"type": 2, "style": 4, "label": "Again", "custom_id": "again:fox"},
                },
                {"type": 12, "items": [{"media": {"url": f"attachment://{n}.png"}} for n in "abc"]},
                {"type": 13, "file": {"url": "attachment://words.txt"}},
                {"type": 1, "components": [MENU]},
                {"type": 1, "components": [{"type": 5, "custom_id": "who", "placeholder": "People"}]},
                {
                    "type": 1,
                    "components": [
                        {
                            "type": 8,
                            "custom_id": "where",
                            "placeholder": "Channels",
                            "channel_types": [0, 15],
                            "max_values": 25,
                            "default_values": [{"id": str(town.pictures.id), "type": "channel"}],
                        }
                    ],
                },
            ],
        },
        files={**{f"{n}.png": png() for n in "abc"}, "words.txt": b"a prompt"},
    )


async def test_a_layout_is_drawn_whole_and_its_button_works(tab: Any, sandbox: Any, png: Any) -> None:
    panel(sandbox, png)
    box = tab.locator(".container.accent")
    await box.wait_for()
    assert await box.evaluate("one => getComputedStyle(one).borderLeftColor") == "rgb(34, 170, 102)"
    assert await box.get_by_role("heading", name="Studio").count() == 1
    assert "<b>plain</b>" in await box.inner_text()
    assert await box.get_by_role("button", name="Open picture: the sign").count() == 1
    assert await box.locator(".pictures.three .picture").count() == 3
    assert await box.locator(".file-card a", has_text="words.txt").count() == 1
    assert await box.locator("hr.wide").count() == 1
    await box.locator(".section").get_by_role("button", name="Again").click()
    await tab.get_by_text("again: fox").wait_for()


async def test_menus_show_what_is_chosen_and_take_several_by_keyboard(tab: Any, sandbox: Any, png: Any) -> None:
    message = panel(sandbox, png)
    await tab.get_by_role("combobox", name="Channels: #pictures").wait_for()
    await tab.get_by_role("combobox", name="Colours: Red, Blue").focus()
    await tab.keyboard.press("Enter")
    chosen = tab.get_by_role("option", selected=True)
    assert await chosen.all_inner_texts() == ["Red", "Blue"]
    await tab.keyboard.press("ArrowDown")
    await tab.keyboard.press("Enter")
    assert await chosen.all_inner_texts() == ["Red", "Green", "Blue"]
    menu = tab.get_by_role("combobox", name="Colours: Red, Green, Blue")
    assert await menu.get_attribute("aria-activedescendant")
    await tab.keyboard.press("Escape")
    await tab.get_by_text("This interaction failed").wait_for()  # the small bot has no such menu
    [pressed] = [one for one in sandbox.world.interactions.values() if one.source_message is message]
    assert pressed.payload["data"]["values"] == ["Red", "Blue", "Green"]


async def test_a_menu_is_searched_by_typing(tab: Any, sandbox: Any, png: Any) -> None:
    message = panel(sandbox, png)
    await tab.get_by_role("combobox", name="People").focus()
    await tab.keyboard.press("Enter")
    await tab.keyboard.type("zz")
    await tab.get_by_text("Nothing matches").wait_for()
    await tab.keyboard.press("Backspace")
    await tab.keyboard.press("Backspace")
    await tab.keyboard.type("mon")
    assert [text.split()[0] for text in await tab.get_by_role("option").all_inner_texts()] == ["Mona"]
    await tab.keyboard.press("Enter")
    await tab.get_by_text("This interaction failed").wait_for()  # the small bot has no such menu
    [pressed] = [one for one in sandbox.world.interactions.values() if one.source_message is message]
    assert pressed.payload["data"]["values"] == [str(sandbox.world.town.moderator.id)]


async def test_the_list_of_the_newest_menu_opens_upward(tab: Any, sandbox: Any, png: Any) -> None:
    panel(sandbox, png)
    await tab.get_by_role("combobox", name=re.compile("^Channels")).click()
    offered = await tab.get_by_role("listbox", name="Channels").get_by_role("option").all_inner_texts()
    assert offered == ["#general", "#pictures", "#after-dark", "#critique", "#read-only"]  # text and forum, no more
    room = await tab.locator("#scroller").bounding_box()
    opened = await tab.get_by_role("listbox", name="Channels").bounding_box()
    assert room["y"] <= opened["y"]
    assert opened["y"] + opened["height"] <= room["y"] + room["height"]


async def test_the_newest_picture_stays_in_view_while_it_becomes_the_result(tab: Any, sandbox: Any, png: Any) -> None:
    town, world = sandbox.world.town, sandbox.world
    for number in range(30):
        world.say(town.painter, town.general, f"line {number}")
    show = {"type": 12, "items": [{"media": {"url": "attachment://a.png"}}]}
    message = put(sandbox, show, files={"a.png": png(size=(64, 64))})
    await tab.locator(".pictures img").wait_for()
    files = {0: Upload("b.png", png("navy", (1024, 1024)))}
    rows = [{"type": 1, "components": [{"type": 2, "style": 1, "label": "Again", "custom_id": "x"}]}]
    show = {"type": 12, "items": [{"media": {"url": "attachment://b.png"}}]}
    drafts.change(world, message, Body({"components": [show, *rows], "attachments": [{"id": 0}]}, files))
    world.note_message("message_edited", message)
    picture = tab.locator(".pictures img[src*='b.png']")
    await picture.wait_for()
    await tab.wait_for_function(
        "() => { const image = document.querySelector(\".pictures img[src*='b.png']\"); const room = "
        "document.getElementById('scroller').getBoundingClientRect(); const box = image.getBoundingClientRect(); "
        "return image.complete && box.height > 300 && box.top >= room.top && box.bottom <= room.bottom; }"
    )
    await tab.mouse.move(600, 400)
    await tab.mouse.wheel(0, -400)
    await tab.get_by_role("button", name="Jump to the newest").wait_for()
    world.say(town.painter, town.general, "not now")
    await tab.get_by_text("not now").wait_for(state="attached")
    assert await tab.get_by_role("button", name="Jump to the newest").is_visible()


async def test_a_pressed_button_does_not_keep_its_answer_out_of_view(tab: Any, sandbox: Any, png: Any) -> None:
    world = sandbox.world
    message = panel(sandbox, png)
    whole = list(message.components)
    await tab.locator(".section").get_by_role("button", name="Again").last.click()
    await tab.get_by_text("again: fox").wait_for()
    await tab.evaluate(
        """() => {
          const list = document.getElementById("messages"), scroller = document.getElementById("scroller");
          list.style.paddingTop = "2000px";
          scroller.scrollTop = scroller.scrollHeight;
        }"""
    )
    await tab.wait_for_function("() => document.getElementById('scroller').scrollTop > 2000")
    await tab.evaluate(
        """() => {
          const list = document.getElementById("messages"), scroller = document.getElementById("scroller");
          list.style.paddingTop = "0";
          scroller.getBoundingClientRect();
          list.style.paddingBottom = "1500px";
          scroller.getBoundingClientRect();
        }"""
    )
    message.components = [*whole, {"type": 10, "content": "the last line", "id": 99}]
    world.note_message("message_edited", message)
    await tab.get_by_text("the last line").wait_for()
    await tab.wait_for_function(
        "() => { const one = document.getElementById('scroller'); "
        "return one.scrollHeight - one.scrollTop - one.clientHeight < 5; }"
    )
    assert not await tab.get_by_role("button", name="Jump to the newest").is_visible()


async def test_enter_takes_the_first_offer_and_says_how_many_options_are_left(tab: Any, sandbox: Any) -> None:
    await tab.locator("#composer-text").focus()
    await tab.keyboard.type("/paint a boat")
    await tab.get_by_role("button", name="4 more options").click()
    await tab.keyboard.type("size:51")
    await tab.get_by_role("option", name="512x512").wait_for()
    await tab.keyboard.press("Enter")
    assert await tab.locator("#option-size").input_value() == "512x512"
    assert await tab.get_by_role("button", name="3 more options").inner_text() == "+3 more"
    await tab.keyboard.press("Enter")
    await tab.locator(".embed-field", has_text="512x512").wait_for()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_nothing_keeps_anybody_out(browser: Any, sandbox: Any, png: Any, size: str, theme: str) -> None:
    source = (node.module("axe-core") / "axe.min.js").read_text("utf-8")
    width, height = SIZES[size]
    page = await browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme)
    page.set_default_timeout(8000)
    panel(sandbox, png)
    await page.goto(sandbox.page.url)
    await page.locator(".container.accent").wait_for()
    await page.evaluate(source)

    async def look() -> None:
        told = await page.evaluate(
            "async () => (await axe.run()).violations.filter((one) => ['serious', 'critical'].includes(one.impact))"
            ".flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.target} ${node.failureSummary}`))"
        )
        assert told == []

    await look()
    await page.locator("#composer-text").focus()
    await page.keyboard.type("/paint a boat size:51")
    await page.get_by_role("option", name="512x512").wait_for()
    await look()
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Under the hood").click()
    await page.get_by_role("tab", name="Faults").click()
    await page.get_by_role("group", name="Slow service").wait_for()
    await look()
    await page.get_by_role("button", name="Close").click()
    if size == "phone":
        await page.get_by_role("button", name="Servers and channels").click()
    await page.get_by_role("button", name=re.compile("You are Mia")).click()
    await page.get_by_role("dialog", name="Be somebody else").wait_for()
    await look()
    await page.get_by_role("dialog").get_by_role("button", name=re.compile("Pablo")).click()
    await page.locator("#me .me-names", has_text="Pablo").wait_for(state="attached")
    await page.wait_for_function("() => document.activeElement.matches('#composer-text, .me-button')")
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    await page.close()


async def test_fields_stand_one_below_the_other_on_a_phone(browser: Any, sandbox: Any, person: Any) -> None:
    page = await browser.new_page(viewport={"width": 390, "height": 844})
    await page.goto(sandbox.page.url)
    town = sandbox.world.town
    fields = [{"name": n, "value": "v", "inline": True} for n in NAMES]
    message = Message(
        sandbox.world.ids.make(), town.general.id, sandbox.world.bot, created_at=sandbox.world.clock.now()
    )
    drafts.apply(sandbox.world, message, Body({"embeds": [{"title": "t", "fields": fields}]}), fresh=True)
    sandbox.world.put_message(message)
    await page.locator(".embed-field").first.wait_for()
    left = await page.locator(".embed-field").evaluate_all("all => all.map((one) => one.getBoundingClientRect().x)")
    assert len(set(left)) == 1
    await page.close()
