"""Turns the body of a request into the message it makes or changes, normalised as Discord stores it."""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Iterator
from typing import Any

from sandbox.discord import links
from sandbox.discord.components import CONTAINER, FILE, GALLERY, SELECTS, SEPARATOR, THUMBNAIL
from sandbox.discord.model import Attachment, Flags, Json, Message, Upload
from sandbox.discord.rest.bodies import Body, safe_name
from sandbox.discord.rest.errors import refuse
from sandbox.discord.rules.layouts import texts_of
from sandbox.discord.rules.messages import Standing
from sandbox.discord.state import State

_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")


def check_sizes(body: Body, limit: int) -> None:
    """Raises 413 where a file is over the limit of this place."""
    if any(len(upload.data) > limit for upload in body.files.values()):
        raise refuse("too large")


def apply(state: State, message: Message, body: Body, *, fresh: bool) -> None:
    """Writes what the body says into the message; with ``fresh`` also what a new one has where it says nothing."""
    data: Json = body.data or {}
    if "content" in data or fresh:
        message.content = data.get("content") or ""
    if "flags" in data and data["flags"] is not None:
        settable = Flags.SUPPRESS_EMBEDS | Flags.COMPONENTS_V2 | (Flags.SUPPRESS_NOTIFICATIONS if fresh else 0)
        keep = message.flags & ~Flags.SUPPRESS_EMBEDS
        message.flags = keep | (data["flags"] & settable)
    _files(state, message, body)
    names = {a.filename: a for a in message.attachments}
    if "embeds" in data or fresh:
        message.embeds = [_embed(embed, names) for embed in data.get("embeds") or ()]
    if "components" in data or fresh:
        message.components = components(data.get("components") or [], names)
    if fresh or "content" in data or (message.is_v2 and "components" in data):
        _mentions(message, data.get("allowed_mentions"))


_WRITTEN = ("content", "embeds", "components", "attachments", "flags", "mentions", "mention_roles", "mention_everyone")


def standing(message: Message) -> Standing:
    """What the message has that an edit of it is held against."""
    legacy = frozenset(key for key in ("content", "embeds") if getattr(message, key))
    return Standing({str(a.id): a.filename for a in message.attachments}, message.is_v2, legacy)


def change(state: State, message: Message, body: Body) -> None:
    """Edits a message; 50006, and the message as it was, if nothing would be left. Files it loses are gone."""
    trial = copy.copy(message)
    apply(state, trial, body, fresh=False)
    if not (trial.components or (not trial.is_v2 and (trial.content or trial.embeds or trial.attachments))):
        raise refuse("empty message")
    lost = {a.id for a in message.attachments} - {a.id for a in trial.attachments}
    for name in _WRITTEN:
        setattr(message, name, getattr(trial, name))
    for attachment_id in lost:
        state.attachments.pop(attachment_id, None)


def _files(state: State, message: Message, body: Body) -> None:
    data: Json = body.data or {}
    listed = data.get("attachments")
    if listed is None:
        message.attachments += [_kept(state, message, upload, {}) for _, upload in sorted(body.files.items())]
        return
    old = {str(a.id): a for a in message.attachments}
    kept: list[Attachment] = []
    mentioned: set[int] = set()
    for entry in listed:
        number = str(entry.get("id"))
        if number in old:
            kept.append(old[number])
        elif number.isdigit() and int(number) in body.files:
            mentioned.add(int(number))
            kept.append(_kept(state, message, body.files[int(number)], entry))
    rest = [upload for number, upload in sorted(body.files.items()) if number not in mentioned]
    message.attachments = kept + [_kept(state, message, upload, {}) for upload in rest]


def _kept(state: State, message: Message, upload: Upload, entry: Json) -> Attachment:
    name = safe_name(entry.get("filename") or upload.filename)
    return state.store(
        Upload(name, upload.data, upload.content_type),
        message.channel_id,
        description=entry.get("description"),
        title=entry.get("title"),
        ephemeral=message.ephemeral,
        spoiler=name.startswith("SPOILER_") or bool(entry.get("is_spoiler")),
    )


def _embed(embed: Json, names: dict[str, Attachment]) -> Json:
    """The embed as answered: type set, empty parts gone, pictures of its own files as placeholders."""
    shape = {key: value for key, value in embed.items() if value not in (None, [], {}) and key != "flags"}
    shape["type"] = "rich"
    for key in ("image", "thumbnail"):
        if key in shape:
            url = _stored(shape[key]["url"], names)
            shape[key] = {"url": url, "proxy_url": url}
    for key in ("author", "footer"):
        if key in shape:
            part = {k: v for k, v in shape[key].items() if v is not None}
            if "icon_url" in part:
                part["icon_url"] = part["proxy_icon_url"] = _icon(part["icon_url"])
            shape[key] = part
    if "fields" in shape:
        shape["fields"] = [
            {"name": f["name"], "value": f["value"], "inline": bool(f.get("inline"))} for f in shape["fields"]
        ]
    return shape


