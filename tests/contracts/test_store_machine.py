"""A state machine drives limits, jobs, batches, people, restarts and the clock against a plain model of lists."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from bot.adapters.database import open_store
from bot.adapters.secrets import Secrets
from bot.rules.ledger import JobState
from bot.rules.limits.decide import Refused
from bot.rules.limits.limit import Measure, Period, Quota, Scope
from tests.support.ledger import empty_ledger, use_now

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
OPERATOR = Quota(Scope.OPERATOR, Measure.DOLLARS, Period.MONTH, 60)
START = datetime(2028, 2, 28, 22, 50, tzinfo=UTC)
ROLE, CHANNEL = 7, 100

SLOTS = [
    (Scope.EVERYONE, Measure.IMAGES, Period.DAY, None),
    (Scope.EVERYONE, Measure.REQUESTS, Period.HOUR, None),
    (Scope.EVERYONE, Measure.JOBS, Period.NOW, None),
    (Scope.ROLE, Measure.IMAGES, Period.DAY, ROLE),
    (Scope.MEMBER, Measure.IMAGES, Period.DAY, 1),
    (Scope.CHANNEL, Measure.IMAGES, Period.HOUR, CHANNEL),
    (Scope.SERVER, Measure.DOLLARS, Period.MONTH, None),
]
FORMATS = {Period.HOUR: "%Y%m%d%H", Period.DAY: "%Y%m%d", Period.MONTH: "%Y%m", Period.NOW: ""}


@dataclass
class Line:
    """One job as the model knows it."""

    job: Any
    user: int
    channel: int
    guild: int
    at: datetime
    group: int
    images: int
    reserved: int
    charged: int = 0
    counts: bool = True  # towards requests, images and cooldowns
    was: int | None = None  # whom it still holds back, though they were forgotten
    holds: bool = True


class Ledger(RuleBasedStateMachine):
    """The store on one side, a list of lines on the other."""

    url = ""
    empty: Any = None
    sample: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.now, self.lines, self.limits, self.groups = START, [], {}, 0
        self.cooldown_s = 0
        self.kept: Counter[Any] = Counter()  # of those who were forgotten, by person, place, measure and window
        if self.empty is not None:
            self.runner.run(self.empty())
        self.store = self.runner.run(self.open_store())

    async def open_store(self) -> Any:
        return await open_store(
            self.url,
            data_dir=None,  # type: ignore[arg-type]  # only a migration that needs a backup looks at it
            secrets=Secrets((KEY,)),
            defaults=(OPERATOR,),
            process_id="one",
            clock=lambda: self.now,
        )

    def teardown(self) -> None:
        balanced = self.runner.run(self.store.audit_sums())
        self.runner.run(self.store.aclose())
        self.runner.close()
        assert balanced == []

    # what the model counts

    def counted(self, measure: Measure, period: Period, lines: list[Line]) -> int:
        shape = FORMATS[period]
        lines = [line for line in lines if line.at.strftime(shape) == self.now.strftime(shape)]
        match measure:
            case Measure.IMAGES:
                return sum(line.images for line in lines if line.counts)
            case Measure.REQUESTS:
                return len({line.group for line in lines if line.counts})
            case Measure.DOLLARS:
                return sum(line.reserved + line.charged for line in lines)
            case Measure.JOBS:
                return len({line.group for line in lines if line.holds})

    def of_the_forgotten(self, measure: Measure, period: Period, user: int, guild: int) -> int:
        if measure is Measure.JOBS:
            return len({line.group for line in self.lines if (line.was, line.guild) == (user, guild) and line.holds})
        return self.kept[user, guild, measure, period, self.now.strftime(FORMATS[period])]

    def room(self, asker: Any, cost: dict[Measure, int]) -> bool:
        place = [line for line in self.lines if line.guild == asker.place.guild_id]
        mine = [line for line in place if line.user == asker.user_id]
        held = self.limits if asker.place.guild_id == 10 else {}
        for (scope, measure, period, subject), amount in held.items():
            if scope is Scope.CHANNEL:
                if subject not in (asker.channel_id, asker.parent_id):
                    continue
                lines = [line for line in place if line.channel == subject]
            elif scope is Scope.SERVER:
                lines = place
            else:
                if not self.decides(scope, measure, period, asker):
                    continue
                lines = mine
            used = self.counted(measure, period, lines)
            if lines is mine:
                used += self.of_the_forgotten(measure, period, asker.user_id, asker.place.guild_id)
            if amount is not None and cost[measure] and used + cost[measure] > amount:
                return False
        if self.cooldown_s and asker.place.guild_id == 10:
            for line in [line for line in place if asker.user_id in (line.user, line.was)]:
                if line.counts and -10 <= (self.now - line.at).total_seconds() < self.cooldown_s:
                    return False
        money = cost[Measure.DOLLARS]
        return not money or self.counted(Measure.DOLLARS, Period.MONTH, self.lines) + money <= OPERATOR.amount

    def decides(self, scope: Scope, measure: Measure, period: Period, asker: Any) -> bool:
        """Whether this is the member's share: their own, else their role's, else everyone's."""
        present = {key[0] for key in self.limits if key[1:3] == (measure, period)}
        own = Scope.MEMBER in present and asker.user_id == 1
        role = Scope.ROLE in present and ROLE in asker.role_ids
        first = Scope.MEMBER if own else Scope.ROLE if role else Scope.EVERYONE
        return scope is first

    # what happens

    @rule(
        user=st.integers(1, 3),
        thread=st.booleans(),
        guild=st.sampled_from([10, 10, 10, 11]),
        images=st.integers(1, 3),
        money=st.sampled_from([0, 1, 5, 20]),
        lines=st.sampled_from([1, 1, 1, 3]),
    )
    def opens(self, user: int, thread: bool, guild: int, images: int, money: int, lines: int) -> None:
        roles = frozenset({ROLE}) if user == 2 else frozenset()
        where = {"channel": 101, "parent_id": CHANNEL} if thread else {"channel": CHANNEL}
        asker = self.sample.asker(user, guild=guild, role_ids=roles, **where)
        drafts = self.sample.batch(lines, asker, images=images, micro_usd=money)
        cost = {
            Measure.IMAGES: images * lines,
            Measure.DOLLARS: money * lines,
            Measure.REQUESTS: 1,
            Measure.JOBS: 1,
        }
        if not self.room(asker, cost):
            with pytest.raises(Refused):
                self.runner.run(self.store.jobs.open(drafts, self.now))
            return
        jobs = self.runner.run(self.store.jobs.open(drafts, self.now))
        self.groups += 1
        self.lines += [Line(job, user, CHANNEL, guild, self.now, self.groups, images, money) for job in jobs]

    @precondition(lambda self: any(line.job.state in (JobState.RESERVED, JobState.DISPATCHED) for line in self.lines))
    @rule(data=st.data(), made=st.integers(0, 4), share=st.integers(0, 100))
    def goes_on(self, data: Any, made: int, share: int) -> None:
        line = data.draw(st.sampled_from([line for line in self.lines if line.holds]))
        if line.job.state is JobState.RESERVED:
            step = data.draw(st.sampled_from(["dispatch", "dispatch", "release"]))
        else:
            step = data.draw(st.sampled_from(["produce", "produce", "release", "refuse", "lose"]))
        self.take(line, step, made, share)

    @rule(steps=st.lists(st.sampled_from(["release", "produce", "lose"]), min_size=1, max_size=3))
    def everything_ends(self, steps: list[str]) -> None:
        for number, line in enumerate([line for line in self.lines if line.holds]):
            step = steps[number % len(steps)]
            if line.job.state is JobState.RESERVED and step != "release":
                self.take(line, "dispatch", 0, 0)
            self.take(line, step, 1, 50)

    def take(self, line: Line, step: str, made: int, share: int) -> None:
        """One step of one job, in the store and in the model."""
        if step == "dispatch":
            line.job = self.runner.run(self.store.jobs.dispatch(line.job, self.now))
            return
        held, line.reserved, line.holds = line.reserved, 0, False
        if step == "produce":
            line.charged, line.images = held * share // 100, min(made, line.images)
            bill = self.sample.bill(line.charged, made)
            line.job = self.runner.run(self.store.jobs.produce(line.job, bill, None, self.now))
            return
        if step == "release":
            line.counts = False
        line.charged = held if step == "lose" else 0
        line.job = self.runner.run(getattr(self.store.jobs, step)(line.job, "", self.now))

    @rule(slot=st.sampled_from(SLOTS), amount=st.sampled_from([None, 0, 1, 2, 4, 40]), remove=st.booleans())
    def an_admin_changes_a_limit(self, slot: Any, amount: int | None, remove: bool) -> None:
        scope, measure, period, subject = slot
        limit = Quota(scope, measure, period, amount, subject)
        self.runner.run(self.store.servers.set_limit(self.sample.asker().place, limit, 9, self.now, remove=remove))
        if remove:
            self.limits.pop(slot, None)
        else:
            self.limits[slot] = amount

    @rule(seconds=st.sampled_from([0, 5, 60, 4000]))
    def an_admin_changes_the_cooldown(self, seconds: int) -> None:
        self.cooldown_s = seconds
        limit = self.sample.cooldown(seconds)
        self.runner.run(self.store.servers.set_limit(self.sample.asker().place, limit, 9, self.now))

    @rule(seconds=st.sampled_from([1, 4, 70, 3600, 86400, 86400 * 31, -3600, -86400]))
    def time_passes_or_is_set_back(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(user=st.integers(1, 3))
    def a_member_is_forgotten(self, user: int) -> None:
        for guild in (10, 11):
            mine = [line for line in self.lines if (line.user, line.guild) == (user, guild)]
            for period in (Period.HOUR, Period.DAY, Period.MONTH):
                for measure in (Measure.IMAGES, Measure.REQUESTS, Measure.DOLLARS):
                    window = self.now.strftime(FORMATS[period])
                    self.kept[user, guild, measure, period, window] += self.counted(measure, period, mine)
            last = max((line.job.id for line in mine if line.counts), default=None)
            for line in mine:
                line.was = user if line.holds or line.job.id == last else None
        self.runner.run(self.store.people.forget(user))
        for line in self.lines:
            if line.user == user:
                line.user = -1

    @precondition(lambda self: ":memory:" not in self.url)
    @rule()
    def the_process_starts_again(self) -> None:
        self.runner.run(self.store.aclose())
        self.store = self.runner.run(self.open_store())
        adopted = {job.id: job for job in self.runner.run(self.store.leases.adopt())}
        for line in self.lines:
            if line.job.id in adopted:
                line.job = adopted.pop(line.job.id)
        assert not adopted

    @invariant()
    def the_counters_say_what_the_model_says(self) -> None:
        asker = self.sample.asker(1)
        use = self.runner.run(use_now(self.store, asker, self.now))
        mine = [line for line in self.lines if (line.user, line.guild) == (1, 10)]
        for (subject, period), used in use.counters.items():
            if subject == "member":
                for measure, value in (
                    (Measure.IMAGES, used.images),
                    (Measure.REQUESTS, used.requests),
                    (Measure.DOLLARS, used.micro_usd),
                    (Measure.JOBS, used.running),
                ):
                    if period is Period.NOW or measure is not Measure.JOBS:
                        kept = self.of_the_forgotten(measure, period, 1, 10)
                        assert value == self.counted(measure, period, mine) + kept, (measure, period)


def run(machine: type[Ledger], examples: int, steps: int) -> None:
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    chosen = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=checks, database=None
    )
    run_state_machine_as_test(machine, settings=chosen)


