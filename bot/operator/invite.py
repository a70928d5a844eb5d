"""``python -m bot invite``: the address at which a server's admin adds this bot."""

from __future__ import annotations

import argparse
import asyncio

import aiohttp

from bot.operator.discord_api import DiscordApi, Unreachable
from bot.parts import now
from bot.ports import CannotStart
from bot.rules.servers.invitation import install_link
from bot.settings.model import Settings
from bot.settings.sources import load_settings

WHAT_IT_ASKS = (
    "It asks for View Channels, Send Messages, Send Messages in Threads, Embed Links, Attach Files and Read Message "
    "History. No privileged intent is needed."
)


async def fetch_link(settings: Settings) -> str:
    """The link of the bot that the token belongs to. Raises ``CannotStart`` with what to do."""
    if settings.discord_token is None:
        raise CannotStart("DISCORD_TOKEN: is not set, so there is no bot to invite.")
    async with aiohttp.ClientSession() as session:
        api = DiscordApi(session, settings.discord_api_base, settings.discord_token.get_secret_value(), now)
        try:
            answer = await api.get("/oauth2/applications/@me")
        except Unreachable as failure:
            raise CannotStart(f"Discord at {settings.discord_api_base} did not answer: {failure}.") from failure
    if not answer.ok or not isinstance(answer.body, dict) or "id" not in answer.body:
        raise CannotStart(f"Discord refuses DISCORD_TOKEN (status {answer.status}); `python -m bot doctor` says more.")
    return install_link(answer.body["id"])


def main(_arguments: argparse.Namespace) -> int:
    """Prints the link."""
    print(asyncio.run(fetch_link(load_settings())))  # noqa: T201 - this is its output
    print(WHAT_IT_ASKS)  # noqa: T201
    return 0
