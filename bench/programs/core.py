"""Easel's own way from the image service to Discord, alone: nothing reserved, nothing kept."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from datetime import timedelta

import aiohttp

from bench.programs.bare import Order, bare, prompt_of
from bot.app import App, build
from bot.parts import now, service_of
from bot.ports import ImageService, OperatorPays
from bot.rules.ledger import Answer
from bot.rules.requests import Endpoint, ImageRequest, Inputs, Kind
from bot.settings.sources import read_settings
from bot.ui.client.gateway import point_at
from bot.ui.delivery.conversation import DiscordConversation
from bot.ui.messages import File, Message


async def handle(app: App, service: ImageService, order: Order) -> None:
    request = ImageRequest(
        Kind.IMAGINE, Endpoint.GENERATIONS, "gpt-image-2.5-flare", prompt_of(order), size="1024x1024", quality="low"
    )
    made = await service.make(request, Inputs(), payer=OperatorPays(), member_tag="tag", deadline_s=120)
    answer = Answer(
        int(order["id"]),
        int(order["application_id"]),
        order["token"],
        int(order["channel_id"]),
        now() + timedelta(minutes=15),
    )
    files = (File("easel-1.png", made.images[0].data, "a fox"),)
    await DiscordConversation(app.client, now, answer).edit(Message(content="a fox", files=files))


async def main() -> None:
    settings = read_settings().settings
    point_at(settings.discord_api_base)
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(build(settings))
        stack.push_async_callback(app.tasks.finish, 0)
        app.client.http.connector = aiohttp.TCPConnector(limit=0)
        await app.client.http.static_login(os.environ["DISCORD_TOKEN"])
        stack.push_async_callback(app.client.http.close)
        service = service_of(settings, app.client.shell.catalogue)
        stack.push_async_callback(service.aclose)
        bot = await stack.enter_async_context(bare())
        await bot.serve(lambda order: handle(app, service, order))


if __name__ == "__main__":
    asyncio.run(main())
