"""Discord's refusals: status, code and text of each, and the tree of what is wrong with a form."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.discord.model import Json
from sandbox.discord.rules.problems import Problem


class ApiError(Exception):
    """An answer that is not 2xx."""

    def __init__(self, status: int, code: int, message: str, errors: Json | None = None, *, retry_after_s: float = 0):
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message, self.errors = status, code, message, errors
        self.retry_after_s = retry_after_s

    def body(self) -> Json:
        """The JSON Discord answers."""
        shape: Json = {"message": self.message, "code": self.code}
        if self.status == 429:
            shape |= {"retry_after": self.retry_after_s, "global": False}
        return shape | ({"errors": self.errors} if self.errors else {})


_KNOWN: dict[str, tuple[int, int, str]] = {
    "unknown channel": (404, 10003, "Unknown Channel"),
    "unknown guild": (404, 10004, "Unknown Guild"),
    "unknown member": (404, 10007, "Unknown Member"),
    "unknown message": (404, 10008, "Unknown Message"),
    "unknown user": (404, 10013, "Unknown User"),
    "unknown webhook": (404, 10015, "Unknown Webhook"),
    "unknown interaction": (404, 10062, "Unknown interaction"),
    "unknown command": (404, 10063, "Unknown application command"),
    "unknown command permissions": (404, 10066, "Unknown application command permissions"),
    "daily creates": (400, 30034, "Max number of daily application command creates has been reached (200)"),
    "old edits": (429, 30046, "Maximum number of edits to messages older than 1 hour reached. Try again later"),
    "too large": (413, 40005, "Request entity too large"),
    "already acknowledged": (400, 40060, "Interaction has already been acknowledged."),
    "too many followups": (400, 40094, "This interaction has reached the maximum number of follow up messages"),
    "missing access": (403, 50001, "Missing Access"),
    "not the author": (403, 50005, "Cannot edit a message authored by another user"),
    "empty message": (400, 50006, "Cannot send an empty message"),
    "closed dm": (403, 50007, "Cannot send messages to this user"),
    "not a text channel": (400, 50008, "Cannot send messages in a non-text channel"),
    "missing permissions": (403, 50013, "Missing Permissions"),
    "expired token": (401, 50027, "Invalid Webhook Token"),
    "archived": (400, 50083, "Thread is archived"),
    "locked": (403, 160005, "This thread is locked"),
    "unauthorized": (401, 0, "401: Unauthorized"),
    "not found": (404, 0, "404: Not Found"),
    "wrong method": (405, 0, "405: Method Not Allowed"),
    "broken json": (400, 50109, "The request body contains invalid JSON."),
}


def refuse(what: str) -> ApiError:
    """One of Discord's known errors, by its short name above."""
    return ApiError(*_KNOWN[what])


def invalid(problems: Iterable[Problem]) -> ApiError:
    """50035 with the tree of everything that is wrong."""
    tree: Json = {}
    for problem in problems:
        here = tree
        for step in problem.path:
            here = here.setdefault(str(step), {})
        here.setdefault("_errors", []).append({"code": problem.code, "message": problem.message})
    return ApiError(400, 50035, "Invalid Form Body", tree)
