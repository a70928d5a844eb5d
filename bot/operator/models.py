"""``python -m bot models``: prints the catalogue as this machine's settings make it."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from datetime import date

from bot.parts import catalogue_of, now
from bot.rules.catalogue.model import Model
from bot.rules.options.sizes import standard_sizes
from bot.settings.sources import load_settings


def table(catalogue: Iterable[Model], *, official: bool, today: date) -> str:
    """One line a model: what it can do, how its pictures are paid, and until when it is there."""
    header = ("model", "can", "sizes", "qualities", "formats", "price", "status")
    rows = [header, *(_row(model, official=official, today=today) for model in catalogue)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _row(model: Model, *, official: bool, today: date) -> tuple[str, ...]:
    sizes = [str(size) for size in standard_sizes(model.sizes)]
    return (
        model.id,
        " ".join(sorted(endpoint.value.removesuffix("s") for endpoint in model.endpoints)),
        " ".join(sizes[:3]) + (" …" if len(sizes) > 3 else ""),
        " ".join(model.qualities) or "-",
        " ".join(model.formats) or model.default_format,
        price(model),
        status(model, official=official, today=today),
    )


def price(model: Model) -> str:
    """How the model is paid, or ``unknown``: then no budget can be reserved and it cannot be used."""
    pricing = model.pricing
    if pricing is None:
        return "unknown"
    if pricing.free:
        return "free"
    if pricing.tokens is not None:
        return f"${pricing.tokens.image_out / 1_000_000:g}/M tokens"
    if pricing.per_image:
        low, high = min(pricing.per_image.values()), max(pricing.per_image.values())
        return f"${low / 1_000_000:g}" + (f" to ${high / 1_000_000:g}" if high != low else "") + " a picture"
    return "unknown"


def status(model: Model, *, official: bool, today: date) -> str:
    """Whether OpenAI still serves it; a compatible server may serve anything."""
    if not official:
        return "as the server says"
    if model.retired_on is not None and model.retired_on <= today:
        return f"retired {model.retired_on}"
    if model.ends_on is not None:
        return f"ended {model.ends_on}" if model.ends_on <= today else f"ends {model.ends_on}"
    return "offered"


def main(_arguments: argparse.Namespace) -> int:
    """Prints every model this configuration knows."""
    settings = load_settings()
    print(table(catalogue_of(settings), official=settings.is_official_service, today=now().date()))  # noqa: T201
    return 0
