"""Batches at the sandbox's service, through the adapter: what is sent, found, read line by line and removed."""

from __future__ import annotations

import asyncio
import json
import socket
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.adapters.openai.answers import Parsed
from bot.adapters.openai.clients import Account
from bot.adapters.openai.images import OpenAIImages
from bot.adapters.openai.overnight.lines import id_of, outcome_of, parsed_lines
from bot.imaging.inspect import look
from bot.ports import NightAnswer, NightLine, NightService, OpenGate, OperatorPays
from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.catalogue.services import Service
from bot.rules.faults import Billed, Fault, FaultKind, ServiceFault
from bot.rules.overnight import NightState
from bot.rules.redaction import DetailRedactor
from bot.rules.requests import Endpoint, ImageRequest, Kind, Made
from sandbox.images import ImageService
from sandbox.images.batches.night import Plan, Rows
from sandbox.images.batches.routes import Trouble

PAYER = OperatorPays()
CATALOGUE = load_catalogue(builtin_catalogue())
K_BAD = FaultKind.BAD_REQUEST
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def asked(prompt: str = "hills") -> ImageRequest:
    return ImageRequest(
        Kind.IMAGINE, Endpoint.GENERATIONS, "gpt-image-2.5-flare", prompt, size="1024x1024", quality="low"
    )


def lines(count: int = 3) -> list[NightLine]:
    return [NightLine(f"job-{at}", asked(f"hills — {at} \U0001f319"), "tag") for at in range(count)]


@pytest.fixture
async def service() -> AsyncIterator[ImageService]:
    one = ImageService(mode="compatible", key="sk-right-1234")
    await one.start()
    yield one
    await one.stop()


@pytest.fixture
async def nights(service: ImageService) -> AsyncIterator[NightService]:
    images = OpenAIImages(
        service=Service(base_url=service.base_url),
        account=Account("sk-right-1234"),
        inspect=look,
        models=CATALOGUE,
    )
    yield await images.nights()
    await images.aclose()


async def over(nights: NightService, night_id: str) -> list[str | None]:
    while (night := await nights.look(night_id, PAYER)).state in (NightState.WORKING, NightState.CANCELLING):
        await asyncio.sleep(0.01)
    return [night.state.value, night.output, night.error]


async def read(nights: NightService, file_id: str | None) -> list[NightAnswer]:
    wanted = {line.id: line.request for line in lines()}
    async with aclosing(nights.answers(file_id or "", wanted, PAYER)) as answers:  # type: ignore[type-var]
        return [answer async for answer in answers]


async def begun(nights: NightService) -> str:
    file_id = await nights.upload("night.jsonl", lines(), PAYER)
    return (await nights.create(file_id, "mark-1", PAYER)).id


async def test_what_is_asked_for_comes_back_by_its_id(nights: NightService, service: ImageService) -> None:
    night_id = await begun(nights)
    state, output, error = await over(nights, night_id)
    assert (state, error) == ("completed", None)
    answers = await read(nights, output)
    assert [one.id for one in answers] == ["job-0", "job-1", "job-2"]
    assert all(isinstance(one.outcome, Made) and one.outcome.usage is not None for one in answers)
    assert [call.fields["prompt"] for call in service.calls] == [line.request.prompt for line in lines()]
    assert [call.fields["user"] for call in service.calls] == ["tag"] * 3
    night = await nights.look(night_id, PAYER)
    for file_id in night.files:
        await nights.delete(file_id, PAYER)
        await nights.delete(file_id, PAYER)
    assert service.batches.files.all == []


async def test_a_batch_is_found_by_its_mark_and_a_file_by_its_name(nights: NightService) -> None:
    first, second = await begun(nights), await begun(nights)
    found = await nights.find("mark-1", "none", LONG_AGO, PAYER)
    assert [night.id for night in found] == [first, second]
    assert await nights.find("another", "none", LONG_AGO, PAYER) == []
    newest = (await nights.look(second, PAYER)).input
    assert await nights.uploaded("night.jsonl", PAYER) == newest
    assert await nights.uploaded("other.jsonl", PAYER) is None


async def test_a_search_looks_through_every_page(nights: NightService) -> None:
    file_id = await nights.upload("night.jsonl", lines(), PAYER)
    first = (await nights.create(file_id, "mark-1", PAYER)).id
    for _ in range(120):
        await nights.create(file_id, "other", PAYER)
    assert [night.id for night in await nights.find("mark-1", "none", LONG_AGO, PAYER)] == [first]


@pytest.mark.parametrize(
    ("trouble", "billed", "made"),
    [
        (Trouble("create", "before"), Billed.MAYBE, 0),
        (Trouble("create", "after"), Billed.MAYBE, 1),
        (Trouble("create", status=500), Billed.MAYBE, 0),
        (Trouble("create", status=408), Billed.MAYBE, 0),
        (Trouble("create", status=429), Billed.NO, 0),
        (Trouble("create", status=400), Billed.NO, 0),
    ],
    ids=lambda value: f"{value.how}{value.status}" if isinstance(value, Trouble) else str(value),
)
async def test_only_what_was_certainly_refused_was_certainly_not_begun(
    nights: NightService, service: ImageService, trouble: Trouble, billed: Billed, made: int
) -> None:
    file_id = await nights.upload("night.jsonl", lines(), PAYER)
    service.batches.troubles.append(trouble)
    with pytest.raises(ServiceFault) as caught:
        await nights.create(file_id, "mark-1", PAYER)
    assert caught.value.fault.billed is billed
    assert len(await nights.find("mark-1", "none", LONG_AGO, PAYER)) == made


