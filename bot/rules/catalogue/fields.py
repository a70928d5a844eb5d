"""Every field of an entry in ``catalogue.toml`` or ``IMAGE_MODELS``, and how it is read.

A reader takes what TOML gave and returns the value of the field of ``Model``, or raises ``Wrong`` with the words for
what was expected. What the fields mean together is checked in ``checks.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from bot.rules.catalogue.model import InputRule
from bot.rules.money import MicroUSD, TokenPrices
from bot.rules.options.sizes import Size, SizeList, SizeRule, Sizes, is_legal, parse_size
from bot.rules.requests import DRAWING, Endpoint

Reader = Callable[[Any], Any]

LARGEST = 10**9
MICRO = 1_000_000


class Wrong(Exception):
    """A value cannot be read; the message says what was expected, ``where`` is the key inside the field."""

    def __init__(self, expected: str, where: str = "") -> None:
        super().__init__(expected)
        self.where = where


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong("expected true or false")
    return value


def word(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 100 or not value.isprintable():
        raise Wrong("expected text of 1 to 100 characters")
    return value


def one_of(*allowed: str) -> Reader:
    """Reads one of these words."""

    def read(value: Any) -> str:
        if value not in allowed:
            raise Wrong("expected " + " or ".join(allowed))
        return str(value)

    return read


def words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise Wrong('expected a list of words, like ["low", "high"]')
    read = tuple(word(entry) for entry in value)
    if len(set(read)) != len(read):
        raise Wrong("names something twice")
    return read


def word_set(value: Any) -> frozenset[str]:
    return frozenset(words(value))


def day(value: Any) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise Wrong("expected a date without quotes, like 2026-12-01")
    return value


def whole(low: int, high: int = LARGEST) -> Reader:
    """Reads whole numbers from ``low`` to ``high``."""

    def read(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise Wrong(f"expected a whole number from {low:,} to {high:,}")
        return value

    return read


def dollars(value: Any) -> MicroUSD:
    """Dollars as written, exactly; at most six decimals, so that micro-dollars are whole."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        amount = Decimal(value)
        if amount.is_finite() and 0 <= amount <= LARGEST and amount * MICRO == int(amount * MICRO):
            return MicroUSD(int(amount * MICRO))
    raise Wrong("expected dollars with at most six decimals, like 0.04")


def table(read_key: Reader, read_value: Reader) -> Reader:
    """Reads a table whose keys and values are all of one kind."""

    def read(value: Any) -> dict[Any, Any]:
        if not isinstance(value, Mapping):
            raise Wrong("expected a table, like { key = value }")
        return {_at(key, read_key, key): _at(key, read_value, entry) for key, entry in value.items()}

    return read


def record(readers: Mapping[str, Reader], needed: frozenset[str]) -> Reader:
    """Reads a table with these keys and no others."""

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise Wrong("expected a table with " + ", ".join(readers))
        for key in value:
            if key not in readers:
                raise Wrong("no such key; there are " + ", ".join(readers), str(key))
        for key in sorted(needed - value.keys()):
            raise Wrong("is missing", key)
        return {key: _at(key, readers[key], entry) for key, entry in value.items()}

    return read


def _at(key: str, read: Reader, value: Any) -> Any:
    try:
        return read(value)
    except Wrong as wrong:
        raise Wrong(str(wrong), f"{key}.{wrong.where}" if wrong.where else key) from None


def size(value: Any) -> Size:
    read = parse_size(value) if isinstance(value, str) else None
    if not isinstance(read, Size):
        raise Wrong('expected a size, like "1024x1024"')
    return read


def size_tuple(value: Any) -> tuple[Size, ...]:
    if not isinstance(value, list) or not value:
        raise Wrong('expected a list of sizes, like ["1024x1024"]')
    return tuple(dict.fromkeys(size(entry) for entry in value))


def ratio(value: Any) -> float:
    if not isinstance(value, int | Decimal) or isinstance(value, bool) or not 1 <= value <= 100:
        raise Wrong("expected a number from 1 to 100")
    return float(value)


def endpoint(value: Any) -> Endpoint:
    if value not in DRAWING:
        raise Wrong("expected " + ", ".join(one for one in Endpoint if one in DRAWING))
    return Endpoint(value)


def endpoints(value: Any) -> frozenset[Endpoint]:
    read = frozenset(endpoint(entry) for entry in words(value))
    if not read:
        raise Wrong("expected at least one of " + ", ".join(one for one in Endpoint if one in DRAWING))
    return read


