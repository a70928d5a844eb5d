"""Every way a service is known to fail, over a real socket: its name, what it may have cost, how often it was asked."""

# ruff: noqa: E501  # the table has a line for a fault where that can be

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.adapters.openai.refusals.errors import Reason, fault_of
from bot.ports import OperatorPays
from bot.rules.faults import Billed, FaultKind, ServiceFault
from bot.rules.redaction import DetailRedactor
from bot.rules.requests import Endpoint, Inputs, Kind
from tests.adapters.openai.conftest import both_transports
from tests.adapters.openai.fault_server import (
    KEY,
    NOW,
    ONE_INPUT,
    Behaviour,
    Ticks,
    b64,
    completed,
    cut,
    error,
    json_reply,
    partial,
    picture,
    pictures,
    reply,
    request,
    sse,
    stream,
)

K, NO, MAYBE, YES = FaultKind, Billed.NO, Billed.MAYBE, Billed.YES
USAGE = {"input_tokens": 9, "output_tokens": 196, "total_tokens": 205}
VARY = {"kind": Kind.VARY, "endpoint": Endpoint.VARIATIONS}


@dataclass(frozen=True)
class Row:
    name: str
    does: Behaviour
    kind: FaultKind
    billed: Billed
    retry_after_s: float | None = None
    code: str | None = None
    stage: str | None = None
    categories: tuple[str, ...] = ()
    param: str | None = None
    asks: dict[str, Any] = field(default_factory=dict)
    slow: bool = False
    streams: bool = False


def azure(message: str) -> Behaviour:
    inner = {
        "code": "ResponsibleAIPolicyViolation",
        "content_filter_results": {"hate": {"filtered": False}, "violence": {"filtered": True, "severity": "high"}},
    }
    return error(400, "contentFilter", message, innererror=inner)


def refused(message: str) -> str:
    return f"Your request was rejected by the safety system. safety_violations=[{message}]."


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
LATER = {"retry-after": "Sat, 21 Nov 2026 12:00:30 GMT", "date": "Sat, 21 Nov 2026 12:00:00 GMT"}
NO_DATE = {"retry-after": "Sat, 21 Nov 2026 12:01:00 GMT"}
PAST = {"retry-after": "Sat, 21 Nov 2020 12:01:00 GMT"}
FUNDS_TEXT = "You exceeded your current quota, please check your plan and billing details."
LITELLM = "litellm.BadRequestError: OpenAIException - "