async def test_what_never_left_was_certainly_not_begun() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        there = Service(base_url=f"http://127.0.0.1:{closed.getsockname()[1]}/v1")
    images = OpenAIImages(service=there, account=Account("sk-right-1234"), inspect=look, models=CATALOGUE)
    with pytest.raises(ServiceFault) as caught:
        await (await images.nights()).create("file-1", "mark-1", PAYER)
    await images.aclose()
    assert (caught.value.fault.kind, caught.value.fault.billed) == (FaultKind.UNREACHABLE, Billed.NO)


@pytest.mark.parametrize(
    ("row", "kind", "billed"),
    [
        ({"response": None, "error": {"code": "batch_expired"}}, FaultKind.TIMED_OUT, Billed.NO),
        ({"response": None, "error": {"code": "batch_cancelled"}}, FaultKind.CANCELLED, Billed.NO),
        ({"response": None, "error": {"code": "odd"}}, FaultKind.TIMED_OUT, Billed.MAYBE),
        ({"response": None, "error": None}, FaultKind.TIMED_OUT, Billed.MAYBE),
        ({"response": {"status_code": "200"}}, FaultKind.BROKEN_ANSWER, Billed.MAYBE),
        ({"response": {"status_code": 200, "body": []}}, FaultKind.BROKEN_ANSWER, Billed.MAYBE),
        ({"response": {"status_code": 200, "body": {"error": {"code": "x"}}}}, FaultKind.BROKEN_ANSWER, Billed.MAYBE),
        ({"response": {"status_code": 400, "body": {"error": {"code": "invalid_value"}}}}, K_BAD, Billed.NO),
    ],
)
def test_a_line_without_pictures_costs_nothing_only_where_that_is_certain(
    row: dict[str, Any], kind: FaultKind, billed: Billed
) -> None:
    redactor = DetailRedactor(prompts=(), secrets=())
    outcome = outcome_of(Parsed(row), asked(), now=LONG_AGO, redactor=redactor, official=True)
    assert isinstance(outcome, Fault)
    assert (outcome.kind, outcome.billed) == (kind, billed)


def foreign(rows: Rows) -> Rows:
    return [rows[0].replace(b"job-0", b"nobody"), *rows[1:]]


def broken(rows: Rows) -> Rows:
    return [rows[0][: len(rows[0]) // 2] + b"\n", *rows[1:]]


def cut(rows: Rows) -> Rows:
    return [*rows[:2], rows[2][:-2000]]


def nonsense(rows: Rows) -> Rows:
    return [b"[]\n", b'{"custom_id": "job-0", "response": {"status_code": true}}\n', b"\n", *rows[1:]]


@pytest.mark.parametrize(
    ("spoilt", "ids", "made"),
    [
        (foreign, ["nobody", "job-1", "job-2"], 2),
        (broken, [None, "job-1", "job-2"], 2),
        (cut, ["job-0", "job-1", None], 2),
        (nonsense, [None, "job-0", "job-1", "job-2"], 2),
    ],
)
async def test_a_bad_line_takes_no_other_with_it(
    nights: NightService, service: ImageService, spoilt: object, ids: list[str | None], made: int
) -> None:
    service.batches.night.plan = Plan(output=spoilt)  # type: ignore[arg-type]
    _, output, _ = await over(nights, await begun(nights))
    answers = await read(nights, output)
    assert [one.id for one in answers] == ids
    assert sum(isinstance(one.outcome, Made) for one in answers) == made


async def test_lines_that_were_not_drawn_cost_nothing(nights: NightService, service: ImageService) -> None:
    service.batches.night.takes_s = 1000
    night_id = await begun(nights)
    await nights.cancel(night_id, PAYER)
    state, output, error = await over(nights, night_id)
    assert (state, output) == ("cancelled", None)
    faults = [one.outcome for one in await read(nights, error)]
    assert [(one.kind, one.billed) for one in faults if isinstance(one, Fault)] == [
        (FaultKind.CANCELLED, Billed.NO)
    ] * 3
    await nights.cancel(night_id, PAYER)


async def test_a_file_that_breaks_off_is_a_fault_after_what_came(nights: NightService, service: ImageService) -> None:
    _, output, _ = await over(nights, await begun(nights))
    service.batches.troubles.append(Trouble("content", "half"))
    with pytest.raises(ServiceFault):
        await read(nights, output)
    assert len(await read(nights, output)) == 3


async def test_a_key_that_is_refused_is_named_as_such(nights: NightService, service: ImageService) -> None:
    service.key = "sk-other-1234"
    with pytest.raises(ServiceFault) as caught:
        await nights.look("batch_1", PAYER)
    assert caught.value.fault.kind is FaultKind.BAD_KEY


async def test_a_file_of_300_mb_is_never_in_memory_as_a_whole() -> None:
    """60 lines of 5 MB: the picture of one line and what is under way, and no more."""
    picture = "A" * (5 * 2**20)
    line = json.dumps({"custom_id": "job-0", "response": {"status_code": 200, "body": {"data": [picture]}}}).encode()

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(60):
            for at in range(0, len(line), 2**18):
                yield line[at : at + 2**18]
            yield b"\n"

    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    ids = [id_of(parsed) async for parsed in parsed_lines(chunks(), OpenGate())]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert ids == ["job-0"] * 60
    assert peak - before < 16 * 2**20
