"""An object store for tests: an S3 server of the tests' own, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

KEYS = {"PICTURES_REGION": "us-east-1", "PICTURES_KEY_ID": "id", "PICTURES_KEY": "key"}


@contextmanager
def s3_server() -> Iterator[str]:
    """The address of a server with a bucket ``easel``. It takes every key."""
    server_of = pytest.importorskip("moto.server", reason="needs moto").ThreadedMotoServer
    boto3 = pytest.importorskip("boto3", reason="needs boto3")
    server = server_of(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        address = f"http://{host}:{port}"
        keys = {"aws_access_key_id": "id", "aws_secret_access_key": "key", "region_name": "us-east-1"}
        boto3.client("s3", endpoint_url=address, **keys).create_bucket(Bucket="easel")
        yield address
    finally:
        server.stop()
