"""Words over the wire: what is sent to chat completions, and every answer that is none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.adapters.openai.chat import read_words
from bot.adapters.openai.clients import Account
from bot.adapters.openai.images import OpenAIImages
from bot.ports import KeyPays, OperatorPays
from bot.rules.catalogue.chat import MOST_WORDS
from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.catalogue.services import Service
from bot.rules.faults import Billed, Fault, FaultKind, ServiceFault
from bot.rules.money import TokenPrices
from bot.rules.requests import Endpoint, ImageRequest, InputImage, Inputs, Kind, Made, Usage
from sandbox.images import ImageService
from sandbox.images.words.chat import MODEL
from sandbox.images.words.faults import WORD_FAULTS
from tests.adapters.openai.fault_server import inspect
from tests.support.pictures import png

PRICES = TokenPrices(150_000, 150_000, 600_000)
FOX = InputImage("image", "image/png", png(64, 32), 64, 32)
DESCRIBE = ImageRequest(Kind.DESCRIBE, Endpoint.CHAT, MODEL, "Answer in English.", count=0, inputs=1)
CACHED = Usage(9, 0, 4, 9)
IMPROVE = ImageRequest(Kind.IMPROVE, Endpoint.CHAT, MODEL, "a red fox", count=0)


@pytest.fixture
async def service() -> AsyncIterator[ImageService]:
    service = ImageService(key="right-key-0123456789")
    await service.start()
    yield service
    await service.stop()


class OpenAIs(Service):
    """OpenAI's own, wherever it is."""

    is_official = True


@pytest.fixture
async def images(service: ImageService, request: pytest.FixtureRequest) -> AsyncIterator[OpenAIImages]:
    catalogue = load_catalogue(builtin_catalogue()).at(service.base_url).with_chat(MODEL, PRICES)
    kind = getattr(request, "param", Service)
    images = OpenAIImages(
        service=kind(base_url=service.base_url),
        account=Account("right-key-0123456789"),
        inspect=inspect,
        models=catalogue,
    )
    yield images
    await images.aclose()


async def ask(images: OpenAIImages, request: ImageRequest, *pictures: InputImage, **given: Any) -> Made:
    told = {"payer": OperatorPays(), "member_tag": "tag", "deadline_s": 20.0} | given
    return await images.make(request, Inputs(pictures), **told)


async def fault(images: OpenAIImages, **given: Any) -> Fault:
    with pytest.raises(ServiceFault) as caught:
        await ask(images, IMPROVE, **given)
    return caught.value.fault


async def test_a_picture_goes_as_a_data_address_and_comes_back_as_words_with_what_they_used(images, service) -> None:
    made = await ask(images, DESCRIBE, FOX)
    assert "composition" in made.words
    assert made.images == ()
    assert made.usage is not None
    (call,) = service.calls
    assert made.usage.input_text_tokens == call.usage["prompt_tokens"]
    assert made.usage.output_tokens == call.usage["completion_tokens"]
    system, user = call.fields["messages"]
    assert (system["role"], user["role"]) == ("system", "user")
    assert user["content"][1]["image_url"]["url"].startswith("data:image/png;base64,")
    assert call.fields["max_tokens"] == 1_000
    assert call.fields.keys() == {"model", "messages", "max_tokens"}


async def test_a_prompt_comes_back_with_more_in_it(images) -> None:
    made = await ask(images, IMPROVE)
    assert made.words.startswith("a red fox, ")


