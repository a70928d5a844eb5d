from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.ledger import JobState
from bot.rules.requests import Endpoint, Kind
from bot.ui.pages.details import details, parent_line
from bot.ui.pages.result import Told
from bot.ui.words.text import EMBED_TOTAL, length
from tests.support.people import make_job, make_request


def text_of(told: Told) -> str:
    assert told.embed is not None
    return repr(told.embed.to_dict())


@pytest.mark.parametrize("state", JobState)
def test_details_know_every_state(state: JobState) -> None:
    assert text_of(details(make_job(state=state), [], "en-US", show_cost=True))


def test_details_list_options_tokens_and_cost() -> None:
    text = text_of(details(make_job(), ["from this"], "en-US", show_cost=True))
    for part in ("size 1024x1024", "quality low", "output: 196", "$0.0059", "from this", "JOB45678901234567890"):
        assert part in text


@given(st.text(max_size=5000), st.text(max_size=5000))
def test_no_text_makes_an_embed_too_large(prompt: str, revised: str) -> None:
    job = make_job(request=make_request(prompt=prompt, shown_prompt=prompt), revised_prompt=revised)
    embed = details(job, ["x" * 90] * 8, "de", show_cost=True).embed
    assert embed is not None
    assert len(embed) <= EMBED_TOTAL
    total = sum(length(field.name or "") + length(field.value or "") for field in embed.fields)
    assert total + length(embed.description or "") <= EMBED_TOTAL
    assert all(length(field.value or "") <= 1024 for field in embed.fields)


def test_a_private_parent_stays_private() -> None:
    parent = make_job(request=make_request(private=True))
    assert "fox" not in parent_line(parent, "en-US", visible=False)
    assert "fox" in parent_line(parent, "en-US", visible=True)


def test_a_varied_parent_is_told_by_what_it_varied() -> None:
    varied = make_request(kind=Kind.VARY, endpoint=Endpoint.EDITS, prompt="Create a …", shown_prompt="")
    assert parent_line(make_job(request=varied), "en-US", visible=True).endswith(": Variation")
