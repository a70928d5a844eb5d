"""Foreign text made safe to show: cleaned, escaped, and cut between characters as people see them.

Law: whatever a person or a service wrote passes through ``escaped`` (markdown places) or ``clean`` (alt text,
files, form fields) before it is sent. Lengths are UTF-16 units, the larger of the two ways Discord may count.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

import regex

CONTENT_LIMIT = 2000
DESCRIPTION_LIMIT = 4096
FIELD_LIMIT = 1024
EMBED_TOTAL = 6000
ALT_LIMIT = 1024
ELLIPSIS = "…"
LONG_WORD = 40

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE = frozenset("\u00ad\u180e\u200b\u2060\u2061\u2062\u2063\u2064\ufeff\ufff9\ufffa\ufffb")
_JOINERS = frozenset("\u200c\u200d")
_BLACK_FLAG = "\U0001f3f4"
_MOST_MARKS = 6  # combining marks on one character; more is Zalgo
_CLUSTER = regex.compile(r"\X")
_LONGEST = 32  # code points of one character; a kissing couple with two skin tones has ten

_ALWAYS = frozenset("\\`*_~|[]()<")
_AT_LINE_START = frozenset(">#-+=")
_LINKS = re.compile(r":(?=//)|(?<=discord)\.(?=gg\b)|(?<=discord)\.(?=com/)|(?<=discordapp)\.(?=com/)", re.IGNORECASE)
_MASS = re.compile(r"@(?=everyone|here)", re.IGNORECASE)
_NUMBERED = re.compile(r"^\s*\d+(?=[.)]\s)", re.MULTILINE)


def length(text: str) -> int:
    """How long Discord may count the text: UTF-16 units."""
    return len(text) + sum(character > "\uffff" for character in text)


def clean(text: str, limit: int | None = None) -> str:
    """The text without what cannot be seen or turns reading round: controls, bidi marks, zero widths, stray tags."""
    seen: list[str] = []
    marks = newlines = 0
    flag = False
    for character in text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n"):
        flag = character == _BLACK_FLAG or (flag and _is_tag(character))
        if not _is_seen(character, seen[-1] if seen else "", flag):
            continue
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        newlines = newlines + 1 if character == "\n" else 0
        if marks > _MOST_MARKS or newlines > 2:
            continue
        seen.append("\ufffd" if "\ud800" <= character <= "\udfff" else character)
    whole = "".join(seen).strip()
    return whole if limit is None else cut(whole, limit)


def _is_seen(character: str, before: str, in_flag: bool) -> bool:
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
    """The characters as people see them, by Unicode's own rules: marks, conjuncts, joined emoji, flags and Hangul
    syllables are not torn apart. What goes on for longer than any character does is taken apart all the same."""
    for cluster in _CLUSTER.findall(text):
        if len(cluster) <= _LONGEST:
            yield cluster
        else:
            yield from (cluster[start : start + _LONGEST] for start in range(0, len(cluster), _LONGEST))


def cut(text: str, limit: int) -> str:
    """The text, or as much of it as fits ``limit`` with an ellipsis, never ending inside a visible character."""
    if length(text) <= limit:
        return text
    return _take(clusters(text), limit)


def one_line(text: str) -> str:
    """Clean text without line breaks."""
    return " ".join(clean(text).split())


def cut_at_word(text: str, limit: int) -> str:
    """The same as ``cut``, at the end of a word where one is near."""
    short = cut(text, limit)
    begin, blank, word = short.removesuffix(ELLIPSIS).rpartition(" ")
    return f"{begin.rstrip()}{ELLIPSIS}" if short != text and blank and length(word) <= LONG_WORD else short


def escaped(text: str, limit: int) -> str:
    """Clean text whose markdown, links and mentions are only letters, cut so that no escape is torn apart."""
    pieces = list(_escaped_clusters(clean(text)))
    whole = "".join(pieces)
    return whole if length(whole) <= limit else _take(iter(pieces), limit)


def fits(text: str, limit: int) -> bool:
    """Whether ``escaped`` would leave nothing out."""
    return length("".join(_escaped_clusters(clean(text)))) <= limit


def inline(text: str, limit: int = 100) -> str:
    """Clean text as inline code, which nothing in it can end."""
    return f"`{clean(text.replace('`', 'ˋ').replace(chr(10), ' '), limit) or ' '}`"


def _escaped_clusters(text: str) -> Iterator[str]:
    marked = {match.start() for match in _LINKS.finditer(text)} | {match.end() for match in _NUMBERED.finditer(text)}
    mass = {match.start() for match in _MASS.finditer(text)}
    position, line_start = 0, True
    for cluster in clusters(text):
        piece = ""
        for character in cluster:  # not its first alone: what stands before its base, like U+0600, would hide a star
            if character in _ALWAYS or position in marked or (line_start and character in _AT_LINE_START):
                piece += "\\"
            piece += "@\u200b" if position in mass else character
            line_start = character == "\n" or (line_start and (character.isspace() or character in _AT_LINE_START))
            position += 1
        yield piece


def _take(pieces: Iterator[str], limit: int) -> str:
    room = limit - length(ELLIPSIS)
    taken: list[str] = []
    for piece in pieces:
        room -= length(piece)
        if room < 0:
            break
        taken.append(piece)
    return ("".join(taken).rstrip() + ELLIPSIS)[: max(limit, 0)]
