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
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import openai

from bot.adapters.openai.answers import Parsed
from bot.adapters.openai.clients import Clients
from bot.adapters.openai.connection import KEY, broken_off, read_up_to
from bot.adapters.openai.overnight.lines import Models, id_of, lines_of, outcome_of, parsed_lines
from bot.adapters.openai.pictures import Pictures
from bot.adapters.openai.refusals.errors import fault_of, read_reason
from bot.adapters.openai.refusals.meanings import CODES
from bot.ports import Clock, Gate, KeyPays, Night, NightAnswer, NightLine, OperatorPays, Payer
from bot.rules.faults import Billed, Fault, FaultKind, ServiceFault
from bot.rules.overnight import Counts, NightState
from bot.rules.redaction import DetailRedactor
from bot.rules.requests import ImageRequest, Made

log = logging.getLogger(__name__)

MARK = "easel"
"""The key of the mark among a batch's metadata."""

_ASK_S = 60.0
_STALL_S = 120.0
_MOST_BYTES = 8 * 2**20
_PAGE, _MOST_PAGES = 100, 100
_KEPT_S = 30 * 24 * 60 * 60
_SLACK = timedelta(hours=1)
"""How far the service's clock may be behind ours."""

_STATES: Mapping[str, NightState] = {
    "validating": NightState.WORKING,
    "in_progress": NightState.WORKING,
    "finalizing": NightState.WORKING,
    "cancelling": NightState.CANCELLING,
    "completed": NightState.COMPLETED,
    "expired": NightState.EXPIRED,
    "cancelled": NightState.CANCELLED,
    "failed": NightState.FAILED,
}
_GONE = frozenset({FaultKind.ENDPOINT_GONE, FaultKind.MODEL_GONE})


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
        return _text(await self._asked(call, payer), "id")

    async def uploaded(self, name: str, payer: Payer) -> str | None:
        files = self._client(payer).files.with_streaming_response
        call = files.list(purpose="batch", order="desc", limit=1000, extra_headers=self._headers(payer))
        rows = _rows(await self._asked(call, payer))
        return next((_text(row, "id") for row in rows if row.get("filename") == name), None)

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
            return _night(await self._asked(call, payer))
        except ServiceFault as failure:
            fault = failure.fault
        refused = fault.status is not None and 400 <= fault.status < 500 and fault.kind is not FaultKind.TIMED_OUT
        certain = fault.kind is FaultKind.UNREACHABLE or refused
        raise ServiceFault(replace(fault, billed=Billed.NO if certain else Billed.MAYBE))

    async def find(self, mark: str, since: datetime, payer: Payer) -> Sequence[Night]:
        found: list[Night] = []
        after: str | openai.Omit = openai.omit
        batches = self._client(payer).batches.with_streaming_response
        for _ in range(_MOST_PAGES):
            call = batches.list(limit=_PAGE, after=after, extra_headers=self._headers(payer))
            page = await self._asked(call, payer)
            rows = _rows(page)
            found += [_night(row) for row in rows if _marked(row) == mark]
            oldest = _moment(rows[-1].get("created_at")) if rows else None
            if not rows or page.get("has_more") is not True or (oldest is not None and oldest < since - _SLACK):
                return found[::-1]
            after = _text(rows[-1], "id")
        raise ServiceFault(Fault(FaultKind.BROKEN_ANSWER, Billed.NO, detail="more batches than can be looked through"))

    async def look(self, night_id: str, payer: Payer) -> Night:
        batches = self._client(payer).batches.with_streaming_response
        return _night(await self._asked(batches.retrieve(night_id, extra_headers=self._headers(payer)), payer))

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


def _broken(what: str) -> ServiceFault:
    return ServiceFault(Fault(FaultKind.BROKEN_ANSWER, Billed.MAYBE, detail=what))


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 200 or not value.isprintable() or "/" in value:
        raise _broken(f"an object without {name}")
    return value


def _rows(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = body.get("data")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _broken("a list without data")
    return rows


def _marked(row: Mapping[str, Any]) -> object:
    metadata = row.get("metadata")
    return metadata.get(MARK) if isinstance(metadata, dict) else None


def _moment(value: object) -> datetime | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 10**11
    return datetime.fromtimestamp(value, UTC) if is_number and isinstance(value, int | float) else None


def _night(row: Mapping[str, Any]) -> Night:
    state = _STATES.get(str(row.get("status")))
    if state is None:
        raise _broken("a batch in a state nobody knows")
    counts = row.get("request_counts")
    told = counts if isinstance(counts, dict) else {}
    codes = _codes(row.get("errors"))
    return Night(
        id=_text(row, "id"),
        state=state,
        input=_file(row, "input_file_id"),
        output=_file(row, "output_file_id"),
        error=_file(row, "error_file_id"),
        counts=Counts(_count(told, "total"), _count(told, "completed"), _count(told, "failed")),
        ends_by=_moment(row.get("expires_at")),
        why=", ".join(codes)[:200],
        refused=next((CODES[code] for code in codes if code in CODES), FaultKind.BAD_REQUEST),
    )


def _file(row: Mapping[str, Any], name: str) -> str | None:
    return _text(row, name) if row.get(name) else None


def _count(told: Mapping[str, Any], name: str) -> int:
    value = told.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**6 else 0


def _codes(errors: object) -> list[str]:
    """The codes of what was wrong with the input."""
    rows = errors.get("data") if isinstance(errors, dict) else None
    codes = [row.get("code") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return list(dict.fromkeys(code[:60] for code in codes if isinstance(code, str) and code.isprintable()))
