"""The routes of both APIs, their keys, and faults of the way: what is refused, and what is lost going or coming."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web

from sandbox.images.batches.batch import Batch, read_create
from sandbox.images.batches.files import Files, page
from sandbox.images.batches.habits import Habits
from sandbox.images.batches.night import Night
from sandbox.images.errors import INVALID, ApiError
from sandbox.images.uploads import read_form

Route = Literal["upload", "content", "delete", "files", "create", "look", "list", "cancel"]
Work = Callable[[web.Request], Awaitable[web.StreamResponse | dict[str, Any]]]


@dataclass(slots=True)
class Trouble:
    """What the next ``times`` visits of a route meet. ``before``: lost on the way there, nothing happened; ``after``:
    it happened, and the answer is lost; ``twice``: the same, and something on the way has sent it again; ``again``: and
    the second answer comes; ``status``: refused; ``half``: a file breaks off in the middle.
    """

    route: Route
    how: Literal["before", "after", "twice", "again", "status", "half"] = "status"
    status: int = 503
    times: int = 1
    message: str = "Something went wrong."


class BatchRoutes:
    """``visits`` are the routes in the order in which they were asked, refused ones included. ``habits``: how."""

    def __init__(self, files: Files, night: Night, check_key: Callable[[web.Request], None]) -> None:
        self.files = files
        self.night = night
        self.habits = Habits()
        self.troubles: list[Trouble] = []
        self.visits: list[str] = []
        self._check_key = check_key

    def add_to(self, app: web.Application) -> None:
        routes: tuple[tuple[str, str, Route, Work], ...] = (
            ("POST", "/v1/files", "upload", self._upload),
            ("GET", "/v1/files", "files", self._list_files),
            ("GET", "/v1/files/{id}", "files", self._one_file),
            ("GET", "/v1/files/{id}/content", "content", self._content),
            ("DELETE", "/v1/files/{id}", "delete", self._delete),
            ("POST", "/v1/batches", "create", self._create),
            ("GET", "/v1/batches", "list", self._list),
            ("GET", "/v1/batches/{id}", "look", self._look),
            ("POST", "/v1/batches/{id}/cancel", "cancel", self._cancel),
        )
        for method, path, route, work in routes:
            app.router.add_route(method, path, self._guarded(route, work))

    def _guarded(self, route: Route, work: Work) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            self.visits.append(route)
            trouble = self._next(route)
            try:
                self._check_key(request)
                if trouble is not None and trouble.how == "before":
                    await _hang_up(request)
                if trouble is not None and trouble.how == "status":
                    await request.read()
                    kind = "server_error" if trouble.status >= 500 else INVALID
                    raise ApiError(trouble.status, trouble.message, type=kind)
                if trouble is not None and trouble.how == "half":
                    return await self._half(request)
                answered = await work(request)
            except ApiError as error:
                return web.json_response(error.body(), status=error.status)
            if trouble is not None and trouble.how in ("twice", "again"):
                answered = await work(request)
            if trouble is not None and trouble.how in ("after", "twice"):
                await _hang_up(request)
            return web.json_response(answered) if isinstance(answered, dict) else answered

        return answer

    def _next(self, route: Route) -> Trouble | None:
        for trouble in self.troubles:
            if trouble.route == route:
                trouble.times -= 1
                if trouble.times == 0:
                    self.troubles.remove(trouble)
                return trouble
        return None

    async def _upload(self, request: web.Request) -> dict[str, Any]:
        fields, files = await read_form(request)
        return self.files.upload(fields, files, self.habits.tail).body()

    async def _list_files(self, request: web.Request) -> dict[str, Any]:
        return self.files.page(request.query)

    async def _one_file(self, request: web.Request) -> dict[str, Any]:
        return self.files.get(request.match_info["id"]).body()

    async def _content(self, request: web.Request) -> web.StreamResponse:
        file = self.files.get(request.match_info["id"])
        return web.Response(body=file.data, content_type="application/octet-stream")

    async def _half(self, request: web.Request) -> web.StreamResponse:
        data = self.files.get(request.match_info["id"]).data
        response = web.StreamResponse(headers={"content-length": str(len(data))})
        await response.prepare(request)
        await response.write(data[: len(data) // 2])
        await _hang_up(request)
        return response

    async def _delete(self, request: web.Request) -> dict[str, Any]:
        return self.files.delete(request.match_info["id"])

    async def _create(self, request: web.Request) -> dict[str, Any]:
        if request.content_type != "application/json":
            raise ApiError(400, "Only 'application/json' is accepted.", code="unsupported_content_type")
        try:
            body = json.loads(await request.read())
        except ValueError:
            raise ApiError(400, "We could not parse the JSON body of your request.") from None
        return self.habits.batch(self.night.create(read_create(body), self.habits.tail).body())

    async def _look(self, request: web.Request) -> dict[str, Any]:
        return self.habits.looked_at(self.night.get(request.match_info["id"]).body())

    async def _list(self, request: web.Request) -> dict[str, Any]:
        bodies = list(map(Batch.body, self.night.all()))
        query = self.habits.query(dict(request.query))
        return self.habits.page(page(bodies, query, most=100, usual=20, usual_order="desc"))

    async def _cancel(self, request: web.Request) -> dict[str, Any]:
        return self.habits.batch(self.night.cancel(request.match_info["id"]).body())


async def _hang_up(request: web.Request) -> None:
    """Ends the connection and waits to be cancelled by its loss."""
    if request.transport is not None:
        request.transport.close()
    await asyncio.Event().wait()
