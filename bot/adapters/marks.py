"""Reading the C2PA marks of a picture with the Content Authenticity Initiative's own library, the only user of it.

Law: the picture may be anybody's, so it is read in a process of its own, with bounds on time and memory, that fetches
nothing: neither marks that lie elsewhere, nor lists of certificates, nor who a person in them is. That process cannot
open anything once it has the picture. Its answer is foreign text.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import subprocess
import sys

from bot.imaging.containers import read_container
from bot.imaging.headers import CannotLook, carries_marks, sniff
from bot.imaging.threads import offload_process
from bot.rules.origins import MARKED_FORMATS, Marks, MarkState, read_store

log = logging.getLogger(__name__)

READ_LIMIT_S = 10.0
MEMORY_BYTES = 1_500_000_000
MOST_TOLD_BYTES = 8 * 2**20

_CHILD = """
import io, json, sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]),) * 2)
except (ImportError, ValueError, OSError):
    pass
import c2pa
alone = {
    "verify": {
        "remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": False, "verify_timestamp_trust": False
    },
    "core": {"decode_identity_assertions": False, "allowed_network_hosts": []},
}
picture = io.BytesIO(sys.stdin.buffer.read())
try:
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
except (NameError, ValueError, OSError):
    pass
try:
    with c2pa.Context.from_dict(alone) as context:
        with c2pa.Reader(sys.argv[1], picture, context=context) as reader:
            told = {"fits": reader.get_validation_state() in ("Valid", "Trusted"), "store": json.loads(reader.json())}
except c2pa.C2paError as error:
    told = {"error": str(error).partition(":")[0]}
sys.stdout.write(json.dumps(told))
"""

_ERRORS = {"ManifestNotFound": MarkState.NONE, "Remote": MarkState.ELSEWHERE}
"""What the library calls a picture without marks of its own, by the first word of its message."""

_OF_THE_FILE = frozenset({"Other", "Io"})
"""How it calls a file that it cannot read, and marks of a kind that it does not know; every other word is about marks
that do not fit."""


class C2paMarks:
    """Reads marks where the library is installed."""

    def __init__(self) -> None:
        self.is_there = importlib.util.find_spec("c2pa") is not None

    async def read(self, data: bytes, *, lane: str) -> Marks:
        """``lane`` is a server's key. Never raises for what a picture holds."""
        kind = sniff(data)
        if kind not in MARKED_FORMATS:
            return Marks(MarkState.FORMAT)
        if not self.is_there:
            return Marks(MarkState.ABSENT)
        return await offload_process(lane, read_marks, data, kind)


def read_marks(data: bytes, kind: str) -> Marks:
    """The marks of a PNG, JPEG or WebP, read in another process."""
    # -I: neither the environment nor the working directory decides what is imported
    command = [sys.executable, "-I", "-c", _CHILD, f"image/{kind}", str(MEMORY_BYTES)]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=READ_LIMIT_S, check=False)  # noqa: S603  # fixed words; the picture goes in as data
    except (subprocess.TimeoutExpired, OSError) as error:
        log.warning("the marks of a picture could not be read: %s", type(error).__name__)
        return Marks(MarkState.LATE)
    if done.returncode != 0 or len(done.stdout) > MOST_TOLD_BYTES:
        log.warning("the marks of a picture could not be read: exit code %d", done.returncode)
        return Marks(MarkState.LATE)
    return _told(done.stdout, data, kind)


def _told(answer: bytes, data: bytes, kind: str) -> Marks:
    try:
        told = json.loads(answer)
    except (ValueError, RecursionError):
        return Marks(MarkState.BROKEN)
    word = told.get("error")
    if word is None:
        return read_store(told["store"], fits=told["fits"] is True)
    if word in _OF_THE_FILE:
        return Marks(MarkState.UNKNOWN if carries_marks(data) and _is_whole(data, kind) else MarkState.DAMAGED)
    return Marks(_ERRORS.get(word, MarkState.BROKEN))


def _is_whole(data: bytes, kind: str) -> bool:
    try:
        return not read_container(data, kind).lacks
    except (ValueError, CannotLook):
        return False
