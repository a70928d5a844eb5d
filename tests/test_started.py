"""What is advised can be typed as it stands."""

from __future__ import annotations

import sys

import pytest

from bot.started import VARIABLE, as_started
from run import environment

ADVICE = "Run `python -m bot migrate`; it makes a backup first."


def test_advice_names_the_command_that_works_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(sys, "argv", ["/opt/easel/bot/__main__.py", "doctor"])
    assert as_started(ADVICE) == ADVICE
    monkeypatch.setattr(sys, "argv", ["/opt/easel/.venv/bin/easel", "doctor"])
    assert as_started(ADVICE) == "Run `easel migrate`; it makes a backup first."
    monkeypatch.setenv(VARIABLE, environment("bot")[VARIABLE])
    assert as_started(ADVICE).endswith("run.py migrate`; it makes a backup first.")
