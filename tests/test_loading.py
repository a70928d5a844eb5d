"""Loading leaves the collector as it was, whatever happens; what comes late is left out of its rounds."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from bot.loading import load, load_late

Load = Callable[[str], ModuleType]
either = pytest.mark.parametrize("load_it", [load, load_late])


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    yield
    gc.enable()
    gc.unfreeze()


@either
@pytest.mark.parametrize("is_on", [True, False])
def test_the_collector_is_as_it_was(load_it: Load, is_on: bool) -> None:
    if not is_on:
        gc.disable()
    assert load_it("bot.rules").__name__ == "bot.rules"
    assert gc.isenabled() is is_on


@either
def test_the_collector_goes_on_where_nothing_could_be_loaded(load_it: Load) -> None:
    with pytest.raises(ModuleNotFoundError):
        load_it("bot.nowhere")
    assert gc.isenabled()


def test_what_comes_late_is_not_looked_at_again() -> None:
    frozen = gc.get_freeze_count()
    load_late("bot.rules")
    assert gc.get_freeze_count() > frozen
