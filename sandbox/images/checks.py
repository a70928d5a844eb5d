"""A raw call -> what is to be drawn, or the refusal the real service would give. Files are ``uploads.py``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.images import errors
from sandbox.images.models import MODELS, Endpoint, ModelRules, WxH, parse_size

_BACKGROUNDS = ("transparent", "opaque", "auto")
_COMPLEXITIES = ("low", "medium", "high")
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_TRUTH: Mapping[str, bool] = {"true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True, slots=True)
class Order:
    """A legal call. ``size`` None is auto; ``quality`` is resolved; ``partials`` None means no streaming was asked."""

    endpoint: Endpoint
    rules: ModelRules
    prompt: str
    n: int
    size: WxH | None
    quality: str
    style: str | None
    background: str
    format: str
    compression: int
    moderation: str
    complexity: str | None
    fidelity: str | None
    frames: int
    frame_ms: int
    stream: bool
    partials: int
    as_url: bool
    identifier: str | None


@dataclass(frozen=True, slots=True)
class Fields:
    """The raw parameters of a call; ``from_form`` says that numbers and booleans arrived as text."""

    raw: Mapping[str, Any]
    from_form: bool

    def get(self, name: str) -> Any:
        return self.raw.get(name)

    def text(self, name: str) -> str | None:
        value = self.get(name)
        if value is not None and not isinstance(value, str):
            raise errors.wrong_type(name, "a string", value)
        return value

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        value = self.get(name)
        if value is None:
            return default
        if self.from_form and isinstance(value, str) and value.lstrip("-").isascii() and value.lstrip("-").isdigit():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise errors.wrong_type(name, "an integer", value)
        if value < least:
            raise errors.too_small(name, value, least)
        if value > most:
            raise errors.too_big(name, value, most)
        return value

    def truth(self, name: str) -> bool:
        value = self.get(name)
        if self.from_form and isinstance(value, str):
            value = _TRUTH.get(value.lower(), value)
        if value is None:
            return False
        if not isinstance(value, bool):
            raise errors.wrong_type(name, "a boolean", value)
        return value

    def choice(self, name: str, allowed: tuple[str, ...], default: str | None) -> str | None:
        value = self.text(name)
        if value is None:
            return default
        if value not in allowed:
            raise errors.not_one_of(name, value, allowed)
        return value


def check(endpoint: Endpoint, fields: Fields, served: Mapping[str, ModelRules]) -> Order:
    """The order behind the parameters. Raises the ``ApiError`` of the first rule they break."""
    rules = _model(endpoint, fields, served)
    _names(endpoint, rules, fields)
    form = fields.choice("output_format", rules.formats, "png") or "png"
    n = fields.whole("n", 1, 1, rules.max_n)
    stream = fields.truth("stream")
    partials = fields.whole("partial_images", 0, 0, 3)
    if partials and not stream:
        raise errors.invalid("partial_images", "This parameter is only supported when 'stream' is true.")
    order = Order(
        endpoint=endpoint,
        rules=rules,
        prompt=_prompt(endpoint, rules, fields),
        n=n,
        size=_size(rules, fields, frames=fields.whole("frame_count", 9, 2, 16) if form == "gif" else None),
        quality=_quality(rules, fields),
        style=fields.choice("style", rules.styles, "vivid" if rules.styles else None),
        background=fields.choice("background", _BACKGROUNDS, "auto") or "auto",
        format=form,
        compression=_compression(form, fields),
        moderation=fields.choice("moderation", ("auto", "low"), "auto") or "auto",
        complexity=fields.choice("complexity", _COMPLEXITIES, None),
        fidelity=fields.choice("input_fidelity", rules.fidelities, None),
        frames=fields.whole("frame_count", 9, 2, 16),
        frame_ms=fields.whole("frame_duration_ms", 200, 1, 655_350),
        stream=stream,
        partials=partials if stream else 0,
        as_url=rules.dalle and (fields.choice("response_format", ("url", "b64_json"), "url") == "url"),
        identifier=fields.text("safety_identifier") or fields.text("user"),
    )
    _together(order, fields)
    return order


def _model(endpoint: Endpoint, fields: Fields, served: Mapping[str, ModelRules]) -> ModelRules:
    name = fields.text("model")
    if name is None:
        raise errors.missing("model")
    rules = served.get(name)
    if rules is None:
        raise errors.model_not_found(name)
    if not rules.parameters(endpoint):
        able = [one.id for one in MODELS.values() if one.parameters(endpoint)]
        raise errors.not_one_of("model", name, able)
    return rules


def _names(endpoint: Endpoint, rules: ModelRules, fields: Fields) -> None:
    allowed = rules.parameters(endpoint)
    for name in fields.raw:
        if name.partition("[")[0] not in allowed:
            raise errors.unknown(name)


def _prompt(endpoint: Endpoint, rules: ModelRules, fields: Fields) -> str:
    if endpoint == "variations":
        return ""
    prompt = fields.text("prompt")
    if not prompt:
        raise errors.missing("prompt")
    if len(prompt) > rules.max_prompt:
        raise errors.too_long("prompt", len(prompt), rules.max_prompt)
    return prompt


def _size(rules: ModelRules, fields: Fields, *, frames: int | None) -> WxH | None:
    """``frames``: of a GIF."""
    word = fields.text("size")
    if word is None:
        return (1024, 1024) if rules.dalle else None
    if rules.size_rule is None:
        if word not in rules.sizes:
            raise errors.not_one_of("size", word, rules.sizes)
        return parse_size(word)
    if word == "auto":
        return None
    size = parse_size(word)
    if size is None:
        raise errors.invalid("size", f"Invalid value: '{word}'. Expected 'auto' or WIDTHxHEIGHT.")
    sheet = rules.sheet_rule
    fault = rules.size_rule.fault(size) if frames is None or sheet is None else sheet.fault(size, frames)
    if fault:
        raise errors.invalid("size", f"Invalid value: '{word}': {fault}.")
    return size


def _quality(rules: ModelRules, fields: Fields) -> str:
    word = fields.choice("quality", rules.qualities, rules.default_quality) or rules.default_quality
    return "medium" if word == "auto" else word


def _compression(form: str, fields: Fields) -> int:
    if fields.get("output_compression") is not None and form not in ("jpeg", "webp"):
        raise errors.invalid("output_compression", "Only the 'jpeg' and 'webp' output formats have compression.")
    return fields.whole("output_compression", 100, 0, 100)


def _together(order: Order, fields: Fields) -> None:
    """Options that are legal alone and not together."""
    if order.background == "transparent" and order.format not in ("png", "webp"):
        raise errors.invalid("background", "Only 'png' and 'webp' can have a transparent background.")
    for name in ("frame_count", "frame_duration_ms"):
        if fields.get(name) is not None and order.format != "gif":
            raise errors.invalid(name, f"The '{name}' parameter is only supported with output_format 'gif'.")
    if order.format in ("gif", "svg") and order.stream:
        raise errors.invalid("stream", f"Streaming is not supported with output_format '{order.format}'.")
    if order.format == "svg" and order.n != 1:
        raise errors.invalid("n", "SVG output requires n=1.")
    _svg(order, fields)


def _svg(order: Order, fields: Fields) -> None:
    given = [name for name in fields.raw if name.partition("[")[0] == "svg"]
    if not given:
        return
    if order.format != "svg":
        raise errors.invalid("svg", "The 'svg' parameter is only supported with output_format 'svg'.")
    svg = fields.get("svg")
    if svg is None:
        svg = {"model": fields.get("svg[model]"), "reasoning": {"effort": fields.get("svg[reasoning][effort]")}}
    if not isinstance(svg, Mapping):
        raise errors.wrong_type("svg", "an object", svg)
    if not svg.get("model"):
        raise errors.missing("svg.model")
    effort = (svg.get("reasoning") or {}).get("effort")
    if effort is not None and effort not in _EFFORTS:
        raise errors.not_one_of("svg.reasoning.effort", effort, _EFFORTS)