ROWS = (
    # 400: moderation
    Row("moderation of a gpt image model", error(400, "moderation_blocked", "no", type="image_generation_user_error"),
        K.MODERATION, NO, code="moderation_blocked"),
    Row("moderation with details", error(400, "moderation_blocked",
        moderation_details={"moderation_stage": "output", "categories": ["sexual", "violence"]}),
        K.MODERATION, NO, stage="output", categories=("sexual", "violence")),
    Row("moderation categories as flags", error(400, "moderation_blocked",
        moderation_details={"moderation_stage": "input", "categories": {"hate": True, "sexual": False}}),
        K.MODERATION, NO, stage="input", categories=("hate",)),
    Row("moderation categories in the text", error(400, "moderation_blocked", refused("sexual, self-harm")),
        K.MODERATION, NO, categories=("sexual", "self-harm")),
    Row("moderation of dall-e", error(400, "content_policy_violation", type="invalid_request_error"), K.MODERATION, NO),
    Row("moderation told by text alone", error(400, None, "Your request was rejected as a result of our safety system."),
        K.MODERATION, NO),
    Row("moderation through LiteLLM", error(400, "400", LITELLM + "rejected", type="image_generation_user_error"),
        K.MODERATION, NO),
    Row("moderation through LiteLLM without a type", error(400, "400", LITELLM + refused("hate")), K.MODERATION, NO,
        categories=("hate",)),
    Row("moderation of Azure", azure("The response was filtered"), K.MODERATION, NO, categories=("violence",)),
    Row("moderation of Azure as 403", error(403, "content_filter", "blocked"), K.MODERATION, NO),
    # 400: other
    Row("billing hard limit is a 400", error(400, "billing_hard_limit_reached"), K.OUT_OF_FUNDS, NO),
    Row("billing hard limit by text", error(400, "400", "Billing hard limit has been reached"), K.OUT_OF_FUNDS, NO),
    Row("an upload of the wrong type", error(400, "unsupported_file_mimetype", param="image"), K.BAD_REQUEST, NO,
        code="unsupported_file_mimetype", param="image"),
    Row("an upload that is no image", error(400, "invalid_image_file", type="image_generation_user_error"),
        K.BAD_REQUEST, NO),
    Row("a bad value", error(400, "invalid_value", "Invalid value: 'huge'.", param="size"), K.BAD_REQUEST, NO,
        param="size"),
    Row("a bad value of an optional parameter is not stripped",
        error(400, "invalid_value", "Invalid value: 'foo'. Supported values are: 'low'.", param="moderation"),
        K.BAD_REQUEST, NO, asks={"moderation": "low"}, param="moderation"),
    Row("a late refusal of a gateway, perhaps of its second try", error(400, "invalid_value", param="size"),
        K.BAD_REQUEST, MAYBE, slow=True),
    Row("a late refusal of what had to be uploaded", error(400, "invalid_image_file"), K.BAD_REQUEST, NO, asks=VARY, slow=True),
    Row("a late refusal of a parameter is not asked again without it",
        error(400, "unknown_parameter", "Unknown parameter: 'moderation'.", param="moderation"),
        K.BAD_REQUEST, MAYBE, asks={"moderation": "low"}, slow=True),
    Row("an unknown model through LiteLLM", error(400, "400", "Invalid model name passed in model=m"), K.MODEL_GONE, NO),
    Row("a wrong key at LiteLLM without a database", error(400, "400", "No connected db.",
        type="no_db_connection"), K.BAD_KEY, NO),
    Row("an error that is a string (sd.cpp)", json_reply({"error": "prompt required"}, 400), K.BAD_REQUEST, NO),
    Row("an error with a message beside (sd.cpp)", json_reply({"error": "server_error", "message": "boom"}, 500),
        K.OVERLOADED, MAYBE),
    Row("an error in a list (Gemini)", json_reply([{"error": {"code": 400, "message": "bad", "status": "INVALID"}}], 400),
        K.BAD_REQUEST, NO, code="400"),
    Row("a 400 that is HTML", reply(400, "<html>nope</html>"), K.BAD_REQUEST, NO),
    Row("a 400 that breaks off", cut(b'HTTP/1.1 400 Bad\r\ncontent-length: 900\r\n\r\n{"error": {'), K.BAD_REQUEST, NO),
    Row("a 400 of a megabyte", reply(400, b"x" * 2**20), K.BAD_REQUEST, NO),
    # 401, 402, 403, 404, 405
    Row("a wrong key", error(401, "invalid_api_key", f"Incorrect API key provided: {KEY}"), K.BAD_KEY, NO),
    Row("a 401 without a body", reply(401), K.BAD_KEY, NO),
    Row("payment required", error(402, None, "pay"), K.OUT_OF_FUNDS, NO),
    Row("an unverified organization", error(403, None, "Your organization must be verified to use the model"),
        K.FORBIDDEN, NO),
    Row("a region that is refused", error(403, "unsupported_country_region_territory"), K.FORBIDDEN, NO),
    Row("a model that is gone", error(404, "model_not_found", "The model m does not exist"), K.MODEL_GONE, NO),
    Row("a model that is gone, by text", error(404, None, "The model `m` does not exist or you have no access"),
        K.MODEL_GONE, NO),
    Row("a deployment that is gone (Azure)", error(404, "DeploymentNotFound"), K.MODEL_GONE, NO),
    Row("variations today: a bare 404", reply(404), K.ENDPOINT_GONE, NO, asks=VARY),
    Row("no such route (LiteLLM)", json_reply({"detail": "Not Found"}, 404), K.ENDPOINT_GONE, NO),
    Row("method not allowed", reply(405), K.ENDPOINT_GONE, NO),
    Row("gone", reply(410), K.ENDPOINT_GONE, NO),
    # 408, 409, 413, 422
    Row("request timeout", reply(408), K.TIMED_OUT, MAYBE),
    Row("conflict", error(409), K.BAD_REQUEST, NO),
    Row("too large, said by a proxy", reply(413, "<html>Request Entity Too Large</html>"), K.TOO_LARGE, NO),
    Row("unprocessable, a list (FastAPI)", json_reply({"detail": [
        {"loc": ["body", "size"], "msg": "string does not match regex", "type": "value_error"}]}, 422),
        K.BAD_REQUEST, NO, param="size", code="value_error"),
    Row("unprocessable, a sentence (FastAPI)", json_reply({"detail": "url is not taken"}, 422), K.BAD_REQUEST, NO),
    # 429
    Row("too fast", error(429, "rate_limit_exceeded", type="requests", headers={"retry-after": "2"}), K.RATE_LIMITED, NO, 2.0),
    Row("too fast, in milliseconds", error(429, "rate_limit_exceeded", headers={"retry-after-ms": "1500", "retry-after": "9"}),
        K.RATE_LIMITED, NO, 1.5),
    Row("too fast, in words", error(429, "rate_limit_exceeded", "Limit 5 images per min. Please try again in 12s."),
        K.RATE_LIMITED, NO, 12.0),
    Row("too fast, in minutes and seconds", error(429, "rate_limit_exceeded", "Please try again in 1m2.5s."),
        K.RATE_LIMITED, NO, 62.5),
    Row("too fast, in milliseconds of words", error(429, "rate_limit_exceeded", "try again in 350ms"),
        K.RATE_LIMITED, NO, 0.35),
    Row("too fast, until a date", error(429, None, headers=LATER), K.RATE_LIMITED, NO, 30.0),
    Row("too fast, until a date by our clock", error(429, None, headers=NO_DATE), K.RATE_LIMITED, NO, 60.0),
    Row("too fast, until a date that is past", error(429, None, headers=PAST), K.RATE_LIMITED, NO, 0.0),
    Row("too fast, for an hour", error(429, None, headers={"retry-after": "3600"}), K.RATE_LIMITED, NO, 3600.0),
    Row("too fast, for NaN", error(429, None, headers={"retry-after": "NaN"}), K.RATE_LIMITED, NO, None),
    Row("too fast, for minus five", error(429, None, headers={"retry-after": "-5"}), K.RATE_LIMITED, NO, None),
    Row("too fast, for infinity", error(429, None, headers={"retry-after": "inf"}), K.RATE_LIMITED, NO, None),
    Row("too fast, for soon", error(429, None, headers={"retry-after": "soon"}), K.RATE_LIMITED, NO, None),
    Row("slow down", error(429, "slow_down"), K.RATE_LIMITED, NO),
    Row("a bare 429", reply(429), K.RATE_LIMITED, NO),
    Row("no quota", error(429, "insufficient_quota", FUNDS_TEXT, type="insufficient_quota"), K.OUT_OF_FUNDS, NO),
    Row("no credit", error(429, "credit_balance_exhausted", type="insufficient_quota"), K.OUT_OF_FUNDS, NO),
    Row("project spent", error(429, "project_spend_limit_exceeded"), K.OUT_OF_FUNDS, NO),
    Row("organization spent", error(429, "organization_spend_limit_exceeded"), K.OUT_OF_FUNDS, NO),
    Row("organization used up", error(429, "organization_usage_limit_exceeded"), K.OUT_OF_FUNDS, NO),
    Row("the code comes before the type", error(429, "rate_limit_exceeded", type="insufficient_quota"), K.RATE_LIMITED, NO),
    Row("the type decides without a code", error(429, None, type="insufficient_quota"), K.OUT_OF_FUNDS, NO),
    Row("no quota through LiteLLM", error(429, "429", f"litellm.RateLimitError: {FUNDS_TEXT}", type="throttling_error"),
        K.OUT_OF_FUNDS, NO),
    Row("too fast through LiteLLM", error(429, "429", "litellm.RateLimitError: Rate limit reached", type="throttling_error"),
        K.RATE_LIMITED, NO),
    Row("quota that comes back soon (Gemini)", error(429, 429, f"{FUNDS_TEXT} Please retry in 7.5s."),
        K.RATE_LIMITED, NO, 7.5),
    # 5xx
    Row("a quick 500", error(500, "server_error"), K.OVERLOADED, MAYBE),
    Row("a slow 500", error(500, "server_error"), K.OVERLOADED, MAYBE, slow=True),
    Row("a quick 502", reply(502, "<html>Bad Gateway</html>"), K.OVERLOADED, MAYBE),
    Row("a slow 502", reply(502, "<html>Bad Gateway</html>"), K.OVERLOADED, MAYBE, slow=True),
    Row("a quick 503 with a time", reply(503, "", {"retry-after": "3"}), K.OVERLOADED, MAYBE, 3.0),
    Row("overloaded", error(503, "server_is_overloaded"), K.OVERLOADED, MAYBE),
    Row("moderation that came slowly costs nothing", error(400, "moderation_blocked"), K.MODERATION, NO, slow=True),
    Row("a 504", reply(504), K.TIMED_OUT, MAYBE),
    Row("a 524", reply(524, "cloudflare"), K.TIMED_OUT, MAYBE),
    *(Row(f"a quick {status}", reply(status), K.OVERLOADED, MAYBE) for status in (520, 521, 522, 523, 529)),
    *(Row(f"a slow {status}", reply(status), K.OVERLOADED, MAYBE, slow=True) for status in (503, 520, 523)),
    Row("a pace that a gateway tells as its own failure", error(500, "rate_limit_exceeded"), K.RATE_LIMITED, MAYBE),
    Row("not implemented", reply(501), K.ENDPOINT_GONE, NO),
    # connections
    Row("closed without an answer", cut(b""), K.BROKEN_OFF, MAYBE),
    Row("reset without an answer", cut(b"", reset=True), K.BROKEN_OFF, MAYBE),
    Row("cut in the headers", cut(b"HTTP/1.1 200 OK\r\ncontent-ty"), K.BROKEN_OFF, MAYBE),
    Row("cut in the body", cut(HEAD + b'content-length: 5000\r\n\r\n{"data": ['), K.BROKEN_OFF, MAYBE),
    Row("cut in a chunked body", cut(HEAD + b'transfer-encoding: chunked\r\n\r\n5\r\n{"dat'), K.BROKEN_OFF, MAYBE),
    Row("reset in the body", cut(HEAD + b'content-length: 5000\r\n\r\n{"data": [', reset=True), K.BROKEN_OFF, MAYBE),
    Row("not HTTP at all", cut(b"SSH-2.0-OpenSSH_9.6\r\n"), K.BROKEN_OFF, MAYBE),
    # good answers that are not
    Row("200 with HTML", reply(200, "<html>welcome</html>"), K.BROKEN_ANSWER, MAYBE),
    Row("200 with nothing", reply(200), K.BROKEN_ANSWER, MAYBE),
    Row("200 with broken JSON", reply(200, '{"data": [{"b64', {"content-type": "application/json"}), K.BROKEN_ANSWER, MAYBE),
    Row("200 with a body that ends early and does not say so", cut(HEAD + b'\r\n{"data": [{"b64_json": "AAA'),
        K.BROKEN_ANSWER, MAYBE),
    Row("200 with a list", json_reply([1, 2]), K.BROKEN_ANSWER, MAYBE),
    Row("200 without data", json_reply({"created": 1}), K.BROKEN_ANSWER, MAYBE),
    Row("200 with no data", json_reply({"created": 1, "data": []}), K.BROKEN_ANSWER, MAYBE),
    Row("200 with no data of xAI's model behind a gateway", json_reply({"created": 1, "data": []}), K.MODERATION, MAYBE,
        asks={"model": "xai/grok-2-image"}),
    Row("200 with null data", json_reply({"created": 1, "data": None}), K.BROKEN_ANSWER, MAYBE),
    Row("200 with an empty item", json_reply({"data": [{"b64_json": None, "url": None}]}), K.BROKEN_ANSWER, MAYBE),
    Row("200 with foreign items", json_reply({"data": [1, "x", None]}), K.BROKEN_ANSWER, MAYBE),
    Row("200 nested to the sky", reply(200, b"[" * 200_000), K.BROKEN_ANSWER, MAYBE),
    Row("200 of quotation marks", reply(200, b'""' * 200_000), K.BROKEN_ANSWER, MAYBE),
    Row("200 of numbers", reply(200, b"[" + b"1," * 2**20 + b"1]"), K.BROKEN_ANSWER, MAYBE),
    Row("200 with an error inside", json_reply({"error": {"message": "out of memory"}}), K.BROKEN_ANSWER, MAYBE),
    Row("200 with words about a picture inside", json_reply({"error": {"message": "Invalid image generated"}}), K.BAD_REQUEST, MAYBE),
    Row("200 with moderation inside", json_reply({"error": {"code": "moderation_blocked", "message": "no"}}), K.MODERATION, NO),
    Row("200 with a 429 inside", json_reply({"error": {"code": 429, "message": "slow, please"}}), K.RATE_LIMITED, NO),
    Row("200 and the picture did not pass (xAI)", json_reply({"data": [{"url": "", "respect_moderation": False}]}),
        K.MODERATION, MAYBE, stage="output"),
    Row("a redirect", reply(307, "", {"location": "http://example.invalid/v1/images/generations"}), K.ENDPOINT_GONE, NO),
    # pictures that are none
    Row("not base64", json_reply({"data": [{"b64_json": "*** no ***"}]}), K.NOT_A_PICTURE, MAYBE),
    Row("base64 cut short", json_reply({"data": [{"b64_json": b64(picture())[:41]}]}), K.NOT_A_PICTURE, MAYBE),
    Row("HTML in base64", pictures(b"<html></html>"), K.NOT_A_PICTURE, MAYBE),
    Row("a truncated PNG", pictures(picture()[:45]), K.NOT_A_PICTURE, MAYBE),
    Row("a truncated PNG that was charged", pictures(picture()[:45], usage=USAGE), K.NOT_A_PICTURE, YES),
    Row("base64 beyond any picture", reply(200, b'{"data":[{"b64_json":"' + b"A" * (64 * 2**20 + 4) + b'"}]}',
        {"content-type": "application/json"}), K.NOT_A_PICTURE, MAYBE),
    # streams
    Row("a stream that ends at once", stream(), K.BROKEN_ANSWER, MAYBE, streams=True),
    Row("a stream that ends after a preview", stream(partial(0, picture())), K.BROKEN_ANSWER, MAYBE, streams=True),
    Row("a stream that ends after [DONE]", stream(b"data: [DONE]\n\n"), K.BROKEN_ANSWER, MAYBE, streams=True),
    Row("a stream that is reset after a preview", stream(partial(0, picture()), b"data: {", then="reset"),
        K.BROKEN_OFF, MAYBE, streams=True),
    Row("a stream of unknown events", stream({"type": "ar_delta"}, {"type": "image.edit.chunk"}), K.BROKEN_ANSWER, MAYBE,
        streams=True),
    Row("a stream of noise", stream(b"hello\n\ndata: {nonsense\n\ndata: 5\n\n\xff\xfe\n\n"), K.BROKEN_ANSWER, MAYBE,
        streams=True),
    Row("an error in the stream", stream({"error": {"code": "server_error", "message": "x"}}), K.OVERLOADED, MAYBE,
        streams=True),
    Row("moderation in the stream", stream({"type": "error", "error": {"code": "moderation_blocked", "message": "x",
        "moderation_details": {"moderation_stage": "output", "categories": ["violence"]}}}), K.MODERATION, NO,
        stage="output", categories=("violence",), streams=True),
    Row("moderation after a preview", stream(partial(0, picture()), {"error": {"code": "moderation_blocked"}}),
        K.MODERATION, MAYBE, streams=True),
    Row("an error event without an error object", stream({"type": "error", "code": "rate_limit_exceeded", "message": "x"}),
        K.RATE_LIMITED, NO, code="rate_limit_exceeded", streams=True),
    Row("an error told by the name of its event", stream(b'event: error\ndata: {"code": "moderation_blocked"}\n\n'),
        K.MODERATION, NO, code="moderation_blocked", streams=True),
    Row("an error told by the name of its line (llama.cpp)",
        stream(b'error: {"code": 400, "message": "Your request was rejected by the safety system."}\n\n'), K.MODERATION, NO,
        streams=True),
    Row("an error in plain words", stream(b"event: error\ndata: insufficient credits\n\n"), K.OUT_OF_FUNDS, NO, streams=True),
    Row("LiteLLM's error in a stream", stream({"error": {"code": "500", "message": "boom"}}), K.OVERLOADED, MAYBE,
        streams=True),
    Row("a stream whose picture is none", stream(completed(b"<html>")), K.NOT_A_PICTURE, MAYBE, streams=True),
    Row("a stream whose picture is cut short", stream(completed(picture()[:45], usage=USAGE)), K.NOT_A_PICTURE, YES,
        streams=True),
    Row("a completed event without a picture", stream({"type": "image_generation.completed"}), K.BROKEN_ANSWER, MAYBE,
        streams=True),
    Row("a completed event cut in the middle", stream(sse(completed(picture()))[:-40]), K.BROKEN_ANSWER, MAYBE, streams=True),
    Row("a refusal instead of a stream", error(400, "moderation_blocked"), K.MODERATION, NO, streams=True),
)  # fmt: skip


