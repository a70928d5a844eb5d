"""Whether a text holds a refused word, however it is written. Pure; made once for a list, then quick for every prompt.

Law: a word is refused only where it stands as a whole word. A text is read in several ways (as it is, as it looks, with
digits as letters, with drawn-out letters shortened), and a list in the same ways: a word is found if they agree in one.

- Marks are taken off Latin and Greek letters, but an umlaut is a letter of its own: ``ä`` is ``ae``, never ``a``.
- Letters one by one (``b a d``, ``b.a.d``) are a word if nothing else stands in their row; pieces with dots or dashes
  between (``ba-d``) if they are as short as no word is.
- Chinese, Japanese, Thai, Lao, Khmer and Burmese have no borders between words: there a word is found anywhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache, partial

from bot.rules.errors import UserError
from bot.rules.servers.words.look_alikes import table

MOST_WORDS = 500
MOST_CHARS = 100

_UNSEEN = re.compile(
    "[\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u0345\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Nothing of these is drawn (Unicode, Default_Ignorable_Code_Point, and controls but white space), but the
iota below, the one mark that folding makes a letter of."""

_BORDERLESS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]")
_JOINTS = r"[._\-~*+|·•∙‧‐‑–—]+"
_JOINT = re.compile(_JOINTS)
_SQUEEZED = re.compile(rf"(?:\s|{_JOINTS})+")
_SIGNS = str.maketrans({"@": "a", "$": "s"})
_DIGITS = {"0": "o", "3": "e", "4": "a", "5": "s", "7": "t"}
_AS_LETTERS = tuple(str.maketrans({**_DIGITS, "1": one}) for one in "il")
_MIXED = re.compile(r"[^\W_]*(?:[^\W\d_][\d@$]|[\d@$][^\W\d_])[\w@$]*")
_DRAWN_OUT = re.compile(r"([^\W\d_])\1{2,}")
_REVERSED = "\u202e"
_ARTICLES = ("a", "i")
FEWEST_LETTERS = 3
"""That spelled one by one are a word; two are initials."""


class FoundIn(StrEnum):
    """In what was typed, in the ``look`` around it, or in the prompt of the picture that it goes on from."""

    PROMPT = "prompt"
    LOOK = "look"
    PICTURE = "picture"


class RefusedWord(UserError):
    """The text holds a word that this server refuses. It is not said which. Nothing was spent."""

    def __init__(self, found_in: FoundIn = FoundIn.PROMPT, look: str = "") -> None:
        super().__init__(found_in)
        self.found_in = found_in
        self.look = look


