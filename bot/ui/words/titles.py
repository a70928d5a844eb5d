"""What a picture is called: its prompt, or what it is a variation of. Never the words that Easel itself adds."""

from __future__ import annotations

from bot.rules.requests import ImageRequest, Kind
from bot.ui.words.catalogue import say
from bot.ui.words.text import one_line


def title_of(request: ImageRequest, locale: str) -> str:
    """In one line, clean but neither escaped nor cut."""
    return one_line(_title(request, locale))


def _title(request: ImageRequest, locale: str) -> str:
    if request.kind is not Kind.VARY:
        return request.own_words
    if not request.own_words:
        return say(locale, "result.variation")
    return say(locale, "result.variation_of", title=request.own_words)
