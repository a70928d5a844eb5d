from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ports import Progress, Stage
from bot.rules.ledger import Bill, JobState
from bot.rules.money import MicroUSD
from bot.rules.requests import Endpoint, Kind
from bot.rules.uploads import Note, NoteKind
from bot.ui.pages import result as embeds
from bot.ui.words.catalogue import has
from bot.ui.words.text import EMBED_TOTAL, length
from tests.support.people import make_job, make_made, make_request


def values(embed: object) -> str:
    return repr(embed.to_dict())  # type: ignore[attr-defined]


def test_a_result_tells_prompt_model_size_quality_cost_and_time() -> None:
    told = embeds.result(make_job(), [make_made()], 21.4, "en-US", show_cost=True)
    text = values(told.embed)
    for part in ("a red fox", "gpt-image-2.5-flare", "1024x1024", "low", "$0.0059", "21 s"):
        assert part in text
    assert told.full_text is None


def test_a_server_may_hide_the_cost() -> None:
    assert "$" not in values(embeds.result(make_job(), [make_made()], 1, "en-US", show_cost=False).embed)


def test_an_estimated_cost_says_so() -> None:
    job = make_job(bill=Bill(MicroUSD(5910), 1, estimated=True))
    assert embeds.cost(job, "en-US") == "≈ $0.0059"
    assert embeds.cost(make_job(charged_micro_usd=MicroUSD(0)), "en-US") == "free"


def test_the_revised_prompt_is_shown_where_it_differs() -> None:
    told = embeds.result(make_job(), [make_made(revised_prompt="a crimson fox")], 1, "en-US", show_cost=True)
    assert "a crimson fox" in values(told.embed)
    same = embeds.result(make_job(), [make_made(revised_prompt="a red fox")], 1, "en-US", show_cost=True)
    assert "Revised" not in values(same.embed)


def test_what_does_not_fit_is_handed_back_in_full() -> None:
    prompt = "🦊" * 32_000
    told = embeds.result(
        make_job(request=make_request(prompt=prompt, shown_prompt=prompt)), [make_made()], 1, "en-US", show_cost=True
    )
    assert told.full_text is not None
    assert prompt in told.full_text
    assert length(told.embed.description or "") <= 4096


@given(st.text(max_size=5000), st.text(max_size=5000))
def test_no_text_makes_an_embed_too_large(prompt: str, revised: str) -> None:
    job = make_job(request=make_request(prompt=prompt, shown_prompt=prompt), revised_prompt=revised, parent_id="p")
    made = [make_made(revised_prompt=revised)]
    for told in (
        embeds.result(job, made, 5, "de", show_cost=True, shrunk=True),
        embeds.details(job, ["x" * 90] * 8, "de", show_cost=True),
    ):
        assert len(told.embed) <= EMBED_TOTAL
        total = sum(length(field.name or "") + length(field.value or "") for field in told.embed.fields)
        assert total + length(told.embed.description or "") <= EMBED_TOTAL
        assert all(length(field.value or "") <= 1024 for field in told.embed.fields)


def test_fewer_pictures_than_asked_are_admitted() -> None:
    job = make_job(request=make_request(count=4))
    assert "3 of 4" in values(embeds.result(job, [make_made(3)], 1, "en-US", show_cost=True).embed)


def test_a_variation_without_a_hint_does_not_show_our_own_words() -> None:
    request = make_request(
        kind=Kind.VARY, endpoint=Endpoint.EDITS, prompt="Create a variation of this image: …", shown_prompt=""
    )
    told = embeds.result(make_job(request=request), [make_made()], 1, "en-US", show_cost=True)
    assert told.embed.description is None
    assert told.embed.author.name == "Variation"


def test_what_was_done_to_uploads_is_told_where_it_matters() -> None:
    notes = [Note(NoteKind.MASK_FROM_WHITE, "mask"), Note(NoteKind.TURNED, "image")]
    told = embeds.result(make_job(), [make_made()], 1, "en-US", show_cost=True, notes=notes)
    assert told.embed.footer.text is not None
    assert "white is edited" in told.embed.footer.text
    assert len(told.embed.footer.text.splitlines()) == 1


def test_every_note_that_is_told_has_a_sentence() -> None:
    assert all(has(f"note.{kind}") for kind in embeds.NOTES_TOLD)


@pytest.mark.parametrize("state", JobState)
def test_details_know_every_state(state: JobState) -> None:
    assert values(embeds.details(make_job(state=state), [], "en-US", show_cost=True).embed)


def test_details_list_options_tokens_and_cost() -> None:
    text = values(embeds.details(make_job(), ["from this"], "en-US", show_cost=True).embed)
    for part in ("size 1024x1024", "quality low", "out 196", "$0.0059", "from this", "JOB45678901234567890"):
        assert part in text


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        (Progress(Stage.QUEUED, 3, 40.0), "⏳ Queued, 3rd in line, about 40 s."),
        (Progress(Stage.QUEUED), "⏳ Queued."),
        (Progress(Stage.DRAWING, None, 20.0), "🎨 Drawing, about 20 s …"),
        (Progress(Stage.DRAWING), "🎨 Drawing …"),
    ],
)
def test_a_person_reads_where_the_job_stands(progress: Progress, line: str) -> None:
    assert embeds.progress_line(progress, "en-US") == line


def test_a_private_parent_stays_private() -> None:
    parent = make_job(request=make_request(private=True))
    assert "fox" not in embeds.parent_line(parent, "en-US", visible=False)
    assert "fox" in embeds.parent_line(parent, "en-US", visible=True)
