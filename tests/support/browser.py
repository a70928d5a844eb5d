"""A real browser for the tests of the page: Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

REQUIRED = os.environ.get("EASEL_BROWSER") == "required"
"""Where all is checked, a browser that is missing is a failure: tests that are always skipped hold nothing."""

ARGUMENTS = ("--no-sandbox", "--disable-background-networking", "--disable-component-update")


def chromium() -> str | None:
    """A Chromium of this machine, if there is one (``EASEL_CHROMIUM`` names another)."""
    named = os.environ.get("EASEL_CHROMIUM")
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return named or next((path for path in found if path), None)


@asynccontextmanager
async def started() -> AsyncIterator[Any]:
    """Playwright's browser; the test is skipped where there is none."""
    try:
        from playwright.async_api import async_playwright
    except ImportError:
        _missing("Playwright is not installed")
    async with async_playwright() as driver:
        path = chromium() or driver.chromium.executable_path
        if not Path(path).exists():
            _missing("no Chromium on this machine: install one, or name it in EASEL_CHROMIUM")
        browser = await driver.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        await browser.close()


def _missing(reason: str) -> NoReturn:
    if REQUIRED:
        pytest.fail(reason)
    pytest.skip(reason)
