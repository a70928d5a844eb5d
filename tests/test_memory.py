"""The allocator is told about pictures where it can be told, and nothing is said where it cannot."""

from __future__ import annotations

import ctypes
import platform
import sys

import pytest

from bot.memory import keep_pages_of_pictures


def test_glibc_takes_it() -> None:
    if platform.libc_ver()[0] != "glibc":
        pytest.skip("another C library")
    assert keep_pages_of_pictures()


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_elsewhere_nothing_happens(monkeypatch: pytest.MonkeyPatch, system: str) -> None:
    monkeypatch.setattr(sys, "platform", system)
    assert not keep_pages_of_pictures()


def test_a_c_library_without_it_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert not keep_pages_of_pictures()
