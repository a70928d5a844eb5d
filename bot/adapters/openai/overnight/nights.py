"""``NightService`` on ``AsyncOpenAI``: the Files and the Batch API of one service.

Every answer but a result file is small, read within bounds and checked field by field: a server that answers something
else is a fault, never a guess.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import httpx2
import openai

from bot.adapters.openai.answers import Parsed
from bot.adapters.openai.clients import Clients
from bot.adapters.openai.connection import KEY, broken_off, read_up_to
from bot.adapters.openai.overnight.lines import Models, id_of, lines_of, outcome_of, parsed_lines
from bot.adapters.openai.overnight.told import MARK, Search, broken, night_of, rows_of, text
from bot.adapters.openai.pictures import Pictures
from bot.adapters.openai.refusals.errors import fault_of, read_reason
from bot.ports import Clock, Gate, KeyPays, Night, NightAnswer, NightLine, OperatorPays, Payer
from bot.rules.faults import Billed, Fault, FaultKind, ServiceFault
from bot.rules.redaction import DetailRedactor
from bot.rules.requests import ImageRequest, Made

log = logging.getLogger(__name__)

_ASK_S = 60.0
_STALL_S = 120.0
_MOST_BYTES = 8 * 2**20
_PAGE, _MOST_PAGES = 100, 100
_KEPT_S = 30 * 24 * 60 * 60
_NO_LIST = frozenset({FaultKind.ENDPOINT_GONE, FaultKind.BAD_REQUEST})
"""What a server says that does not list files, or not so."""


@dataclass(frozen=True, slots=True)
class Around:
    """What it shares with the service's other calls."""

    clients: Clients
    pictures: Pictures
    models: Models
    gate: Gate
    clock: Clock
    operator_key: str
    secrets: tuple[str, ...]
    official: bool


