"""What Discord refuses in a link, an emoji and a moment, wherever they stand. Law: pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import regex

from sandbox.discord.components import Path
from sandbox.discord.rules.problems import Problem

WEB = frozenset({"http", "https"})
BUTTON_LINKS = WEB | {"discord"}

_ONE_SIGN = regex.compile(r"\X")
_PICTURE = regex.compile(r"\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|[0-9#*]\uFE0F?\u20E3")


def url_problems(path: Path, url: str, longest: int, schemes: frozenset[str] = WEB) -> Iterator[Problem]:
    """A link that is no link, or leads where Discord lets none lead."""
    if len(url) > longest:
        yield Problem(path, "BASE_TYPE_BAD_LENGTH", f"Must be {longest} or fewer in length.")
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        parts, host = None, ""
    if parts is not None and parts.scheme and parts.scheme not in schemes:
        text = f"Scheme {parts.scheme!r} is not supported. Scheme must be one of {tuple(sorted(schemes))}."
        yield Problem(path, "URL_TYPE_INVALID_SCHEME", text)
    elif not host or any(one.isspace() for one in url) or (parts and parts.scheme in WEB and not _is_host(host)):
        yield Problem(path, "URL_TYPE_INVALID_URL", "Not a well formed URL.")


def _is_host(host: str) -> bool:
    """A name with a domain, an address, or this machine."""
    return host == "localhost" or ":" in host or ("." in host and all(host.rstrip(".").split(".")))


def emoji_problems(path: Path, emoji: Any, code: str) -> Iterator[Problem]:
    """An emoji that is none, or one of a server: this application has no emoji of its own anywhere."""
    if emoji is None:
        return
    name, number = str(emoji.get("name") or ""), emoji.get("id")
    if number is not None or not (_ONE_SIGN.fullmatch(name) and _PICTURE.match(name)):
        yield Problem((*path, "emoji", "id" if number is not None else "name"), code, "Invalid emoji")


def moment_problems(path: Path, moment: Any) -> Iterator[Problem]:
    """A time that is none."""
    if moment is None:
        return
    try:
        datetime.fromisoformat(moment)
    except (TypeError, ValueError):
        text = f"Could not parse {moment}. Should be ISO8601."
        yield Problem(path, "DATE_TIME_TYPE_PARSE", text)
