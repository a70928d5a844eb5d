"""What a call uses, in tokens, by the published formulas."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from sandbox.images.models import ModelRules, WxH

PARTIAL_TOKENS = 100
_PATCH, _PATCHES, _COUNTED_EDGE = 32, 1536, 1024
_ADDED, _ADDED_TO_SEVERAL = 6, 80


def output_tokens(rules: ModelRules, quality: str, size: WxH) -> int:
    """For one picture: the table of the first generation, else ``ceil(g·R(g·short/long)·(2e6+w·h)/4e6)``."""
    if rules.table:
        return rules.table[quality, f"{size[0]}x{size[1]}"]
    g = rules.grid[quality]
    rows = round(g * min(size) / max(size))
    return math.ceil(g * rows * (2_000_000 + size[0] * size[1]) / 4_000_000)


def image_tokens(size: WxH) -> int:
    """For one uploaded picture: 32-pixel patches after scaling the long edge up to 1024, at most 1536."""
    scale = max(1.0, _COUNTED_EDGE / max(size))
    across, down = (math.ceil(side * scale / _PATCH) for side in size)
    return min(_PATCHES, across * down)


def text_tokens(prompt: str, inputs: int = 0) -> int:
    """About four bytes a token (the real tokenizer is not public), and what the service adds."""
    added = _ADDED if inputs < 2 else _ADDED_TO_SEVERAL
    return max(1, math.ceil(len(prompt.encode("utf-8", "replace")) / 4)) + added


def usage_of(
    rules: ModelRules, *, prompt: str, quality: str, size: WxH, n: int, partials: int, inputs: Iterable[WxH]
) -> dict[str, Any] | None:
    """The ``usage`` object of an answer; None for DALL·E, which reports none."""
    if rules.dalle:
        return None
    pictures = list(inputs)
    text, image = text_tokens(prompt, len(pictures)), sum(map(image_tokens, pictures))
    made = n * output_tokens(rules, quality, size) + partials * PARTIAL_TOKENS
    return {
        "input_tokens": text + image,
        "input_tokens_details": {"text_tokens": text, "image_tokens": image},
        "output_tokens": made,
        "output_tokens_details": {"text_tokens": 0, "image_tokens": made},
        "total_tokens": text + image + made,
    }
