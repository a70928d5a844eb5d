"""``python -m bot models``: prints the catalogue as this machine's settings make it."""

from __future__ import annotations

import argparse
import json
from datetime import date
from typing import Any

from bot.parts import catalogue_of, now
from bot.rules.catalogue.catalogue import Catalogue
from bot.rules.catalogue.model import Model
from bot.rules.catalogue.pricing import picture_price
from bot.rules.money import MILLION
from bot.rules.options.sizes import Size, SizeList, standard_sizes
from bot.settings.sources import load_settings

SQUARE = Size(1024, 1024)
NOTE = "Dollars a picture of 1024x1024, without prompt and input pictures. --json says more."


def table(catalogue: Catalogue, *, official: bool, today: date) -> str:
    """One line a model: what a picture costs, what else it can do, and until when it is there. Fits 100 columns."""
    header = ("model", "low", "medium", "best", "also", "sizes", "status")
    rows = [header, *(_row(model, official=catalogue.is_official(model, official), today=today) for model in catalogue)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:], "", NOTE])


def _row(model: Model, *, official: bool, today: date) -> tuple[str, ...]:
    return (
        model.id,
        *price_cells(prices(model)),
        " ".join(word for word in _can(model) if word != "make"),
        str(len(model.sizes.sizes)) if isinstance(model.sizes, SizeList) else "any",
        status(model, official=official, today=today),
    )


def price_cells(found: dict[str, int]) -> tuple[str, str, str]:
    """The lowest quality, the middle one and the best; one that does not differ is left out."""
    if not found:
        return "", "unknown", ""
    if not any(found.values()):
        return "", "free", ""
    levels = list(found)
    middle = "medium" if "medium" in found else levels[(len(levels) - 1) // 2]
    low, medium, best = (f"${found[level] / MILLION:.3f}" for level in (levels[0], middle, levels[-1]))
    return "" if levels[0] == middle else low, medium, "" if levels[-1] == middle else best


def _can(model: Model) -> list[str]:
    """The calls it has, by the commands that need them."""
    words = {"generations": "make", "edits": "edit", "variations": "vary"}
    return [word for endpoint, word in words.items() if endpoint in {one.value for one in model.endpoints}]


def prices(model: Model) -> dict[str, int]:
    """Micro-dollars by quality, of the dearest size where it has no such square; by "" where it has no quality."""
    size = SQUARE if SQUARE in standard_sizes(model.sizes) else None
    levels = [level for level in model.qualities if level != "auto"] or [""]
    found = {level: picture_price(model, level or None, size) for level in levels}
    return {level: int(cost) for level, cost in found.items() if cost is not None}


def status(model: Model, *, official: bool, today: date) -> str:
    """Whether OpenAI still serves it; a compatible server may serve anything."""
    if not official:
        return "as the server says"
    if model.retired_on is not None and model.retired_on <= today:
        return f"retired {model.retired_on}"
    if model.ends_on is not None:
        return f"ended {model.ends_on}" if model.ends_on <= today else f"ends {model.ends_on}"
    return "offered"


def listing(catalogue: Catalogue, *, official: bool, today: date) -> list[dict[str, Any]]:
    """The same for machines: prices in dollars of a 1024x1024 picture by quality (by "" where there is none)."""
    return [
        {
            "id": model.id,
            "can": _can(model),
            "sizes": [str(size) for size in standard_sizes(model.sizes)],
            "any_size": not isinstance(model.sizes, SizeList),
            "qualities": list(model.qualities),
            "formats": list(model.formats) or [model.default_format],
            "usd_a_picture": {level: cost / MILLION for level, cost in prices(model).items()},
            "service": model.service,
            "status": status(model, official=catalogue.is_official(model, official), today=today),
        }
        for model in catalogue
    ]


def main(arguments: argparse.Namespace) -> int:
    """Prints every model this configuration knows."""
    settings = load_settings()
    known, official, today = catalogue_of(settings), settings.is_official_service, now().date()
    if arguments.json:
        print(json.dumps(listing(known, official=official, today=today), indent=2))  # noqa: T201
    else:
        print(table(known, official=official, today=today))  # noqa: T201
    return 0
