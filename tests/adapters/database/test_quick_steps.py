"""What the desk writes and answers is what the general way writes and answers: a fuzz compares the two."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import select

from bot.adapters.database import SqlStore, open_store
from bot.adapters.database.schema.tables import metadata
from bot.adapters.secrets import Secrets
from bot.rules.errors import UserError
from bot.rules.ledger import Answer, Bill, DuplicateEvent, IllegalStep, Job, JobDraft, JobState, LostLease
from bot.rules.limits.decide import Refused
from bot.rules.limits.limit import Cooldown, Measure, Period, Quota, Scope
from bot.rules.money import MicroUSD
from bot.rules.people import Asker, Place
from bot.rules.requests import Endpoint, ImageRequest, Kind, Usage
from bot.rules.servers.access import Block
from bot.rules.servers.changes import Reset, Resettable
from tests.support.ledger import empty_ledger, read_through_sqlalchemy

START = datetime(2028, 2, 29, 22, 50, 1, 7, tzinfo=UTC)
DEFAULTS = (
    Quota(Scope.EVERYONE, Measure.IMAGES, Period.DAY, 9),
    Quota(Scope.CHANNEL, Measure.REQUESTS, Period.HOUR, 5, 100),
    Quota(Scope.SERVER, Measure.JOBS, Period.NOW, 6),
    Quota(Scope.OPERATOR, Measure.DOLLARS, Period.MONTH, 900),
    Cooldown(Scope.MEMBER, 30, 2),
)
SECRETS = Secrets(("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",))
STEPS = (
    "dispatch",
    "produce",
    "settle",
    "conclude",
    "release",
    "refuse",
    "lose",
    "wait",
    "message",
)


@dataclass
class Side:
    """One of the two ledgers, with every copy of every job it ever handed out."""

    store: SqlStore = None  # type: ignore[assignment]  # its clock is this side's, so it comes later
    now: datetime = START
    copies: list[Job] = field(default_factory=list)

    async def do(self, happening: list[tuple[Any, ...]]) -> list[Any]:
        """What the ledger answered to what happens at once, as data that both sides can be compared by."""
        answers = await asyncio.gather(*(self._do(what) for what in happening))
        self.copies += [job for answer in answers if isinstance(answer, list) for job in answer]
        return [[told(job) for job in answer] if isinstance(answer, list) else answer for answer in answers]

    async def _do(self, what: tuple[Any, ...]) -> Any:
        try:
            found = await getattr(self, what[0])(*what[1:])
        except Refused as refused:
            return refused.refusals
        except DuplicateEvent:
            return "duplicate"
        except (LostLease, IllegalStep, UserError) as error:
            return type(error).__name__, str(error) if isinstance(error, UserError) else ""
        return found if isinstance(found, list) else [found] if isinstance(found, Job) else found

    async def opens(self, user: int, where: str, images: int, money: int, lines: int, event: int | None) -> list[Job]:
        place = Place(None if where == "direct" else 10, user)
        channel, parent = (101, 100) if where == "thread" else (100, None)
        asker = Asker(user, place, channel, parent, role_ids=frozenset({5, 7}), guild_locale="de")
        answer = Answer(1, 2, "token", channel, self.now + timedelta(minutes=15), message_id=9 if images == 2 else None)
        request = ImageRequest(Kind.EDIT, Endpoint.EDITS, "model", "ein Füchslein \ud83e", count=images)
        draft = JobDraft("", asker, request, MicroUSD(money), answer, own_key=money == 7)
        names = [f"event-{event}" if event else f"{len(self.copies)}-{self.now.timestamp()}" for _ in range(lines)]
        made = [
            replace(draft, event_key=f"{name}-{line}", batch_id="b" if lines > 1 else None, batch_line=line)
            for line, name in enumerate(names)
        ]
        return await self.store.jobs.open(made, self.now)

    async def steps(self, which: int, step: str, number: int) -> Job | None:
        if not self.copies:
            return None
        job, jobs, now = self.copies[which % len(self.copies)], self.store.jobs, self.now
        match step:
            case "dispatch":
                return await jobs.dispatch(job, now)
            case "produce":
                usage = Usage(1, 2, 3) if number else None
                return await jobs.produce(job, Bill(MicroUSD(number * 3), number, usage), "revised\0" * number, now)
            case "settle":
                return await jobs.settle(job, now)
            case "conclude":
                return await jobs.conclude(job, number or None, 100, now)
            case "wait":
                return await jobs.set_waiting(job, number > 1)
            case "message":
                return await jobs.set_answer_message(job, 50 + number)
            case _:
                return await getattr(jobs, step)(job, f"reason {number}", now)

    async def goes_all_the_way(self, which: int) -> list[Job]:
        if not self.copies:
            return []
        job, jobs = self.copies[which % len(self.copies)], self.store.jobs
        while job.state in ON_THE_WAY:
            bill = Bill(MicroUSD(3), 1)
            match job.state:
                case JobState.RESERVED:
                    job = await jobs.dispatch(job, self.now)
                case JobState.DISPATCHED:
                    job = await jobs.produce(job, bill, None, self.now)
                case _:
                    job = await jobs.conclude(job, 4, 100, self.now)
        return [job]

    async def warned(self) -> tuple[Any, ...]:
        """Of budgets that passed a mark, as it is told after every job."""
        told = await self.store.servers.budget_warnings(Place(10, 1), self.now)
        return tuple((one.limit, one.percent, one.used_micro_usd) for one in told)

    async def happens(self, what: str, user: int, number: int) -> None:
        store, place, now = self.store, Place(10, user), self.now
        match what:
            case "time":
                self.now += timedelta(seconds=(1, 70, 4000, -3000)[number])
            case "forget":
                await store.people.forget(user)
            case "forget place":
                await store.people.forget_place(place)
            case "limit":
                limit = Quota(Scope.MEMBER, Measure.IMAGES, Period.DAY, number * 4, user)
                await store.servers.set_limit(place, limit, 9, now)
            case "budget":
                budget = Quota(Scope.SERVER, Measure.DOLLARS, Period.DAY, (None, 12, 20, 400)[number])
                await store.servers.set_limit(place, budget, 9, now)
            case "cooldown":
                await store.servers.set_limit(place, Cooldown(Scope.EVERYONE, number * 40), 9, now)
            case "block":
                blocked = (Block(user, "reason"),) if number else ()
                news = Reset(Resettable.SETTINGS)
                await store.servers.change_settings(place, lambda held: (replace(held, blocked=blocked), news), 9, now)
            case "heartbeat":
                await store.leases.heartbeat()
            case "delete":
                if self.copies:
                    await store.jobs.mark_deleted(self.copies[number % len(self.copies)].id)
            case "purge":
                await store.people.purge(now)
            case "review":
                if self.copies:
                    await store.reviews.open([self.copies[number % len(self.copies)]])
            case "reviewed":
                if self.copies:
                    await store.reviews.drop(self.copies[number % len(self.copies)].id)

    async def remembered(self, store: SqlStore) -> list[Any]:
        """What every job looks up, and SQLite's ledger remembers from one job to the next."""
        here, users = Place(10, 1), (1, 2, 3)
        places = [here, *(Place(None, user) for user in users)]
        found: list[Any] = [await store.servers.settings(place) for place in places]
        found += await store.servers.settings_of(places)
        found += [[job.id for job in await store.jobs.waiting(place, user)] for place in places for user in users]
        return found + [await store.reviews.of_job(job) for job in self.copies[-4:]]

    async def rows(self) -> list[Any]:
        """All that is stored, without what is chance: ids in order of their making, seals, strangers' names."""
        found: list[Any] = []
        names: dict[str, str] = {}
        for table in (metadata.tables[name] for name in ("jobs", "uses", "limits", "settings", "facts", "slots")):
            for row in await self.store.database.rows(select(table).order_by(*table.primary_key)):
                values = {**row}
                for name in ("id", "group_id"):
                    if name in values:
                        values[name] = names.setdefault(values[name], f"job {len(names)}")
                values |= {name: values[name] is None for name in ("token", "holder") if name in values}
                text = re.sub(r"(?<![\d-])-\d{6,}|(?<=[\"'])x[0-9a-f]{16}", "someone", repr(values))
                found.append(re.sub(r"[0-9A-Z]{20}", "job", text))
        return sorted(found)


