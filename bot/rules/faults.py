"""What can go wrong at the image service, sorted by the two questions that matter: who can mend it, was it billed.

``ServiceFault`` is raised by adapters and caught by ``jobs``; ``ServiceFailed`` is the ``UserError`` a person sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.rules.errors import UserError


class Billed(StrEnum):
    """Whether the service may have charged for an attempt. ``MAYBE`` is kept as *unknown* and never sent again."""

    YES = "yes"
    NO = "no"
    MAYBE = "maybe"


class FaultKind(StrEnum):
    """One word per outcome that is told, retried or counted differently."""

    MODERATION = "moderation"  # the safety system refused prompt, input or output
    BAD_REQUEST = "bad_request"  # the service does not take this combination; ``param`` may name the option
    RATE_LIMITED = "rate_limited"  # too fast; ``retry_after_s`` says when
    OUT_OF_FUNDS = "out_of_funds"  # quota, credit or billing limit of the key: opens the circuit
    BAD_KEY = "bad_key"  # 401: opens the circuit
    FORBIDDEN = "forbidden"  # 403: the key may not use this model
    MODEL_GONE = "model_gone"  # 404 for the model
    ENDPOINT_GONE = "endpoint_gone"  # 404/405 for the endpoint (variations today)
    TOO_LARGE = "too_large"  # 413
    UNREACHABLE = "unreachable"  # no connection was made: certainly not billed
    OVERLOADED = "overloaded"  # 500/502/503/52x; whether something was rendered, ``billed`` says
    TIMED_OUT = "timed_out"  # no answer in time, 504, 524, or our own deadline
    BROKEN_OFF = "broken_off"  # the connection ended after the request was sent
    BROKEN_ANSWER = "broken_answer"  # 200 with HTML, broken JSON, no data, a stream without a completed event
    NOT_A_PICTURE = "not_a_picture"  # data arrived that is not a whole picture
    CANCELLED = "cancelled"  # our side gave up on purpose


@dataclass(frozen=True, slots=True)
class Fault:
    """One failed attempt as data.

    ``detail`` is for the log: redacted, at most 500 characters, never shown to members. ``stage`` and ``categories``
    come from the safety system. ``status`` is the HTTP status if there was one.
    """

    kind: FaultKind
    billed: Billed
    retry_after_s: float | None = None
    status: int | None = None
    code: str | None = None
    param: str | None = None
    stage: str | None = None
    categories: tuple[str, ...] = ()
    request_id: str | None = None
    detail: str = ""


class ServiceFault(Exception):
    """An attempt at the image service failed; ``fault`` says how."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"{fault.kind} (billed: {fault.billed}, status: {fault.status}, code: {fault.code})")
        self.fault = fault


class ServiceFailed(UserError):
    """No picture was made. ``charged`` says whether the attempt may appear on the bill, ``own_key`` that it is the
    server's.
    """

    def __init__(self, fault: Fault, *, model: str, charged: bool, own_key: bool) -> None:
        super().__init__(str(fault.kind))
        self.fault = fault
        self.model = model
        self.charged = charged
        self.own_key = own_key
