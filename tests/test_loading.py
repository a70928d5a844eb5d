"""Loading leaves the collector as it was, also where one load is within another."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from bot.loading import load


@pytest.fixture
def collector() -> Iterator[None]:
    yield
    gc.enable()


@pytest.mark.parametrize("is_on", [True, False])
def test_the_collector_is_as_it_was(is_on: bool, collector: None) -> None:
    if not is_on:
        gc.disable()
    assert load("bot.rules").__name__ == "bot.rules"
    assert gc.isenabled() is is_on
