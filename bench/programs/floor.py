"""The raw floor: the same conversation with nothing promised. What is paid is lost with the process."""

from __future__ import annotations

import asyncio

from bench.programs.bare import PREVIEWS, Bare, Order, bare, wants_previews


async def handle(bot: Bare, order: Order) -> None:
    match order["data"]["name"]:
        case "core":
            await bot.show(order, await bot.made(order))
        case _ if wants_previews(order):
            await _with_previews(bot, order)
        case _:
            await bot.defer(order)
            async with bot.drawing(order):
                data = await bot.made(order)
            await bot.show(order, data)


async def _with_previews(bot: Bare, order: Order) -> None:
    """Every preview is shown as it comes, then the picture."""
    await bot.defer(order)
    async with bot.drawing(order):
        at = 0
        async for data in bot.streamed(order):
            await bot.show(order, data, "preview.png" if at < PREVIEWS else "a.png")
            at += 1


async def main() -> None:
    async with bare() as bot:
        await bot.serve(lambda order: handle(bot, order))


if __name__ == "__main__":
    asyncio.run(main())
