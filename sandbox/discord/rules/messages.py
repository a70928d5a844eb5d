"""What Discord refuses in messages although its description does not say so (and the most common of what it says).

Law: pure; each rule yields ``Problem``s. Numbers from Discord's message and component reference.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from sandbox.discord.model import Flags, Json
from sandbox.discord.rules.layouts import check_components, is_v2, texts_of
from sandbox.discord.rules.problems import UNKNOWN_KEY, Problem, Step
from sandbox.discord.rules.values import moment_problems, url_problems

Kind = Literal["create", "edit", "callback", "webhook", "webhook edit"]

_COMMON = {"content", "embeds", "allowed_mentions", "components", "attachments", "flags"}
KEYS: dict[str, set[str]] = {
    "create": _COMMON
    | {"nonce", "enforce_nonce", "tts", "message_reference", "sticker_ids", "poll", "shared_client_theme"},
    "edit": _COMMON | {"sticker_ids", "tts"},
    "callback": _COMMON | {"tts", "poll", "enforce_nonce"},
    "webhook": _COMMON | {"tts", "poll", "enforce_nonce", "username", "avatar_url", "thread_name", "applied_tags"},
    "webhook edit": _COMMON | {"poll", "tts"},
}
EMBED_KEYS = {
    "type",
    "url",
    "title",
    "color",
    "timestamp",
    "description",
    "author",
    "image",
    "thumbnail",
    "footer",
    "fields",
    "provider",
    "video",
    "flags",
}
FLAGS: dict[str, int] = {
    "create": Flags.SUPPRESS_EMBEDS | Flags.SUPPRESS_NOTIFICATIONS | Flags.COMPONENTS_V2 | 8192,
    "callback": Flags.SUPPRESS_EMBEDS | Flags.EPHEMERAL | Flags.SUPPRESS_NOTIFICATIONS | Flags.COMPONENTS_V2 | 8192,
    "webhook": Flags.SUPPRESS_EMBEDS | Flags.EPHEMERAL | Flags.SUPPRESS_NOTIFICATIONS | Flags.COMPONENTS_V2 | 8192,
}
LEGACY = ("content", "embeds", "poll", "sticker_ids")
"""What a components message has not."""
SHOWABLE = (".jpg", ".jpeg", ".png", ".webp", ".gif")
MENTION = re.compile(r"@everyone|@here|<@[!&]?\d+>")

TOO_LONG = "BASE_TYPE_BAD_LENGTH"
REQUIRED = "BASE_TYPE_REQUIRED"
BAD_COUNT = "BASE_TYPE_BAD_LENGTH"


def length(path: tuple[Step, ...], value: Any, low: int, high: int) -> Iterator[Problem]:
    """A text (None passes) that must have ``low`` to ``high`` characters."""
    if value is None:
        return
    if not isinstance(value, str):
        yield Problem(path, "STRING_TYPE_CONVERT", "Could not interpret as string.")
    elif not value.strip() and low:
        yield Problem(path, REQUIRED, "This field is required")
    elif not low <= len(value) <= high:
        yield Problem(path, TOO_LONG, f"Must be between {low} and {high} in length.")


@dataclasses.dataclass(frozen=True, slots=True)
class Standing:
    """What a message has before an edit: its files' names by id, whether it is a components message, and which of the
    fields it has that such a message has not."""

    files: Mapping[str, str] = dataclasses.field(default_factory=dict)
    v2: bool = False
    legacy: frozenset[str] = frozenset()

    def names(self, body: Json) -> frozenset[str]:
        """The files that stay: all, unless the edit lists those it keeps."""
        listed = body.get("attachments")
        kept = self.files if listed is None else {str(one.get("id")) for one in listed}
        return frozenset(name for number, name in self.files.items() if number in kept)


NEW = Standing()


def check_message(body: Json, kind: Kind, *, files: Mapping[int, str], before: Standing = NEW) -> list[Problem]:
    """All that is wrong with the body of a message; ``files`` are the uploaded names by number."""
    return list(_message(body, kind, files, before))


def _message(body: Json, kind: Kind, files: Mapping[int, str], before: Standing) -> Iterator[Problem]:
    for key in body.keys() - KEYS[kind]:
        yield Problem((key,), UNKNOWN_KEY, f"{key} is not a field of this request")
    flags = body.get("flags") or 0
    if odd := flags & ~FLAGS.get(kind, flags):  # of an edit Discord takes what it can and leaves the rest alone
        yield Problem(("flags",), "MESSAGE_FLAGS_INVALID", f"These flags cannot be set here: {odd}")
    yield from length(("content",), body.get("content"), 0, 2000)
    if body.get("nonce") is not None and len(str(body["nonce"])) > 25:
        yield Problem(("nonce",), TOO_LONG, "Must be 25 or fewer in length.")
    yield from _mentions(body.get("allowed_mentions"))
    yield from _attachments(body, kind, files)
    names = frozenset(files.values()) | before.names(body)
    yield from _embeds(body.get("embeds"), names)
    v2 = before.v2 or bool(flags & Flags.COMPONENTS_V2)
    yield from check_components(body.get("components") or [], v2=v2, names=names)
    if v2:
        yield from _legacy(body, before)


def _legacy(body: Json, before: Standing) -> Iterator[Problem]:
    """Fields beside components: those the body brings, and those of the message that it does not take away."""
    for key in LEGACY:
        if body.get(key, key in before.legacy):
            text = f"The '{key}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
            yield Problem((key,), "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", text)


def _mentions(allowed: Json | None) -> Iterator[Problem]:
    if allowed is None:
        return
    parse = allowed.get("parse") or []
    for key in set(allowed) - {"parse", "users", "roles", "replied_user"}:
        yield Problem(("allowed_mentions", key), UNKNOWN_KEY, f"{key} is not a field of allowed_mentions")
    for kind in ("users", "roles"):
        if kind in parse and allowed.get(kind):
            text = f"parse:[{kind}] and {kind}: [ids...] are mutually exclusive."
            yield Problem(("allowed_mentions",), "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", text)
        if len(allowed.get(kind) or ()) > 100:
            yield Problem(("allowed_mentions", kind), BAD_COUNT, "Must be 100 or fewer in length.")


def _attachments(body: Json, kind: Kind, files: Mapping[int, str]) -> Iterator[Problem]:
    listed = body.get("attachments") or []
    if len(listed) > 10 or len(files) > 10:
        yield Problem(("attachments",), BAD_COUNT, "Must be 10 or fewer in length.")
    ids = [str(a.get("id")) for a in listed]
    if len(ids) != len(set(ids)):
        yield Problem(("attachments",), "SET_TYPE_ALREADY_CONTAINS_VALUE", "The same id stands there twice")
    for place, entry in enumerate(listed):
        yield from length(("attachments", place, "description"), entry.get("description"), 0, 1024)
        yield from length(("attachments", place, "filename"), entry.get("filename"), 1, 1024)
        number = str(entry.get("id", ""))
        is_new = number.isdigit() and int(number) in files
        if kind in {"create", "callback", "webhook"} and not is_new:
            yield Problem(("attachments", place, "id"), "ATTACHMENT_NOT_FOUND", "There is no files[n] of this id")


def _embeds(embeds: Any, names: frozenset[str]) -> Iterator[Problem]:
    if not embeds:
        return
    if len(embeds) > 10:
        yield Problem(("embeds",), BAD_COUNT, "Must be 10 or fewer in length.")
    total = 0
    for place, embed in enumerate(embeds):
        total += embed_length(embed)
        yield from _embed(("embeds", place), embed, names)
    if total > 6000:
        yield Problem(("embeds",), "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000")


def embed_length(embed: Json) -> int:
    """The characters that count toward the 6000 of a message."""
    parts = [embed.get("title"), embed.get("description")]
    parts += [(embed.get("footer") or {}).get("text"), (embed.get("author") or {}).get("name")]
    for field in embed.get("fields") or ():
        parts += [field.get("name"), field.get("value")]
    return sum(len(p) for p in parts if isinstance(p, str))


def _embed(path: tuple[Step, ...], embed: Json, names: frozenset[str]) -> Iterator[Problem]:
    for key in embed.keys() - EMBED_KEYS:
        yield Problem((*path, key), UNKNOWN_KEY, f"{key} is not a field of an embed")
    yield from length((*path, "title"), embed.get("title"), 0, 256)
    yield from length((*path, "description"), embed.get("description"), 0, 4096)
    yield from moment_problems((*path, "timestamp"), embed.get("timestamp"))
    fields = embed.get("fields") or []
    if len(fields) > 25:
        yield Problem((*path, "fields"), BAD_COUNT, "Must be 25 or fewer in length.")
    for place, field in enumerate(fields):
        for key, most in (("name", 256), ("value", 1024)):  # may be empty, may not be missing
            if field.get(key) is None:
                yield Problem((*path, "fields", place, key), REQUIRED, "This field is required")
            yield from length((*path, "fields", place, key), field.get(key), 0, most)
    if embed.get("footer"):
        yield from length((*path, "footer", "text"), embed["footer"].get("text", ""), 1, 2048)
    if embed.get("author"):
        yield from length((*path, "author", "name"), embed["author"].get("name", ""), 1, 256)
    shows = ("title", "description", "fields", "image", "thumbnail", "footer", "author", "video")
    if not any(embed.get(key) for key in shows):
        yield Problem((*path, "description"), REQUIRED, "This field is required")
    yield from _embed_urls(path, embed, names)


def _embed_urls(path: tuple[Step, ...], embed: Json, names: frozenset[str]) -> Iterator[Problem]:
    spots: list[tuple[tuple[Step, ...], Any, bool]] = [((*path, "url"), embed.get("url"), False)]
    spots += [((*path, key, "url"), (embed.get(key) or {}).get("url"), True) for key in ("image", "thumbnail")]
    spots += [((*path, key, "icon_url"), (embed.get(key) or {}).get("icon_url"), True) for key in ("author", "footer")]
    spots.append(((*path, "author", "url"), (embed.get("author") or {}).get("url"), False))
    for where, url, may_attach in spots:
        if url:
            yield from _url(where, url, may_attach, names)


def _url(where: tuple[Step, ...], url: str, may_attach: bool, names: frozenset[str]) -> Iterator[Problem]:
    if url.startswith("attachment://") and may_attach:
        name = url.removeprefix("attachment://")
        if name not in names:
            yield Problem(where, "ATTACHMENT_NOT_FOUND", f"There is no file named {name}")
        elif not name.lower().endswith(SHOWABLE):
            yield Problem(where, "ATTACHMENT_NOT_AN_IMAGE", f"An embed cannot show {name}")
    else:
        yield from url_problems(where, url, 2048)


def check_defer(data: Json | None) -> list[Problem]:
    """A deferred answer may only say that it will be private."""
    data = data or {}
    found = [Problem(("data", key), UNKNOWN_KEY, f"a deferred answer has no {key}") for key in data.keys() - {"flags"}]
    if (data.get("flags") or 0) & ~Flags.EPHEMERAL:
        found.append(Problem(("data", "flags"), "MESSAGE_FLAGS_INVALID", "Only EPHEMERAL can be set when deferring"))
    return found


def could_ping(body: Json) -> str | None:
    """The mention that this message does not forbid, if there is one.

    Discord would take it; for a bot that repeats what people write it is a fault. ``allowed_mentions`` with an empty
    ``parse`` is the answer (listing single users is deliberate, and passes).
    """
    allowed = body.get("allowed_mentions")
    if allowed is not None and not allowed.get("parse") and "parse" in allowed:
        return None
    texts = [body.get("content") or "", *texts_of(body.get("components") or [])]
    for embed in body.get("embeds") or ():
        texts += [str(embed.get(key) or "") for key in ("title", "description")]
        texts += [f"{f.get('name')} {f.get('value')}" for f in embed.get("fields") or ()]
    found = MENTION.search(" ".join(texts))
    return found.group() if found else None


def is_empty(body: Json, files: Mapping[int, str]) -> bool:
    """Whether a new message would show nothing at all; files beside components are shown by components alone."""
    if is_v2(body):
        return not body.get("components")
    shows = ("content", "embeds", "sticker_ids", "poll", "shared_client_theme", "components")
    return not (files or any(body.get(key) for key in shows))
