"""Every bench runs, small: figures nobody can repeat are none. And the one bound that must never break: no stalls."""

from __future__ import annotations

import math

import pytest

from bench import ack, picture, start, store
from bench.figures import percentile, ratio

STALL_S = 2.5


def test_a_percentile_is_a_value_that_was_seen():
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([1.0] * 99 + [9.0], 0.99) == 1.0
    assert percentile([1.0, math.inf], 1.0) == math.inf
    assert math.isnan(percentile([], 0.5))
    assert ratio(3.0, 2.0) == "1.50"
    assert ratio(math.inf, 2.0) == "-"


@pytest.mark.slow
async def test_the_picture_bench_takes_every_way():
    costs = await picture.serial(rounds=1, each=1, side=16)
    assert set(costs) == set(picture.EXPLAINED)
    assert all(cost.cpu_s > 0 for cost in costs.values())
    told = picture.told(costs, {}, 1000)
    assert all(name in told for name in picture.EXPLAINED)


@pytest.mark.slow
async def test_the_store_bench_reserves_and_turns_pages():
    told = await store.measure("sqlite", None, seconds=0.05, rows=1200)
    assert "Reservations on SQLite" in told
    assert "A gallery page of 10 among 1200" in told


@pytest.mark.slow
async def test_a_burst_is_measured():
    cost = await picture.burst(picture.WHOLE, pictures=3, side=16)
    assert cost.cpu_s > 0
    assert cost.late_max_s >= 0


@pytest.mark.slow
async def test_the_start_bench_starts_the_bot_twice():
    assert "again" in await start.measure(times=1, side=16)


@pytest.mark.slow
async def test_the_ack_bench_answers_everybody_from_a_process_of_its_own():
    plan = ack.Plan(jobs=4, rate=10, seconds=1, side=16)
    report = await ack.measure(plan)
    assert report.unanswered == 0
    assert report.breaches == 0
    assert {phase.name for phase in report.phases} == {"quiet", "loaded", "flood"}
    assert all(phase.every for phase in report.phases)
    assert "Promise 2" in ack.told(report, plan)


@pytest.mark.slow
async def test_with_fifty_jobs_in_flight_nobody_waits_as_long_as_discord_would():
    report = await ack.measure(ack.Plan(jobs=50, rate=20, seconds=3, side=64, in_process=True, flood=False))
    loaded = report.phase("loaded")
    assert max(loaded.in_flight) >= 40
    assert max(loaded.every) < STALL_S
    assert report.unanswered == 0
