"""The catalogues against each other and against the code: nothing missing, nothing left over, nothing untranslated."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import pytest

from bot.rules.catalogue.load import builtin_catalogue
from bot.rules.servers.access import Defaults
from bot.ui.client import registration
from bot.ui.client.client import EXTENSIONS, Client
from bot.ui.words.catalogue import LANGUAGES, catalogue, names_in
from sandbox.discord.rules.commands import check_commands, is_name, size

ROOT = Path(__file__).parents[3]
Node = TypeVar("Node", bound=ast.AST)
SAID = ("bot/rules", "bot/ports", "bot/imaging", "bot/core", "bot/ui", "cogs")

PARTS_FROM = {
    "limits_rule.": "bot/ui/words/refusals.py",
    "misfit.": "Misfit",
    "permission.": "bot/ui/interactions/who.py",
    "result.": "bot/rules/options/table.py",
    "upload.is.": "bot/imaging/headers.py",
    "thing.": "NotFound",
    "value.": "Defaults",
    "option.": "bot/rules/options/table.py",
    "choice.": "the words a model knows",
    "word.": "joined",
    "service.moderation_stage_": "the service's own words",
}
"""Where the rest of a key comes from, if neither the file that says it nor an enum has it."""


@cache
def walked() -> dict[str, list[ast.AST]]:
    """Every node of every file that may say something."""
    paths = [path for folder in SAID for path in (ROOT / folder).rglob("*.py")]
    return {p.relative_to(ROOT).as_posix(): list(ast.walk(ast.parse(p.read_text(encoding="utf-8")))) for p in paths}


def of_kind(kind: type[Node], nodes: Iterable[ast.AST]) -> list[Node]:
    return [node for node in nodes if isinstance(node, kind)]


@cache
def texts(place: str) -> frozenset[str]:
    """Every text that a file holds."""
    return frozenset(one.value for one in of_kind(ast.Constant, walked()[place]) if isinstance(one.value, str))


@cache
def everything() -> frozenset[str]:
    return frozenset().union(*map(texts, walked()))


@cache
def enum_values() -> frozenset[str]:
    classes = [one for nodes in walked().values() for one in of_kind(ast.ClassDef, nodes)]
    enums = [one for one in classes if "StrEnum" in map(name, one.bases)]
    return frozenset(str(one.value) for enum in enums for one in of_kind(ast.Constant, ast.walk(enum)))


def name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


@cache
def given_to(called: str) -> frozenset[str]:
    """The texts that are handed to a function or class wherever it is called."""
    calls = [one for nodes in walked().values() for one in of_kind(ast.Call, nodes) if name(one.func) == called]
    return frozenset(str(text.value) for call in calls for text in of_kind(ast.Constant, ast.walk(call)))


def is_made(part: str, key: str, place: str) -> bool:
    """Whether the rest of a key can come about in the file that puts the key together."""
    if part in texts(place) or part in enum_values():
        return True
    source = next((source for prefix, source in PARTS_FROM.items() if key.startswith(prefix)), "")
    if source.endswith(".py"):
        return part in texts(source) or part in texts("bot/rules/options/prompts.py")
    if source == "Defaults":
        return part in {field.name for field in dataclasses.fields(Defaults)} | {"auto", "low"}
    if source == "the words a model knows":
        return part in texts("bot/rules/options/sizes.py") or f'"{part}"' in builtin_catalogue()
    return part in given_to(source) or (source == "the service's own words" and part in ("input", "output"))


@cache
def patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The keys that are put together from parts, and where: ``say(locale, f"state.{job.state}")``."""
    found = []
    for place, nodes in walked().items():
        for node in of_kind(ast.JoinedStr, nodes):
            parts = [re.escape(str(v.value)) if isinstance(v, ast.Constant) else "(.+)" for v in node.values]
            if parts[0] != "(.+)" and re.match(r"[a-z_]+\\\.", parts[0]):
                found.append((place, re.compile("".join(parts))))
    return tuple(found)


def is_said(key: str) -> bool:
    """Whether the code holds the key, or puts it together of parts that it can have."""
    matches = [(place, pattern.fullmatch(key)) for place, pattern in patterns()]
    return key in everything() or any(
        all(is_made(part, key, place) for part in match.groups()) for place, match in matches if match is not None
    )


def test_every_sentence_is_said_somewhere() -> None:
    ours = [key for key in catalogue("en") if not key.startswith("command.")]
    assert [key for key in ours if not is_said(key)] == []


