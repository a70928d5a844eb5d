"""Foreign text made safe to show: cleaned, escaped, and cut between characters as people see them.

Law: whatever a person or a service wrote passes through ``shown`` (markdown places) or ``plain`` (alt text, files,
form fields) before it is sent. Lengths are UTF-16 units, the larger of the two ways Discord may count.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

CONTENT_LIMIT = 2000
DESCRIPTION_LIMIT = 4096
FIELD_LIMIT = 1024
EMBED_TOTAL = 6000
ALT_LIMIT = 1024
ELLIPSIS = "…"

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE = frozenset("\u00ad\u180e\u200b\u2060\u2061\u2062\u2063\u2064\ufeff\ufff9\ufffa\ufffb")
_JOINERS = frozenset("\u200c\u200d")
_ZWJ = "\u200d"
_BLACK_FLAG = "\U0001f3f4"
_MOST_MARKS = 6  # combining marks on one character; more is Zalgo

_ALWAYS = frozenset("\\`*_~|[]()<")
_AT_LINE_START = frozenset(">#-+=")
_LINKS = re.compile(r":(?=//)|(?<=discord)\.(?=gg\b)|(?<=discord)\.(?=com/)|(?<=discordapp)\.(?=com/)", re.IGNORECASE)
_MASS = re.compile(r"@(?=everyone|here)", re.IGNORECASE)
_NUMBERED = re.compile(r"^\s*\d+(?=[.)]\s)", re.MULTILINE)


def length(text: str) -> int:
    """How long Discord may count the text: UTF-16 units."""
    return len(text) + sum(character > "\uffff" for character in text)


def clean(text: str) -> str:
    """The text without what cannot be seen or turns reading round: controls, bidi marks, zero widths, stray tags."""
    kept: list[str] = []
    marks = newlines = 0
    flag = False
    for character in text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n"):
        flag = character == _BLACK_FLAG or (flag and _is_tag(character))
        if not _is_kept(character, kept[-1] if kept else "", flag):
            continue
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        newlines = newlines + 1 if character == "\n" else 0
        if marks > _MOST_MARKS or newlines > 2:
            continue
        kept.append("\ufffd" if "\ud800" <= character <= "\udfff" else character)
    return "".join(kept).strip()


def _is_kept(character: str, before: str, in_flag: bool) -> bool:
    if character in _BIDI or character in _INVISIBLE:
        return False
    if character in _JOINERS:
        return before > "\u007f"
    if _is_tag(character):
        return in_flag
    return character in "\n\t" or unicodedata.category(character) != "Cc"


def _is_tag(character: str) -> bool:
    return "\U000e0000" <= character <= "\U000e007f"


def clusters(text: str) -> Iterator[str]:
    """The characters as people see them: marks, joined emoji, flags and Hangul syllables are not torn apart."""
    start = 0
    for here in range(1, len(text) + 1):
        if here == len(text) or _may_break(text, here):
            yield text[start:here]
            start = here


def _may_break(text: str, here: int) -> bool:
    before, after = text[here - 1], text[here]
    if before == "\r" and after == "\n":
        return False
    if _extends(after):
        return before in "\n\r"
    if before == _ZWJ and after > "\u00a8":
        return False
    if _is_regional(before) and _is_regional(after):
        return _regionals_before(text, here) % 2 == 0
    return not (_is_hangul_lead(before) and (_is_hangul_lead(after) or "\uac00" <= after <= "\ud7a3"))


def _extends(character: str) -> bool:
    return (
        unicodedata.category(character) in ("Mn", "Me", "Mc")
        or character in _JOINERS
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\u1160" <= character <= "\u11ff"
        or _is_tag(character)
    )


def _is_regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _is_hangul_lead(character: str) -> bool:
    return "\u1100" <= character <= "\u115f"


def _regionals_before(text: str, here: int) -> int:
    count = 0
    while count < here and _is_regional(text[here - 1 - count]):
        count += 1
    return count


def cut(text: str, limit: int) -> str:
    """The text, or as much of it as fits ``limit`` with an ellipsis, never ending inside a visible character."""
    if length(text) <= limit:
        return text
    return _take(clusters(text), limit)


def plain(text: str, limit: int) -> str:
    """Clean text for places without markdown."""
    return cut(clean(text), limit)


def shown(text: str, limit: int) -> str:
    """Clean text whose markdown, links and mentions are only letters, cut so that no escape is torn apart."""
    pieces = list(_escaped_clusters(clean(text)))
    whole = "".join(pieces)
    return whole if length(whole) <= limit else _take(iter(pieces), limit)


def fits(text: str, limit: int) -> bool:
    """Whether ``shown`` would leave nothing out."""
    return length("".join(_escaped_clusters(clean(text)))) <= limit


def inline(text: str, limit: int = 100) -> str:
    """Clean text as inline code, which nothing in it can end."""
    return f"`{plain(text.replace('`', 'ˋ').replace(chr(10), ' '), limit) or ' '}`"


def _escaped_clusters(text: str) -> Iterator[str]:
    marked = {match.start() for match in _LINKS.finditer(text)} | {match.end() for match in _NUMBERED.finditer(text)}
    mass = {match.start() for match in _MASS.finditer(text)}
    position, line_start = 0, True
    for cluster in clusters(text):
        first = cluster[0]
        if first in _ALWAYS or position in marked or (line_start and first in _AT_LINE_START):
            yield "\\" + cluster
        elif position in mass:
            yield "@\u200b" + cluster[1:]
        else:
            yield cluster
        line_start = first == "\n" or (line_start and (first.isspace() or first in _AT_LINE_START))
        position += len(cluster)


def _take(pieces: Iterator[str], limit: int) -> str:
    room = limit - length(ELLIPSIS)
    taken: list[str] = []
    for piece in pieces:
        room -= length(piece)
        if room < 0:
            break
        taken.append(piece)
    return ("".join(taken).rstrip() + ELLIPSIS)[: max(limit, 0)]
