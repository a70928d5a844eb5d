"""What a job is charged: what was reported where something was, what it may have cost where not, at most the hold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.service.attempts import CallResults
from bot.core.service.billing import bill_for, bill_overnight
from bot.rules.catalogue.pricing import upper_bound
from bot.rules.faults import Billed, Fault, FaultKind
from bot.rules.ledger import Job
from bot.rules.money import MicroUSD
from bot.rules.requests import Endpoint, ImageRequest, Kind, Made, MadeImage, Usage
from tests.core.conftest import CATALOGUE
from tests.support.people import make_job

TWO, FLARE = CATALOGUE.get("gpt-image-2"), CATALOGUE.get("gpt-image-2.5-flare")
ONE = ImageRequest(Kind.IMAGINE, Endpoint.GENERATIONS, "gpt-image-2", "a fox", quality="low", size="1024x1024")
THREE = replace(ONE, count=3, calls=3)
PICTURE = MadeImage(b"", "png", 1024, 1024)
USED = Usage(10, 0, 100)
PAID = 100 * 30 + 10 * 5
MADE = Made((PICTURE,), USED, "req-1")
UNSAID = replace(MADE, usage=None)
LOST, FREE = Fault(FaultKind.TIMED_OUT, Billed.MAYBE), Fault(FaultKind.RATE_LIMITED, Billed.NO)


def job(request: ImageRequest, reserved: int = 90_000) -> Job:
    return make_job(request=request, reserved_micro_usd=MicroUSD(reserved), bill=None)


def bound() -> int:
    assert TWO is not None
    return upper_bound(ONE, TWO)


@pytest.mark.parametrize(
    ("made", "faults", "charged", "estimated"),
    [
        ((MADE,) * 3, (), 3 * PAID, False),
        ((MADE,) * 2, (FREE,), 2 * PAID, False),
        ((MADE,) * 2, (LOST,), 2 * PAID + 30_000, True),
        ((MADE,), (LOST, LOST), PAID + 60_000, True),
        ((MADE, UNSAID), (FREE,), PAID + bound(), True),
        ((MADE, replace(MADE, usage=Usage(10, 0, 0))), (FREE,), PAID + bound(), True),
        ((replace(MADE, usage=Usage(0, 0, 10**8)),), (FREE,), 90_000, False),
    ],
)
def test_each_call_is_charged_by_itself(
    made: tuple[Made, ...], faults: tuple[Fault, ...], charged: int, estimated: bool
) -> None:
    bill = bill_for(job(THREE), THREE, CallResults(made, faults), TWO)
    assert (bill.charged_micro_usd, bill.images, bill.estimated) == (charged, len(made), estimated)
    assert (bill.request_id, bill.drawn_by) == ("req-1", None)
    known = [one.usage for one in made if one.usage and one.usage.output_tokens]
    assert bill.usage is not None
    assert bill.usage.output_tokens == sum(usage.output_tokens for usage in known)


def test_who_drew_instead_is_on_the_bill() -> None:
    instead = replace(ONE, model="gpt-image-2.5-flare")
    bill = bill_for(job(ONE), instead, CallResults((MADE,), ()), FLARE)
    assert (bill.charged_micro_usd, bill.drawn_by) == (PAID, "gpt-image-2.5-flare")


def test_by_a_model_without_prices_the_whole_hold_is_charged() -> None:
    assert bill_for(job(ONE), ONE, CallResults((MADE,), ()), None).charged_micro_usd == 90_000
    assert bill_overnight(job(ONE), MADE, None, 50).charged_micro_usd == 90_000


@pytest.mark.parametrize(
    ("made", "reserved", "charged", "estimated"),
    [
        (MADE, 90_000, -(-PAID // 2), False),
        (UNSAID, 90_000, -(-bound() // 2), True),
        (MADE, 1_000, 1_000, False),
        (replace(MADE, usage=Usage(10, 0, 0)), 90_000, -(-bound() // 2), True),
    ],
)
def test_a_night_costs_its_share_of_the_price(made: Made, reserved: int, charged: int, estimated: bool) -> None:
    bill = bill_overnight(job(ONE, reserved), made, TWO, 50)
    assert (bill.charged_micro_usd, bill.images, bill.estimated) == (charged, 1, estimated)
    assert bill.usage == (None if estimated else made.usage)
