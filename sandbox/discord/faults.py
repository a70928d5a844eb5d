"""Faults on demand: the next request that matches fails in the way a test or the page chose.

A request is told by what it *carries*, not only by its address: an edit that brings the file and an edit that moves a
line of progress go to the same path, and which of them comes next depends on how fast the machine is.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """Requests of a kind. ``method`` may be ``*``.

    ``path_glob`` is held against the path below ``/api/v10``, such as ``/webhooks/*/messages/@original`` or
    ``/interactions/*/callback``. ``files``: only requests with files, or only those without. ``key``: only requests
    whose JSON says something under it.
    """

    method: str
    path_glob: str
    files: bool | None = None
    key: str | None = None

    @property
    def asks_for_body(self) -> bool:
        return self.files is not None or self.key is not None

    def is_at(self, method: str, path: str) -> bool:
        return self.method in {"*", method} and fnmatchcase(path, self.path_glob)

    def is_carried(self, data: Any, *, has_files: bool) -> bool:
        if self.files is not None and self.files != has_files:
            return False
        return self.key is None or (isinstance(data, dict) and data.get(self.key) is not None)


ORIGINAL = "/webhooks/*/messages/@original"
FIRST_ANSWER = Target("POST", "/interactions/*/callback")
ANY_EDIT = Target("PATCH", ORIGINAL)
RESULT_EDIT = Target("PATCH", ORIGINAL, files=True)
"""The answer is given its files."""
PROGRESS_EDIT = Target("PATCH", ORIGINAL, files=False)
"""The answer is given other words, and no file."""
CHANNEL_POST = Target("POST", "/channels/*/messages")
POST_ONCE = Target("POST", "/channels/*/messages", key="nonce")
"""A message that Discord is asked to take no second time."""
REGISTRATION = Target("PUT", "/applications/*/commands")
"""The commands are told anew, everywhere or on one server."""
ANYTHING_WITH_FILES = Target("*", "*", files=True)
ANYTHING_IN_THE_ANSWER = Target("*", "/webhooks/*")

REFUSALS: dict[str, tuple[int, int, str]] = {
    "explicit content": (400, 20009, "Explicit content cannot be sent to the desired recipient(s)"),
    "AutoMod": (400, 200000, "Message was blocked by automatic moderation"),
    "harmful link": (400, 240000, "Message blocked by harmful links filter"),
    "archived thread": (400, 50083, "Thread is archived"),
    "locked thread": (403, 160005, "This thread is locked"),
    "invalid form": (400, 50035, "Invalid Form Body"),
    "no permission": (403, 50013, "Missing Permissions"),
    "no access": (403, 50001, "Missing Access"),
    "unknown channel": (404, 10003, "Unknown Channel"),
}
"""What Discord refuses for reasons outside the form, by name: status, code and words."""


@dataclass(slots=True)
class Fault:
    """What happens to requests that match. ``left`` counts down; at 0 it is over.

    ``after_taking``: the request has its effect, and is answered with ``status`` all the same. ``drop``: the connection
    is reset instead of answered (after taking, if both). ``delay_s`` comes before everything. ``status`` 0: only delay.
    ``via`` false makes a 429 look like a ban by the network in front of Discord.
    """

    target: Target
    status: int = 500
    left: int = 1
    after_taking: bool = False
    drop: bool = False
    delay_s: float = 0.0
    retry_after_s: float = 0.05
    via: bool = True
    globally: bool = False
    code: int = 0
    message: str = ""
    hits: int = 0


class Faults:
    """The faults switched on, first matching first."""

    def __init__(self) -> None:
        self.active: list[Fault] = []

    def fail_next(
        self,
        target: Target,
        *,
        status: int = 500,
        times: int = 1,
        after_taking: bool = False,
        drop: bool = False,
        delay_s: float = 0.0,
        retry_after_s: float = 0.05,
        via: bool = True,
        globally: bool = False,
        code: int = 0,
        message: str = "",
    ) -> Fault:
        """Makes the next ``times`` requests of the kind fail. What it returns counts its ``hits``."""
        fault = Fault(target, status, times, after_taking, drop, delay_s, retry_after_s, via, globally, code, message)
        self.active.append(fault)
        return fault

    def refuse(self, target: Target, refusal: str, *, times: int = 1000) -> Fault:
        """Refuses requests of the kind as Discord does for one of the reasons in ``REFUSALS``."""
        status, code, message = REFUSALS[refusal]
        return self.fail_next(target, status=status, code=code, message=message, times=times)

    def clear(self) -> None:
        """Switches all faults off."""
        self.active.clear()

    def ask_for_body(self, method: str, path: str) -> bool:
        """Whether a fault here can be told only by what the request carries."""
        return any(fault.target.asks_for_body and fault.target.is_at(method, path) for fault in self.active)

    def take(self, method: str, path: str, data: Any = None, *, has_files: bool = False) -> Fault | None:
        """The fault for this request, counted, if there is one. ``data``: its JSON."""
        for fault in self.active:
            if fault.target.is_at(method, path) and fault.target.is_carried(data, has_files=has_files):
                fault.left -= 1
                fault.hits += 1
                if fault.left <= 0:
                    self.active.remove(fault)
                return fault
        return None
