"""Files that are written once: a key, an identity."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_once(path: Path, word: str) -> str:
    """Writes a word, readable by the owner alone, whole or not at all; returns what stands there now.

    Of several processes that try at once the first one's word stands. Raises ``OSError``, and leaves nothing behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        try:
            os.write(file, f"{word}\n".encode("ascii"))
            os.fsync(file)
        finally:
            os.close(file)
        try:
            os.link(temporary, path)
        except FileExistsError:
            word = path.read_text("ascii").split()[0]
        except OSError:  # a file system without links
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return word
