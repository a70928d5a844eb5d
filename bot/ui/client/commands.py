"""The commands and menus of every cog, without a bot behind them: for the doctor and the documents."""

from __future__ import annotations

import importlib
from typing import Any

import discord
from discord import app_commands

from bot.ui.client.client import EXTENSIONS


async def command_tree() -> app_commands.CommandTree[Any]:
    """Every command, on a client that is connected to nothing."""
    client: Any = discord.Client(intents=discord.Intents.none())
    client.tree = app_commands.CommandTree(client)
    for name in EXTENSIONS:
        await importlib.import_module(name).setup(client)
    tree: app_commands.CommandTree[Any] = client.tree
    return tree


async def command_names() -> frozenset[str]:
    """What Discord must show once the bot has registered its commands."""
    return frozenset(command.name for command in (await command_tree()).get_commands())
