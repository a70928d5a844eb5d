"""Reminders that are due go out, and those of long ago do not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.upkeep.reminders import AT_ONCE, TOO_LATE, Reminders
from bot.ports import Reminder
from bot.rules.people import Place

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("late", "told"), [(timedelta(0), True), (TOO_LATE, True), (TOO_LATE + timedelta(seconds=1), False)]
)
async def test_a_reminder_says_something_for_half_a_day(core, late: timedelta, told: bool) -> None:
    heard: list[Reminder] = []

    async def tell(reminder: Reminder) -> None:
        heard.append(reminder)

    one = Reminder(7, "g10:images", Place(10, 7), NOON - late, "{}")
    await core.store.offers.remind(one)
    reminders = Reminders(core.store.offers, tell, lambda: NOON)
    for _ in range(2):
        await reminders.send_due()
    assert heard == [one] * told
    assert await core.store.offers.take_due(NOON, AT_ONCE) == ()