@pytest.mark.parametrize("key", ["button.again_and_again", "state.lost", "thing.file", "settings.ask"])
def test_a_key_that_nobody_says_is_found(key: str) -> None:
    assert not is_said(key)


# --- what Discord shows of commands --------------------------------------------------------------------------------


@pytest.fixture
async def payloads(client: Client) -> list[dict[str, Any]]:
    """Every command, option and menu as it is registered, with its translations."""
    for name in EXTENSIONS:
        await importlib.import_module(name).setup(client)
    return registration.payloads(client.tree)


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


async def test_discord_takes_every_translation(payloads: list[dict[str, Any]]) -> None:
    assert check_commands(payloads) == []
    assert max(map(size, payloads)) <= 8000


def called(part: dict[str, Any], locale: str) -> str:
    """What Discord shows somebody who reads that language."""
    name: str = (part.get("name_localizations") or {}).get(locale, part["name"])
    return name


def siblings(payloads: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    yield [one for one in payloads if one.get("description")]
    for payload in payloads:
        for part in parts(payload):
            yield part.get("options", [])


async def test_names_of_commands_and_options_are_such_as_discord_takes(payloads: list[dict[str, Any]]) -> None:
    for together in siblings(payloads):
        for locale in ("en-US", "de"):
            names = [called(part, locale) for part in together]
            assert [one for one in names if not is_name(one)] == []
            assert len(set(names)) == len(names)


async def test_a_german_reader_finds_german_names(payloads: list[dict[str, Any]]) -> None:
    by_name = {payload["name"]: payload for payload in payloads}
    assert called(by_name["settings"], "de") == "einstellungen"
    assert called(by_name["imagine"], "de") == "imagine", "everybody knows it by that name"
    assert [called(one, "de") for one in by_name["mydata"]["options"]] == ["export", "löschen"]


async def test_no_translation_is_of_something_that_is_gone(payloads: list[dict[str, Any]]) -> None:
    everything = [part for payload in payloads for part in parts(payload)]
    said = {part.get(key) for part in everything for key in ("name", "description")}
    translated = {key.removeprefix("command.") for key in catalogue("de") if key.startswith("command.")}
    assert translated - said == set()
    assert {name.split(" ")[-1] for name in names_in("de")} - {part["name"] for part in everything} == set()


MENTIONED = re.compile(r"(?<![\w/<:.])/([^\W\d]+)(?=[ `:.,;)\n]|$)((?: [^\W\d][\w-]*)?)")
SET = re.compile(r"(?<![\w{])([^\W\d][\w-]*):(?:True|False|all|none)\b")


@pytest.mark.parametrize(("language", "locale"), [("en", "en-US"), ("de", "de")])
async def test_every_command_and_option_a_sentence_names_is_there_and_called_so(
    payloads: list[dict[str, Any]], language: str, locale: str
) -> None:
    tree = {called(one, locale): [called(part, locale) for part in one.get("options", ())] for one in payloads}
    grouped = {called(one, locale) for one in payloads if any("options" in part for part in one.get("options", ()))}
    options = {called(part, locale) for payload in payloads for part in parts(payload)}
    texts = [text for one in catalogue(language).values() for text in (one.other, *one.forms.values())]
    assert sum(len(MENTIONED.findall(text)) for text in texts) > 60
    assert sum(len(SET.findall(text)) for text in texts) > 8
    for key, sentence in catalogue(language).items():
        for text in (sentence.other, *sentence.forms.values()):
            for command, below in MENTIONED.findall(text):
                assert command in tree, (key, text)
                assert (
                    command not in grouped
                    or not below
                    or f"`/{command}{below}" not in text
                    or (below.strip() in tree[command])
                ), (key, text)
            assert set(SET.findall(text)) <= options, (key, text)


def test_the_german_help_names_menus_and_buttons_as_discord_shows_them() -> None:
    german = catalogue("de")
    for menu in ("Edit image", "Vary image", "Use as prompt", "Report picture", "Where is this from?"):
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
    "chooser.pick": 150,
    "chooser.edit": 100,
    "chooser.move": 100,
    "form.remix_title": 45,
    "form.hint": 45,
    "form.hint_note": 100,
    "report.form": 45,
    "report.form_reason": 45,
    "report.form_note": 100,
}
"""Characters Discord gives titles, labels, notes and placeholders."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_stands_in_forms_fits(language: str) -> None:
    assert [key for key, room in ROOM.items() if len(catalogue(language)[key].other) > room] == []
