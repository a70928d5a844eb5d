"""What Discord refuses when commands are registered. Law: pure. Source: the application commands reference."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import Any

from sandbox.discord.commands import CHAT, GROUP, INTEGER, MESSAGE_MENU, NUMBER, STRING, SUBCOMMAND, USER_MENU
from sandbox.discord.model import Json
from sandbox.discord.rules.problems import UNKNOWN_KEY, Problem, Step

MOST = {CHAT: 100, USER_MENU: 15, MESSAGE_MENU: 15, 4: 1}
LARGEST = 2**53
BAD_LENGTH = "BASE_TYPE_BAD_LENGTH"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LOCALES = _words(
    "id da de en-GB en-US es-ES es-419 fr hr it lt hu nl no pl pt-BR ro fi sv-SE vi tr cs el bg ru uk hi th zh-CN ja "
    "zh-TW ko he ar"
)
COMMAND_KEYS = _words(
    "id type name name_localizations description description_localizations options default_member_permissions "
    "dm_permission integration_types contexts default_permission nsfw handler"
)
OPTION_KEYS = _words(
    "type name name_localizations description description_localizations required choices options channel_types "
    "min_value max_value min_length max_length autocomplete file_types"
)

Path = tuple[Step, ...]


def check_commands(commands: list[Json]) -> list[Problem]:
    """All that is wrong with a full set of commands (a bulk overwrite)."""
    found: list[Problem] = []
    for kind, most in MOST.items():
        if sum(c.get("type", CHAT) == kind for c in commands) > most:
            text = f"Maximum number of application commands of type {kind} reached ({most})."
            found.append(Problem((), "APPLICATION_COMMANDS_MAX", text))
    names = Counter((c.get("type", CHAT), c.get("name")) for c in commands)
    for place, command in enumerate(commands):
        if names[command.get("type", CHAT), command.get("name")] > 1:
            text = "Application command names must be unique"
            found.append(Problem((place,), "APPLICATION_COMMANDS_DUPLICATE_NAME", text))
        found += check_command(command, (place,))
    return found


def check_command(command: Json, path: Path = (), *, is_global: bool = True) -> list[Problem]:
    """All that is wrong with one command."""
    found = list(_command(command, path))
    if not is_global:
        for key in {"contexts", "integration_types"} & {k for k, v in command.items() if v}:
            found += [Problem((*path, key), "GUILD_COMMAND", f"{key} is for global commands only")]
    if size(command) > 8000:
        text = f"Command exceeds maximum size ({size(command)} of 8000)"
        found.append(Problem(path, "APPLICATION_COMMAND_TOO_LARGE", text))
    return found


def _command(command: Json, path: Path) -> Iterator[Problem]:
    for key in command.keys() - COMMAND_KEYS:
        yield Problem((*path, key), UNKNOWN_KEY, f"{key} is not a field of a command")
    kind = command.get("type", CHAT)
    if kind == CHAT:
        yield from _name(path, command)
        yield from _description(path, command)
        yield from _options(path, command.get("options") or [], depth=0)
    else:
        if not 1 <= len(command.get("name") or "") <= 32:
            yield Problem((*path, "name"), BAD_LENGTH, "Must be between 1 and 32 in length.")
        if command.get("description") or command.get("options"):
            yield Problem(path, "CONTEXT_MENU_COMMAND_DESCRIPTION_NOT_ALLOWED", "Menus have no description or options")
    yield from _locales(path, command)


def is_name(name: Any) -> bool:
    """Whether a chat command or option may be called this."""
    if not isinstance(name, str) or not 1 <= len(name) <= 32 or name != name.lower():
        return False
    return all(c in "-_'" or unicodedata.category(c)[0] in "LN" or _is_mark_of_name(c) for c in name)


def _is_mark_of_name(char: str) -> bool:
    """Vowel signs of Devanagari and Thai belong into names."""
    return unicodedata.name(char, "").startswith(("DEVANAGARI", "THAI"))


def _name(path: Path, thing: Json) -> Iterator[Problem]:
    name = thing.get("name")
    if name is None:
        yield Problem((*path, "name"), "BASE_TYPE_REQUIRED", "This field is required")
    elif not is_name(name):
        code = "APPLICATION_COMMAND_INVALID_NAME"
        yield Problem((*path, "name"), code, "Command name is invalid: 1 to 32 lower case letters, digits, - and _")


def _description(path: Path, thing: Json) -> Iterator[Problem]:
    text = thing.get("description")
    if not text:
        yield Problem((*path, "description"), "BASE_TYPE_REQUIRED", "This field is required")
    elif len(text) > 100:
        yield Problem((*path, "description"), BAD_LENGTH, "Must be between 1 and 100 in length.")


def _locales(path: Path, thing: Json) -> Iterator[Problem]:
    for key, longest in (("name_localizations", 32), ("description_localizations", 100)):
        for locale, text in (thing.get(key) or {}).items():
            if locale not in LOCALES:
                yield Problem((*path, key, locale), "ENUM_TYPE_COERCE", f"Value {locale!r} is not a locale.")
            if not 1 <= len(text or "") <= longest:
                yield Problem((*path, key, locale), BAD_LENGTH, f"Must be between 1 and {longest} in length.")


def _options(path: Path, options: list[Json], *, depth: int) -> Iterator[Problem]:
    if len(options) > 25:
        yield Problem((*path, "options"), BAD_LENGTH, "Must be 25 or fewer in length.")
    names = Counter(o.get("name") for o in options)
    optional_seen = False
    kinds = {o.get("type") in {SUBCOMMAND, GROUP} for o in options}
    if len(kinds) > 1:
        code = "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID"
        yield Problem((*path, "options"), code, "Sub-command and sub-command group option types are mutually exclusive")
    for place, option in enumerate(options):
        here = (*path, "options", place)
        if names[option.get("name")] > 1:
            code = "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS"
            yield Problem((*here, "name"), code, "Specified option name already exists")
        if option.get("required") and optional_seen:
            code = "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID"
            yield Problem(here, code, "Required options must be placed before non-required options")
        optional_seen = optional_seen or not option.get("required")
        yield from _option(here, option, depth)


def _option(path: Path, option: Json, depth: int) -> Iterator[Problem]:
    for key in option.keys() - OPTION_KEYS:
        yield Problem((*path, key), UNKNOWN_KEY, f"{key} is not a field of an option")
    yield from _name(path, option)
    yield from _description(path, option)
    yield from _locales(path, option)
    kind = option.get("type")
    if kind in {SUBCOMMAND, GROUP}:
        if (kind == GROUP and depth > 0) or depth > 1:
            yield Problem(path, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Groups cannot stand in groups")
        yield from _options(path, option.get("options") or [], depth=depth + 1)
        return
    if kind not in range(3, 12):
        yield Problem((*path, "type"), "BASE_TYPE_CHOICES", "not a type of option")
    yield from _bounds(path, option)
    yield from _choices(path, option)


def _bounds(path: Path, option: Json) -> Iterator[Problem]:
    kind = option.get("type")
    for key in ("min_length", "max_length"):
        value = option.get(key)
        if value is not None and (kind != STRING or not (0 if key == "min_length" else 1) <= value <= 6000):
            yield Problem((*path, key), "NUMBER_TYPE_MAX", f"{key} is 0/1 to 6000, for text only")
    for key in ("min_value", "max_value"):
        value = option.get(key)
        if value is not None and (kind not in {INTEGER, NUMBER} or abs(value) > LARGEST):
            yield Problem((*path, key), "NUMBER_TYPE_MAX", f"{key} is for numbers up to 2^53")


def _choices(path: Path, option: Json) -> Iterator[Problem]:
    choices = option.get("choices") or []
    if choices and option.get("autocomplete"):
        code = "APPLICATION_COMMAND_OPTIONS_CHOICES_AND_AUTOCOMPLETE"
        yield Problem(path, code, "An option has choices or completion, not both")
    if (choices or option.get("autocomplete")) and option.get("type") not in {STRING, INTEGER, NUMBER}:
        yield Problem(path, "BASE_TYPE_CHOICES", "Only text and numbers have choices or completion")
    if len(choices) > 25:
        yield Problem((*path, "choices"), BAD_LENGTH, "Must be 25 or fewer in length.")
    names = Counter(c.get("name") for c in choices)
    for place, choice in enumerate(choices):
        here = (*path, "choices", place)
        yield from _locales(here, {"name_localizations": {}})
        if not 1 <= len(choice.get("name") or "") <= 100:
            yield Problem((*here, "name"), BAD_LENGTH, "Must be between 1 and 100 in length.")
        if names[choice.get("name")] > 1:
            code = "APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_ALREADY_EXISTS"
            yield Problem((*here, "name"), code, "Specified choice name already exists")
        value = choice.get("value")
        if option.get("type") == STRING and not (isinstance(value, str) and 1 <= len(value) <= 100):
            yield Problem((*here, "value"), BAD_LENGTH, "Must be between 1 and 100 in length.")


def size(thing: Json) -> int:
    """Characters of name, description and choice values, each by its longest localisation, options included."""
    total = _longest(thing, "name") + _longest(thing, "description")
    total += sum(_longest(c, "name") + len(str(c.get("value", ""))) for c in thing.get("choices") or ())
    return total + sum(size(o) for o in thing.get("options") or ())


def _longest(thing: Json, key: str) -> int:
    texts = [thing.get(key) or "", *(thing.get(f"{key}_localizations") or {}).values()]
    return max(len(t or "") for t in texts)