async def _listen(_: object) -> None:
    return


@both_transports
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_a_fault_has_its_name_and_its_cost_and_is_never_sent_twice(row: Row, server, connect) -> None:
    server.does(row.does)
    service = connect(monotonic=Ticks(6.0 if row.slow else 0.1))
    asked = request(**{**({"partial_images": 2} if row.streams else {}), **row.asks})
    inputs = ONE_INPUT if asked.endpoint is not Endpoint.GENERATIONS else Inputs()
    with pytest.raises(ServiceFault) as caught:
        await service.make(
            asked,
            inputs,
            payer=OperatorPays(),
            member_tag="tag-1",
            deadline_s=20,
            on_partial=_listen if row.streams else None,
        )
    fault = caught.value.fault
    assert (fault.kind, fault.billed, fault.retry_after_s) == (row.kind, row.billed, row.retry_after_s), fault
    assert len(server.posts) == 1
    assert fault.categories == row.categories
    assert fault.stage == row.stage
    for name in ("code", "param"):
        if getattr(row, name) is not None:
            assert getattr(fault, name) == getattr(row, name)
    assert len(fault.detail) <= 500
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_the_table_names_every_kind_of_fault_that_a_service_can_cause() -> None:
    ours = {FaultKind.CANCELLED, FaultKind.UNREACHABLE}  # not something a server does
    assert {row.kind for row in ROWS} == set(FaultKind) - ours
    assert len({row.name for row in ROWS}) == len(ROWS) >= 60


