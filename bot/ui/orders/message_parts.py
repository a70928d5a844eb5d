"""What is in any message, its own or forwarded: its words, and its pictures where they lie on hosts of Discord."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import discord

from bot.ui.orders.attachments import is_ours

ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic"})
FOLDERS = ("/attachments/", "/ephemeral-attachments/")
"""Where files lie that somebody sent; avatars, emoji and stickers lie elsewhere."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Where a picture lies; ``size`` 0: Discord did not say."""

    url: str
    size: int = 0


def parts_of(message: discord.Message | None) -> list[Any]:
    """A message and what it forwards."""
    return [] if message is None else [message, *message.message_snapshots]


def attached_to(message: discord.Message | None) -> list[Picture]:
    """The attachments of a message that are pictures by what Discord says, else by their name."""
    return [
        Picture(one.url, one.size) for one in (message.attachments if message is not None else []) if _is_picture(one)
    ]


def pictures_of(message: discord.Message, own_base: str) -> list[Picture]:
    """Every picture that can be seen in the message, each once, in the order in which it is seen."""
    found: dict[str, Picture] = {}
    for part in parts_of(message):
        attachments = [Picture(one.url, one.size) for one in part.attachments if _is_picture(one)]
        media = [*_in_components(part.components), *_in_embeds(part.embeds)]
        shown = [Picture(url) for one in media if (url := _address(one, own_base)) is not None]
        for picture in (*attachments, *shown):
            found.setdefault(urlsplit(picture.url).path, picture)
    return list(found.values())


def texts_of(message: discord.Message) -> Iterator[str]:
    """What is written in a message or in what it forwards, best first."""
    parts = parts_of(message)
    yield from (part.content for part in parts)
    for part in parts:
        yield "\n".join(one.content for one in _every(part.components) if isinstance(one, discord.TextDisplay))
    yield from (embed.description or "" for part in parts for embed in part.embeds)


def _is_picture(one: Any) -> bool:
    """An attachment or a media item."""
    kind = one.content_type
    if kind:
        return str(kind).startswith("image/")
    return PurePosixPath(urlsplit(one.url).path).suffix.lower() in ENDINGS


def _in_embeds(embeds: Iterable[discord.Embed]) -> Iterator[Any]:
    for embed in embeds:
        yield from (media for media in (embed.image, embed.thumbnail) if media.url)


def _in_components(components: Iterable[Any]) -> Iterator[Any]:
    for one in _every(components):
        match one:
            case discord.MediaGalleryComponent():
                yield from (item.media for item in one.items if _is_picture(item.media))
            case discord.ThumbnailComponent() | discord.FileComponent() if _is_picture(one.media):
                yield one.media
            case _:
                continue


def _every(components: Iterable[Any]) -> Iterator[Any]:
    for one in components:
        yield one
        yield from _every(getattr(one, "children", ()))
        accessory = getattr(one, "accessory", None)
        if accessory is not None:
            yield accessory


def _address(media: Any, own_base: str) -> str | None:
    """The address among a medium's two that is one of Discord's own files."""
    for url in (media.url, media.proxy_url):
        if url and is_ours(url, own_base) and urlsplit(url).path.startswith(FOLDERS):
            return str(url)
    return None
