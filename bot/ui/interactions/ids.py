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


def is_snowflake(number: int) -> bool:
    """Whether Discord could have given it, and a database can hold it: ids in buttons and files may be forged."""
    return 0 < number < 1 << 63


def pattern(what: str) -> str:
    return f"{VERSION}:{what}:{JOB}{INDEX}"
