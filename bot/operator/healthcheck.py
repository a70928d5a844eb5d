"""``python -m bot healthcheck``: asks the running process whether it lives. For containers, which have no curl.

Law: starts quickly, so it imports little; it reads the two settings it needs by itself.
"""

from __future__ import annotations

import argparse
import http.client
import os

ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - where it listens, read, never bound
TIMEOUT_S = 5.0


def main(_arguments: argparse.Namespace) -> int:
    """0 when ``/healthz`` answers 200, or when the page is turned off; else 1."""
    host = os.environ.get("HTTP_HOST", "127.0.0.1").strip()
    port = os.environ.get("HTTP_PORT", "").strip() or "8080"
    if port == "0":
        return 0
    words = ask(ANYWHERE.get(host, host), port)
    print(words or "alive")  # noqa: T201 - this is its output
    return 1 if words else 0


def ask(host: str, port: str) -> str:
    """What is wrong, or nothing."""
    try:
        connection = http.client.HTTPConnection(host, int(port), timeout=TIMEOUT_S)
        try:
            connection.request("GET", "/healthz")
            status = connection.getresponse().status
        finally:
            connection.close()
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"no answer from {host}:{port} ({type(error).__name__})"
    return "" if status == 200 else f"{host}:{port} answers with status {status}"
