"""N tasks want the last unit of every kind of limit, and exactly one gets it. ``bench/races.py`` does it at length."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from bot.rules.limits.decide import Refused
from tests.support.ledger import use_now

RACERS = 12
KINDS = [
    ("everyone", "requests", "day", None),
    ("everyone", "images", "hour", None),
    ("everyone", "dollars", "month", None),
    ("everyone", "jobs", "now", None),
    ("role", "images", "day", 7),
    ("member", "images", "month", 1),
    ("channel", "dollars", "day", 100),
    ("channel", "images", "day", 50),
    ("server", "dollars", "month", None),
    ("server", "jobs", "now", None),
    ("operator", "dollars", "month", None),
]


@pytest.mark.parametrize(("scope", "measure", "period", "subject"), KINDS)
async def test_the_last_unit_is_given_once(opened, sample, scope, measure, period, subject):
    limit = sample.limit(scope, measure, period, 3, subject)
    stores = [await opened(limit)]
    if "postgresql" in str(stores[0].database.url):
        stores.append(await opened(limit))
    asker = sample.asker(role_ids=frozenset({7}), parent_id=50)
    tries = [stores[n % len(stores)].jobs.open([sample.draft(asker, micro_usd=1)], sample.now) for n in range(RACERS)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Refused"] * (RACERS - 3) + ["list"] * 3
    for refused in outcomes:
        if isinstance(refused, Refused):
            assert refused.refusals[0].used == 3
    assert await stores[0].audit_sums() == []


async def test_a_cooldown_is_given_to_one_of_many(opened, sample):
    store = await opened(sample.cooldown(30))
    outcomes = await asyncio.gather(
        *(store.jobs.open([sample.draft()], sample.now) for _ in range(RACERS)), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Refused"] * (RACERS - 1) + ["list"]


async def test_many_members_of_many_channels_share_one_budget_without_deadlock(opened, sample):
    store = await opened(sample.limit("server", "dollars", "month", 20), sample.limit("everyone", "images", "day", 2))
    drafts = [
        sample.draft(sample.asker(user % 20, channel=100 + user % 3, parent_id=200 + user % 2), micro_usd=1)
        for user in range(60)
    ]
    outcomes = await asyncio.gather(*(store.jobs.open([d], sample.now) for d in drafts), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {list, Refused}
    opened_jobs = [outcome[0] for outcome in outcomes if isinstance(outcome, list)]
    assert len(opened_jobs) == 20
    await asyncio.gather(*(store.jobs.release(job, "", sample.now) for job in opened_jobs))
    assert await store.audit_sums() == []
    assert all(used.micro_usd == 0 for used in (await use_now(store, sample.asker(), sample.now)).counters.values())


async def test_cancelled_reservations_leave_the_books_balanced(store, sample):
    async def cancelled_after(steps: int) -> None:
        task = asyncio.create_task(store.jobs.open([sample.draft(micro_usd=5)], sample.now))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    await asyncio.gather(*(cancelled_after(steps) for steps in range(0, 120, 4)))
    assert await store.audit_sums() == []
    await store.jobs.open([sample.draft()], sample.now)


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.timeout(900)
@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_processes_that_race_are_given_every_unit_exactly_once(engine):
    words = ["-m", "bench.races", "--engine", engine, "--tries", "400"]
    ended = subprocess.run([sys.executable, *words], check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
