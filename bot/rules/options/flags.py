"""Flags at the end of a prompt, as people write them for another bot: ``a fox --ar 16:9 --v 6``.

Law: a shape becomes the size, where none was chosen beside it; flags that mean nothing here are left out. Either is
told under the result. Whatever else begins with two dashes stays a part of the prompt.
"""

from __future__ import annotations

import re
from dataclasses import replace

from bot.rules.options.sizes import parse_size
from bot.rules.options.table import RawOptions
from bot.rules.uploads import Note, NoteKind, Typed

SHAPES = frozenset({"ar", "aspect"})
OTHERS = frozenset(
    {"v", "version", "q", "quality", "s", "stylize", "c", "chaos", "seed", "niji", "style", "tile", "iw", "w", "weird"}
    | {"stop", "repeat", "r", "turbo", "fast", "relax", "raw", "hd", "sref", "sw", "cref", "cw", "profile", "p", "exp"}
)
_FLAG = re.compile(r"\s(?:--|—|–)(?P<name>[a-zA-Z]+)(?:[ =](?P<value>(?!--|—|–)\S+))?\s*$")


def read_flags(raw: RawOptions) -> tuple[RawOptions, tuple[Note, ...]]:
    """The options with the prompt's flags taken out of it, and what is to be told of that."""
    prompt, shape, left_out = raw.prompt, "", []
    while (found := _FLAG.search(prompt)) is not None and found.start() > 0:
        name, value = found["name"].lower(), found["value"] or ""
        if name in SHAPES and parse_size(value) is not None and raw.size is None and not shape:
            shape = value
        elif name in SHAPES | OTHERS:
            left_out.append(found.group().strip())
        else:
            break
        prompt = prompt[: found.start()].rstrip()
    notes = [Note(NoteKind.FLAG_READ, "size", Typed(shape))] if shape else []
    if left_out:
        notes.append(Note(NoteKind.FLAGS_LEFT_OUT, "prompt", Typed(" ".join(reversed(left_out)))))
    return replace(raw, prompt=prompt, size=shape or raw.size), tuple(notes)
