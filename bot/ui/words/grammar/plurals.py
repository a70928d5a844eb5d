"""Which form of a sentence a number takes, by rules that each language's file holds, in the words of Unicode's CLDR.

``n % 10 = 2..4 and n % 100 != 12..14`` is such a rule. Law: of whole numbers only; a number no rule takes is ``other``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

OTHER = "other"
FORMS = frozenset(("zero", "one", "two", "few", "many", OTHER))
_CONDITION = re.compile(r"n(?: % (?P<modulus>\d+))? (?P<sign>!?=) (?P<ranges>\d+(?:\.\.\d+)?(?:,\d+(?:\.\.\d+)?)*)")


def form_of(rules: Mapping[str, str], number: int) -> str:
    """The first form whose rule takes the number."""
    return next((form for form, rule in rules.items() if _takes(rule, number)), OTHER)


def _takes(rule: str, number: int) -> bool:
    return any(all(_holds(one, number) for one in part.split(" and ")) for part in rule.split(" or "))


def _holds(condition: str, number: int) -> bool:
    modulus, is_equal, ranges = _read(condition)
    left = number % modulus if modulus else number
    return any(left in one for one in ranges) is is_equal


@cache
def _read(condition: str) -> tuple[int, bool, tuple[range, ...]]:
    read = _CONDITION.fullmatch(condition)
    if read is None:
        raise ValueError(f"not a rule of CLDR: {condition!r}")
    pairs = [part.partition("..") for part in read["ranges"].split(",")]
    return int(read["modulus"] or 0), read["sign"] == "=", tuple(range(int(a), int(b or a) + 1) for a, _, b in pairs)
