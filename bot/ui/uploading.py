"""Files on their way to Discord, sent from the very bytes they are.

Law: what is sent equals the bytes, as often as it is tried, and no second copy of them is made. aiohttp would copy a
``BytesIO`` to learn its length, and again piece by piece to send it. How it sends what it is given stands in a registry
that is open to all.
"""

from __future__ import annotations

import io
import os
from typing import Any

from aiohttp import payload_type
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

PIECE = 256 * 1024


class HeldBytes(io.BufferedIOBase):
    """Bytes as a file that is only read, which discord.py asks for."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: len(self.data)}[whence]
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        end = len(self.data) if size is None or size < 0 else self._at + size
        found = self.data[self._at : end]
        self._at += len(found)
        return found

    def close(self) -> None:
        """Gives the bytes back at once: discord.py ties a file to itself, so that it would wait for a collection."""
        self.data = b""
        super().close()


@payload_type(HeldBytes)
class _HeldPayload(Payload):
    """How aiohttp sends them."""

    _value: HeldBytes

    def __init__(self, value: HeldBytes, *args: Any, **kwargs: Any) -> None:
        super().__init__(value, *args, **kwargs)
        self._size = len(value.data)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return self._value.data.decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        view = memoryview(self._value.data)
        for at in range(0, len(view), PIECE):
            await writer.write(view[at : at + PIECE])
