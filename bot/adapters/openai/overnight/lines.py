"""Result files, line by line: what a line is, and how one is read while the file comes.

Law: of a file of any size one line is in memory. No line break stands within a JSON text, so every one ends a line.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from bot.adapters.openai.answers import Answer, BrokenAnswer, Parsed, read_answer
from bot.adapters.openai.bodies import BodyReader, strings_in
from bot.adapters.openai.refusals.errors import fault_of, reason_of
from bot.adapters.openai.wire import call_arguments
from bot.ports import Gate, NightLine
from bot.rules.catalogue.model import Model
from bot.rules.faults import Billed, Fault, FaultKind
from bot.rules.redaction import DetailRedactor
from bot.rules.requests import Endpoint, ImageRequest, Inputs


class Models(Protocol):
    """The catalogue, as far as requests need it."""

    def get(self, model_id: str) -> Model | None: ...


ENDPOINT = "/v1/images/generations"
_NOT_DRAWN = frozenset({"batch_expired", "batch_cancelled"})


def request_line(line: NightLine, model: Model | None, *, official: bool) -> bytes:
    """One line of the input file. Raises ``ValueError`` for a prompt that no encoding can carry."""
    arguments = call_arguments(
        line.request, Inputs(), model, official=official, member_tag=line.member_tag, stream=False
    )
    beyond = arguments.pop("extra_body", {})
    body = {**arguments, **beyond}
    row = {"custom_id": line.id, "method": "POST", "url": ENDPOINT, "body": body}
    return json.dumps(row, ensure_ascii=False).encode("utf-8") + b"\n"


class LineReader:
    """One line while it comes: bytes in, and at its end what it says; None for what cannot be read."""

    def __init__(self) -> None:
        self._reader = BodyReader(1)
        self._broken = False
        self.is_empty = True

    async def feed(self, piece: bytes) -> None:
        if not piece.strip() and self.is_empty:
            return
        self.is_empty = False
        if self._broken:
            return
        try:
            async for string in strings_in(self._reader, piece):
                if string.is_still_encoded:
                    await asyncio.to_thread(string.decode)
        except BrokenAnswer:
            self._broken, self._reader = True, BodyReader(0)

    def finish(self) -> Parsed | None:
        if self._broken:
            return None
        try:
            return self._reader.finish()
        except BrokenAnswer:
            return None


async def parsed_lines(chunks: AsyncIterator[bytes], gate: Gate) -> AsyncIterator[Parsed | None]:
    """The lines of a file. Each is read in a place of the gate, which is given back before the next one is."""
    rest, ended = b"", False
    while rest or not ended:
        line = LineReader()
        async with gate.place() as place:
            await place.take()
            while True:
                if not rest:
                    rest = await anext(chunks, b"")
                    if not rest:
                        ended = True
                        break
                piece, newline, rest = rest.partition(b"\n")
                await line.feed(piece)
                if newline:
                    break
            parsed = None if line.is_empty else line.finish()
        if not line.is_empty:
            yield parsed


def id_of(parsed: Parsed | None) -> str | None:
    """The ``custom_id`` of a line."""
    row = None if parsed is None else parsed.value
    found = row.get("custom_id") if isinstance(row, dict) else None
    return found if isinstance(found, str) else None


def outcome_of(
    parsed: Parsed, request: ImageRequest, *, now: datetime, redactor: DetailRedactor, official: bool
) -> Answer | Fault:
    """What was answered to one request: pictures still to be looked at, or why there are none."""
    row: dict[str, Any] = parsed.value
    response, error = row.get("response"), row.get("error")
    if not isinstance(response, dict):
        return _unanswered(error if isinstance(error, dict) else {})
    status, body = response.get("status_code"), response.get("body")
    if not isinstance(status, int) or isinstance(status, bool):
        return Fault(FaultKind.BROKEN_ANSWER, Billed.MAYBE, detail="a line without a status")
    if status != 200:
        return fault_of(
            reason_of(body),
            status=status,
            headers={},
            elapsed_s=0.0,
            now=now,
            redactor=redactor,
            official=official,
        )
    try:
        answer = read_answer(replace(parsed, value=body), request.endpoint)
    except BrokenAnswer as broken:
        return Fault(FaultKind.BROKEN_ANSWER, Billed.MAYBE, detail=str(broken))
    if answer.error:
        return Fault(FaultKind.BROKEN_ANSWER, Billed.MAYBE, detail="an error where a picture belongs")
    return answer


def _unanswered(error: dict[str, Any]) -> Fault:
    code = error.get("code")
    if code == "batch_expired":
        return Fault(FaultKind.TIMED_OUT, Billed.NO, code=code, detail="the batch expired first")
    if code == "batch_cancelled":
        return Fault(FaultKind.CANCELLED, Billed.NO, code=code, detail="the batch was cancelled first")
    return Fault(FaultKind.TIMED_OUT, Billed.MAYBE, detail="a line without an answer")


def lines_of(lines: Sequence[NightLine], models: Models, *, official: bool) -> bytes:
    """The whole input file."""
    if any(line.request.endpoint is not Endpoint.GENERATIONS for line in lines):
        raise ValueError("only pictures from words are asked for overnight")
    return b"".join(request_line(line, models.get(line.request.model), official=official) for line in lines)
