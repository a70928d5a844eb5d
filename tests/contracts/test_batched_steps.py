"""What batches on PostgreSQL write and answer is what the general way does; and what only they can meet."""

from __future__ import annotations

import asyncio

import pytest

from bot.adapters.database import open_store
from bot.rules.ledger import DuplicateEvent, LostLease
from bot.rules.limits.decide import Refused
from tests.adapters.database.test_quick_steps import DEFAULTS, SECRETS, Side, beside, compared
from tests.support.ledger import one_by_one

pytestmark = pytest.mark.postgres

EMPTY = "'requests': 0, 'images': 0, 'spent': 0, 'reserved': 0, 'running': 0"
"""A counter that was looked at, on one side, or given back on the other."""


@pytest.fixture
async def store_url(postgres, tmp_path):
    return await postgres.emptied(tmp_path)


class Beside(Side):
    async def steps(self, which, step, number):
        """Deleting is no step of the seam: on PostgreSQL it comes in any order with those that are under way."""
        return await super().steps(which, "wait" if step == "delete" else step, number)

    async def rows(self):
        return [row for row in await super().rows() if EMPTY not in row]


@pytest.fixture
def run_on_both(postgres, tmp_path):
    """PostgreSQL's batches beside SQLite's general way."""

    async def batched():
        side = Beside()
        how = {"data_dir": tmp_path, "secrets": SECRETS, "clock": lambda: side.now, "process_id": "one"}
        side.store = await open_store(await postgres.emptied(tmp_path), defaults=DEFAULTS, **how)
        return side

    async def general():
        made, side = await beside(tmp_path / "one by one"), Beside()
        await made.store.aclose()
        url = f"sqlite+aiosqlite:///{tmp_path}/one by one/easel.db"
        how = {"data_dir": tmp_path, "secrets": SECRETS, "clock": lambda: side.now, "process_id": "one"}
        side.store = one_by_one(await open_store(url, defaults=DEFAULTS, **how), SECRETS, *DEFAULTS)
        return side

    with asyncio.Runner() as runner:
        sides = [runner.run(batched()), runner.run(general())]
        yield sides, runner
        for side in sides:
            runner.run(side.store.aclose())


def test_batches_write_and_answer_what_the_general_way_does(run_on_both):
    compared(*run_on_both, examples=6)


@pytest.mark.slow
def test_batches_write_and_answer_what_the_general_way_does_in_many_more_stories(run_on_both):
    compared(*run_on_both, examples=60)


async def test_of_a_flood_at_once_exactly_as_many_are_taken_as_there_is_room_for(opened, sample):
    store = await opened(sample.limit("server", "images", "day", 17))
    tries = [store.jobs.open([sample.draft(sample.asker(user))], sample.now) for user in range(100)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(outcome, list) for outcome in outcomes) == 17
    assert {type(outcome) for outcome in outcomes} == {list, Refused}
    assert await store.audit_sums() == []


async def test_a_cooldown_holds_within_one_transaction(opened, sample):
    store = await opened(sample.cooldown(30))
    tries = [store.jobs.open([sample.draft(sample.asker(n % 3))], sample.now) for n in range(12)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(outcome, list) for outcome in outcomes) == 3


async def test_one_event_twice_in_one_transaction_is_one_job(opened, sample):
    store = await opened()
    tries = [store.jobs.open([sample.draft(sample.asker(n), event="click")], sample.now) for n in range(5)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["DuplicateEvent"] * 4 + ["list"]


async def test_of_two_who_move_one_job_at_once_one_is_too_late(opened, sample):
    store = await opened()
    [job] = await store.jobs.open([sample.draft(micro_usd=5)], sample.now)
    outcomes = await asyncio.gather(
        *(store.jobs.dispatch(job, sample.now) for _ in range(3)),
        store.jobs.release(job, "cancelled", sample.now),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Job", "LostLease", "LostLease", "LostLease"]
    assert await store.audit_sums() == []


async def test_who_was_cancelled_leaves_nothing_behind_and_the_others_feel_nothing(opened, sample):
    store = await opened()
    tries = [asyncio.create_task(store.jobs.open([sample.draft(sample.asker(n))], sample.now)) for n in range(8)]
    await asyncio.sleep(0)
    for cancelled in tries[::2]:
        cancelled.cancel()
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    kept = {job.id for job in await store.leases.unfinished()}
    assert kept == {outcome[0].id for outcome in outcomes if isinstance(outcome, list)}
    assert len(kept) == 4
    assert await store.audit_sums() == []


async def test_what_no_column_takes_is_the_error_of_its_own_caller_alone(opened, sample):
    store = await opened()
    good = [store.jobs.open([sample.draft(sample.asker(n))], sample.now) for n in range(4)]
    bad = store.jobs.open([sample.draft(sample.asker(2**70, guild=None))], sample.now)
    outcomes = await asyncio.gather(*good, bad, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes[:4]] == [list] * 4
    assert isinstance(outcomes[4], Exception)
    assert not isinstance(outcomes[4], DuplicateEvent | LostLease | Refused)
    assert await store.audit_sums() == []
