"""Takes every REST request through the same steps: fault, body, route, token, limits, description, handler, answer.

The handlers stand by subject in the files beside this one; each gets a ``Call`` and returns an ``Answer`` or raises
``ApiError``.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from aiohttp import ClientPayloadError, web

from sandbox.discord.faults import Fault, Faults
from sandbox.discord.model import Json
from sandbox.discord.rest import bodies
from sandbox.discord.rest.call import Answer, Call, Route
from sandbox.discord.rest.errors import ApiError, invalid, refuse
from sandbox.discord.rest.limits import RateLimits, Standing
from sandbox.discord.rest.routes import ROUTES
from sandbox.discord.rules.problems import Problem
from sandbox.discord.wire.gateway import Gateway
from sandbox.discord.wire.log import WireLog
from sandbox.discord.wire.sockets import reset
from sandbox.discord.wire.specs import Specs
from sandbox.discord.world import World

PREFIX = "/api/v10"
VIA = "1.1 sandbox"


class Rest:
    """The REST side of a server."""

    def __init__(
        self, world: World, gateway: Gateway, limits: RateLimits, specs: Specs, wire: WireLog, faults: Faults
    ) -> None:
        self._world, self._gateway, self._limits, self._specs = world, gateway, limits, specs
        self._wire, self._faults = wire, faults
        self.content_type = "application/json"  # Discord's own; a proxy before it may add a charset
        ordered = sorted(ROUTES, key=lambda r: r.template.count("{"))
        self._routes = [(route.pattern, route) for route in ordered]

    def attach(self, app: web.Application) -> None:
        """Serves everything under ``/api``."""
        app.router.add_route("*", "/api/{tail:.*}", self.handle)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request, from the socket to the socket."""
        started = time.perf_counter()
        path = request.path.removeprefix(PREFIX)
        call = self._call(request, path)
        fault: Fault | None = None
        standing: Standing | None = None
        extra: dict[str, str] = {}
        try:
            fault = await self._fault(request, call)
            if fault is not None and fault.delay_s:
                await asyncio.sleep(fault.delay_s)
            if fault is not None and not fault.after_taking and (fault.drop or fault.status):
                return self._spoil(request, call, fault, started)
            standing, answer = await self._perform(request, call)
        except _Limited as limited:
            standing, answer = limited.standing, Answer(429, limited.error.body() | {"global": limited.globally})
            extra = {"Retry-After": f"{standing.reset_after_s:.3f}", "Via": VIA}
            extra |= {"X-RateLimit-Scope": "global" if limited.globally else "user"}
            extra |= {"X-RateLimit-Global": "true"} if limited.globally else {}
        except ApiError as error:
            answer = Answer(error.status, error.body())
            if error.status == 429:
                extra = {"Retry-After": f"{error.retry_after_s:.3f}", "Via": VIA}
        except (ConnectionError, ClientPayloadError, web.RequestPayloadError):
            raise  # the bot went away in the middle of a request, as when it is killed
        except Exception as error:
            # a bug here must not pass for a 500 of Discord's
            self._specs.record("answer", f"{call.method} {call.template}", [f"broke with {type(error).__name__}"])
            raise
        if fault is not None and fault.after_taking:
            return self._spoil(request, call, fault, started)
        return self._send(call, answer, started, (standing.headers() if standing else {}) | extra)

    def _call(self, request: web.Request, path: str) -> Call:
        parts = (self._world, self._gateway, self._limits, self._specs)
        return Call(*parts, request.method, path, path, {}, dict(request.query))

    async def _fault(self, request: web.Request, call: Call) -> Fault | None:
        """The fault for this request. Only one that asks for the body has it read first: others break off an upload."""
        faults = self._faults
        if faults.ask_for_body(call.method, call.path):
            call.body = await bodies.read(request)
            call.is_read = True
        return faults.take(call.method, call.path, call.body.data, has_files=bool(call.body.files))

    async def _perform(self, request: web.Request, call: Call) -> tuple[Standing | None, Answer]:
        route = self._route(call)
        if not request.path.startswith(PREFIX):
            raise refuse("not found")
        if route.needs_token and request.headers.get("Authorization") != f"Bot {self._world.token}":
            raise refuse("unauthorized")
        standing = self._count(route, call)
        if not call.is_read:
            call.body = await bodies.read(request)
        problems = self._specs.request(call.template, call.method, call.body.data)
        problems += self._query_problems(call)
        if problems:
            raise invalid([_described(text) for text in problems])
        return standing, await route.handler(call)

    def _route(self, call: Call) -> Route:
        other_method = False
        for pattern, route in self._routes:
            match = pattern.fullmatch(call.path)
            if match is None:
                continue
            if route.method != call.method:
                other_method = True
                continue
            call.template, call.params = route.template, match.groupdict()
            return route
        self._specs.record("request", f"{call.method} {call.path.split('?')[0][:40]}", ["no such operation here"])
        raise refuse("wrong method" if other_method else "not found")

    def _query_problems(self, call: Call) -> list[str]:
        known = {"wait", "with_components", "thread_id", "with_response", "limit", "before", "after", "around"}
        known |= {"with_localizations", "with_counts", "with_user_counts", "user_id", "sku_ids", "guild_id"}
        known |= {"exclude_ended", "exclude_deleted", "only_active"}
        found = [f"unknown query parameter {key}" for key in call.query.keys() - known]
        return self._specs.record("request", f"{call.method} {call.template}", found)

    def _count(self, route: Route, call: Call) -> Standing | None:
        general = self._limits.count("global", "") if route.needs_token else None
        if general is not None and not general.allowed:
            raise _Limited(general, globally=True)
        if route.limit is None:
            return None
        kind, param = route.limit
        standing = self._limits.count(kind, call.params[param])
        if standing is not None and not standing.allowed:
            raise _Limited(standing)
        interaction = self._world.by_token.get(call.params[param]) if kind == "webhook" else None
        shared = self._limits.count("webhook channel", str(interaction.channel.id)) if interaction else None
        if shared is not None and not shared.allowed:
            raise _Limited(shared)
        return standing

    # --- answering ---

    def _send(self, call: Call, answer: Answer, started: float, headers: dict[str, str]) -> web.Response:
        if call.template != call.path or answer.status < 400:
            self._specs.answer(call.template, call.method, answer.status, answer.data)
        self._log(call, answer.status, answer.data, started)
        body = None if answer.data is None else json.dumps(answer.data).encode()
        headers = {"Content-Type": self.content_type, **headers} if body is not None else headers
        return web.Response(status=answer.status, body=body, headers=headers)

    def _spoil(self, request: web.Request, call: Call, fault: Fault, started: float) -> web.Response:
        if fault.drop:
            self._log(call, 0, None, started)
            reset(request)
            return web.Response(status=500)
        data: Json = {"message": fault.message or f"{fault.status}: made to fail", "code": fault.code}
        headers: dict[str, str] = {}
        if fault.status == 429:
            data = {"message": "You are being rate limited.", "retry_after": fault.retry_after_s}
            data["global"] = fault.globally
            scope = "global" if fault.globally else "user"
            headers = {"Retry-After": f"{fault.retry_after_s:.3f}", "X-RateLimit-Scope": scope}
            headers |= {"Via": VIA} if fault.via else {}
        self._log(call, fault.status, data, started)
        headers["Content-Type"] = self.content_type
        return web.Response(status=fault.status, body=json.dumps(data).encode(), headers=headers)

    def _log(self, call: Call, status: int, answer: Any, started: float) -> None:
        self._wire.add(
            "rest",
            f"{call.method} {call.path}",
            status=status,
            request=call.body.data,
            answer=answer,
            files=call.body.wire_files,
            took_s=time.perf_counter() - started,
            interaction_id=call.interaction_id,
        )


def _described(text: str) -> Problem:
    """What the description objects to, at the place it names."""
    where, _, what = text.partition(": ")
    return Problem(tuple(where.split(".")), "SCHEMA", what) if what and where != "body" else Problem((), "SCHEMA", text)


class _Limited(Exception):
    """A request over a limit."""

    def __init__(self, standing: Standing, *, globally: bool = False) -> None:
        self.standing = standing
        self.error = ApiError(429, 0, "You are being rate limited.", retry_after_s=round(standing.reset_after_s, 3))
        self.globally = globally
