"""Draws the pictures of the documentation: the real bot in the sandbox, its page driven by a browser.

    .venv/bin/python docs/make_screenshots.py                all of docs/images, the film too
    .venv/bin/python docs/make_screenshots.py result phone   only these

Needs Playwright, a Chromium (``EASEL_CHROMIUM`` names one that is not on PATH) and a font with emoji. Law: nothing is
mocked and nothing is painted over; a picture that the page cannot show is not taken.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from playwright.async_api import Locator, Page, async_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot.operator.sandbox.launch import running, show  # noqa: E402  # after the path
from bot.operator.sandbox.options import options_of  # noqa: E402  # after the path
from sandbox.discord.world import World  # noqa: E402

OUT = ROOT / "docs" / "images"
MOST_BYTES = 200 * 1024
BOT = (sys.executable, "-m", "bot", "run")
FOREST = "a pine forest at dusk under a large pale moon, paper cut-out"
POSTCARDS = (
    "a lighthouse above a teal sea",
    "a violet mountain at first light",
    "a forest in the rain, green ink",
    "a city at night, seen from above",
    "pink hills with a narrow road",
    "a small boat on the blue ocean",
)
QUIET = {"DEFAULT_COOLDOWN_S": "0", "OPENAI_API_KEY": ""}

Before = Callable[[World], Awaitable[None]]


class Visitor:
    """Somebody at the page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def become(self, name: str) -> None:
        """Turns into another member, by first name."""
        await self.page.locator("#me .me-button").click()
        await self.page.locator("dialog.people .person", has_text=name).first.click()
        await self.page.locator("#me .me-names", has_text=name).wait_for()
        await self.page.locator("#messages .beginning").wait_for()

    async def go(self, channel: str) -> None:
        await self.page.locator("#channels .channel", has_text=channel).first.click()
        await self.page.locator("#head h2", has_text=channel).wait_for()

    async def run(self, line: str, *, files: dict[str, bytes] | None = None) -> None:
        """Types a command and sends it; ``files`` are dropped on the box by name."""
        await self.page.locator("#composer-text").fill(f"{line} ")
        await self.page.locator("#composer .command-name").wait_for()
        for name, data in (files or {}).items():
            await self.drop(name, data)
        await self.page.get_by_role("button", name="Send", exact=True).click()

    async def answered(self, line: str) -> None:
        """Runs a command whose first answer is its last."""
        before = await self.page.locator("#messages > .message").count()
        await self.run(line)
        message = self.page.locator("#messages > .message:not(.pending)").nth(before)
        await message.locator(".content, .embed").first.wait_for()
        confirm = message.get_by_role("button", name="Confirm")
        if await confirm.count():
            await self.page.wait_for_timeout(500)  # as long as any person needs to read it
            await confirm.click()
            await confirm.wait_for(state="detached")
        await self.loaded()

    async def chosen(self, menu: int, name: str) -> None:
        """Chooses in a menu of the newest message, and waits until it is drawn anew."""
        box = self.page.locator(".container").last
        await box.get_by_role("combobox").nth(menu).click()
        await self.page.get_by_role("option", name=name).first.click()
        await box.get_by_role("heading", name="Presets" if menu else name).first.wait_for()
        if menu:
            await box.get_by_role("button", name="Apply").wait_for()
        await self.loaded()

    async def drop(self, name: str, data: bytes) -> None:
        await self.page.evaluate(
            """([bytes, name]) => {
              const carried = new DataTransfer();
              carried.items.add(new File([new Uint8Array(bytes)], name, {type: "image/png"}));
              window.dispatchEvent(new DragEvent("drop", {dataTransfer: carried, bubbles: true, cancelable: true}));
            }""",
            [list(data), name],
        )

    def newest(self) -> Locator:
        return self.page.locator("#messages > .message").last

    async def result(self) -> Locator:
        """Waits until the newest message is a finished result, with every picture loaded."""
        message = self.newest()
        await message.get_by_role("button", name="Again").wait_for(timeout=60_000)
        await self.loaded()
        return message

    async def loaded(self) -> None:
        await self.page.wait_for_function(
            "[...document.querySelectorAll('#messages img')].every((one) => one.complete && one.naturalWidth)"
        )
        await self.page.evaluate("document.fonts.ready")
        await self.page.mouse.move(1, 1)
        await self.page.locator(".toast").first.wait_for(state="detached", timeout=15_000)


def keep(name: str, shot: bytes) -> None:
    """Writes a screenshot as a PNG, in all its colours if that is small enough, else with a palette."""
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    for colours in (None, 256, 128, 64):
        fewer = picture if colours is None else picture.quantize(colours, kmeans=4)
        out = io.BytesIO()
        fewer.save(out, "PNG", optimize=True)
        if out.tell() <= MOST_BYTES:
            break
    else:
        raise SystemExit(f"{name}: {out.tell()} bytes, more than {MOST_BYTES}")
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{name}.png").write_bytes(out.getvalue())
    kind = f"{colours} colours" if colours else "all colours"
    print(f"docs/images/{name}.png  {picture.width}x{picture.height}  {out.tell() // 1024} KiB, {kind}")  # noqa: T201


