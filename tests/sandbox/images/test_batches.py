"""The Files and the Batch API, as the real client sees them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from sandbox.images import ImageService
from sandbox.images.batches.night import Plan
from sandbox.images.batches.routes import Trouble

BODY: dict[str, Any] = {"model": "gpt-image-2.5-flare", "prompt": "hills", "quality": "low", "size": "1024x1024"}
DAY_S = 24 * 60 * 60


class Clock:
    """The service's clock, which a test moves."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def service(clock: Clock) -> AsyncIterator[ImageService]:
    one = ImageService(night_s=600, clock=clock)
    await one.start()
    yield one
    await one.stop()


def rows(count: int = 3, **changed: Any) -> bytes:
    lines = [
        {"custom_id": f"line-{at}", "method": "POST", "url": "/v1/images/generations", "body": BODY} | changed
        for at in range(count)
    ]
    return b"".join(json.dumps(one).encode() + b"\n" for one in lines)


async def created(client: openai.AsyncOpenAI, data: bytes = b"") -> str:
    file = await client.files.create(file=("night.jsonl", data or rows()), purpose="batch")
    batch = await client.batches.create(
        completion_window="24h", endpoint="/v1/images/generations", input_file_id=file.id, metadata={"mark": "one"}
    )
    return batch.id


async def over(client: openai.AsyncOpenAI, batch_id: str) -> openai.types.Batch:
    """The batch once nothing of it is being drawn any more."""
    while (batch := await client.batches.retrieve(batch_id)).status in ("finalizing", "cancelling", "in_progress"):
        await asyncio.sleep(0.01)
    return batch


async def ids_in(client: openai.AsyncOpenAI, file_id: str | None) -> list[str]:
    if file_id is None:
        return []
    content = await client.files.content(file_id)
    return [json.loads(line)["custom_id"] for line in content.read().splitlines()]


async def test_a_batch_goes_from_file_to_pictures_by_the_clock(
    client: openai.AsyncOpenAI, service: ImageService, clock: Clock
) -> None:
    batch_id = await created(client)
    clock.now += 250
    half_way = await client.batches.retrieve(batch_id)
    assert half_way.status == "in_progress"
    assert half_way.request_counts is not None
    assert half_way.request_counts.completed == 1
    clock.now += 350
    batch = await over(client, batch_id)
    assert (batch.status, batch.error_file_id) == ("completed", None)
    assert await ids_in(client, batch.output_file_id) == ["line-0", "line-1", "line-2"]
    assert [call.overnight for call in service.calls] == [True] * 3
    listed = [one async for one in client.batches.list()]
    assert [(one.id, one.metadata) for one in listed] == [(batch_id, {"mark": "one"})]
    await client.files.delete(batch.input_file_id)
    with pytest.raises(openai.NotFoundError):
        await client.files.retrieve(batch.input_file_id)


async def test_what_was_drawn_before_a_batch_expired_is_there(
    client: openai.AsyncOpenAI, service: ImageService, clock: Clock
) -> None:
    service.batches.night.plan = Plan("expired", done=1)
    batch_id = await created(client)
    clock.now += DAY_S
    batch = await over(client, batch_id)
    assert batch.status == "expired"
    assert await ids_in(client, batch.output_file_id) == ["line-0"]
    assert await ids_in(client, batch.error_file_id) == ["line-1", "line-2"]


async def test_a_cancelled_batch_keeps_what_was_drawn(client: openai.AsyncOpenAI, clock: Clock) -> None:
    batch_id = await created(client)
    clock.now += 400
    assert (await client.batches.cancel(batch_id)).status == "cancelling"
    batch = await over(client, batch_id)
    assert batch.status == "cancelled"
    assert await ids_in(client, batch.output_file_id) == ["line-0", "line-1"]
    with pytest.raises(openai.ConflictError):
        await client.batches.cancel(batch_id)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (rows(1) + rows(1), "duplicate_custom_id"),
        (rows(1, method="GET"), "invalid_method"),
        (rows(1, url="/v1/images/edits"), "mismatched_url"),
        (rows(1, custom_id=7), "invalid_custom_id"),
        (rows(1, extra=1), "invalid_line"),
        (rows(1, body=BODY | {"model": "gpt-image-2.6-flare"}), "model_not_found"),
        (rows(1) + rows(1, custom_id="other", body=BODY | {"model": "gpt-image-2"}), "mismatched_model"),
        (b"{\n", "invalid_json_line"),
    ],
)
async def test_a_file_with_a_wrong_line_fails_as_a_whole(client: openai.AsyncOpenAI, data: bytes, code: str) -> None:
    batch = await over(client, await created(client, data))
    assert batch.status == "failed"
    assert batch.errors is not None
    assert batch.errors.data is not None
    assert [one.code for one in batch.errors.data] == [code]


async def test_a_line_that_is_refused_stands_in_the_error_file(client: openai.AsyncOpenAI, clock: Clock) -> None:
    data = rows(1) + rows(1, custom_id="bad", body=BODY | {"prompt": "something forbidden"})
    batch_id = await created(client, data)
    clock.now += 600
    batch = await over(client, batch_id)
    assert await ids_in(client, batch.output_file_id) == ["line-0"]
    assert batch.error_file_id is not None
    told = json.loads((await client.files.content(batch.error_file_id)).read())
    assert (told["response"]["status_code"], told["response"]["body"]["error"]["code"]) == (400, "moderation_blocked")


async def test_what_is_no_legal_create_is_refused(client: openai.AsyncOpenAI) -> None:
    file = await client.files.create(file=("night.jsonl", rows()), purpose="batch")
    other = await client.files.create(file=("night.jsonl", rows()), purpose="user_data")
    good: dict[str, Any] = {
        "completion_window": "24h",
        "endpoint": "/v1/images/generations",
        "input_file_id": file.id,
    }
    for wrong in (
        {"completion_window": "1h"},
        {"endpoint": "/v1/images"},
        {"input_file_id": other.id},
        {"input_file_id": "file-none"},
        {"metadata": {"a": "b" * 513}},
        {"output_expires_after": {"anchor": "created_at", "seconds": 60}},
        {"extra_body": {"prompt": "hills"}},
    ):
        with pytest.raises(openai.APIStatusError):
            await client.batches.create(**good | wrong)
    with pytest.raises(openai.BadRequestError):
        await client.files.create(file=("night.txt", rows()), purpose="batch")


async def test_an_answer_can_be_lost_after_the_batch_was_created(
    client: openai.AsyncOpenAI, service: ImageService
) -> None:
    service.batches.troubles.append(Trouble("create", "after"))
    with pytest.raises(openai.APIConnectionError):
        await created(client)
    assert len(service.batches.night.batches) == 1
    service.batches.troubles.append(Trouble("create", "before"))
    with pytest.raises(openai.APIConnectionError):
        await created(client)
    assert len(service.batches.night.batches) == 1


async def test_a_file_can_break_off(client: openai.AsyncOpenAI, service: ImageService, clock: Clock) -> None:
    batch_id = await created(client)
    clock.now += 600
    batch = await over(client, batch_id)
    assert batch.output_file_id is not None
    service.batches.troubles.append(Trouble("content", "half"))
    with pytest.raises((openai.APIConnectionError, openai.APIError)):
        await client.files.content(batch.output_file_id)
