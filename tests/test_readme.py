"""What the README says is true: settings, commands, models, links. EASEL_UPDATE=1 rewrites the table of models."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.catalogue.model import Model
from bot.rules.options.sizes import SizeList
from bot.settings.model import NAMES

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
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


def test_the_table_of_models_is_the_catalogue():
    head, rest = readme().split(BEGIN)
    found, tail = rest.split(END)
    if os.environ.get("EASEL_UPDATE"):
        README.write_text(head + BEGIN + table() + END + tail, encoding="utf-8")
        return

    assert found == table()


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_is_in_the_readme(name):
    assert f"`{name}`" in readme()


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
