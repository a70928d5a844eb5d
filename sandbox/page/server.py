"""The page's own web server: static files, the live socket, and one POST for each thing a person can do."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Protocol, Self, cast

from aiohttp import web

from sandbox.discord import ids, rights
from sandbox.discord.components import every
from sandbox.discord.faults import Faults
from sandbox.discord.model import Interaction, Json, Modal, User
from sandbox.discord.people import forms
from sandbox.discord.people.commands import find_command
from sandbox.discord.people.options import NotPossible
from sandbox.discord.rules.commands import LOCALES
from sandbox.discord.wire.gateway import Gateway
from sandbox.discord.wire.log import WireLog
from sandbox.discord.world import World
from sandbox.images import Call, ImageService
from sandbox.page import acts as doings
from sandbox.page import localized, views
from sandbox.page.files import Files
from sandbox.page.guards import guard
from sandbox.page.inspector import Drawer, Ledger
from sandbox.page.socket import Live
from sandbox.page.switches import Switchboard
from sandbox.page.welcome import Welcome


class BotControl(Protocol):
    """Power over the bot's process, if the one who started it can give it."""

    listeners: list[Callable[[], None]]
    """Called whenever the process started or ended, by whomever."""

    @property
    def running(self) -> bool: ...

    @property
    def exit_code(self) -> int | None: ...

    def last_lines(self, count: int = 15) -> str:
        """The end of the bot's log."""
        ...

    async def start(self) -> None: ...

    async def kill(self) -> None:
        """As ``kill -9`` would."""
        ...

    async def restart(self) -> None: ...


