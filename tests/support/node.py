"""What the tests take from npm, where it is there: each skips with a reason where it is not."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


def module(name: str) -> Path:
    """The folder of a module in ``EASEL_NODE_MODULES``."""
    found = Path(os.environ.get("EASEL_NODE_MODULES") or "node_modules") / name
    if not found.is_dir():
        pytest.skip(f"needs {name}, from npm (EASEL_NODE_MODULES names the folder)")
    return found.resolve()


def program() -> str:
    """Node itself."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("needs node")
    return found
