"""An ``ImageRequest`` as the keyword arguments of the SDK's method for its endpoint. Pure.

Law: a parameter that is None is not sent; a file is always sent with a name of ours and its true type, because bare
bytes go out as ``application/octet-stream`` and are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.adapters.openai.chat import chat_arguments
from bot.adapters.openai.refusals.errors import Reason
from bot.adapters.openai.refusals.meanings import CODES
from bot.rules.catalogue.model import Model
from bot.rules.catalogue.pricing import UnknownPrice, upper_bound
from bot.rules.options.table import OPTIONS, Option, Shown
from bot.rules.requests import Endpoint, ImageRequest, InputImage, Inputs

FilePart = tuple[str, bytes, str]

STRIPPABLE = frozenset(option.wire_name for option in OPTIONS if option.wire_name and option.is_dispensable) | {
    "user",
    "safety_identifier",
    "response_format",
    "markup",
    "stream",
}
"""What a compatible server that does not know it may do without."""

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
    """Arguments for ``generate``, ``edit``, ``create_variation`` or, for words, ``chat.completions.create``.

    ``without``: what the server refused before. Raises ``ValueError`` for what cannot be sent.
    """
    if request.is_words:
        return chat_arguments(request, inputs, model, official=official, member_tag=member_tag)
    endpoint = request.endpoint
    arguments: dict[str, Any] = {} if endpoint is Endpoint.VARIATIONS else {"prompt": request.prompt}
    arguments["model"] = model.wire_name if model is not None else request.model
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
    r"unknown (?:parameter|argument|field|name)|cannot find field|unrecognized|additional propert"
    r"|extra (?:fields|inputs)|unexpected (?:keyword|argument|parameter|field)|was unexpected|UnsupportedParams"
    r"|(?:parameter|argument|field|propert)\w*\b.{0,60}\b(?:not (?:permitted|supported|allowed)|unsupported)"
    r"|(?:unsupported|n[o']t (?:permitted|supported?|allowed)):? (?:parameter|argument|field)"
    r"|['\"`][a-z_]+['\"`] (?:is|are) (?:not (?:permitted|supported|allowed|accepted)|unsupported)",
    re.IGNORECASE | re.DOTALL,
)
_BAD_VALUE = re.compile(r"(?:invalid|unsupported) value|must be (?:one of|between)", re.IGNORECASE)
_UNKNOWN_CODES = frozenset({"unknown_parameter", "unsupported_parameter", "extra_forbidden", "value_error.extra"})
_OURS = "response_format"
"""How a picture is sent back: a value that is refused is as good as an unknown parameter, for it is nobody's wish."""
_LISTS_VALUES = re.compile(r"UnsupportedParams|support parameters", re.IGNORECASE)
"""LiteLLM tells the parameters it does not know together with what was sent."""


def refused_parameters(reason: Reason, sent: Mapping[str, Any]) -> frozenset[str]:
    """The parameters that the server says it does not know at all; none if it objects to a value."""
    code, message = (reason.code or "").lower(), reason.message
    if _OURS in sent and _OURS in f"{reason.param} {message}":
        return frozenset({_OURS})
    unknown = code in _UNKNOWN_CODES or _UNKNOWN_PARAMETER.search(message)
    if not unknown or _BAD_VALUE.search(message) or (code in CODES and code not in _UNKNOWN_CODES):
        return frozenset()
    quoted = set(re.findall(r"['\"`]([a-z_]+(?:\.[a-z_]+)*)['\"`]", message))
    named = {reason.param or ""} | quoted
    named |= {name for name in sent if re.search(_NAMED.format(name), message, re.IGNORECASE)}
    hit = {name for name in named & set(sent) if _LISTS_VALUES.search(message) or not _quotes(message, sent[name])}
    return frozenset().union(*(_TOGETHER.get(name, frozenset({name})) for name in hit))


_NAMED = r"(?:parameter|argument|field|option)s?(?: (?:is |are )?not supported| unsupported)?:?\s+{}\b(?!\s*=)"


def _quotes(message: str, value: object) -> bool:
    """Whether the message speaks of the very value that was sent: then it may know the parameter."""
    return isinstance(value, str) and len(value) > 1 and re.search(rf"\b{re.escape(value)}\b", message) is not None


def dispensable(request: ImageRequest, model: Model | None) -> frozenset[str]:
    """What may be left out of this very request: nothing that carries its meaning, nothing that bounds its price."""
    kept = {"background"} if request.background == "transparent" else set()
    kept |= {"output_format"} if request.format in {"gif", "svg"} else set()
    kept |= {
        option.wire_name
        for option in OPTIONS
        if option.wire_name in STRIPPABLE
        and option.chosen(request) is not None
        and _is_dearer_without(option, request, model)
    }
    return STRIPPABLE - kept


def _is_dearer_without(option: Option, request: ImageRequest, model: Model | None) -> bool:
    match option.name:
        case "size":
            bare = replace(request, size=None)
        case "quality":
            bare = replace(request, quality=None)
        case _:
            return False
    try:
        return model is not None and upper_bound(bare, model) > upper_bound(request, model)
    except UnknownPrice:
        return False


def left_out(request: ImageRequest, without: frozenset[str]) -> tuple[str, ...]:
    """The options that somebody chose and that are not sent, by the names people know."""
    return tuple(
        option.name
        for option in OPTIONS
        if option.wire_name in without
        and request.endpoint in option.endpoints
        and option.shown is not Shown.NOWHERE
        and option.chosen(request) is not None
    )
