"""An image service on a real socket and the real OpenAI client in front of it."""

from __future__ import annotations

import io
import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import openai
import pytest
from PIL import Image

from sandbox.images import ImageService

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


def png(width: int = 64, height: int = 64, mode: str = "RGB", colour: object = (200, 40, 40)) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height), colour).save(out, "PNG")  # type: ignore[arg-type]  # any colour of the mode
    return out.getvalue()


def half_mask(width: int = 64, height: int = 64) -> bytes:
    """Clear on the left half, opaque on the right."""
    mask = Image.new("RGBA", (width, height), (0, 0, 0, 255))
    mask.paste((255, 255, 255, 0), (0, 0, width // 2, height))
    out = io.BytesIO()
    mask.save(out, "PNG")
    return out.getvalue()


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
