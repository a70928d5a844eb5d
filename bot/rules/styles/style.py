"""A saved look: words around a prompt, and options that go with them. A person has their own, a server has its."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from bot.rules.errors import UserError
from bot.rules.options.prompts import clean_prompt, is_seen, is_unseen

HOLE = "{prompt}"
"""Where the prompt goes; every other brace is a brace."""

MOST_OWN = 50
MOST_SERVERS = 100
NAME_CHARS = 40
PROMPT_CHARS = 6000
OPTIONS = ("size", "quality", "style", "background", "format", "compression")
"""What a look can say beside its words and its model, by the names of ``RawOptions``."""

_ENDS = tuple(",.:;!?…–—-\n")

Option = str | int


class BadStyleName(UserError):
    """A name without anything to see, or longer than ``NAME_CHARS``. Nothing was saved."""

    def __init__(self, length: int) -> None:
        super().__init__(f"{length} characters")
        self.length = length


class EmptyStyle(UserError):
    """A look without words and without options would change nothing. Nothing was saved."""


class TooManyStyles(UserError):
    """There is no room for another; ``servers``: the server has as many as it can, else the person has."""

    def __init__(self, most: int, *, servers: bool) -> None:
        super().__init__(f"at most {most}")
        self.most = most
        self.servers = servers


class NoSuchStyle(UserError):
    """Nobody saved a look of this name here, or it was deleted; ``nearest`` are names one may have meant."""

    def __init__(self, asked: str, nearest: tuple[str, ...] = ()) -> None:
        super().__init__(asked)
        self.asked = asked
        self.nearest = nearest


@dataclass(frozen=True, slots=True)
class Style:
    """``prompt`` has at least one ``HOLE``. ``servers``: it is the server's, for everybody there."""

    name: str
    prompt: str
    model: str | None = None
    options: tuple[tuple[str, Option], ...] = ()
    servers: bool = False

    @property
    def key(self) -> str:
        return name_key(self.name)

    def filled(self, prompt: str) -> str:
        """The finished prompt; braces in ``prompt`` are never read as a hole."""
        return self.prompt.replace(HOLE, prompt)


def told(style: Style | None) -> str:
    """All that a look says, as one text; nothing where there is none."""
    if style is None:
        return ""
    model = [f"model {style.model}"] if style.model else []
    return " · ".join([style.prompt, *model, *(f"{name} {value}" for name, value in style.options)])


def name_key(name: str) -> str:
    """What makes a name unique: however it is written, spaced or capitalised, and without what cannot be seen."""
    seen = "".join(one for one in unicodedata.normalize("NFKC", name) if one.isspace() or is_seen(one))
    return " ".join(unicodedata.normalize("NFKC", seen.casefold()).split())


def make_style(
    name: str, prompt: str, *, model: str | None = None, options: Mapping[str, Option | None], servers: bool = False
) -> Style:
    """A look as it is kept. Raises ``BadStyleName`` or ``EmptyStyle``."""
    named = " ".join(clean_prompt(name).split())
    if not name_key(named) or len(named) > NAME_CHARS:
        raise BadStyleName(len(named))
    chosen = tuple((one, value) for one in OPTIONS if (value := options.get(one)) is not None)
    words = with_hole(clean_prompt(prompt))
    if words == HOLE and not chosen and model is None:
        raise EmptyStyle
    return Style(named, words, model, chosen, servers)


def with_hole(words: str) -> str:
    """The words with a place for the prompt: after them where they name none."""
    if HOLE in words:
        return words
    if is_unseen(words):
        return HOLE
    return f"{words}{'' if words.endswith(_ENDS) else ','} {HOLE}"


def nearest_names(asked: str, styles: Iterable[Style]) -> tuple[str, ...]:
    """Up to three names spelt much like it."""
    names = {style.key: style.name for style in styles}
    return tuple(names[key] for key in get_close_matches(name_key(asked), names, n=3, cutoff=0.5))


def offered(typed: str, own: Iterable[Style], servers: Iterable[Style]) -> tuple[Style, ...]:
    """The looks whose names hold what was typed: one's own first, then those of the server that none of them hides."""
    mine = {style.key: style for style in own}
    every = [*mine.values(), *(style for style in servers if style.key not in mine)]
    return tuple(style for style in every if name_key(typed) in style.key)
