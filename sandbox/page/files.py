"""What the page's server hands out as it lies: its own program, and the files of messages."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from sandbox.discord.model import Attachment, Event
from sandbox.discord.world import World
from sandbox.page.welcome import PHOTO, Welcome

RECENT_FILES = 60
STATIC = Path(__file__).parent / "static"
_SHOWN_INLINE = ("image/png", "image/jpeg", "image/webp", "image/gif", "text/plain")
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class Files:
    """The static files of the page, and the attachments of one world."""

    def __init__(self, world: World, welcome: Welcome | None) -> None:
        self._world, self._welcome = world, welcome
        self._recent: OrderedDict[int, Attachment] = OrderedDict()

    def attach(self, app: web.Application) -> None:
        app.router.add_get("/", self._static)
        app.router.add_get("/static/{path:[a-z]+(?:/[a-z]+)*\\.(?:js|css|svg)}", self._static)
        if self._welcome is not None:
            app.router.add_get(f"/welcome/{PHOTO}", self._photo)
        app.router.add_get("/files/{id:\\d+}/{name}", self._file)

    def remember(self, event: Event) -> None:
        """A preview is replaced while browsers may still be loading it; its bytes stay here a little longer."""
        for attachment in event.message.attachments if event.message is not None else ():
            self._recent[attachment.id] = attachment
            if len(self._recent) > RECENT_FILES:
                self._recent.popitem(last=False)

    async def _static(self, request: web.Request) -> web.StreamResponse:
        path = STATIC / request.match_info.get("path", "index.html")
        if not path.is_file():
            raise web.HTTPNotFound
        headers = {"Cache-Control": "no-cache"}
        return web.Response(body=path.read_bytes(), content_type=_TYPES[path.suffix], charset="utf-8", headers=headers)

    async def _photo(self, _: web.Request) -> web.StreamResponse:
        if self._welcome is None:
            raise web.HTTPNotFound
        return web.Response(body=await asyncio.to_thread(self._welcome.photo), content_type="image/jpeg")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        """An attachment's bytes. Anything that a browser might run is only ever a download."""
        number = int(request.match_info["id"])
        file = self._world.attachments.get(number) or self._recent.get(number)
        if file is None:
            raise web.HTTPNotFound
        mime = file.content_type.partition(";")[0].strip()
        inline = mime in _SHOWN_INLINE and "download" not in request.query
        kind = "inline" if inline else "attachment"
        headers = {
            "Content-Disposition": f"{kind}; filename*=UTF-8''{quote(file.filename)}",
            "Cache-Control": "private, max-age=86400, immutable",
        }
        shown_as = mime if inline else "application/octet-stream"
        return web.Response(body=file.data, headers=headers | {"Content-Type": shown_as})