_LIST: dict[str, Reader] = {"list": size_tuple, "auto": flag}
_RULE: dict[str, Reader] = {
    "step_px": whole(1, 1024),
    "max_edge_px": whole(1, 99_999),
    "max_ratio": ratio,
    "min_pixels": whole(1),
    "max_pixels": whole(1),
    "standard": size_tuple,
    "auto": flag,
}


def sizes(value: Any) -> Sizes:
    """``{ list = [...], auto = false }``, or the bounds of a rule with its standard sizes."""
    if isinstance(value, Mapping) and "list" in value:
        read = record(_LIST, frozenset({"list"}))(value)
        return SizeList(read["list"], read.get("auto", False))
    rule = SizeRule(**({"auto": False} | record(_RULE, frozenset(_RULE) - {"auto"})(value)))
    for standard in rule.standard:
        if not is_legal(rule, standard):
            raise Wrong(f"{standard} breaks the rule itself", "standard")
    return rule


def bounds(low: int, high: int = LARGEST) -> Reader:
    """Reads the fewest and the most of something, both from ``low`` to ``high``."""
    count = whole(low, high)

    def read(value: Any) -> tuple[int, int]:
        if not isinstance(value, list) or len(value) != 2 or not count(value[0]) <= count(value[1]):
            raise Wrong("expected fewest and most, like [2, 16]")
        return value[0], value[1]

    return read


_PRICES = ("text_in", "image_in", "image_out", "text_in_cached", "image_in_cached")


def token_prices(value: Any) -> TokenPrices:
    return TokenPrices(**record(dict.fromkeys(_PRICES, dollars), frozenset(_PRICES[:3]))(value))


def by_quality_and_size(read_value: Reader) -> Reader:
    """Reads ``{ low = { 1024x1024 = … } }`` into one mapping by (quality, size)."""

    def read(value: Any) -> dict[tuple[str, Size], Any]:
        nested = table(word, table(size, read_value))(value)
        return {(quality, its): entry for quality, row in nested.items() for its, entry in row.items()}

    return read


_INPUT: dict[str, Reader] = {"max_images": whole(1, 16), "formats": word_set, "max_bytes": whole(1), "square": flag}


def input_rule(value: Any) -> InputRule:
    return InputRule(**record(_INPUT, frozenset(_INPUT) - {"square"})(value))


FIELDS: Mapping[str, Reader] = {
    "short_name": word,
    "endpoints": endpoints,
    "max_prompt": table(endpoint, whole(1)),
    "max_count": whole(1, 10),  # ten attachments fit a Discord message
    "one_per_call": flag,
    "sizes": sizes,
    "default_size": word,
    "qualities": words,
    "default_quality": word,
    "styles": words,
    "backgrounds": words,
    "formats": words,
    "default_format": word,
    "compressible": word_set,
    "transparent_formats": word_set,
    "moderations": words,
    "complexities": words,
    "fidelities": words,
    "frames": bounds(1, 1000),
    "default_frames": whole(1, 1000),
    "max_partials": whole(0, 3),
    "inputs": table(endpoint, input_rule),
    "mask_max_bytes": whole(1),
    "has_markup": flag,
    "takes_response_format": flag,
    "user_field": one_of("user", "safety_identifier"),
    "deadline_s": table(word, whole(1, 3600)),
    "retired_on": day,
    "ends_on": day,
    "successors": words,
    "alias_of": word,
    "service": word,
    "name": word,
    "instead": words,
    "overnight_percent": whole(0, 100),
}
"""Fields of ``Model`` and how each is read."""

PRICE_FIELDS: Mapping[str, Reader] = {
    "prices": token_prices,
    "quality_g": table(word, whole(1, 1000)),
    "output_tokens": by_quality_and_size(whole(0)),
    "per_image": by_quality_and_size(dollars),
    "free": flag,
}
"""Fields that become its ``Pricing``."""

GONE = frozenset({"released_on", "reports_usage", "revises_prompts"})
"""Fields of earlier versions that nothing depends on: still taken from an operator's file, and not read."""

KNOWN: Mapping[str, Reader] = {
    **FIELDS,
    **PRICE_FIELDS,
    "like": word,
    "hidden": flag,
    "sources": table(word, words),
}
"""Every field an entry may have: the last few steer reading, or only explain."""

NEEDED = ("endpoints", "max_prompt", "max_count", "sizes")
"""Fields that every whole entry has."""
