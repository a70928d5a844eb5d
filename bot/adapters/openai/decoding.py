"""Base64 decoded while it comes, so that a picture's text and its bytes never lie in memory together.

Law: ``finish`` gives exactly what strict base64 makes of everything that was added, or nothing; ``text`` gives back
exactly what was added, whatever it was. So nothing is lost by trying: what is no strict base64 (a ``data:`` address,
line breaks, escapes, another alphabet) goes the slow way, which stays as it was and judges this one in a test
(``decode_picture``; docs/decisions/0006-own-json-reader.md).

Why it holds: only whole groups of four signs without padding are decoded, and between those and three bytes there is
one way, there and back. What may be padding waits until the end, and counts in its canonical form alone.
"""

from __future__ import annotations

import binascii

import pybase64

_GROUP = 4
_PADDING = ord("=")


class StrictBase64:
    """A string under way. Where memory is short nothing has changed: the same call may be made again."""

    __slots__ = ("_parts", "_rest")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._rest = b""

    def add(self, piece: bytearray | memoryview) -> bool:
        """Takes the next piece; False, and nothing is taken, where this is no strict base64."""
        missing = -len(self._rest) % _GROUP
        head, body = self._rest + piece[:missing], memoryview(piece)[missing:]
        whole = len(body) // _GROUP * _GROUP
        if whole and body[whole - 1] == _PADDING:
            whole -= _GROUP
        try:
            waits = len(head) % _GROUP or not body
            parts, rest = ((), head) if waits else ((_decoded(head), _decoded(body[:whole])), bytes(body[whole:]))
        except (binascii.Error, ValueError):
            return False
        if b"\\" in rest:  # the next quotation mark would not end the string
            return False
        self._parts += parts
        self._rest = rest
        return True

    def finish(self) -> bytes | None:
        """The decoded bytes, None where the end shows that this was no strict base64."""
        try:
            last = pybase64.b64decode(self._rest, validate=True)
        except (binascii.Error, ValueError):
            return None
        return b"".join((*self._parts, last)) if pybase64.b64encode(last) == self._rest else None

    def text(self) -> bytearray:
        """What was added."""
        text = bytearray()
        for part in self._parts:
            text += pybase64.b64encode(part)
        text += self._rest
        return text


def _decoded(groups: bytes | memoryview) -> bytes:
    data = bytes(pybase64.b64decode(groups, validate=True))
    if len(data) * _GROUP != len(groups) * 3:
        raise ValueError("padding before the end")
    return data