def _stored(url: str, names: dict[str, Attachment]) -> str:
    name = url.removeprefix("attachment://")
    if url != name and name in names:
        return links.stored(names[name])
    known = re.search(r"/attachments/\d+/(\d+)/", url)
    ids = {a.id: a for a in names.values()}
    return links.stored(ids[int(known[1])]) if known and int(known[1]) in ids else url


def _icon(url: str) -> str:
    return (
        url
        if not url.startswith("attachment://")
        else f"https://attachment.invalid/{url.removeprefix('attachment://')}"
    )


def components(parts: list[Json], names: dict[str, Attachment] | None = None) -> list[Json]:
    """Components as answered: ids given, defaults filled in, nulls gone."""
    taken = {one["id"] for one in _every(parts) if one.get("id")}
    numbers = (n for n in itertools.count(1) if n not in taken)
    return [_component(part, numbers, names or {}) for part in parts]


def _every(parts: list[Json]) -> Iterator[Json]:
    for one in parts:
        yield one
        yield from _every(one.get("components") or [])
        yield from _every([one[key] for key in ("component", "accessory") if isinstance(one.get(key), dict)])


def _with_plain_emoji(one: Json) -> Json:
    """What is set of it; a plain emoji comes back without its empty id."""
    shape = {key: value for key, value in one.items() if value is not None}
    if isinstance(emoji := one.get("emoji"), dict):
        shape["emoji"] = {key: value for key, value in emoji.items() if value is not None}
    return shape


def _component(one: Json, numbers: Iterator[int], names: dict[str, Attachment]) -> Json:
    shape = _with_plain_emoji(one)
    shape["id"] = one.get("id") or next(numbers)
    if isinstance(options := one.get("options"), list):
        shape["options"] = [_with_plain_emoji(option) for option in options]
    if isinstance(one.get("components"), list):
        shape["components"] = [_component(inner, numbers, names) for inner in one["components"]]
    for key in ("component", "accessory"):
        if isinstance(one.get(key), dict):
            shape[key] = _component(one[key], numbers, names)
    kind = one.get("type")
    if kind in SELECTS:
        shape = {"min_values": 1, "max_values": 1} | shape
    if kind == GALLERY:
        shape["items"] = [
            {"description": i.get("description"), "spoiler": bool(i.get("spoiler")), "media": _media(i["media"], names)}
            for i in one.get("items") or ()
        ]
    elif kind == THUMBNAIL:
        shape |= {"description": one.get("description"), "spoiler": bool(one.get("spoiler"))}
        shape["media"] = _media(one["media"], names)
    elif kind == FILE:
        file = names.get(one["file"]["url"].removeprefix("attachment://"))
        shape |= {"spoiler": bool(one.get("spoiler")), "file": _media(one["file"], names)}
        shape |= {"name": file.filename if file else None, "size": file.size if file else None}
    elif kind == SEPARATOR:
        shape = {"spacing": 1, "divider": True} | shape
    elif kind == CONTAINER:
        shape |= {"accent_color": one.get("accent_color"), "spoiler": bool(one.get("spoiler"))}
    return shape


def _media(media: Json, names: dict[str, Attachment]) -> Json:
    url = _stored(media["url"], names)
    return {"id": "0", "url": url, "proxy_url": url}


def _mentions(message: Message, allowed: Any) -> None:
    """Whom the content mentions, as far as it is allowed to."""
    text = "\n".join([message.content, *texts_of(message.components)])
    everything = allowed is None
    parse = set((allowed or {}).get("parse") or ()) | ({"users", "roles", "everyone"} if everything else set())
    users = [int(i) for i in dict.fromkeys(_USER.findall(text))]
    roles = [int(i) for i in dict.fromkeys(_ROLE.findall(text))]
    listed_users = {int(i) for i in (allowed or {}).get("users") or ()}
    listed_roles = {int(i) for i in (allowed or {}).get("roles") or ()}
    message.mentions = tuple(i for i in users if "users" in parse or i in listed_users)
    message.mention_roles = tuple(i for i in roles if "roles" in parse or i in listed_roles)
    message.mention_everyone = "everyone" in parse and bool(re.search(r"@everyone|@here", text))
