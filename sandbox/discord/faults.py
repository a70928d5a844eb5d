"""Faults on demand: the next request that matches fails in the way a test or the page chose."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(slots=True)
class Fault:
    """What happens to requests that match. ``left`` counts down; at 0 it is over.

    ``after_taking``: the request has its effect, and is answered with ``status`` all the same. ``drop``: the connection
    is reset instead of answered (after taking, if both). ``delay_s`` comes before everything. ``status`` 0: only delay.
    ``via`` false makes a 429 look like a ban by the network in front of Discord.
    """

    method: str
    path_glob: str
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
        method: str,
        path_glob: str,
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
        """Makes the next ``times`` requests fail whose method is ``method`` (or ``*``) and path matches.

        ``path_glob`` is held against the path below ``/api/v10``, such as ``/webhooks/*/messages/@original`` or
        ``/interactions/*/callback``. The answer counts its ``hits``.
        """
        fault = Fault(
            method.upper(),
            path_glob,
            status,
            times,
            after_taking,
            drop,
            delay_s,
            retry_after_s,
            via,
            globally,
            code,
            message,
        )
        self.active.append(fault)
        return fault

    def clear(self) -> None:
        """Switches all faults off."""
        self.active.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault for this request, counted, if there is one."""
        for fault in self.active:
            if fault.method in {"*", method} and fnmatchcase(path, fault.path_glob):
                fault.left -= 1
                fault.hits += 1
                if fault.left <= 0:
                    self.active.remove(fault)
                return fault
        return None
