"""How many examples a property is tried with: few in a quick run, and all of them in any run that takes the slow tests.

A run of the slow tests alone takes the properties along, since only there they get their full number.
"""

from __future__ import annotations

import gc

import pytest
from hypothesis import settings

settings.register_profile("quick", max_examples=25, deadline=None)
settings.register_profile("full", max_examples=200, deadline=None)


def _is_quick(config: pytest.Config) -> bool:
    return "not slow" in (config.getoption("markexpr") or "")


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("quick" if _is_quick(config) else "full")


def pytest_itemcollected(item: pytest.Item) -> None:
    if getattr(getattr(item, "obj", None), "is_hypothesis_test", False) and not _is_quick(item.config):
        item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    """What was imported and collected stays until the end: no search for garbage need look at it again."""
    gc.collect()
    gc.freeze()
