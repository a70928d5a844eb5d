"""What a quick run leaves out, and how many examples a property is tried with there: few, and all of them in any run
that takes the slow tests.

A run of the slow tests alone takes the properties along, since only there they get their full number. A test that
starts a bot and talks to it over sockets is marked ``wire`` by itself: one takes a fifth of a second, and there are a
thousand. ``smoke`` are the few of them that a quick run takes all the same, at least one a command.
"""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from hypothesis import settings

OVER_THE_WIRE = [Path(__file__).parent / folder for folder in ("e2e", "core/overnight")]
"""The folders of whole towns and of whole nights. Elsewhere such tests have a ``town``."""

settings.register_profile("quick", max_examples=25, deadline=None)
settings.register_profile("full", max_examples=200, deadline=None)


def _is_quick(config: pytest.Config) -> bool:
    return "not slow" in (config.getoption("markexpr") or "")


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("quick" if _is_quick(config) else "full")


def pytest_itemcollected(item: pytest.Item) -> None:
    if getattr(getattr(item, "obj", None), "is_hypothesis_test", False) and not _is_quick(item.config):
        item.add_marker(pytest.mark.slow)
    if _is_over_the_wire(item) and item.get_closest_marker("smoke") is None:
        item.add_marker(pytest.mark.wire)


def _is_over_the_wire(item: pytest.Item) -> bool:
    in_town = "town" in getattr(item, "fixturenames", ())
    return in_town or any(item.path.is_relative_to(folder) for folder in OVER_THE_WIRE)


def pytest_collection_finish() -> None:
    """What was imported and collected stays until the end: no search for garbage need look at it again."""
    gc.collect()
    gc.freeze()