def told(job: Job) -> tuple[str, str | None]:
    """All of a job but what is chance: its id, and a stranger's; the token is not in its words."""
    token = job.answer.token if job.answer is not None else None
    return re.sub(r"-\d{6,}", "someone", repr(replace(job, id="", event_key=job.event_key[:9]))), token


ON_THE_WAY = (JobState.RESERVED, JobState.DISPATCHED, JobState.PRODUCED)

users = st.integers(1, 3)
openings = st.tuples(
    st.just("opens"),
    users,
    st.sampled_from(["channel", "thread", "direct"]),
    st.integers(1, 3),
    st.sampled_from([0, 5, 7, 300]),
    st.sampled_from([1, 1, 3]),
    st.sampled_from([None, None, 1, 2]),
)
steps = st.tuples(st.just("steps"), st.integers(0, 50), st.sampled_from(STEPS), st.integers(0, 3))
ways = st.tuples(st.just("goes_all_the_way"), st.integers(0, 50))
events = (
    "time",
    "forget",
    "forget place",
    "limit",
    "budget",
    "cooldown",
    "block",
    "heartbeat",
    "delete",
    "purge",
    "review",
    "reviewed",
)
happenings = st.tuples(st.just("happens"), st.sampled_from(events), users, st.integers(0, 3))
at_once = st.lists(st.one_of(openings, openings, steps, ways), min_size=1, max_size=6)
alone = st.lists(st.one_of(happenings, st.just(("warned",))), min_size=1, max_size=1)
rounds = st.lists(st.one_of(at_once, at_once, alone), min_size=2, max_size=10)


