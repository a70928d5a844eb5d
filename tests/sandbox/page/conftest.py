"""The page over a sandbox with a small real bot in it, and a browser where there is one."""

import asyncio
import contextlib
import io
import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import yarl
from PIL import Image

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # discord.py imports audioop
    import discord
    import discord.gateway
    import discord.http
    from discord import app_commands

from sandbox.discord.server import Server
from sandbox.discord.world import World
from sandbox.images import ImageService
from sandbox.page import PageServer
from sandbox.page.welcome import Step, Welcome
from tests.support.browser import started


def _png(colour: str = "teal", size: tuple[int, int] = (320, 200)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


class Again(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"again:(?P<prompt>.*)"):
    def __init__(self, prompt: str) -> None:
        super().__init__(discord.ui.Button(label="Again", custom_id=f"again:{prompt}"[:100]))
        self.prompt = prompt

    @classmethod
    async def from_custom_id(cls, interaction, item, match):  # type: ignore[no-untyped-def]
        return cls(match["prompt"])

    async def callback(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"again: {self.prompt}", ephemeral=True)


class Colours(discord.ui.Select[discord.ui.View]):
    def __init__(self) -> None:
        super().__init__(
            custom_id="colours",
            placeholder="Pick a colour",
            options=[discord.SelectOption(label=c) for c in ("Red", "Blue")],
        )

    async def callback(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"chose {self.values[0]}")


class Form(discord.ui.Modal, title="Change it"):
    words = discord.ui.Label(text="Words", component=discord.ui.TextInput(default="as it was", max_length=100))
    mask = discord.ui.Label(text="Mask", component=discord.ui.FileUpload(required=False, max_values=1))
    kind = discord.ui.Label(
        text="Kind", component=discord.ui.Select(options=[discord.SelectOption(label=k) for k in ("Oil", "Ink")])
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        sizes = [len(await file.read()) for file in self.mask.component.values]  # type: ignore[attr-defined]
        words, kind = self.words.component.value, self.kind.component.values  # type: ignore[attr-defined]
        await interaction.response.send_message(f"{words} in {kind[0]} with {sizes}")


GERMAN = {"Paints a picture": "Malt ein Bild", "paint": "male", "size": "größe", "High": "Hoch"}


class Translator(app_commands.Translator):
    """A few words of German, as a bot may register them."""

    async def translate(self, string: Any, locale: discord.Locale, context: Any) -> str | None:
        return GERMAN.get(string.message) if locale is discord.Locale.german else None


class Painter(discord.AutoShardedClient):
    """Draws without any service: enough of a bot for the page."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True), guild_ready_timeout=0, chunk_guilds_at_startup=False)
        contexts = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True)
        installs = app_commands.AppInstallationType(guild=True, user=True)
        self.tree = app_commands.CommandTree(self, allowed_contexts=contexts, allowed_installs=installs)
        self.may_finish = asyncio.Event()
        for command in (paint, change, silent, level):
            self.tree.add_command(command)
        self.tree.add_command(app_commands.ContextMenu(name="Look", callback=look))

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """No pause between shards."""

    async def setup_hook(self) -> None:
        self.add_dynamic_items(Again)
        await self.tree.set_translator(Translator())
        await self.tree.sync()


@app_commands.command(description="Paints a picture")
async def paint(
    interaction: discord.Interaction,
    prompt: app_commands.Range[str, 1, 200],
    size: str | None = None,
    count: app_commands.Range[int, 1, 4] = 1,
    private: bool = False,
    image: discord.Attachment | None = None,
) -> None:
    await interaction.response.defer(thinking=True, ephemeral=private)
    await interaction.client.may_finish.wait()  # type: ignore[attr-defined]
    if image is not None:
        await interaction.edit_original_response(content=f"{image.filename} has {len(await image.read())} bytes")
        return
    files = [discord.File(io.BytesIO(_png()), f"p{n}.png", description=prompt) for n in range(count)]
    view = discord.ui.View(timeout=None)
    view.add_item(Again(prompt[:40]))
    embed = discord.Embed(title=prompt, description="<b>bold?</b> **bold!**", color=0x30A46C).add_field(
        name="Size", value=size or "auto"
    )
    await interaction.edit_original_response(embed=embed, attachments=files, view=view)


@paint.autocomplete("size")
async def complete_size(interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
    sizes = [f"{n}x{n}" for n in range(64, 1000, 64)]
    return [app_commands.Choice(name=size, value=size) for size in sizes if typed in size][:25]


@app_commands.command(description="Opens a form")
async def change(interaction: discord.Interaction) -> None:
    await interaction.response.send_modal(Form())


@app_commands.command(description="Says nothing")
async def silent(interaction: discord.Interaction) -> None:
    """Never answers."""


level = app_commands.Group(name="level", description="Levels", guild_only=True)


@level.command(name="set", description="Sets a member's level")
@app_commands.choices(to=[app_commands.Choice(name="Low", value="lo"), app_commands.Choice(name="High", value="hi")])
async def level_set(interaction: discord.Interaction, to: app_commands.Choice[str], who: discord.Member) -> None:
    view = discord.ui.View()
    view.add_item(Colours())
    await interaction.response.send_message(f"{who.mention} is {to.value}", view=view)


async def look(interaction: discord.Interaction, message: discord.Message) -> None:
    await interaction.response.send_message(f"{len(message.attachments)} pictures", ephemeral=True)


@dataclass
class Sandbox:
    """Everything a test of the page holds."""

    server: Server
    images: ImageService
    page: PageServer
    bot: Painter

    @property
    def world(self) -> World:
        return self.server.world


WELCOME = Welcome(
    (
        Step({"en": "A boat", "de": "Ein Boot"}, {"en": "/paint prompt:a boat"}, {}),
        Step({"en": "This photo"}, {"en": "/paint prompt:brighter"}, {}, with_photo=True),
        Step({"en": "Be the admin"}, {"en": "/silent"}, {"en": "ada", "de": "greta"}),
        Step({"en": "Break something"}, {}, {}, to_faults=True),
    ),
    lambda: _png("navy"),
)


@pytest.fixture
async def sandbox(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:
    images = ImageService()
    await images.start()
    async with Server() as server:
        monkeypatch.setattr(discord.http.Route, "BASE", server.api_base)
        monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(server.gateway_url))
        bot = Painter()
        bot.may_finish.set()
        running = asyncio.create_task(bot.start(server.world.token))
        await server.wait_ready()
        await bot.wait_until_ready()
        parts = {"images": images, "wire": server.wire, "faults": server.faults, "gateway": server.gateway}
        async with PageServer(server.world, welcome=WELCOME, **parts) as page:  # type: ignore[arg-type]
            yield Sandbox(server, images, page, bot)
        await bot.close()
        with contextlib.suppress(discord.DiscordException, asyncio.CancelledError):
            await running
    await images.stop()


class Person:
    """Somebody at the page, without a browser: requests and the live socket."""

    def __init__(self, sandbox: Sandbox, session: aiohttp.ClientSession, user: Any, tab: str = "tab-1") -> None:
        self.sandbox, self.session, self.user, self.tab = sandbox, session, user, tab
        self.socket: aiohttp.ClientWebSocketResponse | None = None

    def _url(self, path: str) -> str:
        return f"{self.sandbox.page.url}{path}"

    async def ask(self, name: str, **query: str) -> tuple[int, Any]:
        async with self.session.get(self._url(f"api/{name}"), params={"viewer": str(self.user.id), **query}) as answer:
            return answer.status, await answer.json()

    async def act(self, name: str, body: dict[str, Any], files: dict[str, bytes] | None = None) -> tuple[int, Any]:
        headers = {"X-Viewer": str(self.user.id), "X-Tab": self.tab}
        data: Any = None
        if files is not None:
            import json

            data = aiohttp.FormData()
            data.add_field("ask", json.dumps(body))
            for key, content in files.items():
                data.add_field(key, content, filename=f"{key}.png", content_type="image/png")
        one = {"data": data} if files is not None else {"json": body}
        async with self.session.post(self._url(f"api/{name}"), headers=headers, **one) as answer:  # type: ignore[arg-type]
            return answer.status, await answer.json()

    async def listen(self) -> None:
        self.socket = await self.session.ws_connect(self._url(f"live?viewer={self.user.id}&tab={self.tab}"))
        await self.hear("hello")

    async def hear(self, kind: str, when: Any = lambda _: True) -> Any:
        """The next live message of that kind for which ``when`` holds."""
        assert self.socket is not None
        async with asyncio.timeout(10):
            while True:
                message = await self.socket.receive_json()
                if message["type"] == kind and when(message):
                    return message


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as one:
        yield one


@pytest.fixture
def person(sandbox: Sandbox, session: aiohttp.ClientSession) -> Any:
    def make(user: Any = None, tab: str = "tab-1") -> Person:
        return Person(sandbox, session, user or sandbox.world.town.member, tab)

    return make


@pytest.fixture
def png() -> Any:
    return _png


@pytest.fixture
async def browser() -> AsyncIterator[Any]:
    async with started() as one:
        yield one


@pytest.fixture
async def tab(browser: Any, sandbox: Sandbox) -> AsyncIterator[Any]:
    """A page that is open and ready; any error in its console fails the test."""
    page = await browser.new_page(viewport={"width": 1200, "height": 850})
    page.set_default_timeout(8000)
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.wrong = wrong
    await page.goto(sandbox.page.url)
    await page.locator("#messages .beginning").wait_for()
    yield page
    assert wrong == []
