"""Another language is one file more: a copy of Easel with a Polish one speaks it, and English where it says nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]

POLISH = """
[written]
decimal = ","
thousands = "\\u00a0"

[rules.count]
one = "n = 1"
few = "n % 10 = 2..4 and n % 100 != 12..14"

[ordinal]
other = "{position}."

[usage]
pictures = { one = "{count} obraz", few = "{count} obrazy", other = "{count} obrazów" }

[gallery]
none = "Nic tu jeszcze nie ma. `/imagine` tworzy pierwszy obraz; zobacz `/settings show` i `/gallery mine:True`."

[name]
gallery = "galeria"
mine = "moje"
settings = "ustawienia"
show = "pokaż"

[command]
"Browse pictures made here" = "Przeglądaj obrazy"
"""

SAYS = """
import json
from bot.ui.words.catalogue import say
from bot.ui.words.commands import in_every_language
from bot.ui.words.numbers import number, ordinal

mine = {"name": "mine", "description": "Only your own", "type": 5}
gallery = {"name": "gallery", "description": "Browse pictures made here", "options": [mine]}
print(json.dumps({
    "counted": [say("pl", "usage.pictures", count=number("pl", n)) for n in (0, 1, 2, 5, 22, 1000, 1002)],
    "third": ordinal("pl", 3),
    "none": say("pl", "gallery.none"),
    "english": say("pl", "button.again"),
    "german": say("de", "gallery.none"),
    "command": in_every_language(gallery),
}))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    copy = tmp_path_factory.mktemp("easel")
    shutil.copytree(ROOT / "bot", copy / "bot", ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "bot/ui/words/locales/pl.toml").write_text(POLISH, encoding="utf-8")
    run = [sys.executable, "-W", "ignore", "-c", SAYS]
    answer: dict[str, Any] = json.loads(subprocess.run(run, cwd=copy, check=True, capture_output=True).stdout)
    return answer


def test_its_plurals_are_its_own(said: dict[str, Any]) -> None:
    forms = ["0 obrazów", "1 obraz", "2 obrazy", "5 obrazów", "22 obrazy", "1\u00a0000 obrazów", "1\u00a0002 obrazy"]
    assert said["counted"] == forms
    assert said["third"] == "3."


def test_its_commands_are_shown_and_told_by_its_names(said: dict[str, Any]) -> None:
    command = said["command"]
    assert command["name"] == "gallery"
    assert command["name_localizations"] == {"de": "galerie", "pl": "galeria"}
    assert command["description_localizations"]["pl"] == "Przeglądaj obrazy"
    assert command["options"][0]["name_localizations"]["pl"] == "moje"
    assert "`/ustawienia pokaż` i `/galeria moje:True`" in said["none"]


def test_what_it_lacks_is_english_and_other_languages_are_as_before(said: dict[str, Any]) -> None:
    assert said["english"] == "Again"
    assert said["german"].startswith("Hier gibt es noch nichts")
