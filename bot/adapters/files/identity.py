"""The name of the place where a process keeps pictures: random, made once, the same for all that share DATA_DIR.

It belongs to the pictures: who copies the folder to another machine moves the place, and must not use both.
"""

from __future__ import annotations

import re
from pathlib import Path
from uuid import uuid4

from bot.adapters.files.once import write_once
from bot.ports import CannotStart

_FILE = "identity"
_IDENTITY = re.compile(r"[0-9a-f]{32}")


def identity_of(folder: Path) -> str:
    """The name that stands in the folder, or one that stands there from now on. Raises ``CannotStart``."""
    path = folder / _FILE
    try:
        found = path.read_text("ascii", errors="replace").strip() if path.exists() else write_once(path, uuid4().hex)
    except OSError as error:
        raise CannotStart(f"DATA_DIR: {path} cannot be read or written ({error.strerror}).") from error
    if not _IDENTITY.fullmatch(found):
        raise CannotStart(f"DATA_DIR: {path} does not hold what Easel wrote there. Remove it, and it is made anew.")
    return found