async def beside(folder: Path) -> Side:
    folder.mkdir()
    side = Side()
    how: dict[str, Any] = {"data_dir": folder, "secrets": SECRETS, "clock": lambda: side.now, "process_id": "one"}
    side.store = await open_store(await empty_ledger(folder), defaults=DEFAULTS, **how)
    return side


@pytest.fixture
def run_on_both(tmp_path):
    """Two ledgers, side by side in one loop that lives as long as the test."""
    with asyncio.Runner() as runner:
        sides = [runner.run(beside(tmp_path / "desk")), runner.run(beside(tmp_path / "one by one"))]
        sides[1].store = read_through_sqlalchemy(sides[1].store, SECRETS, *DEFAULTS)
        yield sides, runner
        for side in sides:
            runner.run(side.store.aclose())


async def emptied(side: Side) -> None:
    async def work(connection: Any) -> None:
        for table in reversed(metadata.sorted_tables):
            await connection.execute(table.delete())

    await side.store.database.write(work)
    side.now, side.copies = START, []


async def both_do(sides: list[Side], story: list[Any]) -> None:
    for side in sides:
        await emptied(side)
    for happening in story:
        answers = [await side.do(happening) for side in sides]
        assert answers[0] == answers[1], happening
        quick = sides[0]
        general = read_through_sqlalchemy(quick.store, SECRETS, *DEFAULTS)
        assert await quick.remembered(quick.store) == await quick.remembered(general), happening
    for side in sides:
        assert await side.store.audit_sums() == []
    assert await sides[0].rows() == await sides[1].rows()


def compared(sides: list[Side], runner: asyncio.Runner, examples: int) -> None:
    checks = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]

    @settings(max_examples=examples, deadline=None, suppress_health_check=checks, database=None)
    @given(rounds)
    def compare(story: list[Any]) -> None:
        runner.run(both_do(sides, story))

    compare()


def test_the_desk_writes_and_answers_what_the_general_way_does(run_on_both):
    compared(*run_on_both, examples=12)


@pytest.mark.slow
def test_the_desk_writes_and_answers_what_the_general_way_does_at_length(run_on_both):
    compared(*run_on_both, examples=200)
