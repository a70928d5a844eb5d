"""The words themselves: the sandbox says what it can see, and adds what a prompt mostly lacks."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.images.words.looking import Seen, difference

SAME = 6.0


def described(seen: Seen, known: Sequence[tuple[Seen, str]]) -> str:
    """By what was asked for, where the picture was drawn here; else by what can be measured."""
    nearest = min(known, key=lambda one: difference(seen, one[0]), default=None)
    width, height = seen.size
    shape = "square" if abs(width - height) * 10 < width else "wide" if width > height else "tall"
    light = "bright" if seen.brightness > 0.6 else "dark" if seen.brightness < 0.3 else "soft"
    look = f"a {shape} composition in {_listed(seen.colours)}, {light} light"
    if nearest is not None and difference(seen, nearest[0]) < SAME:
        return f"{nearest[1].rstrip(' .')}, {look}"
    return f"An illustration, {look}, clean edges, calm mood"


def improved(text: str) -> str:
    """The words as they were, with setting, light and composition after them."""
    return (
        f"{text.strip().rstrip('.')}, seen at eye level in a clear setting, the subject in the foreground with "
        "room around it, soft light from one side, warm and cool colours in balance, fine texture, sharp focus"
    )


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names) or "grey"
