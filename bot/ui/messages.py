"""What is sent: a message in full, its files, and how much Discord takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import discord

from bot.ui.uploading import HeldBytes

UPLOAD_LIMIT_UNKNOWN = 10 * 1024 * 1024
REQUEST_LIMIT = 24 * 1024 * 1024
"""Discord takes 25 MiB for a whole request; the rest is for the form around the files."""

MAX_FILES = 10
"""Attachments of one message."""

CALL_LIMIT_S = 120.0


@dataclass(frozen=True, slots=True)
class File:
    """A file to attach, made anew for every try (discord.py closes what it sends)."""

    name: str
    data: bytes
    alt: str | None = None
    spoiler: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """A message in full. What is None or empty is not there afterwards either, but for files where it keeps them. A
    ``layout`` stands alone.
    """

    content: str | None = None
    embed: discord.Embed | None = None
    files: tuple[File, ...] = ()
    view: discord.ui.View | None = None
    keeps_files: bool = False
    layout: discord.ui.LayoutView | None = None


def attached_files(files: Sequence[File]) -> list[discord.File]:
    """As discord.py takes them, for one try."""
    return [discord.File(HeldBytes(one.data), one.name, description=one.alt, spoiler=one.spoiler) for one in files]


@contextmanager
def opened(files: Sequence[File]) -> Iterator[list[discord.File]]:
    """The same for one try; their memory is given back at the end of it, not at the next collection."""
    attached = attached_files(files)
    try:
        yield attached
    finally:
        for one in attached:
            one.fp.close()


def new_message(message: Message, files: list[discord.File]) -> dict[str, Any]:
    """The arguments of a discord.py call that sends a new message: without what is not there."""
    given = {"content": message.content, "embed": message.embed, "view": message.layout or message.view, "files": files}
    return {name: value for name, value in given.items() if value}
