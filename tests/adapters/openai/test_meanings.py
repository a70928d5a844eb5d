"""What services, gateways and relays really answered, and what Easel makes of it: one row each, with its source."""

# ruff: noqa: E501  # the table keeps sentences whole

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.adapters.openai.refusals.errors import fault_of, read_reason
from bot.adapters.openai.refusals.meanings import CODES, SAYINGS, TYPES
from bot.rules.faults import Billed, Fault, FaultKind
from bot.rules.redaction import DetailRedactor
from tests.adapters.openai.fault_server import NOW

K = FaultKind
LITELLM = "litellm.BadRequestError: OpenAIException - "
USER_ERROR = "image_generation_user_error"


@dataclass(frozen=True)
class Said:
    source: str
    status: int
    body: Any
    kind: FaultKind
    wait_s: float | None = None
    headers: dict[str, str] = field(default_factory=dict)


def said(source: str, status: int, message: str, kind: FaultKind, wait_s: float | None = None, /, **more: Any) -> Said:
    return Said(source, status, {"error": {"message": message, **more}}, kind, wait_s)


ROWS = (
    # moderation
    said("ZJT#494", 400, "Gemini image generation blocked [IMAGE_SAFETY]: The generated image was blocked due to safety policy"
         " violation", K.MODERATION, code="channel:image_generation_failed", type="channel_error"),
    said("cherry-studio#3876", 400, "Gemini API error: IMAGE_SAFETY", K.MODERATION),
    said("litellm#20357", 400, "The prompt could not be submitted. It contains sensitive words that violate Google's Responsible"
         " AI practices.", K.MODERATION, code=400),
    said("ai-dial-adapter-vertexai#66", 400, "Image generation failed with the following error: The response is blocked, as it may"
         " violate our policies.", K.MODERATION, code=400, status="INVALID_ARGUMENT"),
    said("gflow-cli#342", 400, "Request contains an invalid argument.", K.MODERATION, code=400,
         details=[{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "PUBLIC_ERROR_UNSAFE_GENERATION"}]),
    said("litellm#16072", 400, "Your request was rejected as a result of our safety system.", K.MODERATION,
         code="content_policy_violation", inner_error={"code": "ResponsibleAIPolicyViolation"}),
    said("OpenRouter", 403, 'This model requires moderation and your input was flagged for "violence"', K.MODERATION, code=403,
         metadata={"reasons": ["violence"], "flagged_input": "a very bad", "provider_name": "OpenAI"}),
    said("pollinations#12067", 422, "Your request was rejected by content moderation. Adjust your input.", K.MODERATION),
    said("vercel/ai#19168", 400, "Generated image rejected by content moderation.", K.MODERATION, code="400"),
    said("diffusers#4906", 400, "Potential NSFW content was detected in one or more images.", K.MODERATION),
    said("a model by its name", 404, "The model nsfw-xl does not exist", K.MODEL_GONE),
    said("LiteLLM guardrails", 400, "Violated guardrail policy", K.MODERATION, code="400", type="None"),
    said("new-api", 400, "sensitive words detected", K.MODERATION, code="sensitive_words_detected", type="new_api_error"),
    said("LiteLLM", 400, LITELLM + "rejected", K.MODERATION, code="400", type=USER_ERROR),
    # a file that was just uploaded
    said("Azure, question 2203029", 400, "The input file 'file-28009a6785e5439a' is in 'pending' state. Only files with status"
         " 'Processed' are accepted for batch inferencing. Please check the file status and try again", K.OVERLOADED),
    # not about the words of the member
    said("pollinations#9707", 403, "Your resource has been temporarily blocked because we detected behavior that may violate our"
         " content policy.", K.FORBIDDEN, code="Forbidden"),
    said("OpenAI", 403, "Your organization must be verified to use the model", K.FORBIDDEN),
    # funds
    said("gateways: LiteLLM", 400, LITELLM + "Billing hard limit has been reached.", K.OUT_OF_FUNDS, code="400", type=USER_ERROR),
    said("one-api#1270", 403, "user quota is not enough (request id: 2024)", K.OUT_OF_FUNDS, code="insufficient_user_quota"),
    said("one-api#1846", 403, "user [3446] quota [-20847155]preConsumedQuota [743]is not enough", K.OUT_OF_FUNDS),
    said("new-api#7448", 403, "用户额度不足, 剩余额度: 0", K.OUT_OF_FUNDS, type="new_api_error"),
    said("new-api", 403, "token quota is not enough", K.OUT_OF_FUNDS, code="pre_consume_token_quota_failed"),
    said("litellm#40002", 429, "Budget has been exceeded! Current cost: 0.0, Max budget: 2.5", K.OUT_OF_FUNDS, code="429",
         type="budget_exceeded"),
    said("litellm#22726", 400, "Budget has been exceeded! Current cost: 26.075, Max budget: 0.25", K.OUT_OF_FUNDS),
    said("LiteLLM", 400, "ExceededBudget: End User=ishaan3 over budget.", K.OUT_OF_FUNDS, code=400),
    said("open-assistant#80", 402, "Insufficient credits. Add more using https://openrouter.ai/settings/credits", K.OUT_OF_FUNDS),
    said("qwen-code#73", 400, "This request requires more credits, or fewer max_tokens.", K.OUT_OF_FUNDS, code=402),
    Said("forgecode#571", 400, {"error": {"error": {"message": "More credits are required to run this request.", "code": 402},
         "code": 402}}, K.OUT_OF_FUNDS),
    Said("xAI", 429, {"code": "Some resource has been exhausted", "error": "Your team has either used all available credits or"
         " reached its monthly spending limit."}, K.OUT_OF_FUNDS),
    said("Together", 402, "Credit limit exceeded, please add a payment method", K.OUT_OF_FUNDS, type="credit_limit"),
    # key
    said("Google", 400, "API key not valid. Please pass a valid API key.", K.BAD_KEY, code=400, status="INVALID_ARGUMENT",
         details=[{"reason": "API_KEY_INVALID"}]),
    Said("xAI", 400, {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: xa***9."}, K.BAD_KEY),
    said("one-api", 401, "无效的令牌", K.BAD_KEY, type="one_api_error"),
    said("LiteLLM", 401, "Authentication Error, Invalid proxy server token passed.", K.BAD_KEY, code="401", type="auth_error"),
    said("one-api", 403, "无效的令牌", K.BAD_KEY, type="one_api_error"),
    # model
    said("LiteLLM", 400, "Invalid model name passed in model=m", K.MODEL_GONE, code="400"),
    said("new-api", 503, "No available channel for model gpt-image-2 under group default", K.MODEL_GONE, code="model_not_found"),
    said("OpenRouter", 400, "gpt-image-9 is not a valid model ID", K.MODEL_GONE, code=400),
    said("Gemini", 404, "models/gemini-9-image is not found for API version v1main.", K.MODEL_GONE, code=404, status="NOT_FOUND"),
    said("Together", 400, "Unable to access model gpt-image-9.", K.MODEL_GONE),
    # bad pictures, bad values
    said("ComfyUI#8430", 400, LITELLM + "Invalid image file or mode for image 1, please check your image file.", K.BAD_REQUEST,
         code="400", type=USER_ERROR),
    said("sub2api#7150", 400, LITELLM + "Transparent background is not supported for this model.", K.BAD_REQUEST, code="400",
         type=USER_ERROR),
    said("Gemini", 400, "Unable to process input image. Please retry or report.", K.BAD_REQUEST, code=400),
    said("LiteLLM", 400, LITELLM + "Invalid size '1000x1000'. Width and height must be divisible by 16.", K.BAD_REQUEST,
         code="400", type=USER_ERROR),
    Said("xAI", 400, {"code": "400", "error": "Argument not supported: size"}, K.BAD_REQUEST),
    # pace
    said("gcli2api#236", 429, "You have exhausted your capacity on this model. Your quota will reset after 2h23m59s.",
         K.RATE_LIMITED, 8639.0, code=429, status="RESOURCE_EXHAUSTED"),
    said("lettertrace#34", 429, "You exceeded your current quota, please check your plan and billing details.", K.RATE_LIMITED,
         38.0, code=429, details=[{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "38s"}]),
    said("gemini-for-kubernetes#1215", 429, "You exceeded your current quota, please check your plan.", K.OUT_OF_FUNDS, code=429),
    said("LiteLLM", 429, "No deployments available for selected model, Try again in 5 seconds.", K.RATE_LIMITED, 5.0, code="429"),
    said("in whole words", 429, "Please wait 1 hour, 5 minutes and 3 seconds.", K.RATE_LIMITED, 3903.0),
    said("in milliseconds", 429, "Please retry after 1500 milliseconds", K.RATE_LIMITED, 1.5),
    said("in days", 429, "It resets in 2 days", K.RATE_LIMITED, 172_800.0),
    said("until a moment", 429, "Quota resets at 2026-11-21T12:30:00Z.", K.RATE_LIMITED, 1800.0),
    said("months are no minutes", 429, "Try again in 5 months", K.RATE_LIMITED),
    Said("a duration where seconds belong", 429, {}, K.RATE_LIMITED, 3723.0, {"retry-after": "1h2m3s"}),
    Said("an ISO date where one of HTTP belongs", 429, {}, K.RATE_LIMITED, 60.0, {"retry-after": "2026-11-21T12:01:00Z"}),
    Said("an HTTP date", 429, {}, K.RATE_LIMITED, 60.0, {"retry-after": "Sat, 21 Nov 2026 12:01:00 GMT"}),
)  # fmt: skip


def fault(row: Said, *, official: bool = False) -> Fault:
    return fault_of(
        read_reason(json.dumps(row.body)),
        status=row.status,
        headers=row.headers,
        elapsed_s=0.1,
        now=NOW,
        redactor=DetailRedactor(prompts=(), secrets=()),
        official=official,
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.source} {row.kind}")
def test_what_was_really_answered_is_understood(row: Said) -> None:
    found = fault(row)
    assert (found.kind, found.retry_after_s) == (row.kind, row.wait_s)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.source} {row.kind}")
def test_the_same_said_as_a_failure_of_the_gateway_is_never_free_where_a_picture_may_have_been_made(row: Said) -> None:
    found = fault(Said(row.source, 500, row.body, row.kind))
    surely = {K.BAD_KEY, K.OUT_OF_FUNDS, K.MODEL_GONE, K.FORBIDDEN}
    assert found.billed is (Billed.NO if found.kind in surely else Billed.MAYBE)


def test_every_saying_was_said_by_somebody() -> None:
    texts = [(json.dumps(row.body, ensure_ascii=False), row.status) for row in ROWS]
    olds = {"OpenAI", "Azure", "OpenAI, Azure"}  # tried in test_faults.py
    unsaid = [one.source for one in SAYINGS if not any(one.says(text, status) for text, status in texts)]
    assert set(unsaid) <= olds


@pytest.mark.parametrize("code", CODES)
def test_a_code_decides_before_type_and_text(code: str) -> None:
    body = {"error": {"code": code.upper(), "type": "requests", "message": "Rate limit reached"}}
    assert fault(Said("", 400, body, CODES[code])).kind is CODES[code]


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("code", ["400", 429, None, "500"])
def test_a_code_that_is_a_number_is_no_code(kind: str, code: object) -> None:
    assert fault(Said("", 400, {"error": {"code": code, "type": kind, "message": ""}}, TYPES[kind])).kind is TYPES[kind]


def test_what_openrouter_quotes_of_the_prompt_stays_out_of_the_fault() -> None:
    row = next(row for row in ROWS if row.source == "OpenRouter")
    assert fault(row).categories == ("violence",)
    assert "very bad" not in repr(fault(row))
