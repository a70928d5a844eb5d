"""One thing in a settings file that is not as it must be."""

from __future__ import annotations

from bot.rules.errors import UserError


class Misfit(UserError):
    """One thing in a settings file that is not as it must be. ``where`` names it as the file does; empty: the file."""

    def __init__(self, what: str, where: str = "", **facts: object) -> None:
        super().__init__(f"{where}: {what}" if where else what)
        self.what = what
        self.where = where
        self.facts = facts

    def at(self, where: str) -> Misfit:
        return Misfit(self.what, where, **self.facts)
