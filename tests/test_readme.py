"""What the README says is true: commands, models, links. EASEL_UPDATE=1 rewrites the tables of models."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.operator.models import price_cells, prices
from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.catalogue.model import Model
from bot.rules.options.sizes import SizeList

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
MODELS = ROOT / "docs" / "models.md"
BEGIN_CURRENT = "<!-- current models: kept true by tests/test_readme.py -->\n"
END_CURRENT = "<!-- /current models -->"
BEGIN = "<!-- models: kept true by tests/test_readme.py -->\n"
END = "<!-- /models -->"


def readme() -> str:
    return README.read_text(encoding="utf-8")


def row(model: Model) -> str:
    sizes = ", ".join(map(str, model.sizes.sizes)) if isinstance(model.sizes, SizeList) else "any by rule, up to 4K"
    does = ", ".join(
        word
        for word, there in [
            ("make", "generations" in model.endpoints),
            ("edit", "edits" in model.endpoints),
            ("vary", "variations" in model.endpoints or "edits" in model.endpoints),
            ("previews", model.max_partials > 0),
            ("transparent", "transparent" in model.backgrounds),
            ("GIF, SVG", "gif" in model.formats),
        ]
        if there
    )
    gone = (
        f"retired {model.retired_on}" if model.retired_on else f"ends {model.ends_on}" if model.ends_on else "current"
    )
    return f"| `{model.id}` | {does} | {sizes} | {', '.join(model.qualities) or '–'} | {gone} |"


def table() -> str:
    lines = ["| model | can | sizes | qualities | at OpenAI |", "|---|---|---|---|---|"]
    return "\n".join(lines + [row(model) for model in load_catalogue(builtin_catalogue())]) + "\n"


def current() -> str:
    """The models somebody who begins may choose from: no snapshot, none that ends."""
    lines = ["| model | low | medium | best | makes |", "|---|---|---|---|---|"]
    for model in load_catalogue(builtin_catalogue()):
        if not (model.retired_on or model.ends_on or re.search(r"\d{4}-\d\d-\d\d$", model.id)):
            low, medium, best = price_cells(prices(model))
            makes = "pictures to 4K, edits" + (", GIF, SVG" if "gif" in model.formats else "")
            lines.append(f"| `{model.id}` | {low} | {medium} | {best} | {makes} |")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("page", "begin", "end", "made"),
    [(MODELS, BEGIN, END, table), (README, BEGIN_CURRENT, END_CURRENT, current)],
    ids=["all", "current"],
)
def test_the_tables_of_models_are_the_catalogue(page: Path, begin: str, end: str, made: Callable[[], str]):
    head, rest = page.read_text(encoding="utf-8").split(begin)
    found, tail = rest.split(end)
    if os.environ.get("EASEL_UPDATE"):
        page.write_text(head + begin + made() + end + tail, encoding="utf-8")
        return

    assert found == made()


@pytest.mark.parametrize(
    "command", sorted(path.stem for path in (ROOT / "cogs").glob("*.py") if path.stem != "__init__")
)
def test_every_command_file_has_its_command_in_the_readme(command):
    words = {"menus": "**Edit image**", "about": "`/about`"}.get(command, f"`/{command}`")

    assert words in readme()


def test_every_link_of_the_readme_leads_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", readme()):
        if "://" not in target:
            assert (ROOT / target).exists(), target
