"""What a picture says of where it comes from: its C2PA marks, as they were read.

Law: marks are what somebody else wrote. Nothing here proves who made a picture: who signed is not checked against any
list, and marks that are missing say nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

MARKED_FORMATS = frozenset({"png", "jpeg", "webp"})
"""In which marks are looked for."""

LONGEST = 200
"""Of a name in a mark."""

_AI = frozenset({"trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"})
"""IPTC's words for what a trained model made, or part of it, at the end of an address. ``algorithmicMedia`` is what
is made by a formula alone, ``compositeSynthetic`` may be a drawing."""

_OF_THE_CERTIFICATE = frozenset(
    {"signingCredential.expired", "signingCredential.invalid", "signingCredential.untrusted"}
)
"""C2PA's words for a certificate with which nobody should sign any more, or such things; the signature is another."""


class MarkState(StrEnum):
    FITS = "fits"  # signed, and the picture is as it was then
    BROKEN = "broken"  # there are marks, but they do not belong to this picture, or are none that can be checked
    NONE = "none"
    ELSEWHERE = "elsewhere"  # the file only says at which address they lie; that is never asked
    UNKNOWN = "unknown"  # there are marks, but of a kind that is not read
    DAMAGED = "damaged"  # the file does not go on to its end
    FORMAT = "format"  # no format in which they are looked for
    LATE = "late"  # not read in time, or not with the memory there is
    ABSENT = "absent"  # what reads them is not installed


@dataclass(frozen=True, slots=True)
class Marks:
    """``by_ai``: they say that a machine made the picture, or part of it; ``odd_certificate``: signed with one that has
    expired or is for something else. Names are foreign text."""

    state: MarkState
    by_ai: bool = False
    signer: str = ""
    tool: str = ""
    signed_at: datetime | None = None
    odd_certificate: bool = False


def read_store(store: object, *, fits: bool) -> Marks:
    """The marks of a manifest store, as the C2PA libraries write one in JSON. What is odd in it is left out, and so is
    whatever marks say that do not fit. A certificate that is odd says nothing of the picture: who signed is not checked
    at all."""
    odd_certificate = not fits and _fits_but_for_certificates(_mapping(store))
    if not fits and not odd_certificate:
        return Marks(MarkState.BROKEN)
    manifests = _mapping(_mapping(store).get("manifests"))
    active = _mapping(manifests.get(str(_mapping(store).get("active_manifest"))))
    signature = _mapping(active.get("signature_info"))
    actions = [action for one in (active, *manifests.values()) for action in _actions(_mapping(one))]
    tools = [_agent(action.get("softwareAgent")) for action in actions] + [_generator(active)]
    return Marks(
        MarkState.FITS,
        by_ai=any(str(action.get("digitalSourceType")).rpartition("/")[2] in _AI for action in actions),
        signer=_text(signature.get("issuer")) or _text(signature.get("common_name")),
        tool=next((tool for tool in tools if tool), ""),
        signed_at=_moment(signature.get("time")),
        odd_certificate=odd_certificate,
    )


def _fits_but_for_certificates(store: Mapping[str, Any]) -> bool:
    results = _mapping(store.get("validation_results"))
    active = _mapping(results.get("activeManifest"))
    parts = [_mapping(_mapping(one).get("validationDeltas")) for one in _sequence(results.get("ingredientDeltas"))]
    found, wrong = _codes(active, "success"), [code for part in (active, *parts) for code in _codes(part, "failure")]
    is_signed = "claimSignature.validated" in found and any(code.endswith("Hash.match") for code in found)
    return is_signed and bool(wrong) and _OF_THE_CERTIFICATE.issuperset(wrong)


def _codes(part: Mapping[str, Any], kind: str) -> list[str]:
    return [str(_mapping(one).get("code")) for one in _sequence(part.get(kind))]


def _actions(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for assertion in _sequence(manifest.get("assertions")):
        if str(_mapping(assertion).get("label")).startswith("c2pa.actions"):
            yield from map(_mapping, _sequence(_mapping(_mapping(assertion).get("data")).get("actions")))


def _generator(manifest: Mapping[str, Any]) -> str:
    infos = _sequence(manifest.get("claim_generator_info"))
    return (_agent(infos[0]) if infos else "") or _text(manifest.get("claim_generator"))


def _agent(value: object) -> str:
    """A program is named by a word or by a table with its name."""
    return _text(value) or _text(_mapping(value).get("name"))


def _text(value: object) -> str:
    return value[:LONGEST].strip() if isinstance(value, str) else ""


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None and 1970 < moment.year < 9999 else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _sequence(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


# --- what a service finds ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checked:
    """What a service found of its own in a picture: its watermark, and its marks, of which it knows who signed."""

    watermark: bool = False
    marks: bool = False
    model: str = ""
    made_at: datetime | None = None

    @property
    def is_found(self) -> bool:
        return self.watermark or self.marks


class Unchecked(StrEnum):
    """Why a service that could have been asked was not, or did not answer."""

    DENIED = "denied"  # the person may not use Easel here
    BUSY = "busy"  # as many were asked as the pace allows
    FAILED = "failed"


def read_check(body: object) -> Checked | None:
    """An answer to ``content_provenance_checks``; None for what is none."""
    results = _mapping(body).get("results")
    if not isinstance(results, list):
        return None
    found = [one for one in map(_mapping, results) if one.get("outcome") == "detected"]
    kinds = {one.get("type") for one in found}
    return Checked(
        watermark="synthid" in kinds,
        marks="c2pa" in kinds,
        model=next((text for one in found if (text := _text(one.get("model")))), ""),
        made_at=next((at for one in found if (at := _moment(one.get("generated_at")))), None),
    )
