"""What Discord refuses in the components of a message: rows of buttons and menus, and the layouts of Components v2.

Law: pure. A layout needs the message flag ``IS_COMPONENTS_V2``; without it a message has rows alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sandbox.discord.components import (
    BUTTON,
    CONTAINER,
    FILE,
    GALLERY,
    ROW,
    SECTION,
    SELECTS,
    SEPARATOR,
    TEXT,
    THUMBNAIL,
    Path,
    every,
    walk,
)
from sandbox.discord.model import Flags, Json
from sandbox.discord.rules.components import (
    BAD_LENGTH,
    check_button,
    check_row,
    check_select,
    count_problems,
    duplicates,
    text_problems,
)
from sandbox.discord.rules.problems import Problem
from sandbox.discord.rules.values import url_problems

TOP_V1 = frozenset({ROW})
TOP_V2 = frozenset({ROW, SECTION, TEXT, GALLERY, FILE, SEPARATOR, CONTAINER})
IN_CONTAINER = TOP_V2 - {CONTAINER}
ACCESSORIES = frozenset({BUTTON, THUMBNAIL})

MOST_COMPONENTS, MOST_TEXT = 40, 4000
LARGEST_COLOR = 0xFFFFFF


def is_v2(body: Json) -> bool:
    return bool((body.get("flags") or 0) & Flags.COMPONENTS_V2)


def texts_of(components: list[Json]) -> list[str]:
    """All text shown by text displays."""
    return [str(one.get("content") or "") for one in every(components) if one.get("type") == TEXT]


def check_components(components: list[Json], *, v2: bool, names: frozenset[str]) -> Iterator[Problem]:
    """All that is wrong with the components of a message; ``names`` are the files it has."""
    yield from _kinds(("components",), components, TOP_V2 if v2 else TOP_V1)
    if not v2 and len(components) > 5:
        yield Problem(("components",), BAD_LENGTH, "Must be between 1 and 5 in length.")
    everything = list(walk(components))
    if len(everything) > MOST_COMPONENTS:
        text = f"The total number of components cannot exceed {MOST_COMPONENTS}"
        yield Problem(("components",), "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", text)
    if sum(map(len, texts_of(components))) > MOST_TEXT:
        text = f"The text of all components cannot exceed {MOST_TEXT} characters"
        yield Problem(("components",), "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", text)
    yield from duplicates(everything)
    for path, one in everything:
        yield from _one(path, one, names)


def _kinds(path: Path, components: Any, legal: frozenset[int]) -> Iterator[Problem]:
    """Components that may not stand here."""
    for place, one in enumerate(components or ()):
        if not isinstance(one, dict):
            yield Problem((*path, place), "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
        elif one.get("type") not in legal:
            text = f'Value of field "type" must be one of {tuple(sorted(legal))}.'
            yield Problem((*path, place), "UNION_TYPE_CHOICES", text)


def _one(path: Path, one: Json, names: frozenset[str]) -> Iterator[Problem]:
    kind = one.get("type")
    if kind in SELECTS:
        yield from check_select(path, one)
    elif kind in _PLAIN:
        yield from _PLAIN[kind](path, one)
    elif kind in _WITH_FILES:
        yield from _WITH_FILES[kind](path, one, names)


def _section(path: Path, one: Json) -> Iterator[Problem]:
    yield from count_problems(path, one, "components", 1, 3)
    yield from _kinds((*path, "components"), one.get("components"), frozenset({TEXT}))
    accessory = one.get("accessory")
    if accessory is None:
        yield Problem((*path, "accessory"), "BASE_TYPE_REQUIRED", "This field is required")
    elif accessory.get("type") not in ACCESSORIES:
        text = f'Value of field "type" must be one of {tuple(sorted(ACCESSORIES))}.'
        yield Problem((*path, "accessory"), "UNION_TYPE_CHOICES", text)


def _text_display(path: Path, one: Json) -> Iterator[Problem]:
    yield from text_problems(path, one, "content", 1, MOST_TEXT, required=True)


def _container(path: Path, one: Json) -> Iterator[Problem]:
    yield from count_problems(path, one, "components", 1, MOST_COMPONENTS)
    yield from _kinds((*path, "components"), one.get("components"), IN_CONTAINER)
    color = one.get("accent_color")
    if color is not None and not (isinstance(color, int) and 0 <= color <= LARGEST_COLOR):
        text = f"int value should be between 0 and {LARGEST_COLOR}."
        yield Problem((*path, "accent_color"), "NUMBER_TYPE_MAX", text)


def _separator(path: Path, one: Json) -> Iterator[Problem]:
    if one.get("spacing") not in {None, 1, 2}:
        yield Problem((*path, "spacing"), "BASE_TYPE_CHOICES", "Value must be one of (1, 2).")


def _gallery(path: Path, one: Json, names: frozenset[str]) -> Iterator[Problem]:
    yield from count_problems(path, one, "items", 1, 10)
    for place, item in enumerate(one.get("items") or ()):
        yield from _picture((*path, "items", place), item, names)


def _picture(path: Path, one: Json, names: frozenset[str]) -> Iterator[Problem]:
    """A thumbnail, or one picture of a gallery."""
    yield from text_problems(path, one, "description", 1, 1024)
    yield from _media((*path, "media"), one.get("media"), names)


def _file(path: Path, one: Json, names: frozenset[str]) -> Iterator[Problem]:
    file = one.get("file")
    if file and not str(file.get("url") or "").startswith("attachment://"):
        text = "Scheme must be one of ('attachment',)."
        yield Problem((*path, "file", "url"), "URL_TYPE_INVALID_SCHEME", text)
    else:
        yield from _media((*path, "file"), file, names)


def _media(path: Path, media: Any, names: frozenset[str]) -> Iterator[Problem]:
    url = str((media or {}).get("url") or "")
    if not url:
        yield Problem((*path, "url"), "BASE_TYPE_REQUIRED", "This field is required")
    elif not url.startswith("attachment://"):
        yield from url_problems((*path, "url"), url, 2048)
    elif url.removeprefix("attachment://") not in names:
        text = f"The referenced attachment was not found: {url}"
        yield Problem((*path, "url"), "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND", text)


_PLAIN: dict[int, Callable[[Path, Json], Iterator[Problem]]] = {
    ROW: check_row,
    BUTTON: check_button,
    SECTION: _section,
    TEXT: _text_display,
    SEPARATOR: _separator,
    CONTAINER: _container,
}
_WITH_FILES: dict[int, Callable[[Path, Json, frozenset[str]], Iterator[Problem]]] = {
    GALLERY: _gallery,
    THUMBNAIL: _picture,
    FILE: _file,
}
