"""One service's clients of the SDK, a light one for each key, all on the same connections; how its dialect is asked.

Law: a call carries its own key where the service wants it, and no other key anywhere. With a server's own key the
operator's organization and project stay here.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx2
from openai import AsyncAPIResponse, AsyncOpenAI, omit
from openai.types import ImagesResponse

from bot.adapters.openai.connection import NO_KEY
from bot.adapters.openai.wire import FilePart
from bot.rules.catalogue.services import Dialect, KeyPlace, Service
from bot.rules.requests import Endpoint

MANY = 2
"""From so many pictures on they go as a list."""


@dataclass(frozen=True, slots=True)
class Account:
    """The operator's with one service. ``headers`` are the service's, with the ``secrets`` they name."""

    api_key: str | None = field(default=None, repr=False)
    organization: str | None = None
    project: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


class Clients:
    """``close`` ends them all."""

    def __init__(self, service: Service, account: Account, http: httpx2.AsyncClient) -> None:
        self._service = service
        self._headers = dict(account.headers)
        self._root = AsyncOpenAI(
            api_key=account.api_key or NO_KEY,
            base_url=_base_of(service),
            organization=account.organization or None,
            project=account.project or None,
            default_headers=self._headers,
            default_query=dict(service.query),
            max_retries=0,
            http_client=http,
        )

    @property
    def base_url(self) -> httpx2.URL:
        return self._root.base_url

    async def close(self) -> None:
        await self._root.close()

    def of(self, api_key: str, model: str | None = None) -> AsyncOpenAI:
        """The client with that key; for a model, where its calls go."""
        if model is not None and self._service.dialect is Dialect.AZURE:
            at = f"{str(self._root.base_url).rstrip('/')}/deployments/{quote(model, safe='')}"
            return self._root.with_options(api_key=api_key, base_url=at)
        return self._root if api_key == self._root.api_key else self._root.with_options(api_key=api_key)

    def headers(self, api_key: str, *, own_key: bool) -> dict[str, Any]:
        """What a call says beside the service's own headers."""
        mine = {"OpenAI-Organization": omit, "OpenAI-Project": omit} if own_key else {}
        match self._service.key_in:
            case KeyPlace.BEARER:
                return dict(mine)
            case KeyPlace.API_KEY:
                return {**mine, "Authorization": omit, "api-key": api_key}
            case KeyPlace.NONE:
                return {**mine, "Authorization": omit}

    def to_fetch(self, api_key: str) -> dict[str, str]:
        """What a download from the service's own origin carries."""
        match self._service.key_in:
            case KeyPlace.BEARER:
                return {**self._headers, "authorization": f"Bearer {api_key}"}
            case KeyPlace.API_KEY:
                return {**self._headers, "api-key": api_key}
            case KeyPlace.NONE:
                return dict(self._headers)

    def post(
        self, endpoint: Endpoint, api_key: str, model: str, arguments: dict[str, Any]
    ) -> AbstractAsyncContextManager[Any]:
        """The one POST of a call, its answer not read yet."""
        client = self.of(api_key, model)
        if endpoint is Endpoint.EDITS and self._service.dialect is Dialect.XAI:
            return _edit_as_json(client, arguments)
        images = client.images.with_streaming_response
        methods: dict[Endpoint, Callable[..., AbstractAsyncContextManager[Any]]] = {
            Endpoint.GENERATIONS: images.generate,
            Endpoint.EDITS: images.edit,
            Endpoint.VARIATIONS: images.create_variation,
            Endpoint.CHAT: client.chat.completions.with_streaming_response.create,
        }
        return methods[endpoint](**arguments)


def _base_of(service: Service) -> str | None:
    """Azure's resource is written with ``/openai`` or without."""
    address = service.base_url or None
    if address is not None and service.dialect is Dialect.AZURE and not httpx2.URL(address).path.strip("/"):
        return f"{address}/openai"
    return address


@asynccontextmanager
async def _edit_as_json(client: AsyncOpenAI, arguments: dict[str, Any]) -> AsyncIterator[Any]:
    """xAI's edits: the pictures stand in the JSON, as data URLs; it has no masks (api docs, image editing)."""
    headers = {**arguments.pop("extra_headers"), "X-Stainless-Raw-Response": "stream"}
    timeout, beyond = arguments.pop("timeout"), arguments.pop("extra_body", {})
    given = arguments.pop("image")
    pictures = [_data_url(one) for one in (given if isinstance(given, list) else [given])]
    named = {"images": pictures} if len(pictures) >= MANY else {"image": pictures[0]}
    response: Any = await client.post(
        "/images/edits",
        cast_to=AsyncAPIResponse[ImagesResponse],
        body={**arguments, **beyond, **named},
        options={"headers": headers, "timeout": timeout},
    )
    try:
        yield response
    finally:
        await response.close()


def _data_url(part: FilePart) -> dict[str, str]:
    _, data, mime = part
    return {"type": "image_url", "url": f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"}
