"""Attachments: signed links that end, from the same origin as everything else; and faults on demand."""

from __future__ import annotations

import asyncio
import hmac
from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from sandbox.discord import links
from sandbox.discord.model import Attachment
from sandbox.discord.state import State
from sandbox.discord.wire.sockets import reset

CdnFaultKind = Literal["missing", "stall", "longer", "shorter", "truncated", "redirect", "dropped", "error", "other"]
"""``longer``/``shorter``: Content-Length is honest, but the bytes are more or fewer than ``size`` said.
``truncated``: the connection ends before Content-Length is reached. ``other``: the bytes of a web page."""

GONE = "This content is no longer available."
PLAIN = "text/plain;charset=UTF-8"


@dataclass(slots=True)
class CdnFault:
    kind: CdnFaultKind
    left: int
    attachment_id: int | None
    target: str


class Cdn:
    """Serves ``/attachments/…`` and ``/ephemeral-attachments/…``; ``served`` counts downloads by attachment id."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._faults: list[CdnFault] = []
        self._released = asyncio.Event()
        self.served: list[int] = []

    def attach(self, app: web.Application) -> None:
        """Adds the routes."""
        for folder in ("attachments", "ephemeral-attachments"):
            app.router.add_get(f"/{folder}/{{channel}}/{{id}}/{{name}}", self.handle)

    def fail_next(
        self,
        kind: CdnFaultKind,
        times: int = 1,
        *,
        attachment_id: int | None = None,
        target: str = "http://127.0.0.1:9/",
    ) -> None:
        """Makes the next downloads fail; ``target`` is where a redirect leads."""
        self._faults.append(CdnFault(kind, times, attachment_id, target))

    def release(self) -> None:
        """Ends every stalled download."""
        self._released.set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One download."""
        attachment = self._found(request)
        if attachment is None:
            return web.Response(status=404, text=GONE, headers={"Content-Type": PLAIN})
        fault = self._take(attachment.id)
        if fault is not None:
            return await self._spoil(request, attachment, fault)
        self.served.append(attachment.id)
        return web.Response(body=attachment.data, headers=self._headers(attachment))

    def _found(self, request: web.Request) -> Attachment | None:
        """The file, if the link is whole and not over."""
        number = request.match_info["id"]
        attachment = self._state.attachments.get(int(number)) if number.isdigit() else None
        if attachment is None or links.path_of(attachment) != request.rel_url.raw_path:
            return None
        ex, issued = request.query.get("ex", ""), request.query.get("is", "")
        wanted = links.signature(self._state, attachment.id, ex, issued)
        if not hmac.compare_digest(wanted.encode(), request.query.get("hm", "").encode()):
            return None
        return attachment if int(ex, 16) > self._state.clock.now().timestamp() else None

    @staticmethod
    def _headers(attachment: Attachment) -> dict[str, str]:
        return {
            "Content-Type": attachment.content_type,
            "Content-Disposition": f'attachment; filename="{attachment.filename.encode("ascii", "replace").decode()}"',
            "Cache-Control": "public, max-age=31536000",
            "X-Content-Type-Options": "nosniff",
        }

    def _take(self, attachment_id: int) -> CdnFault | None:
        for fault in self._faults:
            if fault.attachment_id in {None, attachment_id}:
                fault.left -= 1
                if fault.left <= 0:
                    self._faults.remove(fault)
                return fault
        return None

    async def _spoil(self, request: web.Request, attachment: Attachment, fault: CdnFault) -> web.StreamResponse:
        data, headers = attachment.data, self._headers(attachment)
        match fault.kind:
            case "missing":
                return web.Response(status=404, text=GONE, headers={"Content-Type": PLAIN})
            case "error":
                return web.Response(status=502, text="bad gateway")
            case "redirect":
                return web.Response(status=302, headers={"Location": fault.target})
            case "longer":
                return web.Response(body=data + bytes(len(data) + 1024), headers=headers)
            case "shorter":
                return web.Response(body=data[: len(data) // 2], headers=headers)
            case "other":
                return web.Response(text="<!doctype html><title>hello</title>", content_type="text/html")
            case "dropped":
                reset(request)
                return web.Response(status=500)
            case "stall" | "truncated":
                return await self._part(request, attachment, stall=fault.kind == "stall")

    async def _part(self, request: web.Request, attachment: Attachment, *, stall: bool) -> web.StreamResponse:
        response = web.StreamResponse(headers=self._headers(attachment))
        response.content_length = attachment.size
        await response.prepare(request)
        await response.write(attachment.data[: attachment.size // 2])
        if stall:
            await self._released.wait()
        reset(request)
        return response