@pytest.mark.parametrize("status", [500, 502, 503, 520])
@pytest.mark.parametrize(
    ("official", "elapsed_s", "billed"), [(True, 0.1, NO), (True, 6.0, MAYBE), (False, 0.1, MAYBE), (False, 6.0, MAYBE)]
)
def test_only_a_quick_failure_of_openais_own_service_certainly_cost_nothing(
    status: int, official: bool, elapsed_s: float, billed: Billed
) -> None:
    fault = fault_of(
        Reason(),
        status=status,
        headers={},
        elapsed_s=elapsed_s,
        now=NOW,
        redactor=DetailRedactor(prompts=(), secrets=()),
        official=official,
    )
    assert (fault.kind, fault.billed) == (K.OVERLOADED, billed)


@pytest.mark.parametrize(
    ("status", "code", "official", "uploads", "elapsed_s", "billed"),
    [
        (200, "server_error", True, False, 0.1, MAYBE),  # said after the work was taken on
        (429, "rate_limit_exceeded", True, False, 60.0, NO),
        (429, "rate_limit_exceeded", False, False, 4.9, NO),
        (429, "rate_limit_exceeded", False, False, 5.0, MAYBE),
        (400, "invalid_value", False, False, 5.0, MAYBE),
        (400, "invalid_value", False, True, 60.0, NO),
        (400, "invalid_value", True, False, 60.0, NO),
        (400, "invalid_api_key", False, False, 60.0, NO),
    ],
)
def test_a_late_refusal_of_somebody_between_may_be_that_of_a_second_try(
    status: int, code: str, official: bool, uploads: bool, elapsed_s: float, billed: Billed
) -> None:
    fault = fault_of(
        Reason(code=code),
        status=status,
        headers={},
        elapsed_s=elapsed_s,
        now=NOW,
        redactor=DetailRedactor(prompts=(), secrets=()),
        official=official,
        uploads=uploads,
    )
    assert fault.billed is billed


