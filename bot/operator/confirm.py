"""Questions at the terminal, for what cannot be taken back."""

from __future__ import annotations

import sys

from bot.ports import CannotStart


def confirm(question: str, word: str = "yes") -> bool:
    """Whether the person typed ``word``. Raises ``CannotStart`` where there is nobody to ask."""
    if not sys.stdin.isatty():
        raise CannotStart(f"{question} There is nobody to ask here; if it is meant, add --yes.")
    agreed = input(f"{question} Type {word}: ").strip().lower() == word
    if not agreed:
        print("Nothing was changed.")  # noqa: T201 - this is its output
    return agreed
