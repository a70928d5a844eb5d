"""Numbers that admins type: read strictly, bounded, told apart from "no limit"."""

from __future__ import annotations

import re
from decimal import Decimal

from bot.rules.errors import UserError
from bot.rules.money import MicroUSD

MAX_DOLLARS = 1_000_000
MAX_COUNT = 1_000_000
MAX_SECONDS = 30 * 24 * 60 * 60
MAX_JOBS = 1_000

_MONEY = re.compile(
    r"^(?:US)?\$?\s*(?P<number>[0-9]{1,9}(?:\.[0-9]{1,6}|,[0-9]{1,2})?)\s*(?:\$|usd)?$", re.ASCII | re.IGNORECASE
)
"""``12,50`` is how most of Europe writes it."""

_COULD_BE_THOUSANDS = re.compile(r"^[1-9][0-9]{0,2}[.,][0-9]{3}$", re.ASCII)
"""``1,000`` and ``1.000`` are a thousand to one half of the world and one to the other: refused."""


class BadAmount(UserError):
    """No limit: it must be from 0 to ``most``, and whole unless it is dollars. Nothing was changed."""

    def __init__(self, option: str, asked: str, most: int, *, dollars: bool = False) -> None:
        super().__init__(f"{option}: {asked[:40]}")
        self.option = option
        self.asked = asked
        self.most = most
        self.dollars = dollars


def read_dollars(option: str, typed: str | float | int) -> MicroUSD:
    """``12``, ``$12.50``, ``12,50`` or ``0.5 usd`` in micro-dollars: 0 to 1,000,000 dollars, at most six decimals."""
    text = format(Decimal(str(typed)), "f") if isinstance(typed, float) else str(typed).strip()
    match = _MONEY.match(text)
    number = match["number"] if match is not None else ""
    is_ambiguous = isinstance(typed, str) and _COULD_BE_THOUSANDS.match(number) is not None
    dollars = Decimal(number.replace(",", ".")) if number and not is_ambiguous else None
    if dollars is None or dollars > MAX_DOLLARS:
        raise BadAmount(option, str(typed), MAX_DOLLARS, dollars=True)
    return MicroUSD(int(dollars * 1_000_000))


def read_count(option: str, typed: int, most: int = MAX_COUNT) -> int:
    """A whole number from 0 to ``most``."""
    if not 0 <= typed <= most:
        raise BadAmount(option, str(typed), most)
    return typed
