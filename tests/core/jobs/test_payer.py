"""Who pays is fixed when it is reserved: what a server's own key was to pay is never sent with the operator's."""

from __future__ import annotations

import asyncio
import random
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.adapters.database import SqlStore, store_on
from bot.adapters.database.connection import Connection
from bot.adapters.database.schema.tables import settings
from bot.adapters.files.disk import DiskFiles
from bot.adapters.secrets import Secrets
from bot.ports import KeyPays, OperatorPays
from bot.rules.errors import OwnKeyGone
from bot.rules.ledger import EndReason, JobState
from bot.rules.limits.decide import Refused
from bot.rules.limits.limit import Measure, Period, Quota, Scope
from bot.rules.options.table import RawOptions
from bot.rules.people import Place
from bot.rules.requests import Inputs, Kind
from tests.core.conftest import KEY, NOON, Core, FakeService, assert_invariants, every_job
from tests.support.ledger import each_part

HERE = Place(10, 1)
OWN, NEWER = "sk-a-key-of-the-server-1", "sk-a-key-of-the-server-2"


async def give(store: SqlStore, key: str | None) -> None:
    await store.servers.set_api_key(HERE, key, 9, NOON)


async def run(core: Core, job) -> None:
    await asyncio.wait({core.jobs.start(job, Inputs(), core.delivery)})


async def test_each_purse_pays_for_what_was_reserved_on_it(core):
    await core.run("before", prompt="before")
    await give(core.store, OWN)
    await core.run("after", prompt="after")

    assert core.service.payers == [("before", OperatorPays()), ("after", KeyPays(OWN))]


async def test_the_operators_limits_stop_nobody_whose_own_key_pays(store, tmp_path: Path):
    nothing = Quota(Scope.OPERATOR, Measure.DOLLARS, Period.MONTH, 0)
    strict = store_on(store.database, Secrets((KEY,)), [nothing], clock=lambda: NOON)
    core = Core(strict, DiskFiles(tmp_path, floor_bytes=0), FakeService())
    asked = partial(core.intake.prepare, core.asker(), Kind.IMAGINE, RawOptions("a fox"))
    with pytest.raises(Refused):
        await core.intake.check_room(core.asker(), await asked())
    await give(strict, OWN)
    await core.intake.check_room(core.asker(), await asked())
    await core.run()
    assert core.service.payers == [("a fox", KeyPays(OWN))]
    await core.end()


async def test_a_key_set_while_a_job_waits_does_not_pay_for_it(core):
    job = await core.open()
    await give(core.store, OWN)
    await run(core, job)

    assert core.service.payers == [("a fox", OperatorPays())]


async def test_a_job_that_waits_when_the_key_is_taken_away_is_released_and_told(core):
    await give(core.store, OWN)
    job = await core.open()
    await give(core.store, None)
    await run(core, job)

    assert core.service.payers == []
    (told,) = core.delivery.told
    assert isinstance(told, OwnKeyGone)
    assert told.removed
    (closed,) = await every_job(core.store)
    assert (closed.state, closed.charged_micro_usd) == (JobState.RELEASED, 0)


async def test_a_key_that_cannot_be_opened_any_more_is_not_replaced_by_another(core):
    await give(core.store, OWN)
    job = await core.open()

    async def lose_what_opens_it(connection: Connection) -> None:
        await connection.execute(update(settings).values(api_key="sealed with a key that is gone"))

    await core.store.database.write(lose_what_opens_it)
    await run(core, job)

    assert core.service.payers == []
    (told,) = core.delivery.told
    assert isinstance(told, OwnKeyGone)
    assert not told.removed


async def test_a_key_that_was_changed_pays_for_what_waits(core):
    await give(core.store, OWN)
    job = await core.open()
    await give(core.store, NEWER)
    await run(core, job)

    assert core.service.payers == [("a fox", KeyPays(NEWER))]


async def test_a_key_taken_away_in_the_moment_of_sending_is_the_last_that_is_used(store, tmp_path: Path):
    class TakesTheKeyAway:
        def __init__(self, part) -> None:
            self.part = part

        def __getattr__(self, name: str):
            return getattr(self.part, name)

        async def dispatch(self, job, now):
            await give(store, None)
            return await self.part.dispatch(job, now)

    core = Core(each_part(store, TakesTheKeyAway), DiskFiles(tmp_path, floor_bytes=0), FakeService())
    await give(store, OWN)
    await core.run()
    await core.run("next")

    assert core.service.payers == [("a fox", KeyPays(OWN)), ("a fox", OperatorPays())]
    await core.end()
    await assert_invariants(store)


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_to_the_key_every_job_is_paid_by_whom_it_was_reserved_on(core, seed):
    rng = random.Random(seed)
    jobs = {}

    async def ask(number: int) -> None:
        for _ in range(rng.randrange(30)):
            await asyncio.sleep(0)
        jobs[f"fox {number}"] = job = await core.open(f"e{number}", prompt=f"fox {number}", user=1 + number % 3)
        await run(core, job)

    async def turn_over() -> None:
        for key in (OWN, None, NEWER, None, OWN, NEWER, None):
            await give(core.store, key)
            for _ in range(rng.randrange(20)):
                await asyncio.sleep(0)

    await asyncio.gather(turn_over(), *(ask(number) for number in range(20)))

    for prompt, payer in core.service.payers:
        assert isinstance(payer, KeyPays if jobs[prompt].own_key else OperatorPays)
    closed = {job.request.prompt: job for job in await every_job(core.store)}
    for prompt in jobs.keys() - {prompt for prompt, _ in core.service.payers}:
        assert (closed[prompt].state, closed[prompt].own_key) == (JobState.RELEASED, True)


async def test_what_waited_on_its_own_key_when_the_process_died_is_not_sent_with_another(core):
    await give(core.store, OWN)
    job = await core.open()
    await give(core.store, None)
    await core.recovery.recover(job)

    assert core.service.payers == []
    (closed,) = await every_job(core.store)
    assert (closed.state, closed.reason) == (JobState.RELEASED, EndReason.RESTART)
