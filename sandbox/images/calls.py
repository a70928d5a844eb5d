"""What a test or the wire drawer may read afterwards: every call, its files and its pictures, without any key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class UploadFact:
    """One uploaded file; ``size`` in pixels where it could be read."""

    field: str
    name: str | None
    mime: str
    bytes: int
    sha256: str
    size: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class PictureFact:
    """One finished picture as it left the service."""

    sha256: str
    format: str
    size: tuple[int, int]
    bytes: int
    seed: str


@dataclass(slots=True)
class Call:
    """One request to the service, filled in as it goes on (hence not frozen).

    ``rendered`` says that pictures were made, which the real service would bill whatever became of the answer;
    ``status`` None means no answer was given; ``breaches`` are disagreements with the published API description.
    ``key_tail`` is the end of the key used, enough to tell two keys apart. ``overnight``: it is a line of a batch.
    """

    number: int
    endpoint: str
    at: float
    fields: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[UploadFact, ...] = ()
    key_tail: str | None = None
    request_id: str | None = None
    fault: str | None = None
    status: int | None = None
    error_code: str | None = None
    rendered: bool = False
    cancelled: bool = False
    pictures: tuple[PictureFact, ...] = ()
    partials: int = 0
    usage: Mapping[str, Any] | None = None
    breaches: tuple[str, ...] = ()
    overnight: bool = False

    @property
    def model(self) -> str | None:
        value = self.fields.get("model")
        return value if isinstance(value, str) else None

    @property
    def prompt(self) -> str:
        value = self.fields.get("prompt")
        return value if isinstance(value, str) else ""
