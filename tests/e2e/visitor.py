"""Somebody at the sandbox's page: a browser tab, what one does with it, and files to bring along."""

from __future__ import annotations

import re
from typing import Any

from PIL import Image, ImageDraw

from tests.support.pictures import encoded

DROP = """([bytes, name]) => {
  const carried = new DataTransfer();
  const content = bytes === null ? new ArrayBuffer(200 * 1048576) : new Uint8Array(bytes);
  carried.items.add(new File([content], name, {type: "image/png"}));
  window.dispatchEvent(new DragEvent("drop", {dataTransfer: carried, bubbles: true, cancelable: true}));
}"""


class Person:
    """Somebody at the page."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.wrong: list[str] = []
        page.set_default_timeout(20_000)
        page.on("console", lambda said: self.wrong.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))

    async def become(self, name: str) -> None:
        await self.page.get_by_role("button", name=re.compile("Be somebody else")).click()
        await self.page.locator("dialog.people .person", has_text=name).first.click()
        await self.page.locator("#me .me-names", has_text=name).wait_for()
        await self.page.locator("#messages .beginning").wait_for()

    async def go(self, channel: str) -> None:
        await self.page.get_by_role("button", name=f"#{channel}").click()
        await self.page.get_by_role("heading", name=channel, exact=True).wait_for()

    async def type(self, line: str) -> None:
        await self.page.locator("#composer-text").focus()
        await self.page.keyboard.type(line)

    async def run(self, line: str) -> None:
        """Types a whole command and sends it with Enter."""
        await self.type(line)
        await self.page.keyboard.press("Enter")

    async def drop(self, name: str, data: bytes | None) -> None:
        """Drops a file on the page; without data one of 200 MB."""
        await self.page.evaluate(DROP, [list(data) if data is not None else None, name])

    def results(self, prompt: str) -> Any:
        """Finished results with this prompt."""
        done = self.page.get_by_role("button", name="Again")
        return self.page.locator(".message", has_text=prompt).filter(has=done)

    async def result(self, prompt: str, count: int = 1) -> Any:
        """The newest result with this prompt, once there are that many."""
        found = self.results(prompt)
        await found.nth(count - 1).wait_for()
        await found.nth(count - 1).locator(".picture img").first.wait_for()
        return found.nth(count - 1)

    async def hood(self, tab: str) -> None:
        if not await self.page.locator("#drawer").is_visible():
            await self.page.get_by_role("button", name="Under the hood").click()
        await self.page.get_by_role("tab", name=tab).click()


def mask(size: tuple[int, int]) -> bytes:
    """Transparent, so to be changed, in a circle in the middle."""
    image = Image.new("RGBA", size, (0, 0, 0, 255))
    width, height = size
    ImageDraw.Draw(image).ellipse((width // 4, height // 4, 3 * width // 4, 3 * height // 4), fill=(0, 0, 0, 0))
    return encoded(image)
