"""What is sent: a message in full, its files, and how much Discord takes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import discord

UPLOAD_LIMIT_UNKNOWN = 10 * 1024 * 1024


REQUEST_LIMIT = 24 * 1024 * 1024
"""Discord takes 25 MiB for a whole request; the rest is for the form around the files."""


CALL_LIMIT_S = 120.0


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file to attach, made anew for every try (discord.py closes what it sends)."""

    name: str
    data: bytes
    alt: str | None = None
    spoiler: bool = False


@dataclass(frozen=True, slots=True)
class Letter:
    """A message in full. What is None or empty is not there afterwards either."""

    content: str | None = None
    embed: discord.Embed | None = None
    sheets: tuple[Sheet, ...] = ()
    view: discord.ui.View | None = None


class _Files:
    """discord.py's files for one try; their memory is given back at the end of it, not at the next collection."""

    def __init__(self, sheets: Sequence[Sheet]) -> None:
        self._buffers = [io.BytesIO(sheet.data) for sheet in sheets]
        self._sheets = sheets

    def __enter__(self) -> list[discord.File]:
        return [
            discord.File(buffer, filename=sheet.name, description=sheet.alt or None, spoiler=sheet.spoiler)
            for buffer, sheet in zip(self._buffers, self._sheets, strict=True)
        ]

    def __exit__(self, *_: object) -> None:
        for buffer in self._buffers:
            buffer.close()


def _given(letter: Letter, files: list[discord.File]) -> dict[str, Any]:
    given = {"content": letter.content, "embed": letter.embed, "view": letter.view, "files": files}
    return {name: value for name, value in given.items() if value}
