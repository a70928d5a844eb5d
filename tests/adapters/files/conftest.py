"""Places for pictures in an S3 server over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from bench.servers import KEYS, s3_server
from bot.adapters.files.objects import ObjectFiles
from bot.parts import object_files_of
from bot.settings.sources import parse_settings
from tests.support.objects import ACCOUNT, ACCOUNT_KEY, azurite

BucketOf = Callable[..., ObjectFiles]


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture
def bucket(s3: str) -> BucketOf:
    """Places in the bucket, each with a prefix of its own unless one is named."""

    def make(prefix: str | None = None, **changes: Any) -> ObjectFiles:
        values = {"PICTURES_URL": f"s3://easel/{prefix or uuid4().hex}", "PICTURES_ENDPOINT": s3, **KEYS, **changes}
        settings = parse_settings(values)
        return object_files_of(settings, values["PICTURES_URL"])

    return make


@pytest.fixture
def container() -> Iterator[ObjectFiles]:
    """A place in Azure's store."""
    url = "az://easel/pictures"
    keys = {"PICTURES_KEY_ID": ACCOUNT, "PICTURES_KEY": ACCOUNT_KEY}
    with azurite() as address:
        yield object_files_of(parse_settings({"PICTURES_URL": url, "PICTURES_ENDPOINT": address, **keys}), url)