# --- the pictures ---------------------------------------------------------------------------------------------------


async def result(page: Page) -> None:
    """The picture of the README: what a member sees after `/imagine`."""
    one = Visitor(page)
    await one.run(f"/imagine prompt:{FOREST} size:1536x1024")
    await one.result()
    keep("result", await page.screenshot())


async def limits(page: Page) -> None:
    """What an admin sees of the rules, and how one is told that they hold."""
    one = Visitor(page)
    await one.become("Ada")
    await one.go("staff")
    for line in (
        "/settings quota images:3 per:hour",
        "/settings quota images:40 role:Painters",
        "/settings budget usd:25",
        "/settings models deny:gpt-image-2.6-sunburst",
        "/settings defaults size:landscape quality:medium",
    ):
        await one.answered(line)
    await one.go("pictures")
    await one.run("/imagine prompt:an apple tree in spring, summer and autumn count:3")
    await one.result()
    await one.go("general")
    await one.answered("/settings show")
    await one.answered("/imagine prompt:an apple tree in winter")
    keep("limits", await page.screenshot())


async def edit(page: Page) -> None:
    """The form behind the button Edit, with a mask in it."""
    one = Visitor(page)
    await one.run(f"/imagine prompt:{FOREST} size:1536x1024")
    message = await one.result()
    await message.get_by_role("button", name="Edit").click()
    form = page.get_by_role("dialog")
    await form.locator("textarea").fill("a hot-air balloon rises over the forest")
    mask = {"name": "mask.png", "mimeType": "image/png", "buffer": disc_mask((1536, 1024))}
    await form.locator("input[type=file]").set_input_files(mask)
    keep("edit", await page.screenshot())
    await form.get_by_role("button", name="Submit").click()
    await page.locator("#messages > .message").nth(1).get_by_role("button", name="Again").wait_for(timeout=60_000)
    await one.loaded()
    keep("edited", await page.screenshot())


async def batch(page: Page) -> None:
    """A file of prompts, dropped on the page, and the sheet that comes back."""
    one = Visitor(page)
    await one.run("/batch size:1024x1024 quality:low", files={"postcards.txt": "\n".join(POSTCARDS).encode()})
    done = page.locator("#messages > .message .picture").first
    await done.wait_for(timeout=90_000)
    await page.wait_for_function("!document.querySelector('#messages').innerText.includes('Stop')", timeout=90_000)
    await one.loaded()
    keep("batch", await page.screenshot())


async def origin(page: Page) -> None:
    """What the menu of a message tells of a picture that somebody found."""
    one = Visitor(page)
    await one.run("/imagine prompt:a red fox in the snow quality:low")
    shown = await (await one.result()).locator("img").evaluate_all("found => found.map((one) => one.src)")
    found = await (await page.request.get(shown[-1])).body()
    await one.drop("found.png", found)
    await page.locator("#composer-text").fill("look what I found")
    await page.get_by_role("button", name="Send", exact=True).click()
    await page.locator("#messages > .message", has_text="look what I found").wait_for()
    await one.loaded()
    await one.newest().click(button="right", position={"x": 120, "y": 12})
    await page.get_by_text("Where is this from?").last.click()
    await page.locator("#messages .embed", has_text="recognised").wait_for()
    await one.loaded()
    keep("origin", await page.screenshot())


async def drawer(page: Page) -> None:
    """Under the hood: what one command did on the wire."""
    one = Visitor(page)
    await one.run(f"/imagine prompt:{FOREST} size:1536x1024 quality:low")
    message = await one.result()
    await message.hover()
    await message.get_by_role("button", name="What went over the wire").click()
    entry = page.locator(".entry", has_text="POST /v1/images/generations").last
    await entry.locator("summary").click()
    await entry.scroll_into_view_if_needed()
    await one.loaded()
    keep("drawer", await page.screenshot())


async def phone(page: Page) -> None:
    """The same on a phone, in daylight."""
    one = Visitor(page)
    await one.run(f"/imagine prompt:{FOREST} size:1024x1024")
    await one.result()
    keep("phone", await page.screenshot())


async def panel(page: Page) -> None:
    """The panel of the admins: limits with what they mean."""
    one = Visitor(page)
    await one.become("Ada")
    await one.run("/settings open")
    await one.chosen(0, "Money")
    keep("panel", await page.screenshot())


async def presets(page: Page) -> None:
    """What a preset would change, before it is applied."""
    one = Visitor(page)
    await one.become("Ada")
    await one.run("/settings open")
    await one.chosen(0, "Presets")
    await one.chosen(1, "Free community")
    keep("presets", await page.screenshot())


async def help_on(page: Page) -> None:
    """A refusal with the button that does what works, and what came of it."""
    one = Visitor(page)
    await one.run("/imagine prompt:two blue boats at sunset size:512x512")
    button = one.newest().get_by_role("button", name="816")
    await button.wait_for()
    await one.loaded()
    keep("help-on", await page.screenshot())


