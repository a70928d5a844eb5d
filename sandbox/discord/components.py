"""Discord's components by their numbers, and the way through a tree of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.discord.model import Json

ROW, BUTTON, STRING_SELECT, TEXT_INPUT = 1, 2, 3, 4
USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT = 5, 6, 7, 8
SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER = 9, 10, 11, 12, 13, 14, 17
LABEL, FILE_UPLOAD, RADIO, CHECKBOXES, CHECKBOX = 18, 19, 21, 22, 23

ENTITY_SELECTS = {USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT}
SELECTS = {STRING_SELECT} | ENTITY_SELECTS

Path = tuple[str | int, ...]


def walk(components: Any, path: Path = ("components",)) -> Iterator[tuple[Path, Json]]:
    """Every component with its path, parents first; what is none is passed over."""
    for place, one in enumerate(components or ()):
        if not isinstance(one, dict):
            continue
        here = (*path, place)
        yield here, one
        yield from walk(one.get("components"), (*here, "components"))
        for key in ("component", "accessory"):
            if isinstance(one.get(key), dict):
                yield (*here, key), one[key]
                yield from walk(one[key].get("components"), (*here, key, "components"))


def every(components: Any) -> list[Json]:
    """All components, those inside rows, labels, sections and containers too, parents first."""
    return [one for _, one in walk(components)]
