"""An ``ImageRequest`` as the keyword arguments of the SDK's method for its endpoint. Pure.

Law: a parameter that is None is not sent; a file is always sent with a name of ours and its true type, because bare
bytes go out as ``application/octet-stream`` and are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.adapters.openai.errors import Reason
from bot.rules.catalogue.model import Model
from bot.rules.options.table import OPTIONS
from bot.rules.requests import Endpoint, ImageRequest, InputImage, Inputs

FilePart = tuple[str, bytes, str]

STRIPPABLE = frozenset(option.wire_name for option in OPTIONS if option.wire_name and option.is_dispensable) | {
    "user",
    "safety_identifier",
    "response_format",
    "markup",
    "stream",
}
"""What a compatible server may do without; the picture is still the one that was asked for."""

_TOGETHER: Mapping[str, frozenset[str]] = {
    "stream": frozenset({"stream", "partial_images"}),
    "partial_images": frozenset({"stream", "partial_images"}),
}


def may_stream(request: ImageRequest) -> bool:
    """Whether previews can come: one picture, and not a format that is made in one piece."""
    return (
        request.partial_images > 0
        and request.pictures_per_call == 1
        and request.format not in {"gif", "svg"}
        and request.endpoint is not Endpoint.VARIATIONS
    )


def call_arguments(
    request: ImageRequest,
    inputs: Inputs,
    model: Model | None,
    *,
    official: bool,
    member_tag: str,
    stream: bool,
    without: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Arguments for ``generate``, ``edit`` or ``create_variation``. ``without``: what the server refused before."""
    endpoint = request.endpoint
    arguments: dict[str, Any] = {} if endpoint is Endpoint.VARIATIONS else {"prompt": request.prompt}
    arguments["model"] = request.model
    here = [option for option in OPTIONS if option.wire_name and endpoint in option.endpoints]
    arguments |= {option.wire_name: option.to_send(request) for option in here}
    if model is not None and model.takes_response_format:
        arguments["response_format"] = "b64_json"
    arguments[model.user_field if official and model is not None else "user"] = member_tag or None
    if stream and may_stream(request):
        arguments["stream"] = True
    else:
        arguments.pop("partial_images", None)
    if endpoint is not Endpoint.GENERATIONS:
        arguments |= _files(endpoint, inputs)
    kept = {name: value for name, value in arguments.items() if value is not None and name not in without}
    beyond = [option.wire_name for option in here if endpoint in option.beyond_sdk]
    extra = {name: kept.pop(name) for name in beyond if name in kept}
    return {**kept, "extra_body": extra} if extra else kept


def _files(endpoint: Endpoint, inputs: Inputs) -> dict[str, FilePart | list[FilePart] | None]:
    if not inputs.images:
        raise ValueError(f"{endpoint} needs a picture")
    uploads = [_upload(f"image-{at}", image) for at, image in enumerate(inputs.images, 1)]
    single = len(uploads) == 1 or endpoint is Endpoint.VARIATIONS
    files: dict[str, FilePart | list[FilePart] | None] = {"image": uploads[0] if single else uploads}
    if endpoint is Endpoint.EDITS:
        files["mask"] = _upload("mask", inputs.mask) if inputs.mask else None
        files["markup"] = _upload("markup", inputs.markup) if inputs.markup else None
    return files


def _upload(name: str, image: InputImage) -> FilePart:
    """The member's own file name stays here."""
    extension = image.mime.rpartition("/")[2].partition("+")[0] or "png"
    return f"{name}.{extension}", image.data, image.mime


_UNKNOWN_PARAMETER = re.compile(
    r"unknown (?:parameter|argument|field)|unrecognized|unexpected (?:keyword|parameter|field)|additional propert"
    r"|extra (?:fields|inputs)|not (?:permitted|supported|allowed)|unsupported|does ?n[o']t support|UnsupportedParams",
    re.IGNORECASE,
)
_BAD_VALUE = re.compile(r"(?:invalid|unsupported) value|must be (?:one of|between)", re.IGNORECASE)
_UNKNOWN_CODES = frozenset({"unknown_parameter", "unsupported_parameter", "extra_forbidden", "value_error.extra"})


def refused_parameters(reason: Reason, sent: frozenset[str]) -> frozenset[str]:
    """The optional parameters that the server says it does not know; none if it objects to a value."""
    unknown = (reason.code or "").lower() in _UNKNOWN_CODES or _UNKNOWN_PARAMETER.search(reason.message)
    if not unknown or _BAD_VALUE.search(reason.message):
        return frozenset()
    quoted = set(re.findall(r"['\"`]([a-z_]+(?:\.[a-z_]+)*)['\"`]", reason.message))
    named = {reason.param or ""} | quoted
    named |= {name for name in sent if re.search(rf"(?:parameter|argument|field)s?:?\s+{name}\b", reason.message)}
    hit = named & sent & STRIPPABLE
    return frozenset().union(*(_TOGETHER.get(name, frozenset({name})) for name in hit))