async def reminder(page: Page) -> None:
    """What is used up comes back: one may be told."""
    one = Visitor(page)
    await one.become("Ada")
    await one.answered("/settings quota images:1 per:hour")
    await one.become("Mia")
    await one.run("/imagine prompt:a castle in fog")
    await one.result()
    await one.run("/imagine prompt:a castle at dawn")
    await one.newest().get_by_role("button", name="Remind me").click()
    await one.newest().get_by_text("direct message").wait_for()
    await one.loaded()
    keep("reminder", await page.screenshot())


async def joined(world: World) -> None:
    """The bot leaves a server and joins it anew."""
    town = world.town
    town.studio.system_channel_id = town.general.id
    world.remove_bot(town.studio)
    for _ in range(2):  # what comes after the farewell is answered after it was noted
        await (await world.slash(town.member, world.dm(town.member), "/help", {})).wait_answer()
    world.add_bot(town.studio)


async def welcome(page: Page) -> None:
    """What a server reads when the bot joins."""
    one = Visitor(page)
    await one.newest().get_by_role("button", name="Open settings").wait_for()
    await one.loaded()
    keep("welcome", await page.screenshot())


async def looks(page: Page) -> None:
    """A look that was saved, and a picture zoomed out."""
    one = Visitor(page)
    await one.answered("/style save name:Noir prompt:{prompt}, film noir")
    await one.run("/imagine prompt:an owl on a lantern at night look:Noir")
    message = await one.result()
    await message.get_by_role("button", name="Zoom out").click()
    await page.locator("#messages > .message", has_text="Zoomed out").get_by_role("button", name="Again").wait_for()
    await one.loaded()
    keep("looks", await page.screenshot())


Shoot = Callable[[Page], Awaitable[None]]
SHOTS: dict[str, tuple[tuple[int, int], Shoot]] = {
    "result": ((1200, 860), result),
    "limits": ((1200, 1080), limits),
    "edit": ((1200, 860), edit),
    "batch": ((1200, 1150), batch),
    "drawer": ((1320, 800), drawer),
    "panel": ((1000, 900), panel),
    "presets": ((1000, 980), presets),
    "help-on": ((1000, 640), help_on),
    "looks": ((1000, 1200), looks),
    "origin": ((1000, 900), origin),
    "reminder": ((1000, 860), reminder),
    "welcome": ((1000, 860), welcome),
    "phone": ((400, 870), phone),
}
BEFORE: Mapping[str, Before] = {"welcome": joined}
LIGHT = ("phone",)


def disc_mask(size: tuple[int, int]) -> bytes:
    """A mask with a transparent disc: there it is changed."""
    image = Image.new("RGBA", size, (0, 0, 0, 255))
    x, y, radius = size[0] * 2 // 3, size[1] * 2 // 5, size[1] // 4
    ImageDraw.Draw(image).ellipse((x - radius, y - radius, x + radius, y + radius), fill=(0, 0, 0, 0))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@asynccontextmanager
async def browsing(
    size: tuple[int, int], scheme: str, settings: Mapping[str, str] = QUIET, before: Before | None = None
) -> AsyncIterator[Page]:
    """The page of a new sandbox in a browser of that size; ``before`` happens in its world before it is opened."""
    os.environ.pop("OPENAI_API_KEY", None)
    found = os.environ.get("EASEL_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    options = options_of(["--port", "0", "--no-browser"])
    async with (
        async_playwright() as playwright,
        running(options, BOT, **settings) as sandbox,
        show(options, sandbox) as shown,
        await playwright.chromium.launch(executable_path=found, args=["--no-sandbox"]) as browser,
    ):
        viewport: Any = {"width": size[0], "height": size[1]}
        context = await browser.new_context(
            viewport=viewport, color_scheme="light" if scheme == "light" else "dark", locale="en-GB", timezone_id="UTC"
        )
        page = await context.new_page()
        page.set_default_timeout(20_000)
        if before is not None:
            await before(sandbox.discord.world)
        await page.goto(shown.url)
        await page.locator("#messages .beginning").wait_for()
        yield page


async def take(names: list[str]) -> None:
    """Takes these pictures, each in a sandbox of its own, so that none depends on another."""
    for name in names:
        size, shoot = SHOTS[name]
        async with browsing(size, "light" if name in LIGHT else "dark", before=BEFORE.get(name)) as page:
            await shoot(page)


def main() -> None:
    parser = argparse.ArgumentParser(description="Draws the pictures of the documentation.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"any of {', '.join(SHOTS)} (default: all)")
    names = parser.parse_args().names or list(SHOTS)
    if unknown := [name for name in names if name not in SHOTS]:
        parser.error(f"no such picture: {', '.join(unknown)}")
    asyncio.run(take(names))
    if names == list(SHOTS):
        import make_film

        asyncio.run(make_film.main())


if __name__ == "__main__":
    main()