class OpenAINights:
    def __init__(self, around: Around) -> None:
        self._around = around

    # --- files ---------------------------------------------------------------------------------------------------

    async def upload(self, name: str, lines: Sequence[NightLine], payer: Payer) -> str:
        try:
            data = lines_of(lines, self._around.models, official=self._around.official)
        except ValueError as error:
            raise ServiceFault(Fault(FaultKind.BAD_REQUEST, Billed.NO, detail=type(error).__name__)) from None
        files, told = self._client(payer).files.with_streaming_response, self._headers(payer)
        call = files.create(
            file=(name, data, "application/jsonl"),
            purpose="batch",
            expires_after={"anchor": "created_at", "seconds": _KEPT_S},
            extra_headers=told,
        )
        return text(await self._asked(call, payer), "id")

    async def uploaded(self, name: str, payer: Payer) -> str | None:
        files = self._client(payer).files.with_streaming_response
        call = files.list(purpose="batch", order="desc", limit=1000, extra_headers=self._headers(payer))
        try:
            rows = rows_of(await self._asked(call, payer))
        except ServiceFault as failure:
            if failure.fault.kind not in _NO_LIST:
                raise
            return None
        return next((text(row, "id") for row in rows if row.get("filename") == name), None)

    async def delete(self, file_id: str, payer: Payer) -> None:
        files = self._client(payer).files.with_streaming_response
        try:
            await self._asked(files.delete(file_id, extra_headers=self._headers(payer)), payer)
        except ServiceFault as failure:
            if failure.fault.status != httpx2.codes.NOT_FOUND:
                raise

    # --- batches -------------------------------------------------------------------------------------------------

    async def create(self, file_id: str, mark: str, payer: Payer) -> Night:
        batches = self._client(payer).batches.with_streaming_response
        call = batches.create(
            completion_window="24h",
            endpoint="/v1/images/generations",
            input_file_id=file_id,
            metadata={MARK: mark},
            output_expires_after={"anchor": "created_at", "seconds": _KEPT_S},
            extra_headers=self._headers(payer),
        )
        try:
            return night_of(await self._asked(call, payer))
        except ServiceFault as failure:
            fault = failure.fault
        refused = fault.status is not None and 400 <= fault.status < 500 and fault.kind is not FaultKind.TIMED_OUT
        certain = fault.kind is FaultKind.UNREACHABLE or refused
        raise ServiceFault(replace(fault, billed=Billed.NO if certain else Billed.MAYBE))

    async def find(self, mark: str, file_id: str, since: datetime, payer: Payer) -> Sequence[Night]:
        batches = self._client(payer).batches.with_streaming_response
        search = Search(mark, file_id, since)
        for _ in range(_MOST_PAGES):
            after = openai.omit if search.after is None else search.after
            call = batches.list(limit=_PAGE, after=after, extra_headers=self._headers(payer))
            search.take(await self._asked(call, payer))
            if search.over:
                return search.found()
        raise broken("more batches than can be looked through")

    async def look(self, night_id: str, payer: Payer) -> Night:
        batches = self._client(payer).batches.with_streaming_response
        return night_of(await self._asked(batches.retrieve(night_id, extra_headers=self._headers(payer)), payer))

    async def cancel(self, night_id: str, payer: Payer) -> None:
        batches = self._client(payer).batches.with_streaming_response
        try:
            await self._asked(batches.cancel(night_id, extra_headers=self._headers(payer)), payer)
        except ServiceFault as failure:
            if failure.fault.status not in (httpx2.codes.CONFLICT, httpx2.codes.BAD_REQUEST):
                raise
            log.info("a batch could not be cancelled any more (%s)", failure.fault.status)

    # --- results -------------------------------------------------------------------------------------------------

    async def answers(
        self, file_id: str, asked: Mapping[str, ImageRequest], payer: Payer
    ) -> AsyncGenerator[NightAnswer]:
        files = self._client(payer).files.with_streaming_response
        told = {"Accept-Encoding": "identity", **self._headers(payer)}
        timeout = httpx2.Timeout(_STALL_S, connect=10.0)
        problem: Fault | None = None
        try:
            async with files.content(file_id, extra_headers=told, timeout=timeout) as response:
                async for parsed in parsed_lines(response.http_response.aiter_bytes(), self._around.gate):
                    name = id_of(parsed)
                    request = None if name is None else asked.get(name)
                    if parsed is None or request is None:
                        fault = Fault(FaultKind.BROKEN_ANSWER, Billed.MAYBE, detail="a line that nobody asked for")
                        yield NightAnswer(None if parsed is None else name, fault)
                        continue
                    yield NightAnswer(name, await self._outcome(parsed, request, payer))
        except openai.APIStatusError as error:
            problem = self._refusal(error, payer)
        except (openai.OpenAIError, httpx2.HTTPError, httpx2.StreamError, OSError) as error:
            problem = broken_off(error, None)
        if problem is not None:
            raise ServiceFault(problem)

    async def _outcome(self, parsed: Parsed, request: ImageRequest, payer: Payer) -> Made | Fault:
        around, redactor = self._around, self._redactor(payer, request)
        answer = outcome_of(parsed, request, now=around.clock(), redactor=redactor, official=around.official)
        if isinstance(answer, Fault):
            return answer
        return await around.pictures.collect(
            answer,
            request.pictures_per_call,
            headers=around.clients.to_fetch(self._key(payer)),
            request_id=None,
            redactor=redactor,
            empty_is_refusal=False,
        )

    # --- asking --------------------------------------------------------------------------------------------------

    async def _asked(self, call: AbstractAsyncContextManager[Any], payer: Payer) -> dict[str, Any]:
        """The JSON object of a good answer."""
        problem: Fault
        try:
            async with asyncio.timeout(_ASK_S), call as response:
                body = await read_up_to(response.http_response.aiter_bytes(), _MOST_BYTES)
            value = json.loads(body)
            if isinstance(value, dict):
                return value
            problem = Fault(FaultKind.BROKEN_ANSWER, Billed.MAYBE, detail="JSON that is no object")
        except openai.APIStatusError as error:
            problem = self._refusal(error, payer)
        except TimeoutError:
            problem = Fault(FaultKind.TIMED_OUT, Billed.MAYBE, detail=f"no answer within {_ASK_S:.0f} s")
        except (ValueError, RecursionError):
            problem = Fault(FaultKind.BROKEN_ANSWER, Billed.MAYBE, detail="not JSON")
        except (openai.OpenAIError, httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, OSError) as error:
            problem = broken_off(error, None)
        raise ServiceFault(problem)

    def _refusal(self, error: openai.APIStatusError, payer: Payer) -> Fault:
        return fault_of(
            read_reason(error.response.content),
            status=error.response.status_code,
            headers=error.response.headers,
            elapsed_s=0.0,
            now=self._around.clock(),
            redactor=self._redactor(payer),
            official=self._around.official,
        )

    def _client(self, payer: Payer) -> openai.AsyncOpenAI:
        key = self._key(payer)
        if not KEY.fullmatch(key):
            raise ServiceFault(Fault(FaultKind.BAD_KEY, Billed.NO, detail="the key holds characters no key has"))
        return self._around.clients.of(key)

    def _headers(self, payer: Payer) -> dict[str, Any]:
        return self._around.clients.headers(self._key(payer), own_key=isinstance(payer, KeyPays))

    def _key(self, payer: Payer) -> str:
        match payer:
            case OperatorPays():
                return self._around.operator_key.strip()
            case KeyPays(api_key):
                return api_key.strip()

    def _redactor(self, payer: Payer, request: ImageRequest | None = None) -> DetailRedactor:
        prompts = () if request is None else (request.prompt, request.shown_prompt)
        return DetailRedactor(prompts=prompts, secrets=(self._key(payer), *self._around.secrets))
