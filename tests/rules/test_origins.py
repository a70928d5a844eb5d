from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.origins import Checked, Marks, MarkState, read_check, read_store

AI = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def store(*actions: dict[str, Any], signature: dict[str, Any] | None = None, **others: Any) -> dict[str, Any]:
    assertions = [{"label": "c2pa.hash.data"}, {"label": "c2pa.actions.v2", "data": {"actions": list(actions)}}]
    return {
        "active_manifest": "a",
        "manifests": {"a": {"assertions": assertions, "signature_info": signature or {}, **others}},
    }


def test_marks_are_read_from_a_store() -> None:
    signature = {"issuer": "OpenAI", "time": "2026-11-29T08:00:00+00:00"}
    told = store({"action": "c2pa.created", "softwareAgent": "GPT-4o", "digitalSourceType": AI}, signature=signature)
    assert read_store(told, fits=True) == Marks(
        MarkState.FITS, by_ai=True, signer="OpenAI", tool="GPT-4o", signed_at=datetime(2026, 11, 29, 8, tzinfo=UTC)
    )


def test_a_camera_is_no_ai() -> None:
    told = store({"action": "c2pa.created"}, claim_generator="Leica M11", signature={"common_name": "Leica"})
    assert read_store(told, fits=True) == Marks(MarkState.FITS, signer="Leica", tool="Leica M11")


def test_what_went_into_a_picture_counts() -> None:
    told = store({"action": "c2pa.opened"}, claim_generator_info=[{"name": "An editor"}])
    told["manifests"]["b"] = store({"digitalSourceType": AI})["manifests"]["a"]
    assert read_store(told, fits=True).by_ai


def test_a_picture_that_does_not_fit_says_nothing_else() -> None:
    assert read_store(store({"digitalSourceType": AI}), fits=False) == Marks(MarkState.BROKEN)


@pytest.mark.parametrize("time", ["yesterday", 5, "2026-11-29", "0001-01-01T00:00:00+00:00", None])
def test_a_time_that_is_none_is_left_out(time: object) -> None:
    assert read_store(store(signature={"time": time}), fits=True).signed_at is None


TOP = ["manifests", "active_manifest", "a"]
KEYS = [*TOP, "assertions", "label", "data", "actions", "signature_info", "softwareAgent"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_whatever_a_store_holds_is_read(odd: object) -> None:
    assert read_store(odd, fits=True).state is MarkState.FITS
    assert read_store({"active_manifest": "a", "manifests": {"a": odd}}, fits=True).state is MarkState.FITS


def test_what_a_service_found_is_read_from_its_answer() -> None:
    nothing = {"outcome": "not_detected", "model": "other", "generated_at": "2020-01-01T00:00:00Z"}
    found = {"outcome": "detected", "model": "gpt-image-2", "generated_at": "2026-11-29T08:00:00Z"}
    assert read_check({"results": [{"type": "c2pa", **nothing}, {"type": "synthid", **found}]}) == Checked(
        watermark=True, model="gpt-image-2", made_at=datetime(2026, 11, 29, 8, tzinfo=UTC)
    )
    assert read_check({"results": [{"type": "c2pa", **nothing}]}) == Checked()


@given(JSON)
def test_whatever_a_service_answers_is_read(odd: object) -> None:
    assert read_check({"results": [odd]}) == Checked()
    assert read_check(odd) is None
