"""An image service on a real socket and the real OpenAI client in front of it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import openai
import pytest
from PIL import Image

from sandbox.images import ImageService
from tests.support.pictures import encoded, png

ROOT = Path(__file__).resolve().parents[3]


def specs_path() -> Path | None:
    """The published API description where it is at hand."""
    path = Path(os.environ.get("EASEL_SPECS", ROOT.parent / "shared" / "specs")) / "openai.images.openapi.json"
    return path if path.is_file() else None


def client_of(service: ImageService, key: str = "sk-test-0000") -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=service.base_url, api_key=key, max_retries=0, timeout=10)


@pytest.fixture
async def service() -> AsyncIterator[ImageService]:
    one = ImageService(specs=specs_path())
    await one.start()
    yield one
    await one.stop()


@pytest.fixture
async def official() -> AsyncIterator[ImageService]:
    one = ImageService(mode="official", key="sk-right-1234", specs=specs_path())
    await one.start()
    yield one
    await one.stop()


@pytest.fixture
async def client(service: ImageService) -> AsyncIterator[openai.AsyncOpenAI]:
    one = client_of(service)
    yield one
    await one.close()


@pytest.fixture
async def web() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(timeout=10) as one:
        yield one


def half_mask(width: int = 64, height: int = 64) -> bytes:
    """Clear on the left half, opaque on the right."""
    mask = Image.new("RGBA", (width, height), (0, 0, 0, 255))
    mask.paste((255, 255, 255, 0), (0, 0, width // 2, height))
    return encoded(mask)


class Pictures:
    """Makers of uploads, as a fixture, since test modules do not import each other."""

    png = staticmethod(png)
    half_mask = staticmethod(half_mask)


@pytest.fixture
def pictures() -> type[Pictures]:
    return Pictures


@pytest.fixture
def client_for():  # type: ignore[no-untyped-def]
    return client_of
