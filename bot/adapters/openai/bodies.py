"""A whole answer, read while it comes: strict base64 is decoded as it arrives, any other when its string ends.

Ten pictures of 3840x2160 are 330 MB of base64 in one answer. Read so, they take what the pictures themselves take.
Outside of strings JSON has no quotation marks: from quote to quote every string is found exactly, and what remains is
small.
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
from bot.adapters.openai.decoding import StrictBase64

_DECODED_FROM = 2 * LONG
"""Signs: whatever is shorter may be an address, or words."""
_OFF_LOOP = 2**18
_BACKSLASH, _QUOTE = ord("\\"), memoryview(b'"')

NO_MEMORY_S = 0.2
"""Between two looks whether there is memory again for an answer that is paid."""


class LongString:
    """A string while it comes: the picture that its base64 has become, or its encoded bytes where it is anything else.

    Where memory is short nothing has changed: the same call may be made again.
    """

    __slots__ = ("_strict", "_tried", "data", "encoded", "size")

    def __init__(self) -> None:
        self.encoded = bytearray()
        self.data: bytes | None = None
        self.size = 0
        self._strict: StrictBase64 | None = None
        self._tried = False

    def add(self, piece: memoryview) -> None:
        if self._strict is not None:
            if not self._strict.add(piece):
                text = self._strict.text()
                text += piece
                self.encoded, self._strict = text, None
        elif self._tried or len(self.encoded) + len(piece) <= _DECODED_FROM:
            self.encoded += piece
        else:
            strict, text = StrictBase64(), self.encoded + piece
            self.encoded, self._strict = (bytearray(), strict) if strict.add(text) else (text, None)
            self._tried = True
        self.size += len(piece)

    def close(self) -> None:
        """Everything has come."""
        if self._strict is not None:
            data = self._strict.finish()
            text = self._strict.text() if data is None else bytearray()
            self.data, self.encoded, self._strict = data, text, None

    @property
    def ends_in_escape(self) -> bool:
        """Whether what follows stands behind an odd run of backslashes."""
        at = len(self.encoded)
        while at and self.encoded[at - 1] == _BACKSLASH:
            at -= 1
        return (len(self.encoded) - at) % 2 == 1

    @property
    def is_escaped(self) -> bool:
        return b"\\" in self.encoded

    @property
    def is_still_encoded(self) -> bool:
        """Whether decoding it takes so long that a thread should."""
        return len(self.encoded) >= _OFF_LOOP

    def decode(self) -> None:
        """Turns the string into its picture, as tolerant readers read it; what is none stays as it is."""
        try:
            encoded = unescape(memoryview(self.encoded)).encode("utf-8", "replace") if self.is_escaped else self.encoded
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
        self._string: LongString | None = None
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
                    self._string = LongString()
            else:
                self._string.add(memoryview(chunk)[at:end])
                self._at = end  # what was taken is not taken again, should there be no memory below
                if self._string.size > MAX_ENCODED:
                    raise BrokenAnswer("a string longer than any picture")
                if quote >= 0 and self._string.ends_in_escape:
                    self._string.add(_QUOTE)
                    self._at = end + 1
                elif quote >= 0:
                    string = self._close(self._string)
                    self._at = end + 1
                    if string is not None:
                        yield string
            if len(self._skeleton) > MAX_SKELETON or self._strings > MAX_STRINGS:
                raise BrokenAnswer("JSON without pictures, larger than any answer")

    def _close(self, string: LongString) -> LongString | None:
        string.close()
        if string.size <= LONG:
            self._skeleton += string.encoded + b'"'
        else:
            name = f"{self._mark}{self._strings}"
            self._long[name] = string
            self._skeleton += name.encode() + b'"'
        self._string = None
        self._strings += 1
        return string if string.size > LONG else None

    def finish(self) -> Parsed:
        """The value, once everything has come."""
        try:
            value = json.loads(bytes(self._skeleton))
        except (ValueError, RecursionError):
            raise BrokenAnswer("not JSON") from None
        return Parsed(
            value,
            {name: memoryview(one.encoded) for name, one in self._long.items() if one.data is None},
            frozenset(name for name, one in self._long.items() if one.is_escaped),
            {name: one.data for name, one in self._long.items() if one.data is not None},
        )
