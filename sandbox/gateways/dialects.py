"""The dialects, as data: gateways and relays, vendors, local servers. What they say was read, or tried, as noted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.gateways.dialect import Dialect, Said

_PLAIN = frozenset({"model", "prompt", "n", "size", "response_format", "user"})


def _error(status: int, message: str, /, headers: Mapping[str, str] | None = None, **more: Any) -> Said:
    return Said(status, {"error": {"message": message, **more}}, headers or {})


# --- gateways and relays ---------------------------------------------------------------------------------------------


def _litellm(status: int, kind: str, message: str = "{message}", what: str = "invalid_request_error") -> Said:
    tail = "\n\nLiteLLM: model group '{model}' failed with the error above. No fallback was attempted."
    text = f"litellm.{kind}: OpenAIException - {message}{tail}"
    return _error(status, text, type=what, param=None, code=str(status))


_LITELLM = Dialect(
    name="LiteLLM",
    source="tried: 1.108.7, with num_retries and max_retries 0",
    says={
        "moderation": _litellm(400, "BadRequestError", what="image_generation_user_error"),
        "no_funds": _litellm(429, "RateLimitError: RateLimitError", what="throttling_error"),
        "bad_key": _error(400, "No connected db.", type="no_db_connection", param=None, code="400"),
        "rate_limit": _litellm(429, "RateLimitError: RateLimitError", what="throttling_error"),
        "bad_picture": _litellm(400, "BadRequestError", what="image_generation_user_error"),
        "failed": _litellm(
            500, "InternalServerError: InternalServerError", "Connection error.", "internal_server_error"
        ),
        "bad_value": _litellm(400, "BadRequestError"),
        "unknown_parameter": _error(
            400,
            "litellm.UnsupportedParamsError: Setting `{param}` is not supported by openai, {model}. To drop it from "
            "the call, set `litellm.drop_params = True`.",
            type="invalid_request_error",
            param=None,
            code="400",
        ),
        "no_model": _error(
            400,
            "400: {'error': '/image/generations: Invalid model name passed in model={model}. Call `/v1/models` to view "
            "available models for your key.'}",
            type="invalid_request_error",
            param=None,
            code="400",
        ),
        "no_route": Said(404, {"detail": "Not Found"}),
    },
    takes=_PLAIN
    | {"quality", "output_format", "output_compression", "background", "moderation", "stream", "partial_images"},
    is_strict=True,
    tries=3,
    breaks_on_streams=True,
    upstream_model="gpt-image-2.5-flare",
)


def _new_api(status: int, message: str, code: str | None, kind: str = "new_api_error") -> Said:
    return _error(status, message + " (request id: 20261128)", type=kind, param="", code=code)


_NEW_API = Dialect(
    name="new-api",
    source="its issues #7448, songquanpeng/one-api#1270 and #1846, and relay/common error handling",
    says={
        "moderation": _new_api(400, "{message}", "moderation_blocked", "image_generation_user_error"),
        "no_funds": _new_api(403, "用户额度不足, 剩余额度: 0", "insufficient_user_quota"),
        "bad_key": _new_api(401, "无效的令牌", None),
        "rate_limit": _new_api(429, "当前分组上游负载已饱和，请稍后再试", None, "upstream_error"),
        "bad_picture": _new_api(400, "{message}", "bad_response_status_code", "image_generation_user_error"),
        "failed": _new_api(502, "bad response status code 502", "bad_response_status_code", "upstream_error"),
        "bad_value": _new_api(400, "{message}", "invalid_value"),
        "unknown_parameter": _new_api(400, "Unknown parameter: '{param}'.", "unknown_parameter", "upstream_error"),
        "no_model": _new_api(503, "分组 default 下模型 {model} 无可用渠道", "model_not_found"),
        "no_route": _error(404, "Invalid URL (POST)", type="invalid_request_error", param="", code=""),
    },
    tries=3,
    streams=True,
    tells_usage=False,
    upstream_model="gpt-image-2.5-flare",
)

_PORTKEY = Dialect(
    name="Portkey",
    source="tried: 1.15, which asks for a header that names the provider",
    says={
        "no_route": Said(
            400,
            {
                "status": "failure",
                "message": "Either x-portkey-config or x-portkey-provider header is required",
            },
        ),
    },
    needs_header="x-portkey-provider",
    lists_models=False,
)

# --- vendors ---------------------------------------------------------------------------------------------------------

_AZURE_SAYS: dict[Any, Said] = {
    "moderation": _error(
        400,
        "Your request was rejected as a result of our safety system. Your prompt may contain text that is not allowed.",
        code="contentFilter",
        param=None,
        type="image_generation_user_error",
        inner_error={
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_results": {"violence": {"filtered": True, "severity": "high"}, "hate": {"filtered": False}},
        },
    ),
    "no_funds": _error(429, "You exceeded your current quota, please check your plan.", code="insufficient_quota"),
    "bad_key": _error(
        401,
        "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an "
        "active subscription and use a correct regional API endpoint for your resource.",
        code="401",
    ),
    "rate_limit": _error(
        429,
        "Requests to the ImageGenerations Operation under Azure OpenAI API have exceeded call rate limit of your "
        "current OpenAI S0 pricing tier. Please retry after 6 seconds.",
        headers={"Retry-After": "6"},
        code="429",
    ),
    "bad_picture": _error(
        400, "{message}", code="invalid_image_file", type="image_generation_user_error", param="image"
    ),
    "failed": _error(500, "The server had an error processing your request.", code="InternalServerError"),
    "bad_value": _error(400, "{message}", code="invalid_value", param="{param}", type="invalid_request_error"),
    "unknown_parameter": _error(
        400, "Unknown parameter: '{param}'.", code="unknown_parameter", param="{param}", type="invalid_request_error"
    ),
    "no_model": _error(
        404,
        "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, "
        "please wait a moment and try again.",
        code="DeploymentNotFound",
    ),
    "no_route": _error(404, "Resource not found", code="404"),
}
_AZURE_V1 = Dialect(
    name="Azure OpenAI",
    source="its documentation of the v1 API, BerriAI/litellm#16072",
    says=_AZURE_SAYS,
    root="/openai/v1",
    lists_models=False,
    streams=True,
    upstream_model="gpt-image-2.5-flare",
)
_AZURE_CLASSIC = Dialect(
    name="Azure OpenAI, classic addresses",
    source="its documentation: deployments in the path, api-version in the query, the key in a header of its own",
    says=_AZURE_SAYS,
    root="/openai/deployments/{model}",
    key_header="api-key",
    needs_query="api-version",
)

_EXHAUSTED = "Some resource has been exhausted"
_XAI = Dialect(
    name="xAI",
    source="its documentation, vercel/ai#19168, and its answers to the first review",
    says={
        "moderation": Said(400, {"code": "400", "error": "Generated image rejected by content moderation."}),
        "no_funds": Said(
            429,
            {
                "code": _EXHAUSTED,
                "error": "Your team has either used all available credits or reached its monthly spending limit.",
            },
        ),
        "bad_key": Said(
            400,
            {
                "code": "Client specified an invalid argument",
                "error": "Incorrect API key provided: xa***9. You can obtain an API key from https://console.x.ai.",
            },
        ),
        "rate_limit": Said(429, {"code": _EXHAUSTED, "error": "Too many requests. Please try again in 3 seconds."}),
        "failed": Said(503, {"code": "The service is currently unavailable", "error": "The model is at capacity."}),
        "bad_value": Said(
            400, {"code": "Client specified an invalid argument", "error": "Invalid value '{value}' for {param}."}
        ),
        "unknown_parameter": Said(400, {"code": "400", "error": "Argument not supported: {param}"}),
        "no_model": Said(
            404,
            {
                "code": "Some requested entity was not found",
                "error": "The model {model} does not exist or your team does not have access to it.",
            },
        ),
        "no_route": Said(415, "Expected request with `Content-Type: application/json`"),
    },
    edits="json",
    takes=frozenset({"model", "prompt", "n", "response_format", "user", "quality", "aspect_ratio", "image", "images"}),
    is_strict=True,
    answers="as_asked",
    tells_usage=False,
)

_OPENROUTER = Dialect(
    name="OpenRouter",
    source="its documentation: pictures are asked for at /images",
    says={
        "bad_key": _error(401, "No auth credentials found", code=401),
        "no_route": Said(404, "<!DOCTYPE html><html><title>404: not found</title></html>"),
    },
    root="/api/v1",
    route="images",
    edits="none",
    upstream_model="gpt-image-2.5-flare",
)

_TOGETHER = Dialect(
    name="Together",
    source="its documentation: width and height, and base64 where others say b64_json",
    says={
        "moderation": _error(
            422, "The prompt has been flagged as NSFW content.", type="invalid_request_error", code=None
        ),
        "no_funds": _error(402, "Credit limit exceeded, please add a payment method", type="credit_limit", code=None),
        "bad_key": _error(
            401,
            "Invalid API key provided. You can find your API key at https://api.together.ai/settings/api-keys.",
            type="invalid_request_error",
            code="invalid_api_key",
        ),
        "rate_limit": _error(
            429,
            "You have reached the rate limit specific to this model.",
            headers={"x-ratelimit-reset": "2"},
            type="model_rate_limit",
            code=None,
        ),
        "failed": _error(500, "Internal server error", type="server_error", code=None),
        "bad_value": _error(
            400, "Invalid value for {param}: '{value}'", type="invalid_request_error", param="{param}", code=None
        ),
        "no_model": _error(
            404,
            "Unable to access model {model}. Please visit https://api.together.ai/models to view the list of supported "
            "models.",
            type="invalid_request_error",
            code="model_not_available",
        ),
        "no_route": _error(404, "Not found", type="invalid_request_error", code=None),
    },
    edits="none",
    takes=frozenset({"model", "prompt", "n", "width", "height", "response_format", "steps", "seed"}),
    values={"response_format": ("base64", "url")},
    answers="url",
    tells_usage=False,
)


def _google(status: int, message: str, word: str, *details: Mapping[str, Any]) -> Said:
    return Said(status, [{"error": {"code": status, "message": message, "status": word, "details": list(details)}}])


_GEMINI = Dialect(
    name="Gemini's compatible API",
    source="its documentation, ffroliva/gflow-cli#342, and its answers to the first review",
    says={
        "moderation": _google(
            400,
            "The prompt could not be submitted. It contains sensitive words that violate Google's Responsible AI "
            "practices.",
            "INVALID_ARGUMENT",
        ),
        "no_funds": _google(
            429, "You exceeded your current quota, please check your plan and billing details.", "RESOURCE_EXHAUSTED"
        ),
        "bad_key": _google(
            400,
            "API key not valid. Please pass a valid API key.",
            "INVALID_ARGUMENT",
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"},
        ),
        "rate_limit": _google(
            429,
            "You exceeded your current quota, please check your plan and billing details.",
            "RESOURCE_EXHAUSTED",
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "8s"},
        ),
        "failed": _google(503, "The model is overloaded. Please try again later.", "UNAVAILABLE"),
        "bad_value": _google(400, "Invalid value for {param}: {value}", "INVALID_ARGUMENT"),
        "unknown_parameter": _google(
            400,
            'Invalid JSON payload received. Unknown name "{param}": Cannot find field.',
            "INVALID_ARGUMENT",
            {
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [{"description": 'Invalid JSON payload received. Unknown name "{param}"'}],
            },
        ),
        "no_model": _google(404, "models/{model} is not found for API version v1main.", "NOT_FOUND"),
        "no_route": Said(404, ""),
    },
    root="/v1beta/openai",
    edits="none",
    takes=frozenset({"model", "prompt", "n", "size", "response_format"}),
    is_strict=True,
    tells_usage=False,
)

# --- servers on one's own machine ------------------------------------------------------------------------------------

_LOCALAI = Dialect(
    name="LocalAI",
    source="its issues #3888 and #1909, nextcloud/integration_openai#290",
    says={
        "bad_key": _error(401, "Authorization required", code=401, type=""),
        "bad_picture": _error(500, "rpc error: code = Unknown desc = cannot identify image file", code=500, type=""),
        "failed": _error(500, "rpc error: code = Unavailable desc = error reading from server: EOF", code=500, type=""),
        "no_model": _error(
            500, "could not load model - all backends returned error: model {model} not found", code=500, type=""
        ),
        "no_route": _error(404, "Resource not found", code=404, type=""),
    },
    takes=_PLAIN | {"quality", "step", "image", "mask"},
    answers="as_asked",
    tells_usage=False,
)


def _vllm(status: int, message: str, kind: str) -> Said:
    return _error(status, message, type=kind, param=None, code=status)


_VLLM = Dialect(
    name="vLLM-Omni",
    source="its issues #2249 and #3649",
    says={
        "bad_key": Said(401, {"error": "Unauthorized"}),
        "bad_picture": _vllm(400, "Invalid image file: cannot identify image file", "BadRequestError"),
        "failed": _vllm(500, "EngineCore encountered an issue.", "InternalServerError"),
        "bad_value": Said(
            422,
            {
                "detail": [
                    {
                        "type": "enum",
                        "loc": ["body", "{param}"],
                        "msg": "Input should be 'b64_json'",
                        "input": "{value}",
                    }
                ]
            },
        ),
        "no_model": _vllm(404, "The model `{model}` does not exist.", "NotFoundError"),
        "no_route": Said(404, {"detail": "Not Found"}),
    },
    values={"response_format": ("b64_json",)},
    tells_usage=False,
)

_SD_SERVER = Dialect(
    name="stable-diffusion.cpp",
    source="examples/server of its repository",
    says={
        "bad_picture": Said(400, {"error": "failed to decode image"}),
        "failed": Said(500, {"error": "server_error", "message": "generate_image returned no results"}),
        "bad_value": Said(400, {"error": "{message}"}),
        "no_model": Said(400, {"error": "model required"}),
        "no_route": Said(404, ""),
    },
    takes=frozenset({"prompt", "n", "size", "output_format", "output_compression", "image", "mask"}),
    tells_usage=False,
)

_ALL = (
    _LITELLM,
    _NEW_API,
    _PORTKEY,
    _AZURE_V1,
    _AZURE_CLASSIC,
    _XAI,
    _OPENROUTER,
    _TOGETHER,
    _GEMINI,
    _LOCALAI,
    _VLLM,
    _SD_SERVER,
)
DIALECTS: Mapping[str, Dialect] = {one.name: one for one in _ALL}