PROMPT = "a purple heron reads the newspaper under a streetlamp in Lisbon"
TELLTALES = (
    f"Incorrect API key provided: {KEY}. Find it at https://platform.openai.com/account/api-keys",
    "Incorrect API key: sk-proj-ab*****wxyz",
    f"Bearer {KEY} is not known here",
    f"The prompt '{PROMPT}' was refused",
    f"Prompt too odd: {PROMPT[:41].upper()}…",
    f"got image {b64(picture(size=(64, 64)))}",
    "organization org-Ab12Cd34Ef56 on images per min",
    f"user {'tag-' * 4} unknown\x1b[31m\nINFO forged line",
)


@pytest.mark.parametrize("status", [400, 401, 429, 500])
@pytest.mark.parametrize("message", TELLTALES)
async def test_no_key_prompt_or_picture_gets_into_a_fault(message: str, status: int, server, connect) -> None:
    server.does(error(status, f"code {KEY}", message, param=PROMPT, type=KEY))
    with pytest.raises(ServiceFault) as caught:
        await connect().make(
            request(prompt=PROMPT), Inputs(), payer=OperatorPays(), member_tag="tag-" * 4, deadline_s=20
        )
    text = f"{caught.value} {caught.value!r} {caught.value.fault!r}"
    for secret in (
        KEY,
        "sk-proj",
        "wxyz",
        "purple heron",
        "PURPLE HERON",
        "Lisbon",
        "org-Ab12",
        "iVBOR",
        "tag-tag",
        "\x1b",
    ):
        assert secret not in text
    assert "\n" not in caught.value.fault.detail


async def test_the_detail_still_says_what_was_wrong(server, connect) -> None:
    server.does(error(400, "invalid_value", "Invalid value: 'huge'. Size must be one of 1024x1024.", param="size"))
    with pytest.raises(ServiceFault) as caught:
        await connect().make(request(), Inputs(), payer=OperatorPays(), member_tag="t", deadline_s=20)
    assert caught.value.fault.detail == "Invalid value: 'huge'. Size must be one of 1024x1024."
    assert caught.value.fault.request_id == "req_1"
    assert json.loads(server.posts[0].body)["prompt"] == "a red fox on the snow"
