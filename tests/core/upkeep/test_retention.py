"""What is forgotten by itself, and when: originals, counters, servers that removed the bot, the note of a deletion."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from bot.adapters.database.schema.ids import Ids
from bot.core.servers.departures import Departures
from bot.core.upkeep.forgettings import Forgettings
from bot.core.upkeep.retention import Retention
from bot.ports import Bundle, CannotDeliver, Kept
from bot.rules.ledger import JobState
from bot.rules.limits.decide import Subject
from bot.rules.limits.limit import Period
from bot.rules.people import Place
from bot.rules.requests import Inputs
from bot.rules.servers.access import ServerSettings
from tests.support.ledger import use_now
from tests.support.people import becomes

SERVER, OTHER = Place(10, 1), Place(20, 1)

PICTURE = Bundle((("0.png", b"picture"),))


@pytest.fixture
def forgettings(core):
    return Forgettings(
        core.store, core.files, core.jobs, core.batches, core.tasks, lambda: core.now, lambda user: f"tag{user}"
    )


@pytest.fixture
def retention(core, forgettings):
    return Retention(core.store, core.files, lambda: core.now, forgettings)


@dataclass
class Gateway:
    """What the bot would know of Discord: the servers it is in, and whether it is connected."""

    servers: set[int] = field(default_factory=set)
    is_connected: bool = True

    def is_member(self, server_id: int) -> bool | None:
        if server_id in self.servers:
            return True
        return False if self.is_connected else None


@pytest.fixture
def gateway():
    return Gateway({10, 20})


@pytest.fixture
def departures(core, gateway):
    return Departures(
        core.store, core.files, lambda: core.now, is_member=gateway.is_member, present=lambda: gateway.servers
    )


async def kept_pictures(core) -> int:
    return len([job_id async for job_id in core.files.jobs()])


async def set_up_server(core, place: Place = SERVER) -> None:
    await core.store.servers.change_settings(place, becomes(ServerSettings(previews=False)), 1, core.now)


async def is_set_up(core, place: Place = SERVER) -> bool:
    return (await core.store.servers.settings(place)).previews is False


# --- originals and counters --------------------------------------------------------------------------------------


async def test_originals_stay_for_thirty_days(core, retention):
    await core.run()
    core.now += timedelta(days=29, hours=23)
    assert await retention.tidy() == 0
    assert await kept_pictures(core) == 1

    core.now += timedelta(hours=1)

    assert await retention.tidy() == 1
    assert await kept_pictures(core) == 0
    assert (await core.store.people.export(1))["jobs"]


async def test_pictures_of_a_job_that_the_ledger_does_not_know_go_when_they_are_as_old_as_others(core, retention):
    """A ledger that was brought back from a backup does not know what was made since."""
    await core.run()
    [young] = Ids().make(core.now - timedelta(days=29, hours=23))
    [old] = Ids().make(core.now - timedelta(days=31))
    for unknown in (young, old, "no-id-of-ours"):
        await core.files.keep(unknown, Kept.RESULTS, PICTURE)
    assert await retention.tidy() == 1
    assert old not in [job_id async for job_id in core.files.jobs()]
    assert await kept_pictures(core) == 3


async def test_pictures_of_a_ledger_that_vanished_are_left_alone(core, retention, caplog):
    """The file was lost and the next start began a new one; whoever puts the old one back finds what was paid for."""
    for number in range(3):
        await core.files.keep(f"unknown-job-{number}", Kept.RESULTS, PICTURE)
    assert await retention.tidy() == 0
    assert await kept_pictures(core) == 3
    assert "knows none of the 3 jobs" in caplog.text


async def test_prompts_are_forgotten_when_the_operator_says_so_and_figures_stay(core, forgettings):
    retention = Retention(core.store, core.files, lambda: core.now, forgettings, prompts_kept_days=7)
    await core.run()
    spent = await core.store.figures.by_member(SERVER, core.now - timedelta(days=1))
    core.now += timedelta(days=6, hours=23)
    await retention.tidy()
    (job,) = (await core.store.people.export(1))["jobs"]
    assert job["request"]["prompt"]

    core.now += timedelta(hours=2)
    await retention.tidy()

    (job,) = (await core.store.people.export(1))["jobs"]
    assert (job["request"]["prompt"], job["request"]["shown_prompt"], job["state"]) == ("", "", "settled")
    assert await kept_pictures(core) == 0
    assert await core.store.figures.by_member(SERVER, core.now - timedelta(days=30)) == spent


async def test_prompts_that_wait_with_their_picture_are_not_forgotten(core, forgettings):
    retention = Retention(core.store, core.files, lambda: core.now, forgettings, prompts_kept_days=7)
    core.delivery.trouble = [CannotDeliver("no channel")]
    await core.run()
    core.now += timedelta(days=30)
    await retention.tidy()
    (job,) = (await core.store.people.export(1))["jobs"]
    assert job["request"]["prompt"]
    assert await kept_pictures(core) == 1


async def test_a_picture_that_still_waits_for_delivery_stays(core, retention):
    core.delivery.trouble = [CannotDeliver("no channel")]
    await core.run()
    core.now += timedelta(days=90)
    assert await retention.tidy() == 0
    assert await kept_pictures(core) == 1


async def test_counters_go_sixty_days_after_their_period_and_the_sums_still_agree(core, retention):
    await core.run()
    made = (await use_now(core.store, core.asker(), core.now)).counters[Subject.SERVER, Period.MONTH]
    assert (made.images, made.micro_usd > 0) == (1, True)
    core.now += timedelta(days=68)  # 28 January: November ended 59 days ago
    await retention.tidy()
    assert any(row["window_key"] == "m2026-11" for row in (await core.store.people.export(1))["counters"])

    core.now += timedelta(days=2)
    await retention.tidy()

    assert {row["window_key"] for row in (await core.store.people.export(1))["counters"]} <= {"now"}
    assert await core.store.audit_sums() == []
    [job] = (await core.store.people.export(1))["jobs"]
    assert job["state"] == JobState.SETTLED.value


# --- servers -----------------------------------------------------------------------------------------------------


async def test_a_server_is_forgotten_thirty_days_after_it_removed_the_bot(core, departures, gateway):
    await core.run()
    await set_up_server(core)
    await departures.check()
    gateway.servers.discard(10)
    await departures.went(10)

    core.now += timedelta(days=29)
    assert await departures.check() == []
    assert await is_set_up(core)

    core.now += timedelta(days=1)
    assert await departures.check() == [10]
    assert not await is_set_up(core)
    assert await kept_pictures(core) == 0
    assert (await core.store.people.export(1))["jobs"] == []
    assert await core.store.notes.servers() == {20: None}
    assert await core.store.audit_sums() == []


async def test_a_server_that_comes_back_keeps_everything(core, departures, gateway):
    await set_up_server(core)
    await departures.went(10)
    core.now += timedelta(days=29)
    await departures.came(10)
    core.now += timedelta(days=29)
    assert await departures.check() == []
    assert await is_set_up(core)


async def test_a_server_that_came_back_unseen_keeps_everything(core, departures, gateway):
    await set_up_server(core)
    await departures.went(10)
    core.now += timedelta(days=40)
    assert await departures.check() == []
    assert await is_set_up(core)
    assert (await core.store.notes.servers())[10] is None


async def test_a_removal_while_the_bot_was_away_is_noticed_at_the_next_look(core, departures, gateway):
    await set_up_server(core)
    await departures.check()
    gateway.servers.discard(10)
    core.now += timedelta(days=100)  # nobody knows when it was: the 30 days begin now

    assert await departures.check() == []
    core.now += timedelta(days=29)
    assert await departures.check() == []
    core.now += timedelta(days=1)

    assert await departures.check() == [10]


async def test_nothing_is_concluded_while_the_list_of_servers_is_not_certain(core, departures, gateway):
    await set_up_server(core)
    await departures.check()
    gateway.servers.clear()
    gateway.is_connected = False
    for _ in range(3):
        core.now += timedelta(days=31)
        assert await departures.check() == []
    assert await core.store.notes.servers() == {10: None, 20: None}


async def test_a_server_where_only_the_commands_are_installed_is_never_forgotten(core, departures, gateway):
    gateway.servers.discard(10)
    await set_up_server(core)
    for _ in range(3):
        assert await departures.check() == []
        core.now += timedelta(days=31)
    assert await is_set_up(core)


async def test_where_the_commands_went_on_after_the_bot_was_removed_the_days_count_from_the_last_one(
    core, departures, gateway
):
    await departures.check()
    gateway.servers.discard(10)
    await departures.went(10)
    core.now += timedelta(days=20)
    await core.run()
    core.now += timedelta(days=20)
    assert await departures.check() == []
    core.now += timedelta(days=9)
    assert await departures.check() == []
    core.now += timedelta(days=1)
    assert await departures.check() == [10]


# --- clocks ------------------------------------------------------------------------------------------------------


async def test_a_clock_that_runs_weeks_ahead_for_a_day_deletes_nothing_early(core, retention, departures, gateway):
    await core.run()
    await set_up_server(core)
    await departures.check()
    gateway.servers.discard(10)
    await departures.check()
    true = core.now + timedelta(days=1)

    core.now = true + timedelta(weeks=6)
    for _ in range(3):  # started again and again, with the clock still ahead
        assert (await retention.tidy(), await departures.check()) == (0, [])
        core.now += timedelta(minutes=5)
    core.now = true + timedelta(days=1)
    assert (await retention.tidy(), await departures.check()) == (0, [])

    assert await kept_pictures(core) == 1
    assert await is_set_up(core)


async def test_who_starts_rarely_deletes_with_the_next_start(core, retention):
    await core.run()
    await retention.tidy()

    core.now += timedelta(days=40)
    assert await retention.tidy() == 0
    core.now += timedelta(days=1)
    assert await retention.tidy() == 1


# --- deleting once a day -----------------------------------------------------------------------------------------


async def test_a_deletion_is_noted_for_a_day_without_the_persons_id(core, retention, forgettings):
    assert await forgettings.next_at(424242) is None
    await forgettings.note(424242)
    assert await forgettings.next_at(424242) == core.now + timedelta(days=1)
    assert await forgettings.next_at(7) is None
    await retention.tidy()
    assert set(await core.store.notes.deletions()) == {"tag424242"}

    core.now -= timedelta(days=400)  # the clock was set back: the day is over, not a year longer
    assert await forgettings.next_at(424242) is None
    core.now += timedelta(days=401)

    assert await forgettings.next_at(424242) is None
    await retention.tidy()
    assert await core.store.notes.deletions() == {}


async def test_who_is_forgotten_gets_what_waits_back_and_what_is_drawn_leaves_nothing_behind(core, forgettings):
    core.service.gate = asyncio.Event()
    jobs = [await core.open(f"e{n}") for n in range(5)]
    running = [core.jobs.start(job, Inputs(), core.delivery) for job in jobs]
    async with asyncio.timeout(5):
        while core.service.calls < 4:
            await asyncio.sleep(0)

    gone = await forgettings.forget(1)

    assert (gone.jobs, gone.stopped) == (5, 1)
    core.service.gate.set()
    await asyncio.wait(running)
    assert len(core.delivery.shown) == 4
    await core.tasks.finish(5)
    assert [await core.files.read(job.id, Kept.RESULTS) for job in jobs] == [None] * 5
