"""What Discord refuses in buttons, menus, layouts and forms. Law: pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sandbox.discord.components import (
    BUTTON,
    CHECKBOX,
    CHECKBOXES,
    CONTAINER,
    FILE,
    FILE_UPLOAD,
    GALLERY,
    RADIO,
    ROW,
    SECTION,
    SELECTS,
    SEPARATOR,
    STRING_SELECT,
    TEXT,
    TEXT_INPUT,
    THUMBNAIL,
    Path,
    every,
    walk,
)
from sandbox.discord.model import Flags, Json
from sandbox.discord.rules.problems import Problem
from sandbox.discord.rules.values import BUTTON_LINKS, emoji_problems, url_problems

TOP_V1 = {ROW}
TOP_V2 = {ROW, SECTION, TEXT, GALLERY, FILE, SEPARATOR, CONTAINER}
IN_CONTAINER = TOP_V2 - {CONTAINER}
IN_LABEL = {TEXT_INPUT, FILE_UPLOAD, RADIO, CHECKBOXES, CHECKBOX} | SELECTS

LINK, PREMIUM = 5, 6
BAD_LENGTH = "BASE_TYPE_BAD_LENGTH"


def is_v2(body: Json) -> bool:
    return bool((body.get("flags") or 0) & Flags.COMPONENTS_V2)


def texts_of(components: list[Json]) -> list[str]:
    """All text shown by text displays."""
    return [str(one.get("content") or "") for one in every(components) if one.get("type") == TEXT]


def check_components(components: list[Json], *, v2: bool, names: frozenset[str]) -> Iterator[Problem]:
    """All that is wrong with the components of a message; ``names`` are the files it has."""
    everything = list(walk(components))
    legal = TOP_V2 if v2 else TOP_V1
    for place, one in enumerate(components):
        if one.get("type") not in legal:
            why = "this component needs the components flag" if one.get("type") in TOP_V2 else "not allowed here"
            yield Problem(("components", place), "UNION_TYPE_CHOICES", f"type {one.get('type')}: {why}")
    if not v2 and len(components) > 5:
        yield Problem(("components",), BAD_LENGTH, "Must be between 1 and 5 in length.")
    if len(everything) > 40:
        yield Problem(("components",), "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", "At most 40 components in total")
    if sum(map(len, texts_of(components))) > 4000:
        text = "The text of all components is over 4000 characters"
        yield Problem(("components",), "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", text)
    yield from duplicates(everything)
    for path, one in everything:
        yield from _one(path, one, names)


def duplicates(everything: list[tuple[Path, Json]]) -> Iterator[Problem]:
    for key, code in (("custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED"), ("id", "COMPONENT_ID_DUPLICATED")):
        seen: set[Any] = set()
        for path, one in everything:
            value = one.get(key)
            if value and value in seen:
                yield Problem((*path, key), code, f"Component {key} cannot be duplicated")
            seen.add(value)


def _one(path: Path, one: Json, names: frozenset[str]) -> Iterator[Problem]:
    kind = one.get("type")
    if kind in SELECTS:
        yield from check_select(path, one)
    elif kind in _PLAIN:
        yield from _PLAIN[kind](path, one)
    elif kind in _WITH_FILES:
        yield from _WITH_FILES[kind](path, one, names)


def _section(path: Path, one: Json) -> Iterator[Problem]:
    yield from _count(path, one, "components", 1, 3)
    if one.get("accessory", {}).get("type") not in {BUTTON, THUMBNAIL}:
        yield Problem((*path, "accessory"), "BASE_TYPE_REQUIRED", "A section needs a button or a thumbnail")


def _text_display(path: Path, one: Json) -> Iterator[Problem]:
    yield from text_problems(path, one, "content", 1, 4000, required=True)


def _container(path: Path, one: Json) -> Iterator[Problem]:
    for place, inner in enumerate(one.get("components") or ()):
        if inner.get("type") not in IN_CONTAINER:
            yield Problem((*path, "components", place), "UNION_TYPE_CHOICES", "not allowed in a container")


def _gallery(path: Path, one: Json, names: frozenset[str]) -> Iterator[Problem]:
    yield from _count(path, one, "items", 1, 10)
    for place, item in enumerate(one.get("items") or ()):
        yield from text_problems((*path, "items", place), item, "description", 0, 1024)
        yield from _media((*path, "items", place, "media"), item.get("media"), names)


def _thumbnail(path: Path, one: Json, names: frozenset[str]) -> Iterator[Problem]:
    yield from _media((*path, "media"), one.get("media"), names)


def _file(path: Path, one: Json, names: frozenset[str]) -> Iterator[Problem]:
    url = (one.get("file") or {}).get("url", "")
    if not url.startswith("attachment://"):
        yield Problem((*path, "file", "url"), "URL_TYPE_INVALID_SCHEME", "Only attachment:// is possible here")
    yield from _media((*path, "file"), one.get("file"), names)


def _row(path: Path, row: Json) -> Iterator[Problem]:
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


def _button(path: Path, one: Json) -> Iterator[Problem]:
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


def option_problems(path: Path, one: Json, low: int, high: int) -> Iterator[Problem]:
    yield from _count(path, one, "options", low, high)
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


def _count(path: Path, one: Json, key: str, low: int, high: int) -> Iterator[Problem]:
    if not low <= len(one.get(key) or ()) <= high:
        yield Problem((*path, key), BAD_LENGTH, f"Must be between {low} and {high} in length.")


def _media(path: Path, media: Any, names: frozenset[str]) -> Iterator[Problem]:
    url = (media or {}).get("url") or ""
    if url.startswith("attachment://"):
        if url.removeprefix("attachment://") not in names:
            yield Problem((*path, "url"), "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND", f"No file for {url}")
    else:
        yield from url_problems((*path, "url"), url, 2048)


_PLAIN: dict[int, Callable[[Path, Json], Iterator[Problem]]] = {
    ROW: _row,
    BUTTON: _button,
    SECTION: _section,
    TEXT: _text_display,
    CONTAINER: _container,
}
_WITH_FILES: dict[int, Callable[[Path, Json, frozenset[str]], Iterator[Problem]]] = {
    GALLERY: _gallery,
    THUMBNAIL: _thumbnail,
    FILE: _file,
}
