"""Makes the film of the README: somebody types, watches, varies, is refused and helped on; an admin opens the panel.

    .venv/bin/python docs/make_film.py

Needs what ``make_screenshots.py`` needs. Law: what is filmed is what the page shows; only waiting is cut short.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from make_screenshots import OUT, QUIET, Visitor, browsing
from PIL import Image, ImageChops
from playwright.async_api import Page

SIZE = (1000, 720)
SHOWN = (800, 576)
MOST_BYTES = 3 * 1024 * 1024
EVERY_S = 0.12
LONGEST_MS = 2600
"""How long nothing may move in the film; a person needs about that long to read a refusal."""


class Film:
    """Frames with how long each is shown; one that looks like the last makes that one longer."""

    def __init__(self) -> None:
        self._frames: list[Image.Image] = []
        self._ms: list[int] = []

    def add(self, shot: bytes, ms: int) -> None:
        frame = Image.open(io.BytesIO(shot)).convert("RGB").resize(SHOWN, Image.Resampling.LANCZOS)
        if self._frames and ImageChops.difference(frame, self._frames[-1]).getbbox() is None:
            self._ms[-1] = min(self._ms[-1] + ms, LONGEST_MS)
            return
        self._frames.append(frame)
        self._ms.append(ms)

    def save(self, name: str) -> None:
        """An animated WebP without end, as good as the size allows. Raises ``SystemExit`` where nothing fits."""
        for quality in (80, 65, 50, 35):
            out = io.BytesIO()
            first, *rest = self._frames
            first.save(
                out, "WEBP", save_all=True, append_images=rest, duration=self._ms, loop=0, quality=quality, method=5
            )
            if out.tell() <= MOST_BYTES:
                (OUT / f"{name}.webp").write_bytes(out.getvalue())
                seconds, kib = sum(self._ms) / 1000, out.tell() // 1024
                print(f"docs/images/{name}.webp  {len(self._frames)} frames, {seconds:.0f} s, {kib} KiB")  # noqa: T201
                return
        raise SystemExit(f"{name}: {out.tell()} bytes, more than {MOST_BYTES}")


@asynccontextmanager
async def filmed(page: Page, film: Film) -> AsyncIterator[None]:
    """Takes a frame again and again while the body runs, and one at its end."""

    async def roll() -> None:
        loop = asyncio.get_running_loop()
        while True:
            begun = loop.time()
            film.add(await page.screenshot(), round(EVERY_S * 1000))
            await asyncio.sleep(max(0.0, EVERY_S - (loop.time() - begun)))

    rolling = asyncio.create_task(roll())
    try:
        yield
    finally:
        rolling.cancel()
        with suppress(asyncio.CancelledError):
            await rolling
    film.add(await page.screenshot(), LONGEST_MS)


async def typed(page: Page, line: str) -> None:
    """Types as a person does, and sends."""
    box = page.locator("#composer-text")
    await box.click()
    command, _, rest = line.partition(" ")
    await box.press_sequentially(command, delay=90)
    await page.keyboard.press("Enter")
    await page.locator("#composer .command-name").wait_for()
    await page.keyboard.type(rest, delay=35)
    await page.get_by_role("button", name="Send", exact=True).click()


async def story(page: Page, film: Film) -> None:
    one = Visitor(page)
    async with filmed(page, film):
        await typed(page, "/imagine a red fox in the snow at night")
        await one.result()
    async with filmed(page, film):
        await one.newest().get_by_role("button", name="Vary").click()
        await page.wait_for_timeout(600)
        await one.result()
    async with filmed(page, film):
        await one.run("/imagine prompt:two blue boats at sunset size:512x512")
        await one.newest().get_by_role("button", name="816").wait_for()
        await page.wait_for_timeout(900)
    async with filmed(page, film):
        await one.newest().get_by_role("button", name="816").click()
        await page.wait_for_timeout(600)
        await one.result()
    await one.become("Ada")
    async with filmed(page, film):
        await one.run("/settings open")
        await one.newest().get_by_role("combobox").first.wait_for()
        await page.wait_for_timeout(900)


async def main() -> None:
    film = Film()
    async with browsing(SIZE, "dark", QUIET) as page:
        await story(page, film)
    film.save("film")


if __name__ == "__main__":
    asyncio.run(main())
