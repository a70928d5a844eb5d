"""Microsoft's emulator of Azure's object store, for tests, over HTTP."""

from __future__ import annotations

import base64
import hmac
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The emulator's own, the same on every machine: https://learn.microsoft.com/azure/storage/common/storage-use-azurite."""


@contextmanager
def azurite() -> Iterator[str]:
    """The address of Microsoft's own emulator of Azure's store, with a container ``easel``."""
    program = os.environ.get("EASEL_AZURITE") or shutil.which("azurite-blob")
    if not program:
        pytest.skip("needs azurite-blob, from npm (EASEL_AZURITE names it)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--inMemoryPersistence", "--blobPort", str(port), "--silent", "--skipApiVersionCheck"]
    running = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}/{ACCOUNT}"
        _make_container(address, "easel")
        yield address
    finally:
        running.terminate()
        running.wait()


def _make_container(address: str, name: str) -> None:
    """By one signed request, as soon as the emulator listens: no client library makes one without its whole SDK."""
    for last in [False] * 300 + [True]:
        moment = format_datetime(datetime.now(UTC), usegmt=True)
        canonical = f"x-ms-date:{moment}\nx-ms-version:2021-08-06\n/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
        mac = hmac.digest(base64.b64decode(ACCOUNT_KEY), ("PUT" + "\n" * 12 + canonical).encode(), "sha256")
        signed = f"SharedKey {ACCOUNT}:{base64.b64encode(mac).decode()}"
        headers = {"x-ms-date": moment, "x-ms-version": "2021-08-06", "Authorization": signed, "Content-Length": "0"}
        asked = Request(f"{address}/{name}?restype=container", method="PUT", headers=headers)
        try:
            with urlopen(asked, timeout=5):
                return
        except URLError:
            if last:
                raise
            threading.Event().wait(0.1)
