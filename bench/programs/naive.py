"""What a newcomer writes with discord.py and the SDK: nothing is kept, nothing checked, no limits."""

from __future__ import annotations

import base64
import io
import os
from typing import Any

import discord
import openai
from discord import app_commands
from discord.http import Route


class Naive(discord.AutoShardedClient):
    """Auto-sharded, since a plain one asks nobody where the gateway is."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True))
        self.tree = app_commands.CommandTree(self)
        self.images = openai.AsyncOpenAI(max_retries=0)


@app_commands.command()
async def imagine(interaction: discord.Interaction[Naive], prompt: str, size: str, quality: str) -> None:
    """Make a picture."""
    await interaction.response.defer(thinking=True)
    await interaction.edit_original_response(content="Being drawn …")
    typed: dict[str, Any] = {"size": size, "quality": quality}
    made = await interaction.client.images.images.generate(model="gpt-image-2.5-flare", prompt=prompt, **typed)
    data = base64.b64decode((made.data or [])[0].b64_json or "")
    await interaction.edit_original_response(content=None, attachments=[discord.File(io.BytesIO(data), "a.png")])


def main() -> None:
    Route.BASE = os.environ["DISCORD_API_BASE"]
    client = Naive()
    client.tree.add_command(imagine)
    client.run(os.environ["DISCORD_TOKEN"], log_handler=None)


if __name__ == "__main__":
    main()
