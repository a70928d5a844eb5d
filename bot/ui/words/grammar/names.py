"""What commands and options are called in a language, and sentences that name them so.

Law: everybody writes ``/settings show`` and ``remove:True``; where a language has names of its own (``[name]`` in its
file), its sentences are read with those, so that nothing a person is told to type is called otherwise on their screen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_COMMAND = re.compile(r"(?<![\w/<:.])/([a-z_]+(?: [a-z_]+){0,2})")
_SET = re.compile(r"(?<![\w{])([a-z_0-9]+):(?=[A-Z`a-z\d])")
_ALONE = re.compile(r"`([a-z_0-9]+)`")


def name_of(path: Sequence[str], names: Mapping[str, str]) -> str | None:
    """What the last of a path is called: as told of the whole path, else of its end, else of the name alone."""
    keys = (" ".join(path[start:]) for start in range(len(path)))
    return next((names[key] for key in keys if key in names), None)


def renamed(text: str, names: Mapping[str, str]) -> str:
    """The sentence with every command and every option as the language calls them."""
    text = with_commands(text, names)
    text = _SET.sub(lambda found: f"{names.get(found[1], found[1])}:", text)
    return _ALONE.sub(lambda found: f"`{names.get(found[1], found[1])}`", text)


def with_commands(text: str, names: Mapping[str, str]) -> str:
    """The sentence with its commands alone renamed, where a lone word may be something else than an option."""
    return _COMMAND.sub(lambda found: "/" + command_named(found[1], names), text)


def command_named(command: str, names: Mapping[str, str]) -> str:
    """``settings show`` word by word; a word that is no name is left as it is."""
    path = command.split(" ")
    return " ".join(name_of(path[: place + 1], names) or word for place, word in enumerate(path))
