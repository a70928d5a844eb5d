"""What the service refuses, as data, in OpenAI's words and shape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

INVALID = "invalid_request_error"
_TYPES: Mapping[type, str] = {
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    str: "a string",
    list: "an array",
    dict: "an object",
}


@dataclass(slots=True, eq=False)
class ApiError(Exception):
    """An answer ``{"error": {message, type, param, code}}`` with its status. ``extra`` joins the error object."""

    status: int
    message: str
    type: str = INVALID
    param: str | None = None
    code: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        error = {"message": self.message, "type": self.type, "param": self.param, "code": self.code}
        return {"error": {**error, **self.extra}}


def missing(param: str) -> ApiError:
    return ApiError(400, f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")


def unknown(param: str) -> ApiError:
    return ApiError(400, f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")


def invalid(param: str, message: str) -> ApiError:
    return ApiError(400, message, param=param, code="invalid_value")


def not_one_of(param: str, value: object, allowed: Iterable[str]) -> ApiError:
    listed = ", ".join(f"'{word}'" for word in allowed)
    return invalid(param, f"Invalid value: '{value}'. Supported values are: {listed}.")


def wrong_type(param: str, wanted: str, value: object) -> ApiError:
    said = _TYPES.get(type(value), "null")
    message = f"Invalid type for '{param}': expected {wanted}, but got {said} instead."
    return ApiError(400, message, param=param, code="invalid_type")


def too_small(param: str, value: int, least: int) -> ApiError:
    message = f"Invalid '{param}': integer below minimum value. Expected a value >= {least}, but got {value} instead."
    return ApiError(400, message, param=param, code="integer_below_min_value")


def too_big(param: str, value: int, most: int) -> ApiError:
    message = f"Invalid '{param}': integer above maximum value. Expected a value <= {most}, but got {value} instead."
    return ApiError(400, message, param=param, code="integer_above_max_value")


def too_long(param: str, length: int, most: int) -> ApiError:
    message = (
        f"Invalid '{param}': string too long. Expected a string with maximum length {most}, "
        f"but got a string with length {length} instead."
    )
    return ApiError(400, message, param=param, code="string_above_max_length")


def model_not_found(model: object) -> ApiError:
    message = f"The model '{model}' does not exist or you do not have access to it."
    return ApiError(404, message, code="model_not_found")


def bad_image(param: str, message: str) -> ApiError:
    return ApiError(400, message, type="image_generation_user_error", param=param, code="invalid_image_file")


def bad_mime(param: str, mime: str, allowed: Iterable[str]) -> ApiError:
    listed = ", ".join(f"'{one}'" for one in allowed)
    message = f"Invalid file '{param}': unsupported mimetype ('{mime}'). Supported file formats are {listed}."
    return ApiError(400, message, param=param, code="unsupported_file_mimetype")


def bad_key(key: str) -> ApiError:
    """The 401 of OpenAI, which repeats a piece of the key: what must never reach a person or a log."""
    hint = f"{key[:8]}{'*' * max(0, len(key) - 12)}{key[-4:]}"
    message = (
        f"Incorrect API key provided: {hint}. You can find your API key at "
        "https://platform.openai.com/account/api-keys."
    )
    return ApiError(401, message, code="invalid_api_key")


def no_key() -> ApiError:
    message = "You didn't provide an API key. Provide it in an Authorization header using Bearer auth."
    return ApiError(401, message)


def moderation_blocked(stage: str, categories: tuple[str, ...] = ("violence",)) -> ApiError:
    """The refusal of the GPT Image models; ``stage`` is input or output (then the picture was rendered)."""
    message = (
        "Your request was rejected by the safety system. If you believe this is an error, contact us at "
        f"help.openai.com and include the request ID. safety_violations=[{','.join(categories)}]."
    )
    details = {"moderation_stage": stage, "categories": list(categories)}
    return ApiError(
        400, message, "image_generation_user_error", None, "moderation_blocked", {"moderation_details": details}
    )


def content_policy_violation() -> ApiError:
    """The refusal of the DALL·E models."""
    message = (
        "Your request was rejected as a result of our safety system. Your prompt may contain text that is not allowed "
        "by our safety system."
    )
    return ApiError(400, message, code="content_policy_violation")
