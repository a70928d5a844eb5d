"""Faults on demand and streams, as the real client sees them."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from typing import Any

import openai
import pytest
from PIL import Image

from sandbox.images import FAULTS, Call, ImageService, answer, delay
from sandbox.images.faults import Answer

ASK: dict[str, Any] = {"model": "gpt-image-2.5-flare", "prompt": "hills", "quality": "low"}
STATUS_ERRORS = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    413: openai.APIStatusError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
}
CANNED = tuple(fault for fault in FAULTS.values() if isinstance(fault, Answer) and fault.status != 200)


@pytest.mark.parametrize("fault", CANNED, ids=lambda fault: fault.name)
async def test_a_canned_refusal_reaches_the_client_with_its_class(
    fault: Answer, client: openai.AsyncOpenAI, service: ImageService
) -> None:
    service.fail_next(fault)
    with pytest.raises(STATUS_ERRORS.get(fault.status, openai.InternalServerError)) as caught:
        await client.images.generate(**ASK)
    assert caught.value.status_code == fault.status
    assert (service.calls[-1].fault, service.calls[-1].rendered) == (fault.name, False)
    await client.images.generate(**ASK)
    assert service.calls[-1].fault is None


async def test_a_rate_limit_says_when_to_come_back(client: openai.AsyncOpenAI, service: ImageService) -> None:
    service.fail_next("rate_limited")
    with pytest.raises(openai.RateLimitError) as caught:
        await client.images.generate(**ASK)
    assert caught.value.response.headers["retry-after-ms"] == "2000"
    assert caught.value.code == "rate_limit_exceeded"


@pytest.mark.parametrize(
    ("fault", "rendered"),
    [("drop_before", False), ("reset", False), ("drop_after_headers", True), ("drop_mid_body", True)],
)
async def test_a_dropped_connection_is_a_connection_error(
    fault: str, rendered: bool, client: openai.AsyncOpenAI, service: ImageService
) -> None:
    service.fail_next(fault)
    with pytest.raises(openai.APIConnectionError):
        await client.images.generate(**ASK)
    assert service.calls[-1].rendered == rendered


async def test_a_call_that_is_never_answered_ends_when_the_client_leaves(
    client: openai.AsyncOpenAI, service: ImageService
) -> None:
    left = asyncio.Event()
    service.listeners.append(lambda _: left.set())
    service.fail_next("never")
    with pytest.raises(openai.APITimeoutError):
        await client.with_options(timeout=0.2).images.generate(**ASK)
    async with asyncio.timeout(5):
        await left.wait()
    assert service.calls[-1].cancelled


async def test_answers_with_200_can_be_anything(client: openai.AsyncOpenAI, service: ImageService) -> None:
    service.fail_next("html_200", "broken_json", "data_missing", "data_null", "data_empty", "usage_missing")
    assert isinstance(await client.images.generate(**ASK), str)
    with pytest.raises(json.JSONDecodeError):
        await client.images.generate(**ASK)
    assert (await client.images.generate(**ASK)).data is None
    assert (await client.images.generate(**ASK)).data is None
    assert (await client.images.generate(**ASK)).data == []
    assert (await client.images.generate(**ASK)).usage is None
    service.fail_next("data_short")
    short = await client.images.generate(**ASK, n=3)
    assert short.data is not None
    assert len(short.data) == 2


async def test_bytes_can_be_wrong_or_cut_off(client: openai.AsyncOpenAI, service: ImageService) -> None:
    service.fail_next("wrong_bytes", "truncated_picture")
    wrong = await client.images.generate(**ASK)
    assert wrong.data is not None
    assert base64.b64decode(wrong.data[0].b64_json or "").startswith(b"<html>")
    cut = await client.images.generate(**ASK)
    assert cut.data is not None
    picture = Image.open(io.BytesIO(base64.b64decode(cut.data[0].b64_json or "")))
    with pytest.raises(OSError, match="truncated"):
        picture.load()


async def test_links_are_absolute_relative_guarded_or_expired(
    client: openai.AsyncOpenAI, service: ImageService, web: Any
) -> None:
    service.fail_next("url", "url_relative", "url_expired", "url_guarded")
    links = []
    for _ in range(4):
        made = await client.images.generate(**ASK)
        assert made.data is not None
        assert made.data[0].b64_json is None
        links.append(made.data[0].url or "")
    whole, relative, expired, guarded = links
    assert (await web.get(whole)).headers["content-type"] == "image/png"
    assert relative.startswith("/files/")
    assert (await web.get(service.origin + relative)).status_code == 200
    assert (await web.get(expired)).status_code == 403
    assert (await web.get(service.origin + guarded)).status_code == 401
    allowed = await web.get(service.origin + guarded, headers={"authorization": "Bearer k"})
    assert allowed.status_code == 200


async def test_rules_choose_whom_they_meet_and_how_often(client: openai.AsyncOpenAI, service: ImageService) -> None:
    service.fail_next("server_error", times=None, when=lambda call: "dark" in call.prompt)
    await client.images.generate(**ASK)
    for _ in range(2):
        with pytest.raises(openai.InternalServerError):
            await client.images.generate(**ASK | {"prompt": "dark hills"})
    service.heal()
    await client.images.generate(**ASK | {"prompt": "dark hills"})
    service.fail_next(answer("teapot", 418, {"error": "no"}), delay(0.0))
    with pytest.raises(openai.APIStatusError):
        await client.images.generate(**ASK)
    await client.images.generate(**ASK)


async def _events(client: openai.AsyncOpenAI, **more: Any) -> list[Any]:
    stream = await client.images.generate(**ASK | {"stream": True, "partial_images": 2} | more)
    return [event async for event in stream]


async def test_a_stream_brings_partials_and_the_whole(client: openai.AsyncOpenAI, service: ImageService) -> None:
    first, second, last = await _events(client)
    assert [first.type, second.type, last.type] == ["image_generation.partial_image"] * 2 + [
        "image_generation.completed"
    ]
    assert [first.partial_image_index, second.partial_image_index] == [0, 1]
    assert last.usage.output_tokens == 196 + 200
    with Image.open(io.BytesIO(base64.b64decode(first.b64_json))) as preview:
        assert preview.size == (1024, 1024)
    assert service.calls[-1].breaches == ()
    assert [event.type for event in await _events(client, partial_images=0)] == ["image_generation.completed"]


async def test_an_edit_streams_its_own_events(client: openai.AsyncOpenAI, pictures: Any, service: ImageService) -> None:
    stream = await client.images.edit(
        image=("a.png", pictures.png(), "image/png"), stream=True, partial_images=1, **ASK
    )
    assert [event.type async for event in stream] == ["image_edit.partial_image", "image_edit.completed"]
    assert service.calls[-1].breaches == ()


PLANS = (
    ("stream_ends_early", ["partial_image"]),
    ("stream_twice", ["partial_image"] * 4 + ["completed"] * 2),
    ("stream_disordered", ["partial_image"] * 2 + ["completed", "partial_image"]),
    ("stream_unknown", ["partial_image"] * 2 + ["heartbeat", "completed"]),
    ("stream_comments", ["partial_image"] * 2 + ["completed"]),
    ("stream_typed_error", ["partial_image", "error"]),
    ("stream_ignored", []),
)


@pytest.mark.parametrize(("fault", "kinds"), PLANS)
async def test_streams_go_wrong_as_planned(
    fault: str, kinds: list[str], client: openai.AsyncOpenAI, service: ImageService
) -> None:
    service.fail_next(fault)
    assert [event.type.rpartition(".")[2] for event in await _events(client)] == kinds
    assert service.calls[-1].rendered


async def test_streams_break_by_an_error_event_or_a_lost_connection(
    client: openai.AsyncOpenAI, service: ImageService
) -> None:
    service.fail_next("stream_error")
    with pytest.raises(openai.APIError) as caught:
        await _events(client)
    assert caught.value.code == "moderation_blocked"
    service.fail_next("stream_break")
    with pytest.raises(openai.APIConnectionError):
        await _events(client)


async def test_a_stream_fault_waits_for_a_stream(client: openai.AsyncOpenAI, service: ImageService) -> None:
    service.fail_next("stream_ignored")
    await client.images.generate(**ASK)
    assert service.calls[-1].fault is None
    assert await _events(client) == []


async def test_every_call_is_told_to_listeners_with_its_pictures(
    client: openai.AsyncOpenAI, service: ImageService
) -> None:
    heard: list[Call] = []
    service.listeners.append(heard.append)
    one = await client.images.generate(**ASK, n=2)
    two = await client.images.generate(**ASK, n=2)
    assert one.data == two.data
    assert len({picture.sha256 for call in heard for picture in call.pictures}) == 2
    assert all("sk-" not in repr(call) for call in heard)


async def test_a_varied_service_never_repeats_itself(client_for: Any) -> None:
    service = ImageService(varied=True)
    await service.start()
    async with client_for(service) as client:
        made = [await client.images.generate(**ASK) for _ in range(3)]
    await service.stop()
    assert len({picture.sha256 for call in service.calls for picture in call.pictures}) == len(made)


@pytest.mark.parametrize("prompt", ["\0\x1b[31m", "‮עברית", "a" * 3000, "`@everyone`\n" * 50, "\ud83d", "👩‍👩‍👧 <svg>"])
async def test_hostile_prompts_are_drawn(prompt: str, service: ImageService, web: Any) -> None:
    body = json.dumps({"model": "gpt-image-2.6-flare", "prompt": prompt, "output_format": "svg"})
    headers = {"content-type": "application/json"}
    made = await web.post(f"{service.base_url}/images/generations", content=body, headers=headers)
    assert made.status_code == 200
    made = await web.post(f"{service.base_url}/images/generations", content=body.replace("svg", "png"), headers=headers)
    assert made.status_code == 200
