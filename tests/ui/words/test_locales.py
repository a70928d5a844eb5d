"""The catalogues against each other and against the code: nothing missing, nothing left over, nothing untranslated."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import pytest

from bot.ui.client.client import EXTENSIONS, Client
from bot.ui.client.registration import sorted_commands
from bot.ui.words.catalogue import LANGUAGES, catalogue
from bot.ui.words.commands import CatalogueTranslator
from sandbox.discord.rules.commands import check_commands

ROOT = Path(__file__).parents[3]
Node = TypeVar("Node", bound=ast.AST)
SAID = [*(ROOT / "bot").rglob("*.py"), *(ROOT / "cogs").glob("*.py")]


TOLD_BY_THE_TRAIL = frozenset({"true", "false", "reset limits", "reset all"})
"""Put together elsewhere: JSON of an import, and ``reset {what}`` of an admin."""


@cache
def trees() -> tuple[ast.Module, ...]:
    return tuple(ast.parse(path.read_text(encoding="utf-8")) for path in SAID)


def nodes(kind: type[Node]) -> list[Node]:
    return [node for tree in trees() for node in ast.walk(tree) if isinstance(node, kind)]


@cache
def texts() -> frozenset[str]:
    """Every text the code holds, and the names of fields, arguments and enum members: what a key may be made of."""
    names = {node.target.id for node in nodes(ast.AnnAssign) if isinstance(node.target, ast.Name)}
    names |= {node.arg for node in nodes(ast.keyword) if node.arg} | {node.arg for node in nodes(ast.arg)}
    return frozenset(names | TOLD_BY_THE_TRAIL | {n.value for n in nodes(ast.Constant) if isinstance(n.value, str)})


@cache
def patterns() -> tuple[re.Pattern[str], ...]:
    """The keys that are put together from parts: ``say(locale, f"state.{job.state}")``."""
    found = []
    for node in nodes(ast.JoinedStr):
        parts = [re.escape(str(v.value)) if isinstance(v, ast.Constant) else "(.+)" for v in node.values]
        if parts[0] != "(.+)" and re.match(r"[a-z_]+\\\.", parts[0]):
            found.append(re.compile("".join(parts)))
    return tuple(found)


def is_said(key: str) -> bool:
    """Whether the code holds the key, or puts it together of parts that it holds."""
    if key in texts():
        return True
    for pattern in patterns():
        match = pattern.fullmatch(key)
        if match and all(any(spelt in texts() for spelt in spellings(part)) for part in match.groups()):
            return True
    return False


def spellings(part: str) -> tuple[str, ...]:
    return part, part.replace("_", " "), part.replace("_", "-"), part.replace("_", "-", 1).replace("_", " ")


def test_every_sentence_is_said_somewhere() -> None:
    ours = [key for key in catalogue("en") if not key.startswith("command.")]
    assert [key for key in ours if not is_said(key)] == []


def test_a_key_that_nobody_says_is_found() -> None:
    assert not is_said("button.again_and_again")
    assert not is_said("state.lost_in_the_post")


# --- what Discord shows of commands --------------------------------------------------------------------------------


@pytest.fixture
async def payloads(client: Client) -> list[dict[str, Any]]:
    """Every command, option and menu as it is registered, with its translations."""
    translator = CatalogueTranslator()
    await client.tree.set_translator(translator)
    for name in EXTENSIONS:
        await importlib.import_module(name).setup(client)
    return [dict(await one.get_translated_payload(client.tree, translator)) for one in sorted_commands(client.tree)]


def parts(payload: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield payload
    for part in (*payload.get("options", ()), *payload.get("choices", ())):
        yield from parts(part)


async def test_every_description_is_shown_in_german(payloads: list[dict[str, Any]]) -> None:
    everything = [part for payload in payloads for part in parts(payload)]
    described = [part for part in everything if part.get("description")]
    assert len(described) > 100
    untranslated = [
        part["description"] for part in described if "de" not in (part.get("description_localizations") or {})
    ]
    assert untranslated == []


async def test_commands_and_options_keep_their_names_so_that_what_is_written_about_them_holds(
    payloads: list[dict[str, Any]],
) -> None:
    everything = [part for payload in payloads for part in parts(payload)]
    assert [part["name"] for part in everything if part.get("description") and part.get("name_localizations")] == []


async def test_discord_takes_every_translation(payloads: list[dict[str, Any]]) -> None:
    assert check_commands(payloads) == []


async def test_no_translation_is_of_something_that_is_gone(payloads: list[dict[str, Any]]) -> None:
    said = {part.get(key) for payload in payloads for part in parts(payload) for key in ("name", "description")}
    translated = {key.removeprefix("command.") for key in catalogue("de") if key.startswith("command.")}
    assert translated - said == set()


def test_the_german_help_names_menus_and_buttons_as_discord_shows_them() -> None:
    german = catalogue("de")
    for menu in ("Edit image", "Vary image", "Use as prompt"):
        assert f"**{german[f'command.{menu}'].other}**" in german["help.edit"].other
    for said in map(catalogue, LANGUAGES):
        for button in ("again", "vary", "edit", "details", "delete"):
            assert f"**{said[f'button.{button}'].other}**" in said["help.start"].other


ROOM = {
    "form.edit_title": 45,
    "form.imagine_title": 45,
    "form.prompt": 45,
    "form.prompt_note": 100,
    "form.mask": 45,
    "form.mask_note": 100,
    "batch.form_title": 45,
    "batch.form_lines": 45,
    "batch.form_note": 100,
    "settings.key_title": 45,
    "settings.key_label": 45,
    "settings.key_note": 100,
    "button.pick": 150,
}
"""Characters Discord gives titles, labels, notes and placeholders."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_stands_in_forms_fits(language: str) -> None:
    assert [key for key, room in ROOM.items() if len(catalogue(language)[key].other) > room] == []
