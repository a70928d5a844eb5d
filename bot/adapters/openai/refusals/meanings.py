"""What services, gateways and relays mean by their codes, types and sentences: tables, each row with where it was read.

Law: a row is here because somebody really answered so; ``tests/adapters/openai/test_meanings.py`` has the answer.
What stands in no row is told by the status alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.rules.faults import FaultKind

CODES: Mapping[str, FaultKind] = {
    # OpenAI
    "moderation_blocked": FaultKind.MODERATION,
    "content_policy_violation": FaultKind.MODERATION,
    "safety_violation": FaultKind.MODERATION,
    "billing_hard_limit_reached": FaultKind.OUT_OF_FUNDS,
    "billing_not_active": FaultKind.OUT_OF_FUNDS,
    "insufficient_quota": FaultKind.OUT_OF_FUNDS,
    "credit_balance_exhausted": FaultKind.OUT_OF_FUNDS,
    "organization_spend_limit_exceeded": FaultKind.OUT_OF_FUNDS,
    "project_spend_limit_exceeded": FaultKind.OUT_OF_FUNDS,
    "organization_usage_limit_exceeded": FaultKind.OUT_OF_FUNDS,
    "rate_limit_exceeded": FaultKind.RATE_LIMITED,
    "slow_down": FaultKind.RATE_LIMITED,
    "invalid_api_key": FaultKind.BAD_KEY,
    "model_not_found": FaultKind.MODEL_GONE,
    "server_error": FaultKind.OVERLOADED,
    "server_is_overloaded": FaultKind.OVERLOADED,
    "request_too_large": FaultKind.TOO_LARGE,
    "unsupported_file_mimetype": FaultKind.BAD_REQUEST,
    "missing_file_mimetype": FaultKind.BAD_REQUEST,
    "unsupported_content_type": FaultKind.BAD_REQUEST,
    "invalid_image_file": FaultKind.BAD_REQUEST,
    "invalid_image": FaultKind.BAD_REQUEST,
    "invalid_value": FaultKind.BAD_REQUEST,
    "unknown_parameter": FaultKind.BAD_REQUEST,
    "unsupported_parameter": FaultKind.BAD_REQUEST,
    "missing_required_parameter": FaultKind.BAD_REQUEST,
    # Azure
    "content_filter": FaultKind.MODERATION,
    "contentfilter": FaultKind.MODERATION,
    "responsibleaipolicyviolation": FaultKind.MODERATION,
    "ratelimitreached": FaultKind.RATE_LIMITED,
    "too_many_requests": FaultKind.RATE_LIMITED,
    "deploymentnotfound": FaultKind.MODEL_GONE,
    "service_unavailable": FaultKind.OVERLOADED,
    # one-api and new-api (songquanpeng/one-api#1270, QuantumNous/new-api#7448)
    "insufficient_user_quota": FaultKind.OUT_OF_FUNDS,
    "pre_consume_token_quota_failed": FaultKind.OUT_OF_FUNDS,
    "sensitive_words_detected": FaultKind.MODERATION,
    # Google's reasons (ffroliva/gflow-cli#342)
    "api_key_invalid": FaultKind.BAD_KEY,
    "public_error_unsafe_generation": FaultKind.MODERATION,
}

TYPES: Mapping[str, FaultKind] = {
    "insufficient_quota": FaultKind.OUT_OF_FUNDS,
    "budget_exceeded": FaultKind.OUT_OF_FUNDS,  # LiteLLM (BerriAI/litellm#40002)
    "requests": FaultKind.RATE_LIMITED,
    "tokens": FaultKind.RATE_LIMITED,
    "rate_limit_error": FaultKind.RATE_LIMITED,
    "no_db_connection": FaultKind.BAD_KEY,  # LiteLLM without a database, asked with a key it does not know
    "authentication_error": FaultKind.BAD_KEY,
    "server_error": FaultKind.OVERLOADED,
    "overloaded_error": FaultKind.OVERLOADED,
}
"""Only what a type alone decides: ``throttling_error``, which LiteLLM makes of both rate and quota, is not here."""

VAGUE_TYPES: Mapping[str, FaultKind] = {"image_generation_user_error": FaultKind.MODERATION}
"""What a type means where neither code nor text says more: bad pictures and empty purses come under it too."""


@dataclass(frozen=True, slots=True)
class Saying:
    """A way to say something. ``statuses``: those it is looked for in; empty: all."""

    kind: FaultKind
    pattern: re.Pattern[str]
    source: str
    statuses: frozenset[int] = field(default_factory=frozenset)

    def says(self, message: str, status: int) -> bool:
        return (not self.statuses or status in self.statuses) and self.pattern.search(message) is not None


def _saying(kind: FaultKind, pattern: str, source: str, *statuses: int) -> Saying:
    return Saying(kind, re.compile(pattern, re.IGNORECASE | re.DOTALL), source, frozenset(statuses))


_MODERATION, _FUNDS, _KEY = FaultKind.MODERATION, FaultKind.OUT_OF_FUNDS, FaultKind.BAD_KEY
_MODEL, _RATE, _REQUEST = FaultKind.MODEL_GONE, FaultKind.RATE_LIMITED, FaultKind.BAD_REQUEST
_REFUSALS = (200, 400, 415, 422)

SAYINGS = (
    # not about this picture, though it speaks of a policy
    _saying(FaultKind.FORBIDDEN, r"resource has been (?:temporarily )?blocked", "Azure (pollinations#9707)"),
    _saying(FaultKind.FORBIDDEN, r"must be verified", "OpenAI"),
    # moderation
    _saying(_MODERATION, r"safety system|moderation_blocked|content[_ ]policy|safety_violations", "OpenAI"),
    _saying(_MODERATION, r"content management policy|content[_ ]filter|responsible ?ai ?polic", "Azure"),
    _saying(_MODERATION, r"\[(?:IMAGE_)?(?:SAFETY|PROHIBITED_CONTENT)\]|safety polic", "Gemini (jeffstric/ZJT#494)"),
    _saying(_MODERATION, r"error: (?:IMAGE_)?(?:SAFETY|PROHIBITED_CONTENT)\b", "Gemini (cherry-studio#3876)"),
    _saying(_MODERATION, r"sensitive words|responsible ai practices", "Vertex (BerriAI/litellm#20357)"),
    _saying(_MODERATION, r"may violate our (?:policies|guidelines)", "Vertex (epam/ai-dial-adapter-vertexai#66)"),
    _saying(_MODERATION, r"(?:input|prompt|content|image) (?:was|is|has been) flagged", "OpenRouter's documentation"),
    _saying(_MODERATION, r"by content moderation|moderation rules", "xAI (vercel/ai#19168), pollinations#12067"),
    _saying(_MODERATION, r"\bNSFW (?:content|image|concept)", "FLUX (huggingface/diffusers#4906)", *_REFUSALS),
    _saying(_MODERATION, r"violated guardrail", "LiteLLM's guardrails"),
    # funds
    _saying(_FUNDS, r"billing hard limit|exceeded your current quota|spend limit", "OpenAI"),
    _saying(
        _FUNDS, r"insufficient[_ ](?:user[_ ])?(?:quota|funds|balance|credits?)|credit balance", "OpenAI, OpenRouter"
    ),
    _saying(_FUNDS, r"requires? more credits|more credits are required", "OpenRouter (QwenLM/qwen-code#73)"),
    _saying(_FUNDS, r"used all available credits|monthly spending limit", "xAI"),
    _saying(_FUNDS, r"quota\b.{0,60}\b(?:is )?not enough|额度不足|余额不足|额度已用尽", "one-api#1846, new-api#7448"),
    _saying(_FUNDS, r"\bbudget\b.{0,30}\b(?:exceeded|exhausted|reached)|exceeded ?budget", "LiteLLM#22726, Portkey"),
    _saying(_FUNDS, r"\bcredit limit\b.{0,30}\b(?:exceeded|reached)", "Together"),
    # key
    _saying(_KEY, r"api[ _-]?key (?:is )?(?:not valid|invalid|expired|not found)", "Google", 200, 400, 403),
    _saying(_KEY, r"(?:incorrect|invalid|expired) api[ _-]?key", "OpenAI, xAI (answers 400)", 200, 400, 403),
    _saying(_KEY, r"无效的令牌|invalid (?:proxy server )?token passed", "one-api, LiteLLM", 200, 400, 403),
    # model
    _saying(
        _MODEL,
        r"(?:models?|deployment)\b.{0,120}(?:does not exist|not found|been (?:shut down|retired|removed|deprecated))",
        "OpenAI, Azure",
        *(200, 400, 404, 410, 422),
    ),
    _saying(_MODEL, r"invalid model name|no such model|unknown model", "LiteLLM", 200, 400, 404, 410, 422),
    _saying(_MODEL, r"is not a valid model id|unable to access model", "OpenRouter, Together", 200, 400, 404),
    # a file that was just uploaded
    _saying(
        FaultKind.OVERLOADED, r"file\b.{0,100} is in '?pending'? state", "Azure (question 2203029 of its users)", 400
    ),
    # pictures and options that do not fit: before the vague type, which would call them moderation
    _saying(_REQUEST, r"invalid image|image (?:file )?(?:is )?(?:too large|corrupt)", "ComfyUI#8430", *_REFUSALS),
    _saying(_REQUEST, r"unable to process (?:the )?input image|not a valid image", "Gemini, Azure", *_REFUSALS),
    _saying(_REQUEST, r"unsupported (?:image|file|mime|value|parameter)|not supported", "sub2api#7150", *_REFUSALS),
    _saying(_REQUEST, r"(?:invalid|unknown|missing required) (?:value|size|parameter|name)", "Google", *_REFUSALS),
    _saying(_REQUEST, r"must be (?:one of|between|a multiple)|divisible by", "OpenAI", *_REFUSALS),
    # pace
    _saying(_RATE, r"rate limit|too many requests|images per min", "OpenAI", 200, 429),
)
"""In this order: the first that says something decides."""