class BadWord(UserError):
    """No word to refuse: nothing of it can be read, or it is too long. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """A list made ready. ``rows`` are phrases by their first word, ``joined`` all without spaces, ``parts`` what is
    looked for anywhere."""

    rows: dict[str, tuple[tuple[str, ...], ...]]
    joined: frozenset[str]
    parts: tuple[str, ...]


def holds_refused(words: frozenset[str], *texts: str) -> bool:
    """Whether any of the texts holds any of the words."""
    if not words:
        return False
    lexicon = _made_ready(words)
    return any(_found(lexicon, one) for text in texts if text for one in _readings(text))


def word_of(typed: str) -> str:
    """A word or phrase as it is kept: without what is not drawn, single spaces. Raises ``BadWord``."""
    word = " ".join(_UNSEEN.sub("", typed).split())
    if not word or len(word) > MOST_CHARS or not (_tokens(_as_it_is(word)) or _is_sign(word)):
        raise BadWord
    return word


def words_in(lines: str) -> frozenset[str]:
    """One a line; empty lines say nothing. Raises ``BadWord``."""
    return frozenset(word_of(line) for line in lines.splitlines() if _UNSEEN.sub("", line).strip())


def added(words: frozenset[str], more: Iterable[str]) -> frozenset[str]:
    """Both, without a word that is there already in another spelling."""
    known = {key(word): word for word in words}
    for word in sorted(more):
        known.setdefault(key(word), word)
    return frozenset(known.values())


def removed(words: frozenset[str], fewer: Iterable[str]) -> frozenset[str]:
    """The list without these, however they are spelled."""
    gone = set(map(key, fewer))
    return frozenset(word for word in words if key(word) not in gone)


def key(word: str) -> str:
    """The same for every spelling that is one word to the list."""
    return _as_it_is(word)


def _is_sign(word: str) -> bool:
    """Emoji and the like, which are found wherever they stand."""
    return any(unicodedata.category(one) == "So" for one in word)


# --- ways to read ------------------------------------------------------------------------------------------------


def _readings(text: str) -> Iterator[str]:
    """Every way to read it, each once."""
    whole = _UNSEEN.sub("", text)
    told = dict.fromkeys((_as_it_is(whole), _as_it_looks(whole)))
    if _REVERSED in text:
        told |= dict.fromkeys((_as_it_is(whole[::-1]), _as_it_looks(whole[::-1])))
    for one in tuple(told):
        if _MIXED.search(one):
            told |= dict.fromkeys(_MIXED.sub(partial(_lettered, way), one) for way in _AS_LETTERS)
    for one in tuple(told):
        if _DRAWN_OUT.search(one):
            told |= dict.fromkeys(_DRAWN_OUT.sub(shorter, one) for shorter in (r"\1", r"\1\1"))
    yield from told


def _lettered(way: dict[int, str], word: re.Match[str]) -> str:
    return word[0].translate(_SIGNS).translate(way)


def _as_it_is(text: str) -> str:
    return _unmarked(unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold()))


def _as_it_looks(text: str) -> str:
    if text.isascii():
        return text.casefold()
    letters = unicodedata.normalize("NFKD", text.translate(table())).translate(table())
    return _unmarked(unicodedata.normalize("NFKD", letters.casefold()).translate(table()))


def _unmarked(text: str) -> str:
    """Decomposed text without the marks of Latin and Greek letters; other scripts spell with theirs."""
    if text.isascii():
        return text
    marks = "".join(one for one in set(text) if unicodedata.category(one) in ("Mn", "Me"))
    if marks:
        some = f"[{re.escape(marks)}]"
        text = re.sub(rf"([aou])\u0308(?!{some})", r"\1e", text)
        text = re.sub(rf"([a-z0-9α-ω]){some}+", r"\1", text)
    return unicodedata.normalize("NFC", text.replace("æ", "ae").replace("œ", "oe").replace("е\u0308", "е"))


# --- finding -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _made_ready(words: frozenset[str]) -> Lexicon:
    rows: dict[str, set[tuple[str, ...]]] = {}
    joined: set[str] = set()
    parts: set[str] = set()
    for spelled in {way(word) for word in words for way in (_as_it_is, _as_it_looks)}:
        row = tuple(token for token, _ in _tokens(spelled))
        if not row or _BORDERLESS.search(spelled):
            parts.add(_SQUEEZED.sub("", spelled))
            continue
        rows.setdefault(row[0], set()).add(row)
        joined.add("".join(row))
    return Lexicon({first: tuple(some) for first, some in rows.items()}, frozenset(joined), tuple(parts))


def _found(lexicon: Lexicon, text: str) -> bool:
    if lexicon.parts:
        squeezed = _SQUEEZED.sub("", text)
        if any(part in squeezed for part in lexicon.parts):
            return True
    tokens = _tokens(text)
    return _as_words(lexicon, [token for token, _ in tokens]) or _in_pieces(lexicon, tokens)


def _as_words(lexicon: Lexicon, words: list[str]) -> bool:
    return any(
        word in lexicon.joined or any(words[at : at + len(row)] == list(row) for row in lexicon.rows.get(word, ()))
        for at, word in enumerate(words)
    )


def _tokens(text: str) -> list[tuple[str, str]]:
    """Words, each with what stands before it."""
    marks = "" if text.isascii() else "".join(one for one in set(text) if unicodedata.category(one)[0] == "M")
    pattern = rf"[^\W_](?:[^\W_]|[{re.escape(marks)}])*" if marks else r"[^\W_]+"
    found, end = [], 0
    for match in re.finditer(pattern, text):
        found.append((match[0], text[end : match.start()]))
        end = match.end()
    return found


def _in_pieces(lexicon: Lexicon, tokens: list[tuple[str, str]]) -> bool:
    return any(
        "".join(row) in lexicon.joined or (row[0] in _ARTICLES and "".join(row[1:]) in lexicon.joined)
        for row in _spelled_out(tokens)
        if len(row) >= FEWEST_LETTERS
    ) or any("".join(row) in lexicon.joined for row in _jointed(tokens) if _is_too_short_for_words(row))


def _spelled_out(tokens: list[tuple[str, str]]) -> Iterator[list[str]]:
    """Single letters in a row with the same between all of them."""
    row: list[str] = []
    between = ""
    for token, gap in tokens:
        if len(token) != 1:
            yield row
            row = []
        elif len(row) < 2 or gap == between:
            row.append(token)
            between = gap
        else:
            yield row
            row, between = [row[-1], token], gap
    yield row


def _jointed(tokens: list[tuple[str, str]]) -> Iterator[list[str]]:
    """What stands together with only dots or dashes between."""
    row: list[str] = []
    for token, gap in tokens:
        if row and not _JOINT.fullmatch(gap):
            yield row
            row = []
        row.append(token)
    yield row


def _is_too_short_for_words(row: list[str]) -> bool:
    lengths = [len(piece) for piece in row]
    return len(row) > 1 and (max(lengths) <= 2 or min(lengths) == 1)
