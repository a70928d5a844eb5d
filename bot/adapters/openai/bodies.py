"""A whole answer, read while it comes: each picture is decoded as soon as its string ends, and its base64 let go.

Ten pictures of 3840x2160 are 330 MB of base64 in one answer. Read so, they take what the pictures themselves take, and
the base64 of the one that is coming. Outside of strings JSON has no quotation marks: from quote to quote every string
is found exactly, and what remains is small.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Iterator

from bot.adapters.openai.answers import (
    LONG,
    MAX_ENCODED,
    MAX_SKELETON,
    MAX_STRINGS,
    BrokenAnswer,
    NotAPicture,
    Parsed,
    decode_picture,
    unescape,
)

_DECODED_AT_ONCE = 2**18

NO_MEMORY_S = 0.2
"""Between two looks whether there is memory again for an answer that is paid."""


class LongString:
    """A string that was lifted out of the JSON: its encoded bytes, or the picture they turned out to be."""

    __slots__ = ("data", "encoded", "escaped")

    def __init__(self, encoded: bytearray) -> None:
        self.encoded = encoded
        self.escaped = b"\\" in encoded
        self.data: bytes | None = None

    @property
    def may_be_a_picture(self) -> bool:
        return len(self.encoded) >= _DECODED_AT_ONCE

    def decode(self) -> None:
        """Turns the string into its picture; what is none stays as it is."""
        try:
            encoded = unescape(memoryview(self.encoded)).encode("utf-8", "replace") if self.escaped else self.encoded
            self.data = decode_picture(memoryview(encoded))
        except (NotAPicture, MemoryError):
            return  # where there is no memory now, it is decoded once everything has come
        self.encoded = bytearray()


async def strings_in(reader: BodyReader, chunk: bytes) -> AsyncIterator[LongString]:
    """The long strings that end in this chunk; where no memory is left at the moment, waits until there is.

    What has not been read meanwhile stays with whoever sends it. The caller's deadline bounds the wait.
    """
    strings = reader.feed(chunk)
    while True:
        try:
            for string in strings:
                yield string
        except MemoryError:
            await asyncio.sleep(NO_MEMORY_S)
            strings = reader.resume()
        else:
            return


class BodyReader:
    """Reads the JSON of an answer with at most ``pictures`` pictures. Raises ``BrokenAnswer`` past its bounds."""

    def __init__(self, pictures: int) -> None:
        self._left = (pictures + 1) * MAX_ENCODED
        self._skeleton = bytearray()
        self._string: bytearray | None = None
        self._strings = 0
        self._long: dict[str, LongString] = {}
        self._mark = secrets.token_hex(12)
        self._chunk = b""
        self._at = 0

    def feed(self, chunk: bytes) -> Iterator[LongString]:
        """The long strings that end in this chunk."""
        self._left -= len(chunk)
        if self._left < 0:
            raise BrokenAnswer("an answer larger than any picture")
        self._chunk, self._at = chunk, 0
        yield from self.resume()

    def resume(self) -> Iterator[LongString]:
        """The same for what is left of the last chunk, after a ``MemoryError``: nothing of it was lost."""
        chunk = self._chunk
        while self._at < len(chunk):
            at, quote = self._at, chunk.find(b'"', self._at)
            end = len(chunk) if quote < 0 else quote
            if self._string is None:
                self._skeleton += chunk[at : end + 1]
                self._at = end + 1
                if quote >= 0:
                    self._string = bytearray()
            else:
                self._string += memoryview(chunk)[at:end]
                self._at = end + 1
                if len(self._string) > MAX_ENCODED:
                    raise BrokenAnswer("a string longer than any picture")
                if quote >= 0 and _is_escaped(self._string):
                    self._string += b'"'
                elif quote >= 0:
                    yield from self._close(self._string)
            if len(self._skeleton) > MAX_SKELETON or self._strings > MAX_STRINGS:
                raise BrokenAnswer("JSON without pictures, larger than any answer")

    def _close(self, string: bytearray) -> Iterator[LongString]:
        self._string = None
        self._strings += 1
        if len(string) <= LONG:
            self._skeleton += string + b'"'
            return
        name = f"{self._mark}{len(self._long)}"
        self._skeleton += name.encode() + b'"'
        self._long[name] = LongString(string)
        yield self._long[name]

    def finish(self) -> Parsed:
        """The value, once everything has come."""
        try:
            value = json.loads(bytes(self._skeleton))
        except (ValueError, RecursionError):
            raise BrokenAnswer("not JSON") from None
        return Parsed(
            value,
            {name: memoryview(one.encoded) for name, one in self._long.items() if one.data is None},
            frozenset(name for name, one in self._long.items() if one.escaped),
            {name: one.data for name, one in self._long.items() if one.data is not None},
        )


def _is_escaped(string: bytearray) -> bool:
    """Whether what follows stands behind an odd run of backslashes."""
    at = len(string)
    while at and string[at - 1] == 0x5C:
        at -= 1
    return (len(string) - at) % 2 == 1
