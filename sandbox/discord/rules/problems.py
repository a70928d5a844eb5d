"""What can be wrong with one place of a request body."""

from __future__ import annotations

from dataclasses import dataclass

Step = str | int

UNKNOWN_KEY = "UNKNOWN_KEY"
"""Ours, not Discord's: it takes no notice of keys it does not know, we record them."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a request body: where, Discord's word for it, and a sentence."""

    path: tuple[Step, ...]
    code: str
    message: str

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.path)) or 'body'}: {self.message} ({self.code})"
