"""Money: whole micro-dollars, and the prices of tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

MicroUSD = NewType("MicroUSD", int)
"""A millionth of a US dollar. The only unit of money inside Easel."""


MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class TokenPrices:
    """Micro-dollars for a million tokens, which is dollars for a million tokens times 1e6."""

    text_in: int
    image_in: int
    image_out: int
    text_in_cached: int | None = None
    image_in_cached: int | None = None
