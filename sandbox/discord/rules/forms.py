"""What Discord refuses in forms and completions. Law: pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.discord.components import (
    CHECKBOX,
    CHECKBOXES,
    FILE_UPLOAD,
    LABEL,
    RADIO,
    ROW,
    SELECTS,
    TEXT,
    TEXT_INPUT,
    Path,
    walk,
)
from sandbox.discord.model import Json
from sandbox.discord.rules.components import (
    BAD_LENGTH,
    IN_LABEL,
    check_select,
    custom_id_problems,
    duplicates,
    option_problems,
    text_problems,
)
from sandbox.discord.rules.problems import UNKNOWN_KEY, Problem


def check_modal(data: Json) -> list[Problem]:
    """All that is wrong with a form."""
    return list(_modal(data))


def _modal(data: Json) -> Iterator[Problem]:
    yield from text_problems(("data",), data, "title", 1, 45, required=True)
    yield from custom_id_problems(("data",), data)
    for key in data.keys() - {"custom_id", "title", "components"}:
        yield Problem(("data", key), UNKNOWN_KEY, f"a form has no {key}")
    components = data.get("components") or []
    if not 1 <= len(components) <= 5:
        yield Problem(("data", "components"), BAD_LENGTH, "Must be between 1 and 5 in length.")
    everything = list(walk(components, ("data", "components")))
    yield from duplicates(everything)
    for place, one in enumerate(components):
        path: Path = ("data", "components", place)
        if one.get("type") == LABEL:
            yield from _label(path, one)
        elif one.get("type") == ROW:
            if [c.get("type") for c in one.get("components") or ()] != [TEXT_INPUT]:
                yield Problem((*path, "components"), BAD_LENGTH, "A row of a form holds one text field")
        elif one.get("type") != TEXT:
            yield Problem(path, "UNION_TYPE_CHOICES", f"type {one.get('type')} is not allowed in a form")
    for path, one in everything:
        yield from _field(path, one)


def _label(path: Path, one: Json) -> Iterator[Problem]:
    yield from text_problems(path, one, "label", 1, 45, required=True)
    yield from text_problems(path, one, "description", 1, 100)
    if (one.get("component") or {}).get("type") not in IN_LABEL:
        yield Problem((*path, "component"), "UNION_TYPE_CHOICES", "not allowed in a label")


def _field(path: Path, one: Json) -> Iterator[Problem]:
    kind = one.get("type")
    if kind == TEXT_INPUT:
        yield from custom_id_problems(path, one)
        yield from _text_input(path, one)
    elif kind in SELECTS:
        yield from check_select(path, one)
        if one.get("required", True) and one.get("min_values") == 0:
            yield Problem((*path, "min_values"), "NUMBER_TYPE_MIN", "A required menu needs at least one value")
    elif kind == FILE_UPLOAD:
        yield from custom_id_problems(path, one)
        low, high = one.get("min_values"), one.get("max_values")
        low, high = 1 if low is None else low, 1 if high is None else high
        if not 0 <= low <= 10 or not 1 <= high <= 10 or low > high:
            yield Problem((*path, "max_values"), "NUMBER_TYPE_MAX", "A file field takes 0 to 10 files")
    elif kind in {RADIO, CHECKBOXES}:
        yield from custom_id_problems(path, one)
        yield from option_problems(path, one, 2 if kind == RADIO else 1, 10)
    elif kind == CHECKBOX:
        yield from custom_id_problems(path, one)


def _text_input(path: Path, one: Json) -> Iterator[Problem]:
    yield from text_problems(path, one, "placeholder", 0, 100)
    yield from text_problems(path, one, "value", 0, 4000)
    low, high = one.get("min_length"), one.get("max_length")
    low, high = 0 if low is None else low, 4000 if high is None else high
    if not 0 <= low <= 4000 or not 1 <= high <= 4000 or low > high:
        yield Problem((*path, "max_length"), "NUMBER_TYPE_MAX", "min_length and max_length do not go together")
    elif one.get("value") and len(one["value"]) > high:
        yield Problem((*path, "value"), BAD_LENGTH, f"The text is longer than max_length {high}")
    if one.get("style") not in {1, 2}:
        yield Problem((*path, "style"), "BASE_TYPE_CHOICES", "Value must be one of {1, 2}.")


def check_choices(choices: Any, option_type: int) -> list[Problem]:
    """All that is wrong with completions."""
    found: list[Problem] = []
    if not isinstance(choices, list):
        return [Problem(("data", "choices"), "BASE_TYPE_REQUIRED", "This field is required")]
    if len(choices) > 25:
        found.append(Problem(("data", "choices"), BAD_LENGTH, "Must be 25 or fewer in length."))
    for place, choice in enumerate(choices):
        path: Path = ("data", "choices", place)
        found += text_problems(path, choice, "name", 1, 100, required=True)
        value = choice.get("value")
        if option_type == 3 and not (isinstance(value, str) and 1 <= len(value) <= 100):
            found.append(Problem((*path, "value"), BAD_LENGTH, "Must be a string of 1 to 100 characters."))
        if option_type in {4, 10} and (isinstance(value, bool) or not isinstance(value, int | float)):
            found.append(Problem((*path, "value"), "NUMBER_TYPE_COERCE", "Must be a number."))
    return found
