"""What an id of a job tells of its making."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.adapters.database.schema.ids import Ids
from bot.rules.job_ids import made_at

NOON = datetime(2026, 11, 28, 12, 0, 0, 123_000, tzinfo=UTC)


def test_an_id_tells_when_it_was_made() -> None:
    assert [made_at(job_id) for job_id in Ids().make(NOON, 3)] == [NOON] * 3
    assert made_at(Ids().make(NOON + timedelta(days=20_000))[0]) == NOON + timedelta(days=20_000)


@pytest.mark.parametrize("text", ["", "unknown-job", "0" * 19, "0" * 21, "ILOU" * 5, "Z" * 20, "0a1b2c3d4e5f6g7h8i9j"])
def test_what_is_no_id_tells_nothing(text: str) -> None:
    assert made_at(text) is None
