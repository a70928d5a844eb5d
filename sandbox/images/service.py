"""The HTTP service: routes, keys, faults, and the way of a call from its bytes to its answer. Loopback only."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, NoReturn

from aiohttp import web

from sandbox.images import errors
from sandbox.images.batches.files import Files
from sandbox.images.batches.night import Night
from sandbox.images.batches.routes import BatchRoutes
from sandbox.images.calls import Call
from sandbox.images.checks import Fields, Order, check
from sandbox.images.drawing.draw import resolve_size
from sandbox.images.errors import ApiError
from sandbox.images.faults import FAULTS, Answer, Delay, Denied, Drop, Fault, Link, Rule, Shape, Stream
from sandbox.images.http import WORDS_BODY, bare_404, hang_up, key_of, model_body, moved, read_json, wait
from sandbox.images.models import MODELS, Endpoint, ModelRules
from sandbox.images.provenance import ProvenanceChecks
from sandbox.images.specs import described
from sandbox.images.streams import StreamBroken, planned
from sandbox.images.studio import Studio, Work, moderate
from sandbox.images.uploads import Inputs, Upload, fact_of, open_uploads, read_form
from sandbox.images.words.chat import MOST_BODY, completion
from sandbox.images.words.chat import check as check_words
from sandbox.images.words.faults import WORD_FAULTS

Mode = Literal["official", "compatible"]
TODAY = date(2026, 11, 21)
_NO_FILES: tuple[Upload, ...] = ()


@dataclass(frozen=True, slots=True)
class Visit:
    """A request other than for pictures: its path, and whether it carried a key."""

    path: str
    had_key: bool


class ImageService:
    """The service. ``start`` binds a port on loopback; ``base_url`` is what a client needs; ``stop`` ends everything.

    ``official`` behaves as OpenAI's own service on ``today``: retired models and variations are gone. ``compatible``
    serves all fourteen models. ``key`` None takes any key. ``latency_s`` is the time a picture takes; ``varied`` makes
    a repeated prompt give other pictures; ``signs`` puts C2PA marks into them. ``specs`` is OpenAI's API description,
    held against everything if given. ``batches`` is its Batch API, in which a batch takes ``night_s``; ``provenance``
    checks where files are from.
    """

    def __init__(
        self,
        *,
        mode: Mode = "compatible",
        key: str | None = None,
        latency_s: float = 0.0,
        night_s: float = 0.0,
        varied: bool = False,
        signs: bool = False,
        specs: Path | None = None,
        today: date = TODAY,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.mode: Mode = mode
        self.key = key
        self.latency_s = latency_s
        self.calls: list[Call] = []
        self.visits: list[Visit] = []
        self.listeners: list[Callable[[Call], None]] = []
        self.rules: list[Rule] = []
        self._specs = described(specs) if specs else None
        self._today = today
        self._host, self._port = host, port
        self._clock = clock
        self.provenance = ProvenanceChecks(self._check_visitor, clock)
        self._studio = Studio(varied=varied, signs=signs, clock=clock, drawn=self.provenance.remember)
        files = Files(clock)
        night = Night(files, self._drawn_at_night, clock, night_s)
        self.batches = BatchRoutes(files, night, self._check_visitor)
        self._runner: web.AppRunner | None = None

    # --- life ----------------------------------------------------------------------------------------------------

    @property
    def origin(self) -> str:
        return f"http://{self._host}:{self._port}"

    @property
    def base_url(self) -> str:
        return f"{self.origin}/v1"

    async def start(self) -> None:
        app = web.Application(client_max_size=1 << 20)
        app.router.add_post("/v1/images/{endpoint:generations|edits|variations}", self._images)
        self.batches.add_to(app)
        self.provenance.add_to(app)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/v1/models", self._list_models)
        app.router.add_get("/v1/models/{model}", self._one_model)
        app.router.add_get("/files/{name}", self._file)
        app.router.add_get("/moved/{path:.*}", moved)
        app.router.add_get("/v1/images/{name}/content", self._file)
        app.router.add_route("*", "/{rest:.*}", self._nowhere)
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self._studio.origin = self.origin

    async def stop(self) -> None:
        if self._runner is not None:
            await self.batches.night.stop()
            await self._runner.cleanup()
            self._runner = None

    # --- faults on demand ----------------------------------------------------------------------------------------

    def fail_next(
        self, *faults: Fault | str, times: int | None = 1, when: Callable[[Call], bool] | None = None
    ) -> None:
        """The next calls meet these faults, one after the other; a name is looked up in ``FAULTS``."""
        for fault in faults:
            named = FAULTS.get(fault) or WORD_FAULTS[fault] if isinstance(fault, str) else fault
            self.rules.append(Rule(named, times, when))

    def heal(self) -> None:
        """No faults from now on."""
        self.rules.clear()

    def _next_fault(self, call: Call, *, streams: bool) -> Fault | None:
        for rule in self.rules:
            if rule.meets(call, streams=streams):
                if rule.times is not None:
                    rule.times -= 1
                if rule.times == 0:
                    self.rules.remove(rule)
                call.fault = rule.fault.name
                return rule.fault
        return None

    # --- pictures ------------------------------------------------------------------------------------------------

    async def _images(self, request: web.Request) -> web.StreamResponse:
        endpoint: Endpoint = request.match_info["endpoint"]  # type: ignore[assignment]  # the route's pattern says so
        if endpoint == "variations" and self.mode == "official":
            await request.read()
            return bare_404()
        call = Call(len(self.calls) + 1, endpoint, self._clock(), request_id=f"req_{secrets.token_hex(16)}")
        self.calls.append(call)
        return await self._recorded(call, self._answered(request, endpoint, call))

    async def _recorded(self, call: Call, answer: Awaitable[web.StreamResponse]) -> web.StreamResponse:
        try:
            return await answer
        except asyncio.CancelledError:
            call.cancelled = True
            raise
        finally:
            for listener in self.listeners:
                listener(call)

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        call = Call(len(self.calls) + 1, "chat", self._clock(), request_id=f"req_{secrets.token_hex(16)}")
        self.calls.append(call)
        return await self._recorded(call, self._answered(request, "chat", call))

    async def _answered(
        self, request: web.Request, endpoint: Endpoint | Literal["chat"], call: Call
    ) -> web.StreamResponse:
        try:
            if endpoint == "chat":
                call.key_tail = key_of(request)[-4:] or None
                fields, files = await read_json(request, MOST_BODY), _NO_FILES
                call.fields = dict(fields.raw)
            else:
                fields, files = await self._read(request, endpoint, call)
            fault = self._next_fault(call, streams=fields.get("stream") in (True, "true"))
            match fault:
                case Answer():
                    return self._send(call, fault.status, fault.body, fault.content_type, fault.headers)
                case Delay():
                    await wait(fault.seconds)
                case Drop(at="before" | "reset"):
                    await hang_up(request, abort=fault.at == "reset")
                case _:
                    pass
            self._check_key(request, call)
            if endpoint == "chat":
                return await self._words(request, call, fault)
            return await self._made(request, endpoint, call, fields, files, fault)
        except ApiError as error:
            call.error_code = error.code
            if self._specs:
                call.breaches += self._specs.answer(error.status, error.body())
            return self._send(call, error.status, json.dumps(error.body()).encode())

    async def _read(self, request: web.Request, endpoint: Endpoint, call: Call) -> tuple[Fields, tuple[Upload, ...]]:
        call.key_tail = key_of(request)[-4:] or None
        if endpoint == "generations":
            fields, files = await read_json(request), _NO_FILES
        else:
            fields, files = await read_form(request)
        call.fields = dict(fields.raw)
        call.files = await asyncio.to_thread(lambda: tuple(map(fact_of, files)))
        if self._specs:
            counts = Counter(file.field for file in files)
            call.breaches += self._specs.request(endpoint, fields.raw, counts, form=fields.from_form)
        return fields, files

    def _check_visitor(self, request: web.Request) -> None:
        self._check_key(request, Call(0, "batches", self._clock()))

    def _check_key(self, request: web.Request, call: Call) -> None:
        key = key_of(request)
        if not key and (self.key is not None or self.mode == "official"):
            raise errors.no_key()
        if self.key is not None and key != self.key:
            raise errors.bad_key(key)

    async def _made(
        self,
        request: web.Request,
        endpoint: Endpoint,
        call: Call,
        fields: Fields,
        files: tuple[Upload, ...],
        fault: Fault | None,
    ) -> web.StreamResponse:
        order = check(endpoint, fields, self._served())
        inputs = await self._inputs(order, files)
        moderate(order, "input")
        work = Work(call, order, inputs, resolve_size(order, inputs), self._studio.take(order))
        if order.stream and not (isinstance(fault, Stream) and fault.plan == "ignored"):
            return await self._streamed(request, work, fault)
        await asyncio.sleep(self.latency_s)
        body = await self._studio.body(work, fault)
        if isinstance(fault, Denied):
            return self._send(call, fault.told.status, fault.told.body, fault.told.content_type)
        changed: Any = fault.change(body) if isinstance(fault, Shape) else body
        if self._specs and fault is None:
            call.breaches += self._specs.answer(200, body)
        raw = changed if isinstance(changed, bytes) else await asyncio.to_thread(lambda: json.dumps(changed).encode())
        if isinstance(fault, Drop):
            return await self._dropped(request, call, raw, fault)
        return self._send(call, 200, raw)

    async def _drawn_at_night(self, endpoint: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Answers one line of a batch: status and body. It is a call like any other, ``overnight``."""
        last: Endpoint = endpoint.rpartition("/")[2]  # type: ignore[assignment]  # it is checked: the batch was taken
        call = Call(len(self.calls) + 1, last, self._clock(), fields=dict(body), overnight=True)
        self.calls.append(call)
        try:
            if last != "generations":
                raise ApiError(400, "This service takes no pictures in a batch.", param="images")
            if body.get("stream"):
                raise errors.invalid("stream", "Streaming is not supported in the Batch API.")
            if self._specs:
                call.breaches += self._specs.request(last, body, {}, form=False)
            order = check(last, Fields(body, from_form=False), self._served())
            moderate(order, "input")
            work = Work(call, order, None, resolve_size(order, None), self._studio.take(order))
            call.status, answered = 200, await self._studio.body(work, None)
        except ApiError as error:
            call.status, call.error_code, answered = error.status, error.code, error.body()
        for listener in self.listeners:
            listener(call)
        return call.status, answered

    async def _words(self, request: web.Request, call: Call, fault: Fault | None) -> web.StreamResponse:
        asked = check_words(call.fields)
        await asyncio.sleep(self.latency_s / 2)
        body = await asyncio.to_thread(completion, asked, dict(self._studio.remembered), int(self._clock()))
        call.rendered, call.usage = True, body["usage"]
        if isinstance(fault, Denied):
            return self._send(call, fault.told.status, fault.told.body, fault.told.content_type)
        changed: Any = fault.change(body) if isinstance(fault, Shape) else body
        raw = changed if isinstance(changed, bytes) else json.dumps(changed).encode()
        if isinstance(fault, Drop):
            return await self._dropped(request, call, raw, fault)
        return self._send(call, 200, raw)

    async def _inputs(self, order: Order, files: tuple[Upload, ...]) -> Inputs | None:
        if order.endpoint == "generations":
            return None
        inputs = await asyncio.to_thread(open_uploads, order.endpoint, order.rules, files)
        if order.format == "gif" and inputs.mask is not None:
            raise errors.invalid("mask", "GIF output does not support masks.")
        return inputs

    def _served(self) -> Mapping[str, ModelRules]:
        if self.mode == "compatible":
            return MODELS
        return {name: rules for name, rules in MODELS.items() if rules.ended_on > self._today}

    async def _streamed(self, request: web.Request, work: Work, fault: Fault | None) -> web.StreamResponse:
        events = await self._studio.partials(work)
        body = await self._studio.body(work, None if isinstance(fault, Link) else fault)  # events carry no addresses
        completed = self._studio.completed(work, body)
        if self._specs and fault is None:
            work.call.breaches += tuple(line for one in (*events, *completed) for line in self._specs.event(one))
        headers = {"content-type": "text/event-stream", "x-request-id": work.call.request_id or ""}
        response = web.StreamResponse(headers=headers)
        work.call.status = 200
        await response.prepare(request)
        pause = self.latency_s / (len(events) + 1)
        try:
            async for piece in planned(events, completed, fault if isinstance(fault, Stream) else None, pause):
                await response.write(piece)
        except StreamBroken:
            await hang_up(request, abort=False)
        await response.write_eof()
        return response

    # --- the rest ------------------------------------------------------------------------------------------------

    async def _dropped(self, request: web.Request, call: Call, raw: bytes, fault: Drop) -> NoReturn:
        response = web.StreamResponse(headers={"content-type": "application/json", "content-length": str(len(raw))})
        call.status = 200
        await response.prepare(request)
        if fault.at == "body":
            await response.write(raw[: len(raw) // 2])
        await hang_up(request, abort=False)

    def _send(
        self,
        call: Call,
        status: int,
        raw: bytes,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> web.Response:
        call.status = status
        extra = {"x-request-id": call.request_id or "", "openai-version": "2020-10-01", **(headers or {})}
        return web.Response(status=status, body=raw, content_type=content_type, headers=extra)

    async def _list_models(self, request: web.Request) -> web.Response:
        if refused := self._visited(request):
            return refused
        listed = [model_body(one) for one in self._served().values()]
        return web.json_response({"object": "list", "data": [*listed, WORDS_BODY]})

    async def _one_model(self, request: web.Request) -> web.Response:
        if refused := self._visited(request):
            return refused
        rules = self._served().get(request.match_info["model"])
        if rules is None:
            error = errors.model_not_found(request.match_info["model"])
            return web.json_response(error.body(), status=404)
        return web.json_response(model_body(rules))

    def _visited(self, request: web.Request) -> web.Response | None:
        self.visits.append(Visit(request.path, bool(key_of(request))))
        try:
            self._check_key(request, Call(0, "models", self._clock()))
        except ApiError as error:
            return web.json_response(error.body(), status=error.status)
        return None

    async def _file(self, request: web.Request) -> web.Response:
        self.visits.append(Visit(request.path, bool(key_of(request))))
        file = self._studio.files.get(request.match_info["name"])
        if file is None:
            return web.Response(status=404, text="Not Found")
        if file.misses:
            file.misses -= 1
            return web.Response(status=404 if file.misses else 202, text="not there yet")
        if file.until < self._clock():
            expired = "<?xml version='1.0'?><Error><Code>AuthenticationFailed</Code></Error>"
            return web.Response(status=403, text=expired, content_type="application/xml")
        if file.guarded and not key_of(request):
            return web.json_response(errors.no_key().body(), status=401)
        return web.Response(body=file.data, content_type=file.mime)

    async def _nowhere(self, request: web.Request) -> web.Response:
        self.visits.append(Visit(request.path, bool(key_of(request))))
        error = ApiError(404, f"Invalid URL ({request.method} {request.path})")
        return web.json_response(error.body(), status=404)
