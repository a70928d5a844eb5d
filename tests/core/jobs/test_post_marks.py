"""The mark that a post began: repeated only while Discord surely compares nonces, whatever the clock says."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.jobs.post_marks import NONCE_LIFE, PostMarks
from bot.ports import CannotDeliver
from tests.core.conftest import NOON


@pytest.mark.parametrize(
    ("later", "repeatable"),
    [
        (timedelta(), True),
        (NONCE_LIFE - timedelta(seconds=1), True),
        (NONCE_LIFE, False),
        (timedelta(days=1), False),
        (timedelta(hours=-1), False),  # set back: nobody knows how long ago it was
    ],
    ids=str,
)
async def test_a_post_is_repeated_only_while_it_surely_began_a_moment_ago(store, later, repeatable):
    await PostMarks(store.notes, lambda: NOON).begin("job")
    again = PostMarks(store.notes, lambda: NOON + later)
    if repeatable:
        await again.begin("job")
    else:
        with pytest.raises(CannotDeliver):
            await again.begin("job")
