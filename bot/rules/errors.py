"""The root of everything that is told to a person, and the few errors that belong to no single rule.

    UserError
     ├─ InvalidOptions      rules/options/build.py    what was asked cannot be made as asked
     ├─ Refused             rules/limits/decide.py    a limit or a budget is used up
     ├─ AccessDenied        rules/servers/access.py   not here, not you, not this model, not now
     ├─ ServiceFailed       rules/faults.py           the image service did not make the picture
     ├─ BadUpload           rules/uploads.py          a file that was handed in cannot be used
     └─ …                   below

A ``UserError`` carries data, lives beside its rule, and is put into words in one place: ``bot/ui/words/errors.py``.
Raising one never costs money. Every other exception is a bug.
"""

from __future__ import annotations


class UserError(Exception):
    """Something a person can act on. Subclasses hold the data their sentence needs."""


class NotFound(UserError):
    """The picture, job or message that was asked for is gone, foreign or never existed."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class NoSuchLink(UserError):
    """What was typed names no message of this place."""


class AlreadyRunning(UserError):
    """The same click or event made a job already; that one will be answered, this one is not needed."""


class TooOften(UserError):
    """Somebody did something free so often that it is more than hands can do. Nothing was done."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"{wait_s:.0f} s")
        self.wait_s = wait_s


class ShuttingDown(UserError):
    """The bot is stopping and takes no new jobs; nothing was spent."""


class StorageTrouble(UserError):
    """The ledger or the disk for pictures did not take it, whatever it said; nothing was spent.

    All that storage can say comes as this, from the adapter's edge on: who holds pictures never gives them up for it.
    """


class StorageFull(StorageTrouble):
    """The disk that keeps paid pictures is full, so no new job may start; nothing was spent."""


class Busy(StorageTrouble):
    """The ledger could not be written in time; nothing was spent and trying again is safe."""


class Crowded(UserError):
    """More commands came at once than can be answered in time; this one was not begun."""


class ServicePaused(UserError):
    """The image service refused the key or has no funds left; whose it is knows. Nothing was spent.

    ``model``: for that one alone, others may work; None: for every model. ``of_words``: words were asked for.
    ``own_key``: it is the server's own.
    """

    def __init__(self, model: str | None, *, own_key: bool, of_words: bool = False) -> None:
        super().__init__(model or "every model")
        self.model = model
        self.own_key = own_key
        self.of_words = of_words


class OwnKeyGone(UserError):
    """The server's own key was to pay, and is ``removed`` or cannot be read any more. Nothing was spent."""

    def __init__(self, *, removed: bool) -> None:
        super().__init__("removed" if removed else "unreadable")
        self.removed = removed


class QueueTooLong(UserError):
    """The result could not be ready while it can still be delivered here; nothing was spent."""

    def __init__(self, wait_s: float, allowed_s: float) -> None:
        super().__init__(f"{wait_s:.0f} s of {allowed_s:.0f} s")
        self.wait_s = wait_s
        self.allowed_s = allowed_s


class Cancelled(UserError):
    """The maker or a moderator stopped the job. ``maybe_billed``: it had been sent, so it stays on the bill."""

    def __init__(self, *, maybe_billed: bool) -> None:
        super().__init__("maybe billed" if maybe_billed else "not billed")
        self.maybe_billed = maybe_billed


class Interrupted(UserError):
    """The bot was restarted in the middle of the job. ``maybe_billed``: it had been sent, so it stays on the bill."""

    def __init__(self, *, maybe_billed: bool) -> None:
        super().__init__("maybe billed" if maybe_billed else "not billed")
        self.maybe_billed = maybe_billed
