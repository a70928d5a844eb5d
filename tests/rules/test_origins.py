from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.origins import Checked, Marks, MarkState, read_check, read_store

AI = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
SIGNED = "claimSignature.validated"


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


def results(*wrong: str, right: Sequence[str] = (SIGNED, "assertion.boxesHash.match")) -> dict[str, Any]:
    codes = {kind: [{"code": code} for code in some] for kind, some in (("success", right), ("failure", wrong))}
    return {"validation_results": {"activeManifest": codes}}


def test_an_odd_certificate_does_not_make_a_picture_a_changed_one() -> None:
    """As with pictures of Bing's and of a Nikon camera: who signed is not checked at all."""
    told = store({"digitalSourceType": AI}) | results("signingCredential.expired", "signingCredential.invalid")
    assert read_store(told, fits=False) == Marks(MarkState.FITS, by_ai=True, odd_certificate=True)


EXPIRED = "signingCredential.expired"


@pytest.mark.parametrize(
    "found",
    [
        results(EXPIRED, "assertion.boxesHash.mismatch"),
        results(EXPIRED, right=[SIGNED]),
        results(EXPIRED, right=["assertion.dataHash.match"]),
        results("signingCredential.revoked"),
        results(),
        results(EXPIRED)
        | {"validation_results": {"ingredientDeltas": [{"validationDeltas": {"failure": [{"code": "other"}]}}]}},
    ],
)
def test_nothing_else_is_forgiven(found: dict[str, Any]) -> None:
    assert read_store(store({"digitalSourceType": AI}) | found, fits=False) == Marks(MarkState.BROKEN)


@pytest.mark.parametrize(
    ("kind", "is_ai"),
    [
        ("trainedAlgorithmicMedia", True),
        ("compositeWithTrainedAlgorithmicMedia", True),
        ("algorithmicMedia", False),
        ("compositeSynthetic", False),
        ("digitalCapture", False),
        ("untrainedAlgorithmicMedia", False),
    ],
)
def test_only_what_a_trained_model_made_is_called_ai(kind: str, is_ai: bool) -> None:
    told = store({"digitalSourceType": f"http://cv.iptc.org/newscodes/digitalsourcetype/{kind}"})
    assert read_store(told, fits=True).by_ai is is_ai


@pytest.mark.parametrize("time", ["yesterday", 5, "2026-11-29", "0001-01-01T00:00:00+00:00", None])
def test_a_time_that_is_none_is_left_out(time: object) -> None:
    assert read_store(store(signature={"time": time}), fits=True).signed_at is None


TOP = ["manifests", "active_manifest", "a"]
KEYS = [*TOP, "assertions", "label", "data", "actions", "signature_info", "softwareAgent", "activeManifest", "success"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_whatever_a_store_holds_is_read(odd: object) -> None:
    assert read_store(odd, fits=True).state is MarkState.FITS
    assert read_store({"validation_results": odd}, fits=False) == Marks(MarkState.BROKEN)
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
