"""The sandbox's provenance checks answer as the SDK's types say, and refuse what is no picture."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai.types import ContentProvenanceCheck

from sandbox.images import ImageService
from sandbox.images.drawing.marks import SIGNER, marked
from tests.support.pictures import encoded, opened, png

SIGNED = marked(png(), "png", "x")


@pytest.fixture
async def signing(client_for: Any) -> AsyncIterator[openai.AsyncOpenAI]:
    service = ImageService(signs=True)
    await service.start()
    async with client_for(service) as client:
        yield client
    await service.stop()


async def check(client: Any, data: bytes, mime: str = "image/png") -> tuple[Any, Any]:
    answer = await client.content_provenance_checks.create(file=("a", data, mime))
    ContentProvenanceCheck.model_validate(answer.model_dump(), strict=True)
    c2pa, synthid = answer.results
    return c2pa, synthid


async def test_a_picture_of_its_own_is_known_by_marks_and_pixels(signing: openai.AsyncOpenAI) -> None:
    made = await signing.images.generate(model="gpt-image-2.5-flare", prompt="a fox", quality="low")
    data = base64.b64decode(made.data[0].b64_json)
    c2pa, synthid = await check(signing, data)
    assert (c2pa.outcome, c2pa.validation_state, c2pa.issuer) == ("detected", "trusted", SIGNER)
    assert (synthid.outcome, synthid.model) == ("detected", "gpt-image-2.5-flare")
    c2pa, synthid = await check(signing, encoded(opened(data), "PNG"))
    assert (c2pa.outcome, c2pa.validation_state) == ("not_detected", "not_present")
    assert synthid.outcome == "detected"


@pytest.mark.parametrize(
    ("data", "state"),
    [
        (png(), "not_present"),
        (SIGNED, "trusted"),
        (SIGNED[:-12] + b"\0\0\0\0teSt\x4d\xfb\x5a\xae" + SIGNED[-12:], "invalid"),
    ],
)
async def test_a_foreign_picture_has_the_state_of_its_marks(client: Any, data: bytes, state: str) -> None:
    c2pa, synthid = await check(client, data)
    assert (c2pa.validation_state, synthid.outcome) == (state, "not_detected")


@pytest.mark.parametrize(
    ("data", "mime", "said"),
    [
        (png(), "image/tiff", "image/tiff"),
        (png(), "image/jpeg", "Invalid image file"),
        (b"<html>", "image/png", "Invalid image file"),
    ],
)
async def test_what_is_no_picture_is_refused(client: Any, data: bytes, mime: str, said: str) -> None:
    with pytest.raises(openai.BadRequestError, match=said):
        await check(client, data, mime)
