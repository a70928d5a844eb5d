"""A gateway on loopback: it reads a request in its dialect, lets the image service behind it draw, answers in it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from sandbox.gateways.dialect import Dialect, Said, Situation
from sandbox.images.service import ImageService

_CODES: Mapping[str, Situation] = {
    "moderation_blocked": "moderation",
    "content_policy_violation": "moderation",
    "insufficient_quota": "no_funds",
    "billing_hard_limit_reached": "no_funds",
    "rate_limit_exceeded": "rate_limit",
    "invalid_image_file": "bad_picture",
    "unsupported_file_mimetype": "bad_picture",
    "invalid_api_key": "bad_key",
    "model_not_found": "no_model",
    "invalid_value": "bad_value",
}
"""What the image service behind means, for the dialect to say."""
_HIDDEN = frozenset({"model", "response_format", "user", "stream", "partial_images", "image", "images", "aspect_ratio"})


File = tuple[str, str, bytes, str]


@dataclass(slots=True)
class Asked:
    """One request as it reached the gateway, and the status it got. ``files``: field, name, bytes, type."""

    endpoint: str
    fields: dict[str, Any]
    path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    files: list[File] = field(default_factory=list)
    status: int | None = None


class _Refusal(Exception):
    def __init__(self, situation: Situation, **facts: str) -> None:
        super().__init__(situation)
        self.situation = situation
        self.facts = facts


class Gateway:
    """``start`` binds a port; ``base_url`` is what a client needs. ``asked`` is what came here; what was drawn, and
    perhaps paid, stands in the ``calls`` of the service behind. ``models`` are the names it knows."""

    def __init__(self, dialect: Dialect, behind: ImageService, *, key: str, models: tuple[str, ...]) -> None:
        self.dialect = dialect
        self.asked: list[Asked] = []
        self._behind = behind
        self._key = key
        self._models = models
        self._files: dict[str, bytes] = {}
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def root(self) -> str:
        """What an operator writes after the host: without what names a model."""
        return self.dialect.root.partition("/deployments/")[0]

    @property
    def base_url(self) -> str:
        return self.origin + self.root

    async def start(self) -> None:
        app = web.Application(client_max_size=64 << 20)
        app.router.add_get("/pictures/{name}", self._picture)
        app.router.add_route("*", "/{path:.*}", self._any)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    # --- a request ---------------------------------------------------------------------------------------------------

    async def _any(self, request: web.Request) -> web.Response:
        asked = Asked(endpoint="", fields={}, path=request.path_qs, headers=dict(request.headers))
        try:
            answer = await self._answered(request, asked)
        except _Refusal as refusal:
            answer = self._say(refusal.situation, {"message": "", **refusal.facts})
        asked.status = answer.status
        return answer

    async def _answered(self, request: web.Request, asked: Asked) -> web.Response:
        if request.method == "POST":
            self.asked.append(asked)
        self._check_door(request)
        if request.path == f"{self.root}/models" and self.dialect.root.count("{model}") and self.dialect.lists_models:
            return web.json_response({"data": [{"id": "some-model-behind-no-deployment"}]})
        path = request.path.removeprefix(self.dialect.root.replace("{model}", self._models[0]) + "/")
        if path == "models" and self.dialect.lists_models:
            return web.json_response(
                {"object": "list", "data": [{"id": name, "object": "model"} for name in self._models]}
            )
        asked.endpoint = self._endpoint(path)
        await self._read(request, asked)
        self._check_fields(asked.fields)
        return await self._passed_on(asked)

    def _check_door(self, request: web.Request) -> None:
        key = request.headers.get(self.dialect.key_header, "").removeprefix("Bearer ")
        if self.dialect.key_header != "authorization" and "authorization" in request.headers:
            raise _Refusal("bad_key")
        if self.dialect.needs_header and self.dialect.needs_header not in request.headers:
            raise _Refusal("no_route")
        if "bad_key" in self.dialect.says and key != self._key:
            raise _Refusal("bad_key")
        if self.dialect.needs_query and self.dialect.needs_query not in request.query:
            raise _Refusal("no_route")

    def _endpoint(self, path: str) -> str:
        if path == self.dialect.route:
            return "generations"
        if path == "images/edits" and self.dialect.edits != "none":
            return "edits"
        raise _Refusal("no_route")

    async def _read(self, request: web.Request, asked: Asked) -> None:
        if request.content_type == "application/json":
            asked.fields |= await request.json()
            if asked.endpoint == "edits":
                asked.files += [self._from_json(one) for one in _pictures_in(asked.fields)]
        elif self.dialect.edits != "form":
            raise _Refusal("no_route")
        else:
            for name, value in (await request.post()).items():
                if isinstance(value, web.FileField):
                    asked.files.append((name, value.filename, value.file.read(), value.content_type))
                else:
                    asked.fields[name] = value

    def _from_json(self, picture: Any) -> File:
        match = re.fullmatch(r"data:(image/[a-z]+);base64,(.+)", picture["url"]) if isinstance(picture, dict) else None
        if match is None:
            raise _Refusal("bad_value", param="image", value=str(picture)[:40], message="Invalid image")
        return "image", f"picture.{match[1].partition('/')[2]}", base64.b64decode(match[2], validate=True), match[1]

    def _check_fields(self, fields: dict[str, Any]) -> None:
        if fields.get("model") not in self._models:
            raise _Refusal("no_model", model=str(fields.get("model")))
        for name in sorted(fields):
            if self.dialect.is_strict and name not in (self.dialect.takes or ()):
                raise _Refusal("unknown_parameter", param=name)
            allowed = self.dialect.values.get(name)
            if allowed is not None and str(fields[name]) not in allowed:
                raise _Refusal("bad_value", param=name, value=str(fields[name]), message=f"Invalid {name}")

    # --- upstream ----------------------------------------------------------------------------------------------------

    async def _passed_on(self, asked: Asked) -> web.Response:
        streamed = asked.fields.get("stream") in (True, "true")
        streams = self.dialect.streams and streamed
        for _ in range(self.dialect.tries):
            status, raw, kind = await self._upstream(asked, streams)
            if status < 429:
                break
        if status == 200 and streamed and self.dialect.breaks_on_streams:
            return self._failed(500, b"")
        if status != 200:
            return self._failed(status, raw)
        if kind == "text/event-stream":
            return web.Response(body=raw, content_type=kind)
        return web.json_response(self._shaped(json.loads(raw), asked))

    async def _upstream(self, asked: Asked, streams: bool) -> tuple[int, bytes, str]:
        takes = self.dialect.takes
        kept = {n: v for n, v in asked.fields.items() if n not in _HIDDEN and (takes is None or n in takes)}
        fields = {**kept, "model": self.dialect.upstream_model}
        if self.dialect.upstream_model == "dall-e-2":  # stands for whatever draws there: any size, nothing else
            fields = {"model": "dall-e-2", "prompt": kept["prompt"], "n": kept.get("n", 1), "size": "256x256"}
            fields["response_format"] = "b64_json"
            if asked.endpoint == "edits" and "mask" not in {name for name, *_ in asked.files}:
                fields = {"model": "gpt-image-2.5-flare", "prompt": kept["prompt"], "n": fields["n"], "quality": "low"}
        if streams:
            fields |= {name: asked.fields[name] for name in ("stream", "partial_images") if name in asked.fields}
        url = f"{self._behind.base_url}/images/{asked.endpoint}"
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {self._behind.key or 'x'}"}) as session,
            session.post(url, **_body(fields, asked.files)) as response,
        ):
            return response.status, await response.read(), response.content_type

    def _failed(self, status: int, raw: bytes) -> web.Response:
        try:
            error = json.loads(raw)["error"]
        except (ValueError, KeyError, TypeError):
            error = {}
        situation = _CODES.get(error.get("code") or "", "bad_value")
        if status >= 500 or situation not in self.dialect.says:
            situation = "failed"
        facts = {"message": error.get("message") or "", "param": error.get("param") or "", "value": ""}
        return self._say(situation, facts)

    def _say(self, situation: Situation, facts: Mapping[str, str]) -> web.Response:
        said: Said = self.dialect.says[situation].about({"model": self._models[0], **facts})
        if isinstance(said.body, str):
            kind = "text/html" if said.body.startswith("<") else "text/plain"
            return web.Response(status=said.status, text=said.body, content_type=kind, headers=said.headers)
        return web.json_response(said.body, status=said.status, headers=said.headers)

    # --- the answer --------------------------------------------------------------------------------------------------

    def _shaped(self, body: dict[str, Any], asked: Asked) -> dict[str, Any]:
        linked = self.dialect.answers == "url" or (
            self.dialect.answers == "as_asked" and asked.fields.get("response_format") != "b64_json"
        )
        rows = [self._linked(row) if linked else row for row in body["data"]]
        usage = body.get("usage") if self.dialect.tells_usage else {"prompt_tokens": 0, "total_tokens": 0}
        return {"created": body["created"], "data": rows, **({"usage": usage} if usage else {})}

    def _linked(self, row: dict[str, Any]) -> dict[str, Any]:
        name = f"{len(self._files)}.png"
        self._files[name] = base64.b64decode(row["b64_json"])
        return {"url": f"{self.origin}/pictures/{name}"}

    async def _picture(self, request: web.Request) -> web.Response:
        data = self._files.get(request.match_info["name"])
        return web.Response(body=data, content_type="image/png") if data else web.Response(status=404)


def _pictures_in(fields: Mapping[str, Any]) -> list[Any]:
    """xAI's: one picture under ``image``, several under ``images``."""
    return list(fields.get("images") or [fields.get("image")])


def _body(fields: Mapping[str, Any], files: list[File]) -> dict[str, Any]:
    if not files:
        return {"json": dict(fields)}
    form = aiohttp.FormData()
    for name, value in fields.items():
        form.add_field(name, str(value))
    for name, filename, data, kind in files:
        plain = re.sub(r"\[\]$", "", name) if len(files) == 1 else name
        form.add_field(plain, data, filename=filename, content_type=kind)
    return {"data": form}
