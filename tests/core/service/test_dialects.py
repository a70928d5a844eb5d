"""Through each stand-in of a gateway, a vendor and a local server: what Easel makes of what happens, and what it costs.

Each run is the real adapter with the real retries on a real socket. What was drawn behind is known, so that what may
have been paid can be held against what was booked.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace

import pytest
from PIL import Image

from bot.adapters.openai.clients import Account
from bot.adapters.openai.images import OpenAIImages
from bot.core.service.attempts import Attempts, CallResults, ServiceCall
from bot.core.service.catalogue import CurrentCatalogue
from bot.ports import NullMeter, OperatorPays
from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.catalogue.services import Service
from bot.rules.faults import Billed, FaultKind, ServiceFailed
from bot.rules.requests import Endpoint, ImageRequest, InputImage, Inputs, Kind
from bot.ui.words.errors import words
from sandbox.gateways import DIALECTS, Gateway
from sandbox.images import ImageService
from tests.adapters.openai.fault_server import NOW, Ticks, inspect


def clear_picture() -> bytes:
    """A picture that says by itself where it may be edited, as the oldest model wants it."""
    out = io.BytesIO()
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(out, "PNG")
    return out.getvalue()


KEY = "sk-gateway-0123456789abcdefghij"
MODEL = "picture-model"
K = FaultKind
IMAGINE = ImageRequest(Kind.IMAGINE, Endpoint.GENERATIONS, MODEL, "a red fox", "a red fox")
EDIT = replace(IMAGINE, kind=Kind.EDIT, endpoint=Endpoint.EDITS)
PHOTO = InputImage("photo.png", "image/png", clear_picture(), 64, 64)
CATALOGUE = load_catalogue(builtin_catalogue(), f'[models."{MODEL}"]\nlike = "dall-e-2"\nfree = true\n')


class Pace:
    leases: Pace

    def __init__(self) -> None:
        self.leases = self

    async def push_slots(self, key: str, seconds: float) -> None: ...


@dataclass
class Desk:
    """A dialect, what draws behind it, and Easel's own way to it. ``slow_s``: what each call seems to take."""

    gateway: Gateway
    behind: ImageService
    slow_s: float = 0.1
    ways: dict[str, OpenAIImages] = field(default_factory=dict)

    async def ask(self, *, key: str = KEY, photo: InputImage | None = None, **more: object) -> CallResults:
        """One request as it goes out; ``photo`` makes it an edit."""
        asked = replace(EDIT if photo else IMAGINE, **more)
        if key not in self.ways:
            self.ways[key] = OpenAIImages(
                service=Service().at(self.gateway.base_url),
                account=Account(key),
                inspect=inspect,
                models=CATALOGUE,
                clock=lambda: NOW,
                monotonic=Ticks(self.slow_s),
            )
        attempts = Attempts(
            self.ways[key], Pace(), NullMeter(), catalogue=CurrentCatalogue(CATALOGUE), member_tag=str, sleep=_no_wait
        )
        inputs = Inputs(images=(photo,)) if photo else Inputs()
        call = ServiceCall(asked, inputs, "tag", OperatorPays(), "operator", 600)
        return await attempts.make(call, _listen if asked.partial_images else None)

    @property
    def drawn(self) -> int:
        return sum(call.rendered for call in self.behind.calls)


async def _no_wait(seconds: float) -> None: ...


async def _listen(_: object) -> None: ...


@pytest.fixture
async def desk(request):
    behind = ImageService(key="behind")
    await behind.start()
    gateway = Gateway(DIALECTS[request.param], behind, key=KEY, models=(MODEL,))
    await gateway.start()
    made = Desk(gateway, behind)
    yield made
    for way in made.ways.values():
        await way.aclose()
    await gateway.stop()
    await behind.stop()


def through(*names: str):
    return pytest.mark.parametrize("desk", names, indirect=True)


def told(results: CallResults, locale: str = "en-US") -> str:
    fault = results.worst
    assert fault is not None
    return words(ServiceFailed(fault, model=MODEL, charged=results.maybe_billed_calls > 0, own_key=False), locale)


UNUSABLE = ("Portkey", "Azure OpenAI, classic addresses", "OpenRouter")
USABLE = tuple(name for name in DIALECTS if name not in UNUSABLE)
TEACH = ("Together", "Gemini's compatible API")
"""Whose first answer is what they do not take; Easel leaves that out and asks again."""


@dataclass(frozen=True)
class Row:
    """What happens, by which fault behind or which request, and what comes of it. ``posts``: how often Easel asks."""

    situation: str
    kind: FaultKind
    words: str
    fault: str | None = None
    asks: dict[str, object] = field(default_factory=dict)
    billed: Billed = Billed.NO
    posts: int = 1


