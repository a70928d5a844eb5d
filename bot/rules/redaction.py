"""Takes secrets out of text. Two policies: what a log may keep, and what may be kept of a text that a service wrote.

Law: no other file decides what a secret looks like.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

REDACTED = "[redacted]"

# What cannot be told by its own shape is told by what stands before it; group 1 stays.
_AFTER = (
    # addresses: interaction callbacks and webhooks carry their token in the path
    r"(/interactions/\d{5,25}/)[^/\s?#'\"\\]+",
    r"(/webhooks/\d{5,25}/)[^/\s?#'\"\\]+",
    # headers
    r"(authorization\\?['\"]?\s*[:=,]\s*\(?\\?b?\\?['\"]?(?:(?:bot|bearer|basic)\s+)?)[^\s'\",\\)}]+",
    r"(\b(?:bot|bearer)\s+)(?=[\w.~+/=-]*[\d_])[\w.~+/=-]{16,}",
    # JSON, dicts and form fields: gateway events and identify hold "token"
    r"((?:[\w-]*token|api[_-]?key|password|secret(?:_key)?)\\?['\"]\s*:\s*\\?['\"])[^'\"\\]+",
    r"(\b(?:[\w-]*token|api[_-]?key|password|secret_key)=)[^\s&'\",;)]+",
    # passwords in addresses
    r"(\b[a-z][\w+.-]*://[^\s:/@'\"]*:)[^\s/'\"]+(?=@)",
)
_SHAPES = (
    r"(?<![\w-])[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}(?![\w-])",  # a bot token
    r"\b(?:sk|rk|pk)-[\w*.-]*[\w*]{6,}",  # API keys, also half hidden ones as services quote them
    r"aW50ZXJhY3Rpb24[\w+/=-]{8,}",  # an interaction token: base64 of "interaction…"
    r"(?<![\w-])[A-Za-z0-9_-]{43}=(?![\w=-])",  # a Fernet key
    r"(?<![\w-])gAAAAA[\w-]{20,}={0,2}",  # what a Fernet key has sealed
)
_BEFORE = re.compile("|".join(_AFTER), re.IGNORECASE)
_SHAPE = re.compile("|".join(_SHAPES))
_NAMES_A_SECRET = re.compile(r"(token|api[_-]?key|password|authorization|secret(_key)?)$", re.IGNORECASE)

MAX_DETAIL = 500

SECRET = re.compile(
    r"\b(?:sk|rk|pk|sess|org|proj)[-_][\w*.\-]{4,}|bearer\s+\S+|\b[A-Za-z0-9+/_\-=]{48,}|https?://\S+", re.IGNORECASE
)
_WORD = re.compile(r"\w+")
_RUN = 3  # this many words of a prompt in a row give it away; fewer are just words

_NOTHING = re.compile(r"(?!)")


def _any_of(values: Iterable[str]) -> re.Pattern[str]:
    """Matches any of the values, the longest first."""
    longest_first = sorted(set(values), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first))) if longest_first else _NOTHING


class LogRedactor:
    """For log lines: only secrets go, known by shape, by what stands before them, or as this process's very values."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known = _any_of(secret for secret in secrets if len(secret) >= 6)

    def clean(self, text: str) -> str:
        """The text with ``[redacted]`` in place of every secret."""
        return _BEFORE.sub(_keep_what_leads, _SHAPE.sub(REDACTED, self._known.sub(REDACTED, text)))

    def clean_value(self, value: Any) -> Any:
        """The same for anything a log record may hold; what is no text, number or container becomes its repr."""
        match value:
            case None | bool() | int() | float():
                return value
            case str():
                return self.clean(value)
            case Mapping():
                return {str(key): self.clean_pair(str(key), item) for key, item in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self.clean_value(item) for item in value]
            case _:
                return self.clean(repr(value))

    def clean_pair(self, key: str, value: Any) -> Any:
        """The same for what stands under a name: a text under the name of a secret is one."""
        return REDACTED if isinstance(value, str) and is_secret_name(key) else self.clean_value(value)


def is_secret_name(name: str) -> bool:
    """Whether what stands under this name is a secret."""
    return _NAMES_A_SECRET.search(name) is not None


def _keep_what_leads(match: re.Match[str]) -> str:
    return f"{next(group for group in match.groups() if group is not None)}{REDACTED}"


class DetailRedactor:
    """For what a service wrote: keeps what can be neither secret nor prompt, on one line of at most 500 characters."""

    def __init__(self, *, prompts: Iterable[str], secrets: Iterable[str]) -> None:
        self._known = _any_of(secret for secret in secrets if len(secret) >= 4)
        self._texts = tuple(prompt.strip().casefold() for prompt in prompts if prompt.strip())

    def clean(self, text: str) -> str:
        """The text without keys, addresses, long codes or words of the prompt."""
        text = SECRET.sub("[…]", self._known.sub("[key]", text)[: 8 * MAX_DETAIL])
        text = self._without_prompt(text)
        return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:MAX_DETAIL]

    def _without_prompt(self, text: str) -> str:
        words = list(_WORD.finditer(text))
        folded = [word[0].casefold() for word in words]
        hidden: set[int] = set()
        for run, size in self._runs():
            for at in range(len(words) - size + 1):
                if tuple(folded[at : at + size]) in run:
                    hidden.update(range(at, at + size))
        hidden |= {at for at, word in enumerate(folded) if len(word) >= 16 and any(word in t for t in self._texts)}
        for at in sorted(hidden, reverse=True):
            start, end = words[at].span()
            text = f"{text[:start]}…{text[end:]}"
        return text

    def _runs(self) -> Iterator[tuple[set[tuple[str, ...]], int]]:
        """Per prompt, every few words in a row, and how many a run has."""
        for text in self._texts:
            words = _WORD.findall(text)
            size = min(_RUN, len(words))
            if size:
                yield {tuple(words[at : at + size]) for at in range(len(words) - size + 1)}, size
