"""What is said of a picture's marks; who may see what is in ``tests/e2e/test_origins.py``."""

from __future__ import annotations

import pytest

from bot.rules.origins import Marks, MarkState
from bot.ui.pages.origin import Seen, origin


def told(marks: Marks, locale: str = "en") -> tuple[str | None, str | None]:
    embed = origin([], [Seen(marks)], None, 0, locale)
    return embed.title, embed.fields[0].value


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en", "The certificate of whoever signed has expired, or is not meant for pictures."),
        ("de", "Das verwendete Zertifikat ist abgelaufen oder nicht für Bilder gedacht."),
    ],
)
def test_an_odd_certificate_is_said_below_what_the_marks_say(locale: str, words: str) -> None:
    fits = Marks(MarkState.FITS, by_ai=True, signer="Google LLC")
    odd = Marks(MarkState.FITS, by_ai=True, signer="Google LLC", odd_certificate=True)
    title, text = told(fits, locale)
    assert told(odd, locale) == (title, f"{text}\n{words}")


def test_marks_of_another_kind_are_not_called_forged() -> None:
    assert told(Marks(MarkState.UNKNOWN))[1] == "There are some, but of a kind that Easel cannot read."
