"""Attachment links as Discord's CDN makes them: signed, ending after a day; and where a message shows its files."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import quote

from sandbox.discord.model import Attachment, Json, Message
from sandbox.discord.state import State

STORED = "attachment-id://"
"""How a stored embed or component names one of its message's files; filled with a fresh link when shown."""


def path_of(one: Attachment) -> str:
    folder = "ephemeral-attachments" if one.temporary else "attachments"
    return f"/{folder}/{one.channel_id}/{one.id}/{quote(one.filename)}"


def signature(state: State, attachment_id: int, ex: str, issued: str) -> str:
    """What ``hm`` must be for this file and these times."""
    return hmac.new(state.link_key, f"{attachment_id}:{ex}:{issued}".encode(), hashlib.sha256).hexdigest()


def sign(state: State, one: Attachment) -> str:
    """A link that works from now for ``state.link_life_s``."""
    now = int(state.clock.now().timestamp())
    ex, issued = f"{int(now + state.link_life_s):x}", f"{now:x}"
    return f"{state.origin}{path_of(one)}?ex={ex}&is={issued}&hm={signature(state, one.id, ex, issued)}&"


def stored(attachment: Attachment) -> str:
    """The placeholder for one of the message's own files."""
    return f"{STORED}{attachment.id}"


def used(one: Message) -> set[int]:
    """Ids of files that embeds or components show, so that the message does not show them a second time."""
    found: set[int] = set()
    _collect([one.embeds, one.components], found)
    return found


def _collect(value: Any, found: set[int]) -> None:
    if isinstance(value, str) and value.startswith(STORED):
        found.add(int(value.removeprefix(STORED)))
    elif isinstance(value, dict):
        for inner in value.values():
            _collect(inner, found)
    elif isinstance(value, list):
        for inner in value:
            _collect(inner, found)


def shown(one: Message) -> list[Attachment]:
    """The files Discord lists as attachments: all but those an embed or a component shows."""
    elsewhere = used(one)
    return [a for a in one.attachments if a.id not in elsewhere]


def fill(state: State, one: Message, part: Json) -> Json:
    """An embed or component with links in place of placeholders."""
    files = {a.id: a for a in one.attachments}
    filled: Json = _filled(state, files, part)
    return filled


def _filled(state: State, files: dict[int, Attachment], value: Any) -> Any:
    if isinstance(value, dict):
        out = {key: _filled(state, files, inner) for key, inner in value.items()}
        url = value.get("url")
        if isinstance(url, str) and url.startswith(STORED):
            out |= _media(state, files.get(int(url.removeprefix(STORED))), out)
        return out
    if isinstance(value, list):
        return [_filled(state, files, inner) for inner in value]
    return value


def _media(state: State, file: Attachment | None, shape: Json) -> Json:
    if file is None:
        return {"url": f"{state.origin}/attachments/0/0/gone", "proxy_url": f"{state.origin}/attachments/0/0/gone"}
    url = sign(state, file)
    media: Json = {"url": url, "proxy_url": url}
    if "id" in shape:
        media |= {"attachment_id": str(file.id), "content_type": file.content_type}
    if file.width is not None and file.height is not None:
        media |= {"width": file.width, "height": file.height}
    return media
