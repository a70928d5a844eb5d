"""Windows do not override each other: what of everyone's goes on beside a role's or member's quota."""

from __future__ import annotations

import pytest

from bot.rules.limits.limit import Cooldown, Limit, Measure, Period, Quota, Scope, still_holding, without_amount

HOUR = Quota(Scope.EVERYONE, Measure.IMAGES, Period.HOUR, 3)
MONTH = Quota(Scope.EVERYONE, Measure.IMAGES, Period.MONTH, None)
MONEY = Quota(Scope.EVERYONE, Measure.DOLLARS, Period.HOUR, 5)
ROLE_DAY = Quota(Scope.ROLE, Measure.IMAGES, Period.DAY, 40, 7)
ROLE_HOUR = Quota(Scope.ROLE, Measure.IMAGES, Period.HOUR, 9, 7)


@pytest.mark.parametrize(
    ("limit", "held", "still"),
    [
        (ROLE_DAY, (HOUR, MONTH, MONEY, ROLE_DAY), (HOUR,)),
        (ROLE_DAY, (HOUR, ROLE_DAY, ROLE_HOUR), ()),
        (ROLE_HOUR, (HOUR, ROLE_HOUR), ()),
        (without_amount(ROLE_DAY), (HOUR,), ()),
        (Cooldown(Scope.ROLE, 3, 7), (HOUR,), ()),
        (Quota(Scope.CHANNEL, Measure.IMAGES, Period.DAY, 4, 9), (HOUR,), ()),
    ],
)
def test_everyones_other_windows_go_on(limit: Limit, held: tuple[Limit, ...], still: tuple[Limit, ...]) -> None:
    assert still_holding(limit, held) == still
