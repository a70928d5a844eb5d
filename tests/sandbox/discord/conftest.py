"""A small bot on the real discord.py, and a sandbox for it to talk to."""

import asyncio
import contextlib
import io
import os
import struct
import warnings
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from json import dumps
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yarl

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # discord.py imports audioop
    import discord
    import discord.gateway
    import discord.http
    from discord import app_commands

from sandbox.discord.clock import HandClock
from sandbox.discord.server import Server
from sandbox.discord.world import World


def png(width: int = 8, height: int = 8, padding: int = 0) -> bytes:
    """A red picture; ``padding`` makes it larger."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\xff\0\0" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    filler = chunk(b"teXt", bytes(padding)) if padding else b""
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + filler + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )


def specs_folder() -> Path | None:
    named = os.environ.get("EASEL_SPECS")
    folder = Path(named) if named else Path(__file__).parents[4] / "shared" / "specs"
    return folder if (folder / "discord.openapi.json").exists() else None


class AgainButton(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"again:(?P<prompt>.+)"):
    def __init__(self, prompt: str) -> None:
        super().__init__(discord.ui.Button(label="Again", custom_id=f"again:{prompt}"))
        self.prompt = prompt

    @classmethod
    async def from_custom_id(cls, interaction, item, match):  # type: ignore[no-untyped-def]
        return cls(match["prompt"])

    async def callback(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"again: {self.prompt}", ephemeral=True)


class Form(discord.ui.Modal, title="Edit a picture"):
    prompt = discord.ui.Label(text="Prompt", component=discord.ui.TextInput(max_length=100))
    mask = discord.ui.Label(text="Mask", component=discord.ui.FileUpload(required=False, max_values=1))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        files = self.mask.component.values
        sizes = [len(await f.read()) for f in files]
        await interaction.response.send_message(f"{self.prompt.component.value} with masks of {sizes} bytes")


class Probe(discord.AutoShardedClient):
    """Takes every behaviour from a table, so that a test can replace one."""

    def __init__(self, **options: object) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            chunk_guilds_at_startup=False,
            guild_ready_timeout=0,
            **options,
        )
        self.tree = app_commands.CommandTree(
            self,
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
        )
        self.draw_with: Callable[[discord.Interaction, str], Awaitable[None]] = draw_picture
        self.resumed = asyncio.Event()
        self.run: asyncio.Task[None] | None = None
        self.crash_expected = False
        self.errors: list[BaseException] = []
        self.noted = asyncio.Event()
        for command in (draw, form, level, admin_only):
            self.tree.add_command(command)
        self.tree.add_command(app_commands.ContextMenu(name="Look", callback=look))
        self.tree.on_error = self.note  # type: ignore[method-assign]

    async def note(self, interaction: discord.Interaction, error: BaseException) -> None:
        self.errors.append(getattr(error, "original", error))
        self.noted.set()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """No pause between shards."""

    async def setup_hook(self) -> None:
        self.add_dynamic_items(AgainButton)
        await self.tree.sync()

    async def on_shard_resumed(self, shard_id: int) -> None:
        self.resumed.set()


async def draw_picture(interaction: discord.Interaction, prompt: str) -> None:
    await interaction.response.defer(thinking=True)
    view = discord.ui.View(timeout=None)
    view.add_item(AgainButton(prompt[:50]))
    await interaction.edit_original_response(
        content=f"Here is {prompt}",
        embed=discord.Embed(title="Picture", description=prompt).add_field(name="size", value="8x8"),
        attachments=[discord.File(io.BytesIO(png()), "picture.png", description=prompt)],
        view=view,
    )


@app_commands.command(description="Draws a picture")
async def draw(
    interaction: discord.Interaction,
    prompt: app_commands.Range[str, 1, 200],
    size: str | None = None,
    count: app_commands.Range[int, 1, 4] = 1,
    hidden: bool = False,
    image: discord.Attachment | None = None,
) -> None:
    if image is not None:
        await interaction.response.send_message(f"{image.filename} has {len(await image.read())} bytes")
        return
    await interaction.client.draw_with(interaction, prompt)  # type: ignore[attr-defined]


@draw.autocomplete("size")
async def complete_size(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
    every = [f"{n}x{n}" for n in range(16, 800, 16)]
    return [app_commands.Choice(name=s, value=s) for s in every if s.startswith(current)][:25]


@app_commands.command(description="Opens a form")
async def form(interaction: discord.Interaction) -> None:
    await interaction.response.send_modal(Form())


level = app_commands.Group(name="level", description="Levels", guild_only=True)


@level.command(name="set", description="Sets the level")
@app_commands.choices(to=[app_commands.Choice(name="Low", value="low"), app_commands.Choice(name="High", value="high")])
async def level_set(interaction: discord.Interaction, to: app_commands.Choice[str], who: discord.Member) -> None:
    await interaction.response.send_message(f"{who.display_name}: {to.value}", ephemeral=True)


@app_commands.command(description="Only for admins")
@app_commands.default_permissions(manage_guild=True)
async def admin_only(interaction: discord.Interaction) -> None:
    await interaction.response.send_message("yes", ephemeral=True)


admin_only.name = "admin-only"


async def look(interaction: discord.Interaction, message: discord.Message) -> None:
    await interaction.response.send_message(f"{len(message.attachments)} pictures by {message.author}", ephemeral=True)


@pytest.fixture
def picture() -> Callable[..., bytes]:
    return png


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def server(clock: HandClock) -> AsyncIterator[Server]:
    async with Server(World(clock=clock), specs=specs_folder(), identify_every_s=0) as running:
        yield running


@pytest.fixture
async def start_bot(server: Server, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Awaitable[Probe]]]:
    """Starts bots that talk to the server, and ends them."""
    monkeypatch.setattr(discord.http.Route, "BASE", server.api_base)
    # identify after an invalid session, and reconnects of shards, go to this address and to no other
    monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(server.gateway_url))
    running: list[tuple[Probe, asyncio.Task[None]]] = []

    async def start(**options: object) -> Probe:
        bot = Probe(**options)
        before = server.gateway.identifies
        task = asyncio.create_task(bot.start(server.world.token))
        bot.run = task
        running.append((bot, task))
        ready = asyncio.create_task(
            server.gateway.changed.until(lambda: server.gateway.identifies > before, 10, "the bot's IDENTIFY")
        )
        await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            ready.cancel()
            task.result()
        await bot.wait_until_ready()
        return bot

    yield start
    for bot, task in running:
        await bot.close()
        if bot.crash_expected:
            continue
        with contextlib.suppress(discord.DiscordException, asyncio.CancelledError):
            await task


@pytest.fixture
async def bot(start_bot: Callable[..., Awaitable[Probe]]) -> Probe:
    return await start_bot()


class Wire:
    """REST by hand, as the bot would send it."""

    def __init__(self, server: Server, session: aiohttp.ClientSession) -> None:
        self._server, self._session = server, session

    async def __call__(
        self,
        method: str,
        path: str,
        json: object = None,
        *,
        files: dict[str, bytes] | None = None,
        token: str | None = None,
    ) -> tuple[int, Any, Any]:
        """Status, JSON and headers of the answer."""
        headers = {"Authorization": f"Bot {token or self._server.world.token}"}
        data = None
        if files is not None:
            data = aiohttp.FormData(quote_fields=False)
            data.add_field("payload_json", dumps(json or {}), content_type="application/json")
            for number, (name, content) in enumerate(files.items()):
                data.add_field(
                    f"files[{number}]", io.BytesIO(content), filename=name, content_type="application/octet-stream"
                )
            json = None
        url = self._server.api_base + path
        async with self._session.request(method, url, json=json, data=data, headers=headers) as response:
            is_json = response.headers.get("Content-Type") == "application/json"
            return response.status, await response.json() if is_json else None, response.headers


@pytest.fixture
async def rest(server: Server) -> AsyncIterator[Wire]:
    async with aiohttp.ClientSession() as session:
        yield Wire(server, session)


COMMANDS = [
    {
        "name": "imagine",
        "description": "Makes a picture",
        "type": 1,
        "contexts": [0, 1, 2],
        "integration_types": [0, 1],
        "options": [
            {"name": "prompt", "description": "What", "type": 3, "required": True, "max_length": 100},
            {"name": "size", "description": "How large", "type": 3, "autocomplete": True},
            {"name": "count", "description": "How many", "type": 4, "min_value": 1, "max_value": 4},
            {"name": "private", "description": "Only for me", "type": 5},
            {"name": "image", "description": "From", "type": 11},
            {"name": "who", "description": "For", "type": 6},
        ],
    },
    {"name": "Look", "type": 3, "contexts": [0, 1, 2], "integration_types": [0, 1]},
]


@pytest.fixture
async def commands(server: Server, rest: Wire) -> None:
    """Registered commands without a bot behind them."""
    status, data, _ = await rest("PUT", f"/applications/{server.world.application_id}/commands", COMMANDS)
    assert status == 200, data
