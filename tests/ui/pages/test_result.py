from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.ledger import Bill
from bot.rules.money import MicroUSD
from bot.rules.options.canvases import Way
from bot.rules.requests import Endpoint, Kind, Made, MadeImage
from bot.rules.servers.access import Layout
from bot.rules.uploads import Named, Note, NoteKind
from bot.ui.pages.result import NOTES_TOLD, Looks, Told, cost, result
from bot.ui.words.catalogue import has, say
from bot.ui.words.text import CONTENT_LIMIT, DESCRIPTION_LIMIT, escaped, length
from tests.support.people import make_job, make_made, make_request

NAMES = {"gpt-image-2.5-flare": "2.5 flare"}
EMBED = Looks(name_of=lambda model: NAMES.get(model, model), notice="")
PLAIN = Looks(layout=Layout.PLAIN, name_of=EMBED.name_of, notice="")


def above(told: Told) -> str:
    assert told.embed is not None
    return told.embed.description or ""


def below(told: Told) -> list[str]:
    assert told.embed is not None
    return (told.embed.footer.text or "").splitlines()


def test_a_result_is_its_prompt_in_bold_and_one_line() -> None:
    told = result(make_job(), [make_made()], 21.4, "en-US", EMBED)
    assert above(told) == "**a red fox**"
    assert below(told) == ["2.5 flare · 1024×1024 · low · $0.0059 · 21 s"]
    assert told.full_text is None
    assert told.content is None


def test_a_plain_result_is_the_same_without_a_frame() -> None:
    told = result(make_job(), [make_made()], 21.4, "en-US", PLAIN)
    assert told.embed is None
    assert told.content == "**a red fox**\n-# 2.5 flare · 1024×1024 · low · $0.0059 · 21 s"


def test_a_server_may_hide_the_cost() -> None:
    assert below(result(make_job(), [make_made()], 1, "en-US", Looks(show_cost=False))) == [
        "gpt-image-2.5-flare · 1024×1024 · low · 1 s · Made with AI"
    ]


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize(
    ("wording", "locale", "told"),
    [
        (None, "en-US", "Made with AI"),
        (None, "de", "Mit KI erstellt"),
        ("Drawn by **machines** @everyone", "de", "Drawn by **machines** @everyone"),
    ],
)
def test_a_result_says_that_it_was_made_by_ai(wording: str | None, locale: str, told: str, layout: Layout) -> None:
    shown = result(make_job(), [make_made()], 1, locale, Looks(layout=layout, notice=wording))
    assert (shown.content or below(shown)[0]).endswith(f" · {told if layout is Layout.EMBED else escaped(told, 200)}")


def test_an_estimated_cost_says_so() -> None:
    job = make_job(bill=Bill(MicroUSD(5910), 1, estimated=True))
    assert cost(job, "en-US") == "≈ $0.0059"
    assert cost(make_job(charged_micro_usd=MicroUSD(0)), "en-US") == "free"


def test_the_revised_prompt_is_shown_where_it_differs() -> None:
    told = result(make_job(), [make_made(revised_prompt="a crimson fox")], 1, "en-US", EMBED)
    assert above(told) == "**a red fox**\nDrawn as: a crimson fox"
    assert above(result(make_job(), [make_made(revised_prompt="a red fox")], 1, "en-US", EMBED)) == "**a red fox**"


def test_a_long_prompt_ends_at_a_word_and_is_handed_back_in_full() -> None:
    prompt = "a quiet\nharbour " * 40
    told = result(make_job(request=make_request(prompt=prompt, shown_prompt=prompt)), [make_made()], 1, "en-US", EMBED)
    shown = above(told)
    assert 260 < len(shown) <= 304
    assert shown.endswith(("quiet…**", "harbour…**", "a…**"))
    assert told.full_text is not None
    assert prompt in told.full_text