SERVICE_GONE = "not available at the moment"
ROWS = {
    row.situation: row
    for row in (
        Row("moderation", K.MODERATION, "safety system", "moderation_blocked"),
        Row("no_funds", K.OUT_OF_FUNDS, SERVICE_GONE, "insufficient_quota"),
        Row("bad_key", K.BAD_KEY, SERVICE_GONE, asks={"key": "sk-another-0123456789abcdefghij"}),
        Row("rate_limit", K.RATE_LIMITED, "not accepting more requests", "rate_limited_without_header", posts=5),
        Row("bad_picture", K.BAD_REQUEST, "does not accept", asks={"photo": replace(PHOTO, data=b"no picture")}),
        Row("failed", K.OVERLOADED, "Something went wrong at the image service", "made_but_500", billed=Billed.MAYBE),
        Row("no_model", K.MODEL_GONE, "no longer has", asks={"model": "another"}),
    )
}
DIFFERENT = {
    # whatever it says with a 500 may come after the work: told as a failure, and never free
    ("LocalAI", "bad_picture"): replace(ROWS["failed"], fault=None, asks=ROWS["bad_picture"].asks),
    ("LocalAI", "no_model"): replace(ROWS["failed"], fault=None, asks=ROWS["no_model"].asks),
    ("xAI", "failed"): replace(ROWS["failed"], words="overloaded"),
    ("Gemini's compatible API", "failed"): replace(ROWS["failed"], words="overloaded"),
    ("stable-diffusion.cpp", "no_model"): replace(ROWS["no_model"], kind=K.BAD_REQUEST, words="does not accept"),
}
CASES = [
    pytest.param(name, DIFFERENT.get((name, row.situation), row), id=f"{name}-{row.situation}")
    for name in USABLE
    for row in ROWS.values()
    if row.situation in DIALECTS[name].says and not (row.situation == "bad_picture" and DIALECTS[name].edits != "form")
]


@pytest.mark.parametrize(("desk", "row"), CASES, indirect=["desk"])
async def test_what_happens_behind_a_gateway_is_told_as_what_it_is_and_costs_what_it_may_cost(desk, row):
    if row.fault:
        desk.behind.fail_next(row.fault, times=None)

    results = await desk.ask(**row.asks)

    fault = results.worst
    posts = len(desk.gateway.asked) - (desk.gateway.dialect.name in TEACH if row.fault else 0)
    assert (fault.kind, fault.billed, posts) == (row.kind, row.billed, row.posts), fault
    assert row.words in told(results)
    assert ("may have been billed" in told(results)) is (row.billed is Billed.MAYBE)
    assert ("Möglicherweise wurde es berechnet" in told(results, "de")) is (row.billed is Billed.MAYBE)
    assert not desk.drawn or fault.billed is Billed.MAYBE


@through(*USABLE)
async def test_pictures_come_through_every_dialect_that_can_be_used(desk):
    assert (await desk.ask()).made
    assert desk.drawn == 1


@through(*(name for name in USABLE if DIALECTS[name].edits == "form"))
async def test_edits_go_through_where_a_server_takes_them_as_a_form(desk):
    assert (await desk.ask(photo=PHOTO)).made


@through(*UNUSABLE, *(name for name in USABLE if DIALECTS[name].edits != "form"))
async def test_what_a_server_cannot_do_this_way_costs_nothing_and_is_asked_once(desk):
    results = await desk.ask(photo=PHOTO)

    assert (results.made, results.worst.billed, desk.drawn) == ((), Billed.NO, 0)
    assert len(desk.gateway.asked) == 1
    assert "It cost nothing" in told(results)


# --- hidden retries -----------------------------------------------------------------------------------------------


@through("LiteLLM", "new-api")
async def test_what_a_gateway_repeats_by_itself_is_never_repeated_by_easel_too(desk):
    desk.behind.fail_next("made_but_500", times=None)

    results = await desk.ask()

    assert (len(desk.gateway.asked), desk.drawn) == (1, 3)
    assert results.maybe_billed_calls == 1


@through("LiteLLM", "new-api")
async def test_a_late_rate_limit_of_a_gateway_may_hide_a_picture_that_was_paid(desk):
    desk.slow_s = 6.0
    desk.behind.fail_next("made_but_500", "rate_limited", "rate_limited")

    results = await desk.ask()

    assert (len(desk.gateway.asked), desk.drawn) == (1, 1)
    assert (results.worst.kind, results.worst.billed) == (K.RATE_LIMITED, Billed.MAYBE)


# --- what a server does not know, and what it cannot do -------------------------------------------------------------


@through("xAI", "Gemini's compatible API")
async def test_several_unknown_parameters_are_left_out_one_after_the_other_and_learned(desk):
    first = await desk.ask(size="512x512", quality="standard", format="png")
    asked = len(desk.gateway.asked)
    second = await desk.ask(size="512x512", quality="standard", format="png")

    assert first.made
    assert second.made
    assert (asked > 1, len(desk.gateway.asked) - asked) == (True, 1)
    assert "format" in first.made[0].left_out
    assert first.made[0].left_out == second.made[0].left_out


@through("Together")
async def test_a_refused_way_of_sending_pictures_is_left_out_and_the_addresses_are_fetched(desk):
    results = await desk.ask()

    assert results.made[0].left_out == ()
    assert [("response_format" in asked.fields) for asked in desk.gateway.asked] == [True, False]


@through("LiteLLM")
async def test_a_gateway_that_loses_what_it_was_to_stream_is_not_asked_to_stream_again(desk):
    lost = await desk.ask(partial_images=1)
    after = await desk.ask(partial_images=1)

    assert (lost.worst.billed, len(lost.made), len(after.made)) == (Billed.MAYBE, 0, 1)
    assert ["stream" in asked.fields for asked in desk.gateway.asked] == [True, False]


@through("Azure OpenAI")
async def test_one_failure_of_a_server_that_streams_does_not_end_the_previews(desk):
    assert (await desk.ask(partial_images=1)).made
    desk.behind.fail_next("server_error")
    assert not (await desk.ask(partial_images=1)).made

    await desk.ask(partial_images=1)

    assert ["stream" in asked.fields for asked in desk.gateway.asked] == [True, True, True]


@through("LiteLLM")
async def test_a_refused_value_is_told_and_nothing_is_left_out_for_it(desk):
    results = await desk.ask(size="512x512")

    assert (results.worst.kind, results.worst.billed) == (K.BAD_REQUEST, Billed.NO)
    assert len(desk.gateway.asked) == 1
