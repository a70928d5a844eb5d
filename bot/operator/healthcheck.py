"""``python -m bot healthcheck``: asks the running process whether it lives. For containers, which have no curl.

Law: starts quickly, so it imports nothing but the settings.
"""

from __future__ import annotations

import argparse
import http.client
import json
from typing import Any

from bot.settings.sources import read_settings

ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where it listens, read, never bound
TIMEOUT_S = 5.0
READY_S = 3.0


def main(_arguments: argparse.Namespace) -> int:
    """0 when ``/healthz`` answers 200, or when the page is turned off; else 1."""
    settings = read_settings().settings
    host, port = settings.http_host, settings.http_port
    if port == 0:
        return 0
    words = ask(ANYWHERE.get(host, host), port)
    print(words or "alive")  # noqa: T201 - this is its output
    return 1 if words else 0


def ask(host: str, port: int) -> str:
    """What is wrong, or nothing."""
    try:
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        try:
            connection.request("GET", "/healthz")
            status = connection.getresponse().status
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        return f"no answer from {host}:{port} ({type(error).__name__})"
    return "" if status == 200 else f"{host}:{port} answers with status {status}"


def readiness(host: str, port: int) -> dict[str, str] | None:
    """What an Easel that runs there says of each of its checks (``ok`` or what is wrong); None: none runs there."""
    try:
        connection = http.client.HTTPConnection(ANYWHERE.get(host, host), port, timeout=READY_S)
        try:
            connection.request("GET", "/readyz")
            said: Any = json.loads(connection.getresponse().read(65_536))
        finally:
            connection.close()
        return {str(name): str(words)[:300] for name, words in said["checks"].items()}
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError, AttributeError):
        return None
