"""Importing much at once, quickly: what is imported stays, so the collector need not look through it."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def _resting() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def load(name: str) -> ModuleType:
    """The module. Looking through what is imported again and again took a fifth of a start."""
    with _resting():
        return importlib.import_module(name)


def load_late(name: str) -> ModuleType:
    """The module, and nothing of it is looked at by the collector from now on.

    For what comes while the loop runs: looking through the SDK held it up for 50 to 120 ms every two hundred pictures.
    """
    with _resting():
        module = importlib.import_module(name)
        gc.freeze()
        return module
