"""Importing much at once, quickly."""

from __future__ import annotations

import gc
import importlib
from types import ModuleType


def load(name: str) -> ModuleType:
    """The module, imported while the collector rests: what is imported stays, and looking through it again and again
    took a fifth of a start.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        if was_on:
            gc.enable()
