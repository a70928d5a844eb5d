"""How Easel was started, so that what it advises can be typed as it stands."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ADVISED = "python -m bot"
VARIABLE = "EASEL_STARTED_AS"
"""Set by ``run.py``, whose environment nobody has activated."""


def as_started(text: str) -> str:
    """The text with its commands as they work here: through ``run.py``, as ``easel``, or as a module."""
    installed = "easel" if Path(sys.argv[0]).stem == "easel" else ADVISED
    return text.replace(ADVISED, os.environ.get(VARIABLE) or installed)
