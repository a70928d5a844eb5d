"""Takes keys and prompts out of what a service wrote, before it may stand in a log. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

MAX_DETAIL = 500

SECRET = re.compile(
    r"\b(?:sk|rk|pk|sess|org|proj)[-_][\w*.\-]{4,}|bearer\s+\S+|\b[A-Za-z0-9+/_\-=]{48,}|https?://\S+", re.IGNORECASE
)
_WORD = re.compile(r"\w+")
_RUN = 3  # this many words of a prompt in a row give it away; fewer are just words


class Redactor:
    """Takes the key and the prompt of one call out of texts. Texts come out on one line and at most 500 long."""

    def __init__(self, *, prompts: Iterable[str], secrets: Iterable[str]) -> None:
        self._secrets = tuple(secret for secret in secrets if len(secret) >= 4)
        self._texts = tuple(prompt.strip().casefold() for prompt in prompts if prompt.strip())

    def clean(self, text: str) -> str:
        """The text without keys, addresses, long codes or words of the prompt."""
        for secret in self._secrets:
            text = text.replace(secret, "[key]")
        text = SECRET.sub("[…]", text[: 8 * MAX_DETAIL])
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