def machine(sample: Any, url: str, empty: Any = None) -> type[Ledger]:
    return type("Driven", (Ledger,), {"url": url, "empty": staticmethod(empty) if empty else None, "sample": sample})


@pytest.mark.slow
def test_sqlite_does_what_the_model_does(sample, tmp_path):
    run(machine(sample, *sqlite_url(tmp_path)), examples=60, steps=50)


@pytest.mark.slow
def test_a_store_in_memory_does_what_the_model_does(sample):
    """It writes the general way, step by step."""
    run(machine(sample, "sqlite+aiosqlite:///:memory:"), examples=6, steps=50)


@pytest.mark.postgres
def test_postgresql_does_what_the_model_does(sample, postgres, tmp_path):
    run(machine(sample, *postgres_url(postgres, tmp_path)), examples=3, steps=20)


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.timeout(900)
def test_postgresql_does_what_the_model_does_at_length(sample, postgres, tmp_path):
    run(machine(sample, *postgres_url(postgres, tmp_path)), examples=80, steps=40)


def postgres_url(postgres: Any, folder: Any) -> tuple[str, Any]:
    return asyncio.run(postgres.emptied(folder)), lambda: postgres.emptied(folder)


def sqlite_url(folder: Path) -> tuple[str, Any]:
    async def empty() -> None:
        for old in folder.glob("easel.db*"):
            old.unlink()
        await empty_ledger(folder)

    return f"sqlite+aiosqlite:///{folder}/easel.db", empty


async def test_that_the_bot_came_to_a_server_is_news_to_one_alone(store, sample):
    asked = [store.notes.set_server(7, removed=None) for _ in range(5)]
    assert sorted(await asyncio.gather(*asked)) == [False, False, False, False, True]
    assert await store.notes.set_server(7, removed=sample.now)
    assert await store.notes.set_server(7, removed=None)
    assert await store.notes.servers() == {7: None}
