from __future__ import annotations

import pytest

from bot.rules.limits.amounts import MAX_COUNT, MAX_DOLLARS, BadAmount, read_count, read_dollars


@pytest.mark.parametrize(
    ("typed", "micro_usd"),
    [
        ("12", 12_000_000),
        ("$12.50", 12_500_000),
        ("12,50", 12_500_000),
        ("0.5 usd", 500_000),
        ("US$3", 3_000_000),
        ("7 $", 7_000_000),
        ("0", 0),
        ("0.000001", 1),
        ("1000000", MAX_DOLLARS * 1_000_000),
        (25, 25_000_000),
        (0.1, 100_000),
        (12.5, 12_500_000),
    ],
)
def test_dollars_are_read_exactly(typed: str | float, micro_usd: int) -> None:
    assert read_dollars("usd", typed) == micro_usd


@pytest.mark.parametrize(
    "typed",
    [
        "-1", "$-5", "1e3", "$1e309", "inf", "nan", "", " ", "free", "1,000", "1.000",
        "$999.000", "1.000,00", "12.", ".5", "1000000.01",
        "999999999999", "0.0000001", "12 €", "١٢", "1_000", "0x10", "12;", "1 2", -1, -0.5, 1e309, 1e-9, float("nan"),
    ],
)  # fmt: skip
def test_what_is_no_amount_is_refused_with_what_was_typed(typed: str | float) -> None:
    with pytest.raises(BadAmount) as caught:
        read_dollars("usd", typed)
    assert (caught.value.option, caught.value.asked, caught.value.most) == ("usd", str(typed), MAX_DOLLARS)
    assert caught.value.dollars


def test_counts_are_bounded() -> None:
    assert read_count("images", 0) == 0
    assert read_count("images", MAX_COUNT) == MAX_COUNT
    for typed in (-1, MAX_COUNT + 1, 2**53, -(2**53)):
        with pytest.raises(BadAmount):
            read_count("images", typed)
    with pytest.raises(BadAmount) as caught:
        read_count("jobs", 11, 10)
    assert caught.value.most == 10
