"""Pictures as versions up to 0.1 kept them: a folder a job, a file a picture, the bill beside them.

    <DATA_DIR>/pictures/<first two of the id>/<job id>/0.png, bill.json, in-0.png, mask.png, markup.png, small-0.webp

They are read and removed, never written. What a crash left whole under ``<name>.<checksum>.part`` counts as kept.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from bot.ports import Bundle, Kept

_BILL = "bill.json"
_PART = re.compile(r"(?P<name>.+)\.(?P<sum>[0-9a-f]{32})\.part")
_OF = {
    Kept.RESULTS: re.compile(r"(?P<number>[0-9]+)\.[a-z0-9]+|bill\.json"),
    Kept.INPUTS: re.compile(r"in-(?P<number>[0-9]+)\.[a-z0-9]+|(mask|markup)\.png"),
    Kept.SMALL: re.compile(r"small-0\.webp"),
}


def older_folder(root: Path, job_id: str) -> Path:
    return root / job_id[:2] / job_id


def read_older(folder: Path, kept: Kept) -> Bundle | None:
    """What an older version kept of it. Raises ``OSError``."""
    if not folder.is_dir():
        return None
    found = {name: data for path in folder.iterdir() if (name := _name_of(path, kept)) and (data := _whole(path))}
    bill = found.pop(_BILL, None)
    if not found:
        return None
    files = tuple(sorted(found.items(), key=lambda named: (_number(named[0], kept), named[0])))
    return Bundle(files, None if bill is None else bill.decode())


def _name_of(path: Path, kept: Kept) -> str | None:
    part = _PART.fullmatch(path.name)
    name = part["name"] if part else path.name
    return name if _OF[kept].fullmatch(name) else None


def _whole(path: Path) -> bytes | None:
    data, part = path.read_bytes(), _PART.fullmatch(path.name)
    return data if part is None or hashlib.blake2b(data, digest_size=16).hexdigest() == part["sum"] else None


def _number(name: str, kept: Kept) -> int:
    match = _OF[kept].fullmatch(name)
    number = match.groupdict().get("number") if match else None
    return int(number) if number else 1_000
