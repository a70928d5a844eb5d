"""Which form a number takes, by the rules of Unicode's CLDR for languages with few and with many forms."""

from __future__ import annotations

import pytest

from bot.ui.words.grammar.plurals import form_of

ENGLISH = {"one": "n = 1"}
FRENCH = {"one": "n = 0,1"}
POLISH = {"one": "n = 1", "few": "n % 10 = 2..4 and n % 100 != 12..14"}
RUSSIAN = {"one": "n % 10 = 1 and n % 100 != 11", "few": "n % 10 = 2..4 and n % 100 != 12..14"}
ARABIC = {"zero": "n = 0", "one": "n = 1", "two": "n = 2", "few": "n % 100 = 3..10", "many": "n % 100 = 11..99"}
CORNISH = {"zero": "n = 0", "two": "n % 100 = 2,22,42,62,82 or n = 1000"}


@pytest.mark.parametrize(
    ("rules", "numbers", "form"),
    [
        (ENGLISH, [1], "one"),
        (ENGLISH, [0, 2, 11, 21, 101], "other"),
        (FRENCH, [0, 1], "one"),
        (FRENCH, [2, 10], "other"),
        (POLISH, [2, 3, 4, 22, 34, 102], "few"),
        (POLISH, [0, 5, 11, 12, 14, 21, 112], "other"),
        (RUSSIAN, [1, 21, 101], "one"),
        (RUSSIAN, [5, 11, 12, 111], "other"),
        (ARABIC, [3, 10, 103], "few"),
        (ARABIC, [11, 99, 111], "many"),
        (ARABIC, [100, 102], "other"),
        (CORNISH, [2, 22, 1000], "two"),
        ({}, [1], "other"),
    ],
)
def test_a_number_takes_the_form_its_language_gives_it(rules: dict[str, str], numbers: list[int], form: str) -> None:
    assert [form_of(rules, number) for number in numbers] == [form] * len(numbers)


@pytest.mark.parametrize("rule", ["", "n is 1", "n % = 2", "i = 1", "n = 1..", "n = 1 and"])
def test_what_is_no_rule_is_told(rule: str) -> None:
    with pytest.raises(ValueError, match="not a rule"):
        form_of({"one": rule}, 1)