@pytest.mark.parametrize(
    ("name", "kind", "billed"),
    [
        ("words_empty", FaultKind.BROKEN_ANSWER, Billed.MAYBE),
        ("words_blank", FaultKind.BROKEN_ANSWER, Billed.MAYBE),
        ("words_null", FaultKind.BROKEN_ANSWER, Billed.MAYBE),
        ("words_all_thought", FaultKind.BROKEN_ANSWER, Billed.MAYBE),
        ("words_broken", FaultKind.BROKEN_ANSWER, Billed.MAYBE),
        ("words_without_choices", FaultKind.BROKEN_ANSWER, Billed.MAYBE),
        ("words_in_a_list", FaultKind.BROKEN_ANSWER, Billed.MAYBE),
        ("words_refused", FaultKind.MODERATION, Billed.MAYBE),
        ("words_filtered", FaultKind.MODERATION, Billed.MAYBE),
        ("rate_limited", FaultKind.RATE_LIMITED, Billed.NO),
        ("insufficient_quota", FaultKind.OUT_OF_FUNDS, Billed.NO),
        ("model_not_found", FaultKind.MODEL_GONE, Billed.NO),
        ("error_500_html", FaultKind.OVERLOADED, Billed.MAYBE),
        ("gateway_timeout", FaultKind.TIMED_OUT, Billed.MAYBE),
        ("html_200", FaultKind.BROKEN_ANSWER, Billed.MAYBE),
        ("drop_mid_body", FaultKind.BROKEN_OFF, Billed.MAYBE),
    ],
)
async def test_what_is_no_answer_is_told_with_what_it_may_have_cost(images, service, name, kind, billed) -> None:
    service.fail_next(name)
    found = await fault(images)
    assert (found.kind, found.billed) == (kind, billed)
    assert len(service.calls) == 1


@pytest.mark.parametrize("images", [OpenAIs], indirect=True)
async def test_words_are_there_so_soon_that_a_quick_failure_may_come_after_them(images, service) -> None:
    service.fail_next("error_500_html")
    assert (await fault(images)).billed is Billed.MAYBE


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 4}, Usage(9, 0, 4)),
        ({"prompt_tokens": 9}, None),
        ({"completion_tokens": 4}, None),
        ({"prompt_tokens": 9, "completion_tokens": True}, None),
        (
            {"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 99}},
            Usage(9, 0, 4, 9),
        ),
    ],
)
def test_half_a_report_is_none(told: dict[str, Any], usage: Usage | None) -> None:
    body = {"choices": [{"message": {"content": "A fox."}}], "usage": told}
    made = read_words(json.dumps(body).encode(), None)
    assert isinstance(made, Made)
    assert made.usage == usage


async def test_an_answer_that_never_comes_is_given_up(images, service) -> None:
    service.fail_next("never")
    found = await fault(images, deadline_s=0.2)
    assert (found.kind, found.billed) == (FaultKind.TIMED_OUT, Billed.MAYBE)


async def test_a_wrong_key_is_a_refusal_and_stays_here(images) -> None:
    found = await fault(images, payer=KeyPays("wrong-key-0123456789"))
    assert (found.kind, found.billed) == (FaultKind.BAD_KEY, Billed.NO)
    assert "wrong-key" not in str(found)


async def test_fifty_thousand_characters_are_cut(images, service) -> None:
    service.fail_next("words_long")
    made = await ask(images, IMPROVE)
    assert 0 < len(made.words) <= MOST_WORDS


async def test_an_answer_at_its_limit_is_taken_as_far_as_it_goes(images, service) -> None:
    service.fail_next("words_cut")
    assert (await ask(images, IMPROVE)).words == "A red fox in the"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("<think>The person wants a fox.</think>\n\nA fox.", "A fox."),
        ('"A fox in the snow."', "A fox in the snow."),
        ('"A fox" and "a hare"', '"A fox" and "a hare"'),
        ("A fox\0 \ud800.", "A fox ?."),
        ([{"type": "text", "text": "A fox."}], "A fox."),
    ],
)
async def test_what_is_around_the_words_is_taken_off(images, service, content, words) -> None:
    from sandbox.images.faults import Shape

    def change(body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "choices": [{**body["choices"][0], "message": {"role": "assistant", "content": content}}]}

    service.fail_next(Shape("around", change))
    assert (await ask(images, IMPROVE)).words == words


async def test_no_fault_of_words_is_left_out(images, service) -> None:
    """Each ends as words or as a fault, and as nothing else."""
    for one in WORD_FAULTS.values():
        service.fail_next(one)
        outcome = (await asyncio.gather(ask(images, IMPROVE), return_exceptions=True))[0]
        assert isinstance(outcome, Made | ServiceFault)
        assert not isinstance(outcome, Made) or outcome.words
