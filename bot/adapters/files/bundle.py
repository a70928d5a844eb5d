"""A bundle as one file: its files one after the other, then the list of them.

    <bytes of the first> … <bytes of the last> <list as JSON> <length of the list, 4 bytes> <MARK>

Law: what ends early, or is longer or shorter than its list says, is no bundle. There is no checksum: a bundle is on the
disk before anybody calls it kept, and pictures carry checksums of their own. Every viewer can open the first picture of
one, since none reads on behind its end.
"""

from __future__ import annotations

import json
import os
from typing import BinaryIO

from bot.ports import Bundle

MARK = b"\nEASEL1\n"
_TAIL = 4 + len(MARK)


class NoBundle(ValueError):
    """The file is none, or not all of one."""


def pieces_of(bundle: Bundle) -> list[bytes]:
    """What is written, in this order; the files' bytes are not copied."""
    told = {"files": [[name, len(data)] for name, data in bundle.files], "note": bundle.note}
    listed = json.dumps(told).encode()
    return [*(data for _, data in bundle.files), listed, len(listed).to_bytes(4), MARK]


def read_bundle(file: BinaryIO) -> Bundle:
    """The bundle that fills the file. Raises ``NoBundle``, and ``OSError`` as the file does."""
    size = file.seek(0, os.SEEK_END)
    if size < _TAIL:
        raise NoBundle(f"{size} bytes")
    file.seek(size - _TAIL)
    tail = file.read(_TAIL)
    rest = size - _TAIL - int.from_bytes(tail[:4])
    if tail[4:] != MARK or rest < 0:
        raise NoBundle("without its end")
    file.seek(rest)
    try:
        told = json.loads(file.read(size - _TAIL - rest))
        listed = [(str(name), int(length)) for name, length in told["files"]]
        note = told["note"]
    except (ValueError, KeyError, TypeError) as error:
        raise NoBundle("its list cannot be read") from error
    if sum(length for _, length in listed) != rest or any(length < 0 for _, length in listed):
        raise NoBundle("not as long as its list says")
    file.seek(0)
    return Bundle(tuple((name, file.read(length)) for name, length in listed), note)
