"""What a result says of a line, in the ledger: drawn, refused, given back, or nobody knows and so it stays charged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.adapters.files.disk import DiskFiles
from bot.core.jobs.alerts import Alerts
from bot.core.overnight.lines import NightLines, Read
from bot.core.service.catalogue import CurrentCatalogue
from bot.ports import Bundle, Delivered, Kept, NightAnswer, NullMeter, nothing_happens
from bot.rules.errors import StorageFull
from bot.rules.faults import Billed, Fault, FaultKind
from bot.rules.ledger import EndReason, Job, JobState
from bot.rules.requests import Made, MadeImage, Usage
from tests.core.conftest import CATALOGUE, PICTURE, Core

K = FaultKind
DRAWN = Made((MadeImage(PICTURE, "png", 1024, 1024),), Usage(10, 0, 196))


def lines_of(core: Core) -> NightLines:
    def clock():
        return core.now

    alerts = Alerts(core.store.servers, core.notices, core.circuit, clock)
    catalogue = CurrentCatalogue(CATALOGUE)
    return NightLines(
        core.store, core.settlement, core.pictures, catalogue, alerts, NullMeter(), clock, nothing_happens
    )


async def said(*answers: NightAnswer) -> AsyncIterator[NightAnswer]:
    for answer in answers:
        yield answer


async def read(core: Core, outcome: Made | Fault, line: str | None = None) -> tuple[Job, Read]:
    """A line that was asked for, after one round of reading in which that is said of it twice."""
    lines, seen = lines_of(core), Read()
    (job,) = await lines.send([await core.open()])
    answer = NightAnswer(line or job.id, outcome)
    await lines.read([job], said(answer, answer), 50, EndReason.PAUSED, seen)
    ended = await core.store.jobs.get(job.id)
    assert ended is not None
    return ended, seen


@pytest.mark.parametrize(
    ("fault", "state", "reason"),
    [
        (Fault(K.MODERATION, Billed.NO), JobState.REFUSED, K.MODERATION),
        (Fault(K.MODERATION, Billed.MAYBE), JobState.UNKNOWN, K.MODERATION),
        (Fault(K.BAD_REQUEST, Billed.NO), JobState.RELEASED, K.BAD_REQUEST),
        (Fault(K.CANCELLED, Billed.NO), JobState.RELEASED, EndReason.PAUSED),
        (Fault(K.CANCELLED, Billed.MAYBE), JobState.UNKNOWN, EndReason.PAUSED),
        (Fault(K.NOT_A_PICTURE, Billed.YES), JobState.UNKNOWN, K.NOT_A_PICTURE),
    ],
)
async def test_what_was_not_drawn_costs_what_it_may_have_cost(
    core: Core, fault: Fault, state: JobState, reason: str
) -> None:
    job, seen = await read(core, fault)
    assert (job.state, job.reason) == (state, reason)
    assert (job.charged_micro_usd > 0) is (fault.billed is not Billed.NO)
    assert seen.billed == ({job.id} if job.charged_micro_usd else set())
    assert (seen.refused, seen.whole) == ({fault.kind}, True)


async def test_what_was_drawn_is_charged_once_and_at_half(core: Core) -> None:
    job, seen = await read(core, DRAWN)
    await core.settlement.settle(job, Delivered(None, None))
    assert (job.state, job.charged_micro_usd) == (JobState.PRODUCED, (196 * 30 + 10 * 5) // 2)
    assert (seen.billed, seen.refused) == ({job.id}, set())


async def test_a_line_of_nobody_is_passed_over_and_one_that_is_none_is_missed(core: Core) -> None:
    job, seen = await read(core, DRAWN, "somebody-elses")
    assert (job.state, seen.billed, seen.whole) == (JobState.DISPATCHED, set(), True)
    lines = lines_of(core)
    await lines.read([job], said(NightAnswer(None, Fault(K.BROKEN_ANSWER, Billed.MAYBE))), 50, "", seen)
    assert not seen.whole
    await lines.close([job], K.BROKEN_ANSWER, billed=Billed.MAYBE)
    ended = await core.store.jobs.get(job.id)
    assert ended is not None
    assert ended.state is JobState.UNKNOWN


class Full(DiskFiles):
    async def keep(self, job_id: str, kept: Kept, bundle: Bundle) -> None:
        raise StorageFull


async def test_what_no_disk_takes_stays_at_the_service_and_not_in_memory(core: Core, tmp_path: Path) -> None:
    full = Core(core.store, Full(tmp_path, floor_bytes=0), core.service)
    lines, job = lines_of(full), await full.open()
    (job,) = await lines.send([job])
    with pytest.raises(StorageFull):
        await lines.read([job], said(NightAnswer(job.id, DRAWN)), 50, "", Read())
    assert await full.pictures.results(job.id) == []
    await lines_of(core).read([job], said(NightAnswer(job.id, DRAWN)), 50, "", Read())
    read_again = await core.store.jobs.get(job.id)
    assert read_again is not None
    await core.settlement.settle(read_again, Delivered(None, None))