class PageServer:
    """The page of one world. ``async with PageServer(world) as page: … page.url``.

    Everything but the world may be absent; the page then leaves that part out. ``port`` 0 takes a free one; a taken
    one raises ``OSError`` from ``start``. Nothing of one visit is kept but in the world.
    """

    def __init__(
        self,
        world: World,
        *,
        images: ImageService | None = None,
        wire: WireLog | None = None,
        faults: Faults | None = None,
        gateway: Gateway | None = None,
        bot: BotControl | None = None,
        ledger: Ledger | None = None,
        welcome: Welcome | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.world = world
        self.host, self.port = host, port
        self._images, self._gateway, self._bot = images, gateway, bot
        self._welcome = welcome
        self._live = Live(world, self._online)
        self._switches = Switchboard(images, faults)
        self._drawer = Drawer(wire, images, ledger)
        self._runner: web.AppRunner | None = None
        self._files = Files(world, welcome)
        self._forget_world: Callable[[], None] | None = None

    # --- life ----------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/"

    async def start(self) -> None:
        """Begins to listen on loopback."""
        app = web.Application(middlewares=[guard(lambda: self.port)], client_max_size=1 << 20)
        self._files.attach(app)
        app.router.add_get("/live", self._socket)
        for name, reader in self._readers().items():
            app.router.add_get(f"/api/{name}", _answered(reader))
        for name, doer in self._doers().items():
            app.router.add_post(f"/api/{name}", _answered(doer))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self.host, self.port).start()
        except OSError:
            await self._runner.cleanup()
            raise
        self.port = self._runner.addresses[0][1]
        self._forget_world = self.world.subscribe(self._files.remember)
        if self._images is not None:
            self._images.listeners.append(self._drawn)
        if self._bot is not None:
            self._bot.listeners.append(self._bot_changed)

    async def stop(self) -> None:
        """Closes every tab's socket and stops listening."""
        if self._images is not None and self._drawn in self._images.listeners:
            self._images.listeners.remove(self._drawn)
        if self._bot is not None and self._bot_changed in self._bot.listeners:
            self._bot.listeners.remove(self._bot_changed)
        if self._forget_world is not None:
            self._forget_world()
        self._live.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _bot_changed(self) -> None:
        self._live.tell_all({"type": "gateway", "online": self._online(), "bot": self._bot_state()})

    def _online(self) -> bool:
        return self._gateway is None or bool(self._gateway.live)

    def _drawn(self, _: Call) -> None:
        self._live.tell_all({"type": "wire"})

    # --- reading -------------------------------------------------------------------------------------------------

    def _readers(self) -> dict[str, Callable[[web.Request], Awaitable[Json]]]:
        return {
            "people": self._people,
            "state": self._state,
            "history": self._history,
            "commands": self._commands,
            "wire": self._wire,
            "ledger": self._ledger,
            "faults": self._faults,
            "welcome": self._greet,
        }

    async def _people(self, _: web.Request) -> Json:
        return {"people": views.people(self.world)}

    async def _state(self, request: web.Request) -> Json:
        shown = views.state(self.world, self._viewer(request), online=self._online())
        return shown | {"control": self._bot_state()}

    async def _history(self, request: web.Request) -> Json:
        viewer = self._viewer(request)
        channel = doings.Finder(self.world, viewer).channel(request.query.get("channel", ""))
        return {"messages": [views.message(self.world, one) for one in self.world.history(channel, viewer)[-200:]]}

    async def _commands(self, request: web.Request) -> Json:
        viewer = self._viewer(request)
        channel = doings.Finder(self.world, viewer).channel(request.query.get("channel", ""))
        offered = rights.commands_for(self.world, viewer, channel)
        return {"commands": localized.commands(offered, viewer.locale)}

    async def _greet(self, request: web.Request) -> Json:
        if self._welcome is None:
            return {}
        return self._welcome.card(self.world, self._viewer(request)) | {"samples": self._images is not None}

    async def _wire(self, request: web.Request) -> Json:
        return {"entries": self._drawer.entries(self._related(request.query.get("interaction")))}

    async def _ledger(self, request: web.Request) -> Json:
        related = self._related(request.query.get("interaction"))
        if not related:
            return {"rows": await self._drawer.ledger(None)}
        rows = [await self._drawer.ledger(one) for one in related]
        return {"rows": None if rows[0] is None else [row for part in rows for row in part or ()]}

    def _related(self, interaction_id: str | None) -> frozenset[int]:
        """The interaction and the one that opened its form."""
        number = int(interaction_id) if interaction_id and interaction_id.isdigit() else 0
        found = self.world.interactions.get(number)
        if found is None:
            return frozenset()
        return frozenset({found.id} | ({found.opener.id} if found.opener else set()))

    async def _faults(self, _: web.Request) -> Json:
        return {"faults": self._switches.listed(), "control": self._bot_state(), "gateway": self._gateway is not None}

    def _bot_state(self) -> Json | None:
        if self._bot is None:
            return None
        if self._bot.running:
            return {"running": True}
        return {"running": False, "exit_code": self._bot.exit_code, "last_lines": self._bot.last_lines()}

    # --- doing ---------------------------------------------------------------------------------------------------

    def _doers(self) -> dict[str, Callable[[web.Request], Awaitable[Json]]]:
        return {
            "slash": self._slash,
            "complete": self._complete,
            "click": self._click,
            "select": self._select,
            "form": self._form,
            "menu": self._menu,
            "say": self._say,
            "delete": self._delete,
            "language": self._language,
            "fault": self._fault,
            "bot": self._power,
        }

    def _viewer(self, request: web.Request) -> User:
        viewer = request.headers.get("X-Viewer") or request.query.get("viewer") or ""
        user = self.world.users.get(int(viewer)) if viewer.isascii() and viewer.isdigit() else None
        if user is None or user.bot:
            raise NotPossible("there is no such member")
        return user

    async def _opened(self, request: web.Request) -> tuple[doings.Finder, doings.Ask]:
        return doings.Finder(self.world, self._viewer(request)), await doings.read(request)

    def _began(self, request: web.Request, interaction: Interaction) -> Json:
        self._live.began(interaction, request.headers.get("X-Tab", ""))
        return {"interaction": str(interaction.id)}

    async def _slash(self, request: web.Request) -> Json:
        find, ask = await self._opened(request)
        channel, name = find.channel(ask.text("channel")), ask.text("name")
        leaf = find_command(self.world, find.viewer, channel, name)[2]
        options = find.option_values(leaf, ask, channel)
        return self._began(request, await self.world.slash(find.viewer, channel, name, options))

    async def _complete(self, request: web.Request) -> Json:
        find, ask = await self._opened(request)
        channel, name = find.channel(ask.text("channel")), ask.text("name")
        leaf = find_command(self.world, find.viewer, channel, name)[2]
        options = find.option_values(leaf, ask, channel)
        asked = await self.world.autocomplete(
            find.viewer, channel, name, ask.text("focused"), ask.text("typed"), options
        )
        try:
            return {"choices": localized.choices(await asked.wait_choices(4), find.viewer.locale)}
        except (LookupError, TimeoutError):
            return {"choices": [], "failed": True}

    async def _click(self, request: web.Request) -> Json:
        find, ask = await self._opened(request)
        return self._began(request, await self.world.click(find.message(ask), ask.text("custom_id"), find.viewer))

    async def _select(self, request: web.Request) -> Json:
        find, ask = await self._opened(request)
        message, custom_id = find.message(ask), ask.text("custom_id")
        kinds = {one.get("custom_id"): one["type"] for one in every(message.components)}
        values = [str(one) for one in ask.body.get("values") or ()]
        channel = self.world.channels[message.channel_id]
        chosen = find.chosen(kinds.get(custom_id, 3), values, channel)
        return self._began(request, await self.world.select(message, custom_id, chosen, find.viewer))

    async def _form(self, request: web.Request) -> Json:
        find, ask = await self._opened(request)
        modal = cast("Modal | None", self._live.forms.get(ask.text("form")))
        if modal is None or modal.interaction.user != find.viewer:
            raise NotPossible("the form is no longer open")
        values, files = find.form_values(modal, forms.fields(modal), ask)
        interaction = await self.world.submit_form(modal, values, files)
        self._live.forms.pop(ask.text("form"), None)
        return self._began(request, interaction)

    async def _menu(self, request: web.Request) -> Json:
        find, ask = await self._opened(request)
        return self._began(request, await self.world.message_menu(find.viewer, find.message(ask), ask.text("name")))

    async def _say(self, request: web.Request) -> Json:
        find, ask = await self._opened(request)
        channel = find.channel(ask.text("channel"))
        if not rights.permissions(self.world, find.viewer, channel) & ids.SEND_MESSAGES:
            raise NotPossible("you may not write in this channel")
        content, files = ask.text("content"), list(ask.files.values())
        if len(content) > 2000:
            raise NotPossible(f"a message has at most 2000 characters, this one has {len(content)}")
        if not content.strip() and not files:
            raise NotPossible("there is nothing to send")
        limit = self.world.upload_limit(find.viewer, self.world.guild_of(channel))
        if any(len(file.data) > limit for file in files):
            raise NotPossible(f"a file may have at most {limit // (1024 * 1024)} MiB here")
        said = self.world.say(find.viewer, channel, content, files[:10])
        if self._welcome is not None:
            self._welcome.answer(self.world, find.viewer, channel, content)
        return {"message": str(said.id)}

    async def _delete(self, request: web.Request) -> Json:
        find, ask = await self._opened(request)
        message = find.message(ask)
        bits = rights.permissions(self.world, find.viewer, self.world.channels[message.channel_id])
        mine = message.author == find.viewer or message.ephemeral_for == find.viewer.id
        if not mine and not bits & ids.MANAGE_MESSAGES:
            raise NotPossible("only its author or a moderator may delete this message")
        self.world.delete_message(message)
        return {}

    async def _language(self, request: web.Request) -> Json:
        find, ask = await self._opened(request)
        if ask.text("locale") not in LOCALES:
            raise NotPossible("Discord has no such language")
        return {"locale": self.world.speak(find.viewer, ask.text("locale")).locale}

    async def _fault(self, request: web.Request) -> Json:
        _, ask = await self._opened(request)
        switch, setting = ask.text("id"), ask.text("setting")
        if switch == "gateway_drop" and self._gateway is not None:
            self._gateway.drop()
        elif switch == "all":
            self._switches.all_off()
        else:
            try:
                self._switches.turn(switch, setting)
            except KeyError:
                raise NotPossible("there is no such switch") from None
        self._live.tell_all({"type": "faults"})
        return {"faults": self._switches.listed()}

    async def _power(self, request: web.Request) -> Json:
        _, ask = await self._opened(request)
        if self._bot is None:
            raise NotPossible("this sandbox did not start the bot and cannot stop it")
        does = {"start": self._bot.start, "kill": self._bot.kill, "restart": self._bot.restart}
        if ask.text("do") not in does:
            raise NotPossible("one can start, kill or restart the bot")
        await does[ask.text("do")]()
        return {"control": self._bot_state()}

    # --- the socket -----------------------------------------------------------------------------------------------

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        try:
            viewer = self._viewer(request)
        except NotPossible as problem:
            return web.json_response({"problem": str(problem)}, status=404)
        return await self._live.serve(request, viewer, request.query.get("tab") or secrets.token_hex(8))


def _answered(doer: Callable[[web.Request], Awaitable[Json]]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A handler that answers with JSON, and with ``problem`` in words where it was not possible."""

    async def handle(request: web.Request) -> web.Response:
        try:
            return web.json_response(await doer(request))
        except NotPossible as problem:
            return web.json_response({"problem": str(problem)}, status=400)
        except doings.TooMuch:
            most = doings.MAX_UPLOAD // (1024 * 1024)
            return web.json_response({"problem": f"That is more than {most} MiB: too large to upload."}, status=413)

    return handle
