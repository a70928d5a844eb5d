"""``/gallery``: the pictures of this place that one may see, newest first; those that wait for delivery before all."""

from __future__ import annotations

import discord
from discord import app_commands

from bot.ui.components.star import Star
from bot.ui.panels.gallery import SEARCH_LIMIT, Filter, GalleryPage, Stars, searched, show_first
from bot.ui.shell import HasShell, Interaction


@app_commands.command(name="gallery", description="Browse pictures made here")
@app_commands.describe(
    member="Only pictures of this member",
    search="Words that all stand in the prompt",
    mine="Only your own, private ones too",
    favourites="Only those you marked with a star",
)
async def gallery(
    interaction: Interaction,
    member: discord.User | None = None,
    search: app_commands.Range[str, 1, SEARCH_LIMIT] | None = None,
    mine: bool = False,
    favourites: bool = False,
) -> None:
    """The newest page, in private."""
    chosen = interaction.user.id if mine else member.id if member is not None else None
    await show_first(interaction, Filter(chosen, searched(search), favourites=favourites))


async def setup(client: HasShell) -> None:
    client.tree.add_command(gallery)
    client.add_dynamic_items(GalleryPage, Stars, Star)
