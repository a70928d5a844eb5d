"""World events to the browsers that may see them: one socket a tab, each as one person."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from sandbox.discord import ids, rights
from sandbox.discord.model import Event, Interaction, Json, User
from sandbox.discord.world import World
from sandbox.page import views

_WAITING = 2000


@dataclass(eq=False, slots=True)
class Tab:
    """One open page: who it is, its own id, and what it has not been sent yet."""

    viewer: User
    id: str
    outbox: asyncio.Queue[Json | None] = field(default_factory=lambda: asyncio.Queue(_WAITING))

    def tell(self, message: Json) -> None:
        """Queues a message; a tab that does not read is closed and will come back for the whole state."""
        if self.outbox.full():
            while not self.outbox.empty():
                self.outbox.get_nowait()
            message = {"type": "reload"}
        self.outbox.put_nowait(message)


class Live:
    """Every open tab. ``started`` remembers which tab began an interaction, since its form opens only there."""

    def __init__(self, world: World, online: Callable[[], bool]) -> None:
        self._world = world
        self._online = online
        self._tabs: set[Tab] = set()
        self._started: dict[int, str] = {}
        self.forms: dict[str, object] = {}
        self._forget = world.subscribe(self._heard)

    def close(self) -> None:
        """Ends every socket and hears no more."""
        self._forget()
        for tab in list(self._tabs):
            tab.outbox.put_nowait(None) if not tab.outbox.full() else tab.tell({"type": "reload"})

    def began(self, interaction: Interaction, tab: str) -> None:
        """Notes where an interaction was started; the newest thousand are remembered."""
        self._started[interaction.id] = tab
        while len(self._started) > 1000:
            del self._started[next(iter(self._started))]

    def tell_all(self, message: Json) -> None:
        for tab in self._tabs:
            tab.tell(message)

    async def serve(self, request: web.Request, viewer: User, tab_id: str) -> web.WebSocketResponse:
        """One socket from opening to end."""
        socket = web.WebSocketResponse(heartbeat=20, max_msg_size=4096)
        await socket.prepare(request)
        tab = Tab(viewer, tab_id)
        self._tabs.add(tab)
        tab.tell({"type": "hello", "online": self._online()})
        sender = asyncio.create_task(_send(socket, tab), name="page-tab")
        try:
            async for message in socket:
                if message.type in (WSMsgType.ERROR, WSMsgType.CLOSE):
                    break
        finally:
            self._tabs.discard(tab)
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)
        return socket

    # --- what happened -------------------------------------------------------------------------------------------

    def _heard(self, event: Event) -> None:
        for tab in list(self._tabs):
            message = self._for(tab, event)
            if message is not None:
                tab.tell(message)

    def _for(self, tab: Tab, event: Event) -> Json | None:
        """What this event means to this tab; None: nothing."""
        match event.kind:
            case "message_created" | "message_edited" | "message_deleted":
                return self._message(tab, event)
            case "modal_opened":
                return self._form(tab, event)
            case "acknowledged" | "interaction_failed":
                return self._outcome(tab, event)
            case "typing":
                return {"type": "typing", "channel": str(event.channel_id)}
            case "commands_changed":
                return {"type": "commands"}
            case "channels_changed":
                return {"type": "channels"}
            case "gateway":
                return {"type": "gateway", "online": self._online()}
            case "wire":
                return {"type": "wire"}
            case "choices":
                return None

    def _message(self, tab: Tab, event: Event) -> Json | None:
        one = event.message
        if one is None:
            return None
        channel = self._world.channels.get(one.channel_id)
        if channel is None or not one.visible_to(tab.viewer.id):
            return None
        if not rights.permissions(self._world, tab.viewer, channel) & ids.VIEW_CHANNEL:
            return None
        head = {"channel": str(one.channel_id)}
        if event.kind == "message_deleted":
            return {"type": "gone", "id": str(one.id)} | head
        return {"type": "message", "message": views.message(self._world, one)} | head

    def _form(self, tab: Tab, event: Event) -> Json | None:
        modal = event.modal
        if modal is None or modal.interaction.user != tab.viewer:
            return None
        if self._started.get(modal.interaction.id, tab.id) != tab.id:
            return None
        self.forms[str(modal.interaction.id)] = modal
        return {"type": "form", "form": views.form(modal)}

    def _outcome(self, tab: Tab, event: Event) -> Json | None:
        interaction = event.interaction
        if interaction is None or interaction.user != tab.viewer:
            return None
        return {"type": "outcome", "outcome": views.outcome(interaction)}


async def _send(socket: web.WebSocketResponse, tab: Tab) -> None:
    while (message := await tab.outbox.get()) is not None:
        await socket.send_str(json.dumps(message, separators=(",", ":")))
    await socket.close(code=1001, message=b"the sandbox is closing")
