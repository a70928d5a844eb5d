"""What Discord refuses in buttons, menus and rows, in a message or a form. Law: pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.discord.components import (
    BUTTON,
    CHANNEL_SELECT,
    CHECKBOX,
    CHECKBOXES,
    FILE_UPLOAD,
    MENTIONABLE_SELECT,
    RADIO,
    ROLE_SELECT,
    SELECTS,
    STRING_SELECT,
    TEXT_INPUT,
    USER_SELECT,
    Path,
)
from sandbox.discord.model import Json
from sandbox.discord.rules.problems import Problem
from sandbox.discord.rules.values import BUTTON_LINKS, emoji_problems, url_problems

IN_LABEL = {TEXT_INPUT, FILE_UPLOAD, RADIO, CHECKBOXES, CHECKBOX} | SELECTS

DEFAULTS = {
    USER_SELECT: ("user",),
    ROLE_SELECT: ("role",),
    MENTIONABLE_SELECT: ("user", "role"),
    CHANNEL_SELECT: ("channel",),
}
"""What may be chosen from the start in each menu that is not one of strings."""

LINK, PREMIUM = 5, 6
BAD_LENGTH = "BASE_TYPE_BAD_LENGTH"


def duplicates(everything: list[tuple[Path, Json]]) -> Iterator[Problem]:
    for key, code in (("custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED"), ("id", "COMPONENT_ID_DUPLICATED")):
        seen: set[Any] = set()
        for path, one in everything:
            value = one.get(key)
            if value and value in seen:
                yield Problem((*path, key), code, f"Component {key} cannot be duplicated")
            seen.add(value)


def check_row(path: Path, row: Json) -> Iterator[Problem]:
    kinds = [c.get("type") for c in row.get("components") or ()]
    if not kinds:
        yield Problem((*path, "components"), BAD_LENGTH, "Must be between 1 and 5 in length.")
    menus = [k for k in kinds if k in SELECTS]
    if len(kinds) > 5 or (menus and len(kinds) > 1):
        yield Problem(
            (*path, "components"), "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The row is too wide: 5 buttons or 1 menu"
        )
    if any(k not in SELECTS | {BUTTON} for k in kinds):
        yield Problem((*path, "components"), "UNION_TYPE_CHOICES", "A row of a message holds buttons or one menu")


def check_button(path: Path, one: Json) -> Iterator[Problem]:
    style = one.get("style")
    yield from text_problems(path, one, "label", 0, 80)
    yield from emoji_problems(path, one.get("emoji"), "BUTTON_COMPONENT_INVALID_EMOJI")
    if style == LINK:
        if not one.get("url") or one.get("custom_id"):
            yield Problem(path, "BUTTON_COMPONENT_URL_REQUIRED", "A link button has a url and no custom_id")
        yield from url_problems((*path, "url"), str(one.get("url") or ""), 512, BUTTON_LINKS)
    elif style == PREMIUM:
        if not one.get("sku_id") or one.get("custom_id") or one.get("label"):
            yield Problem(path, "BUTTON_COMPONENT_SKU_REQUIRED", "A premium button has only a sku_id")
        return
    else:
        yield from custom_id_problems(path, one)
        if one.get("url"):
            yield Problem(path, "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", "Only link buttons have a url")
    if not str(one.get("label") or "").strip() and not one.get("emoji"):
        yield Problem(path, "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED", "A button has a label or an emoji")


def check_select(path: Path, one: Json) -> Iterator[Problem]:
    """A menu, in a message or a form."""
    yield from custom_id_problems(path, one)
    yield from text_problems(path, one, "placeholder", 0, 150)
    low, high = one.get("min_values"), one.get("max_values")
    low, high = 1 if low is None else low, 1 if high is None else high
    if not 0 <= low <= 25 or not 1 <= high <= 25 or low > high:
        yield Problem((*path, "max_values"), "NUMBER_TYPE_MAX", "min_values and max_values do not go together")
    if one.get("type") == STRING_SELECT:
        yield from option_problems(path, one, 1, 25)
        if high > len(one.get("options") or ()):
            yield Problem((*path, "max_values"), "NUMBER_TYPE_MAX", "More than there are options")
    elif defaults := one.get("default_values"):
        yield from _defaults(path, one["type"], defaults, low, high)


def _defaults(path: Path, menu: int, defaults: list[Json], low: int, high: int) -> Iterator[Problem]:
    """Who or what is chosen from the start in a menu of people, roles or channels."""
    here = (*path, "default_values")
    if not low <= len(defaults) <= high:
        text = f"The number of default values must be between {low} and {high}"
        yield Problem(here, "SELECT_COMPONENT_INVALID_DEFAULT_VALUES", text)
    kinds = DEFAULTS[menu]
    for place, one in enumerate(defaults):
        if one.get("type") not in kinds:
            yield Problem((*here, place, "type"), "BASE_TYPE_CHOICES", f"Value must be one of {kinds}.")
    seen = [(one.get("type"), str(one.get("id"))) for one in defaults]
    if len(seen) != len(set(seen)):
        yield Problem(here, "SET_TYPE_ALREADY_CONTAINS_VALUE", "The set already contains this value.")


def option_problems(path: Path, one: Json, low: int, high: int) -> Iterator[Problem]:
    yield from count_problems(path, one, "options", low, high)
    options = one.get("options") or []
    values = [o.get("value") for o in options]
    if len(values) != len(set(values)):
        code = "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED"
        yield Problem((*path, "options"), code, "The specified option value is already used")
    most = 1 if one.get("type") == RADIO else one.get("max_values")
    most = most or (len(options) if one.get("type") == CHECKBOXES else 1)
    if sum(bool(o.get("default")) for o in options) > most:
        text = f"Only {most} of the options may be chosen from the start"
        yield Problem((*path, "options"), "SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES", text)
    for place, option in enumerate(options):
        here = (*path, "options", place)
        yield from emoji_problems(here, option.get("emoji"), "SELECT_COMPONENT_OPTION_INVALID_EMOJI")
        yield from text_problems(here, option, "label", 1, 100, required=True)
        yield from text_problems(here, option, "value", 1, 100, required=True)
        yield from text_problems(here, option, "description", 0, 100)


def custom_id_problems(path: Path, one: Json) -> Iterator[Problem]:
    value = one.get("custom_id")
    if not isinstance(value, str) or not value:
        yield Problem((*path, "custom_id"), "COMPONENT_CUSTOM_ID_REQUIRED", "A custom id is required")
    elif len(value) > 100:
        yield Problem((*path, "custom_id"), BAD_LENGTH, "Must be between 1 and 100 in length.")


def text_problems(path: Path, one: Json, key: str, low: int, high: int, *, required: bool = False) -> Iterator[Problem]:
    value = one.get(key)
    if value is None:
        if required:
            yield Problem((*path, key), "BASE_TYPE_REQUIRED", "This field is required")
    elif required and not str(value).strip():
        yield Problem((*path, key), "BASE_TYPE_REQUIRED", "This field is required")
    elif not low <= len(str(value)) <= high:
        yield Problem((*path, key), BAD_LENGTH, f"Must be between {low} and {high} in length.")


def count_problems(path: Path, one: Json, key: str, low: int, high: int) -> Iterator[Problem]:
    if not low <= len(one.get(key) or ()) <= high:
        yield Problem((*path, key), BAD_LENGTH, f"Must be between {low} and {high} in length.")