@given(st.text(max_size=5000), st.text(max_size=5000), st.sampled_from(Layout))
def test_no_text_makes_a_result_too_large(prompt: str, revised: str, layout: Layout) -> None:
    request = make_request(prompt=prompt, shown_prompt=prompt, kind=Kind.EDIT, model=prompt[:100] or "x", style=revised)
    made = [Made((MadeImage(b"x", revised, 3, 4, revised),), left_out=(prompt,), background=revised, quality=revised)]
    job = make_job(request=request, parent_id="p")
    notes = [Note(kind, prompt) for kind in NoteKind]
    told = result(job, made, 5, "de", Looks(layout=layout, notice="*" * 100), notes=notes, shrunk=True)
    assert length(told.content or "") <= CONTENT_LIMIT - 100  # and a line that calls its maker
    if told.embed is not None:
        assert length(told.embed.description or "") <= DESCRIPTION_LIMIT
        assert length(told.embed.footer.text or "") <= 2048


def test_fewer_pictures_than_asked_are_admitted() -> None:
    job = make_job(request=make_request(count=4))
    assert "3 of 4" in below(result(job, [make_made(3)], 1, "en-US", EMBED))[1]


def test_what_came_otherwise_than_asked_is_one_sentence() -> None:
    request = make_request(size="1536x1024", format="jpeg", quality="high")
    made = [Made((MadeImage(b"x", "png", 1024, 1024),), quality="low")]
    told = below(result(make_job(request=request), made, 1, "en-US", EMBED))
    assert told[0].startswith("2.5 flare · 1024×1024 · low · ")
    assert told[1] == "You asked for 1536x1024 high jpeg; the service made 1024x1024 low png."


def test_what_came_as_asked_needs_no_word() -> None:
    request = make_request(format="png")
    assert len(below(result(make_job(request=request), [make_made()], 1, "en-US", EMBED))) == 1


@pytest.mark.parametrize(
    ("based_on", "hint", "locale", "title"),
    [
        ("a quiet harbour", "", "en-US", "Variation of: a quiet harbour"),
        ("a quiet harbour", "", "de", "Variante von: a quiet harbour"),
        ("a quiet harbour", "at night", "en-US", "Variation of: a quiet harbour, at night"),
        ("", "at night", "en-US", "Variation of: at night"),
        ("", "", "en-US", "Variation"),
    ],
)
def test_a_variation_is_called_by_what_it_varies(based_on: str, hint: str, locale: str, title: str) -> None:
    request = make_request(
        kind=Kind.VARY,
        endpoint=Endpoint.EDITS,
        prompt="Create a variation of this image: …",
        shown_prompt=hint,
        based_on=based_on,
    )
    assert above(result(make_job(request=request), [make_made()], 1, locale, EMBED)) == f"**{title}**"


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("locale", ["en-US", "de"])
def test_what_adds_to_a_picture_says_where(way: Way, locale: str) -> None:
    request = make_request(kind=Kind.EDIT, endpoint=Endpoint.EDITS, way=way)
    (figures,) = below(result(make_job(request=request), [make_made()], 1, locale, EMBED))
    assert has(f"result.{way}")
    assert figures.startswith(f"{say(locale, f'result.{way}')} · 2.5 flare")


def test_who_asked_for_what_goes_on_from_a_picture_is_named() -> None:
    told = result(make_job(parent_id="x"), [make_made()], 1, "en-US", EMBED)
    assert above(told) == "**a red fox** · <@33>"


def test_what_was_done_to_uploads_is_told_where_it_matters() -> None:
    notes = [
        Note(NoteKind.MASK_FROM_WHITE, "mask"),
        Note(NoteKind.TURNED, "image"),
        Note(NoteKind.OTHER_MODEL, "image", Named("dall-e-3"), Named("gpt-image-2.5-flare")),
    ]
    (_, remarks) = below(result(make_job(), [make_made()], 1, "en-US", EMBED, notes=notes))
    assert "white is edited" in remarks
    assert remarks.endswith("dall-e-3 cannot do this here, so gpt-image-2.5-flare did.")


def test_every_note_that_is_told_has_a_sentence() -> None:
    assert all(has(f"note.{kind}") for kind in NOTES_TOLD)
