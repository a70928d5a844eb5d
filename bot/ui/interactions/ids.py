"""What ties a button to its job is its id alone.

Ids are ``e1:<what>:<job>[:<picture>]``; nothing else is remembered, so they outlive every restart.
"""

from __future__ import annotations

VERSION = "e1"
JOB = r"(?P<job>[A-Za-z0-9_-]{1,40})"
INDEX = r"(?::(?P<index>\d{1,2}))?"


def button_id(what: str, job_id: str, index: int | None = None) -> str:
    """The id of a button; far below the 100 characters that Discord takes."""
    return f"{VERSION}:{what}:{job_id}" + (f":{index}" if index is not None else "")


def pattern(what: str) -> str:
    return f"{VERSION}:{what}:{JOB}{INDEX}"
