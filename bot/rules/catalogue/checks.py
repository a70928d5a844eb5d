"""Facts of one model that contradict each other, each as ``field: what is wrong``. An empty list is a sound model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.rules.catalogue.model import Model
from bot.rules.options.sizes import Size, Sizes, is_legal, parse_size, standard_sizes
from bot.rules.requests import Endpoint


def misfits(model: Model) -> list[str]:
    """Everything but prices."""
    default_size = parse_size(model.default_size) if model.default_size else None
    prompted = model.endpoints - {Endpoint.VARIATIONS}
    uploading = model.endpoints - {Endpoint.GENERATIONS}
    low, high = model.frames or (1, 1)
    checks = (
        (prompted <= model.max_prompt.keys(), "max_prompt: says nothing of one of the endpoints"),
        (uploading <= model.inputs.keys(), "inputs: says nothing of one of the endpoints"),
        (model.default_quality in (None, *model.qualities), "default_quality: is not one of the qualities"),
        (default_size is None or isinstance(default_size, Size), "default_size: expected a size"),
        (
            not isinstance(default_size, Size) or is_legal(model.sizes, default_size),
            "default_size: is not one of the sizes",
        ),
        (not model.formats or model.default_format in model.formats, "default_format: is not one of the formats"),
        (
            model.default_frames is None or low <= model.default_frames <= high,
            "default_frames: lies outside of frames",
        ),
        (model.id not in model.successors, "successors: a model cannot follow itself"),
    )
    return [words for holds, words in checks if not holds]


def price_misfits(model: Model) -> list[str]:
    """Prices with holes in them: a hole would be found only when somebody asks for a picture."""
    pricing = model.pricing
    if pricing is None or pricing.free:
        return []
    qualities = [quality for quality in model.qualities if quality != "auto"] or ["*"]
    if pricing.per_image:
        return _holes("per_image", pricing.per_image, qualities, model.sizes)
    if pricing.tokens is None:
        return ["prices: is missing; a table of tokens needs a price for them"]
    if pricing.output_tokens:
        return _holes("output_tokens", pricing.output_tokens, qualities, model.sizes)
    if not pricing.quality_g:
        return ["quality_g: is missing; give quality_g or output_tokens beside prices"]
    missing = [quality for quality in qualities if quality not in pricing.quality_g and "*" not in pricing.quality_g]
    return [f"quality_g: says nothing of {quality}" for quality in missing]


def _holes(name: str, prices: Mapping[tuple[str, Size], Any], qualities: Sequence[str], sizes: Sizes) -> list[str]:
    return [
        f"{name}: says nothing of {quality} {size}"
        for quality in qualities
        for size in standard_sizes(sizes)
        if (quality, size) not in prices and ("*", size) not in prices
    ]
