"""A job that the first model certainly did not draw is drawn by another: once, and for what was reserved."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from bot.adapters.files.disk import DiskFiles
from bot.ports import Payer, Slot
from bot.rules.catalogue.instead import GIVES_WAY
from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.catalogue.pricing import usage_price
from bot.rules.errors import ServicePaused
from bot.rules.faults import Billed, FaultKind, ServiceFailed
from bot.rules.ledger import JobState
from bot.rules.money import TokenPrices
from bot.rules.options.checks import Uploaded
from bot.rules.options.table import RawOptions
from bot.rules.requests import InputImage, Inputs, Kind, Made, MadeImage, Usage
from bot.rules.servers.changes import Listed
from bot.rules.servers.edits import Edit, ListChange, falling_back, listed
from tests.core.conftest import PICTURE, Core, assert_invariants, fault

FLARE, SECOND, DEAR = "gpt-image-2.5-flare", "gpt-image-2.5-flare@second", "dear@third"
TWO, SQUARE, SINGLE = "gpt-image-2", "square@third", "single@third"
CATALOGUE = load_catalogue(
    builtin_catalogue(),
    f"""
[services.second]
base_url = "https://second.example/v1"
key = "env SECOND"
[services.third]
base_url = "https://third.example/v1"
key = "env THIRD"
[models."{FLARE}"]
instead = ["{SECOND}", "{DEAR}"]
[models."{SECOND}"]
[models."{DEAR}"]
like = "gpt-image-2"
prices = {{ text_in = 50, image_in = 80, image_out = 300 }}
[models."{TWO}"]
instead = ["{SQUARE}"]
[models."{SQUARE}"]
like = "dall-e-2"
[models."{SINGLE}"]
like = "{TWO}"
one_per_call = true
instead = ["{SECOND}"]
""",
)
K = FaultKind


@dataclass
class Books:
    """An image service that draws or fails as ``plan`` says, and keeps books of its own: what it drew, by whom."""

    plan: dict[str, list[Exception | None]] = field(default_factory=dict)
    rng: random.Random | None = None
    is_official = False
    asked: list[tuple[str, str]] = field(default_factory=list)
    drawn: Counter[str] = field(default_factory=Counter)
    by: dict[str, str] = field(default_factory=dict)
    meanwhile: Callable[[], Awaitable[object]] = field(default_factory=lambda: partial(asyncio.sleep, 0))

    async def make(self, request, inputs, *, payer: Payer, member_tag, deadline_s, on_partial=None) -> Made:
        self.asked.append((request.prompt, request.model))
        await self.meanwhile()
        failure = self._failure(request.model)
        may_be_billed = (
            failure is None or getattr(failure, "fault", None) is None or failure.fault.billed is not Billed.NO
        )
        if may_be_billed and (failure is None or self._chance(0.5)):
            self.drawn[request.prompt] += 1
            self.by[request.prompt] = request.model
        if failure is not None:
            raise failure
        tokens = self.rng.choice((0, 200, 2_000, 10**8)) if self.rng else 200
        return Made((MadeImage(PICTURE, "png", 1024, 1024),), Usage(10, 0, tokens), "req")

    def _chance(self, share: float) -> bool:
        return self.rng is not None and self.rng.random() < share

    def _failure(self, model: str) -> Exception | None:
        if self.rng is None:
            planned = self.plan.get(model) or []
            return planned.pop(0) if planned else None
        if self._chance(0.35):
            return None
        kind = self.rng.choice(
            (*GIVES_WAY, *GIVES_WAY, K.MODERATION, K.TIMED_OUT, K.OVERLOADED, K.BROKEN_OFF, K.BAD_REQUEST)
        )
        unclear = kind in {K.TIMED_OUT, K.OVERLOADED, K.BROKEN_OFF} or self._chance(0.1)
        return RuntimeError("a bug") if self._chance(0.02) else fault(kind, Billed.MAYBE if unclear else Billed.NO)

    async def known_models(self, payer: Payer, *, service: str = "default") -> None:
        return None

    async def aclose(self) -> None: ...


class Unhurried:
    """The ledger, but nobody waits for the pace: the clock of these tests stands still."""

    def __init__(self, inner, held: list[str] | None = None) -> None:
        self._inner = inner
        self.held = [] if held is None else held

    def __getattr__(self, name: str):
        found = getattr(self._inner, name)
        return Unhurried(found, self.held) if name == "leases" else found

    async def push_slots(self, key: str, seconds: float) -> None: ...

    async def hold_slot(self, key: str, per_minute: float, *, cost: int) -> Slot:
        self.held.append(key)
        return Slot(0.0)


@pytest.fixture
async def core(store, tmp_path: Path):
    made = Core(Unhurried(store), DiskFiles(tmp_path, floor_bytes=0), Books(), catalogue=CATALOGUE)
    made.circuit.by_model = frozenset({"default", "second", "third"})
    yield made
    await made.end()
    await assert_invariants(store)


def planned(core: Core, **faults: list[Exception | None]) -> Books:
    names = {"first": FLARE, "second": SECOND, "third": DEAR}
    core.service.plan = {names[name]: planned for name, planned in faults.items()}
    return core.service


async def models_asked(core: Core) -> list[str]:
    return [model for _, model in core.service.asked]


async def drawn(core: Core, job, *images: InputImage):
    """The job at its end."""
    await asyncio.wait({core.jobs.start(job, Inputs(images), core.delivery)})
    return await core.store.jobs.get(job.id)


def here(core: Core, edit: Edit):
    """The server's settings become that."""
    return core.store.servers.change_settings(core.asker().place, edit, 9, core.now)


@pytest.mark.parametrize("kind", sorted(GIVES_WAY))
async def test_another_draws_at_once_where_the_first_draws_nothing_now(core, kind: FaultKind):
    planned(core, first=[fault(kind)])
    job = await core.open()
    await asyncio.wait({core.jobs.start(job, Inputs(), core.delivery)})
    ended = await core.store.jobs.get(job.id)
    assert await models_asked(core) == [FLARE, SECOND]
    assert (ended.state, ended.bill.drawn_by, core.delivery.shown) == (JobState.SETTLED, SECOND, [job.id])
    assert 0 < ended.charged_micro_usd <= job.reserved_micro_usd
    assert all(waited < 1 for waited in core.waited)


async def test_enough_is_reserved_for_the_dearest_and_only_what_was_drawn_is_charged(core):
    alone = replace(await core.store.servers.settings(core.asker().place), fallback=False)
    assert alone.fallback is False
    job = await core.open()
    await core.store.servers.change_settings(core.asker().place, falling_back(False), 9, core.now)
    bare = await core.open("e2")
    assert job.reserved_micro_usd > 2 * bare.reserved_micro_usd
    for one in (job, bare):
        await asyncio.wait({core.jobs.start(one, Inputs(), core.delivery)})
    charged = [(await core.store.jobs.get(one.id)).charged_micro_usd for one in (job, bare)]
    assert charged[0] == charged[1]


async def test_whoever_draws_is_paid_by_their_own_prices(core):
    planned(core, first=[fault(K.BAD_KEY)], second=[fault(K.BAD_KEY)])
    ended = await drawn(core, await core.open())
    assert ended.charged_micro_usd == usage_price(TokenPrices(50 * 10**6, 80 * 10**6, 300 * 10**6), ended.bill.usage)


async def test_nobody_draws_who_is_dearer_than_what_was_reserved(core):
    await here(core, falling_back(False))
    job = await core.open()
    await here(core, falling_back(True))
    planned(core, first=[fault(K.BAD_KEY)], second=[fault(K.BAD_KEY)])
    assert (await drawn(core, job)).state is JobState.RELEASED
    assert await models_asked(core) == [FLARE, SECOND]


async def test_a_servers_own_key_goes_to_no_other_service(core):
    await core.store.servers.set_api_key(core.asker().place, "sk-a-key-of-the-server-1", 9, core.now)
    planned(core, first=[fault(K.BAD_KEY)])
    assert (await drawn(core, await core.open())).state is JobState.RELEASED
    assert await models_asked(core) == [FLARE]


async def test_pictures_that_are_there_are_shown_however_the_rest_went(core):
    core.service.plan = {SINGLE: [None, None, fault(K.BAD_KEY)]}
    ended = await drawn(core, await core.open(model=SINGLE, count=3))
    assert (ended.state, ended.bill.images, ended.bill.drawn_by) == (JobState.SETTLED, 2, None)
    assert await models_asked(core) == [SINGLE] * 3


async def test_of_several_calls_one_that_is_put_off_is_made_again(core):
    core.service.plan = {SINGLE: [None, fault(K.RATE_LIMITED), None]}
    ended = await drawn(core, await core.open(model=SINGLE, count=3))
    assert (ended.bill.images, ended.bill.drawn_by) == (3, None)


@pytest.mark.parametrize(("kind", "asked"), [("png", [TWO, SQUARE]), ("webp", [TWO])])
async def test_pictures_go_to_another_as_they_are_or_not_at_all(core, kind: str, asked: list[str]):
    core.service.plan = {TWO: [fault(K.BAD_KEY)]}
    uploaded = Uploaded(sizes=((64, 64),))
    quote = await core.intake.prepare(core.asker(), Kind.EDIT, RawOptions("red"), model=TWO, uploaded=uploaded)
    job = await core.intake.open(core.asker(), quote, core.answer(), event_key="e1")
    await drawn(core, job, InputImage(f"a.{kind}", f"image/{kind}", PICTURE, 64, 64))
    assert await models_asked(core) == asked


@pytest.mark.parametrize(
    "failure",
    [
        fault(K.TIMED_OUT, Billed.MAYBE),
        fault(K.RATE_LIMITED, Billed.MAYBE),
        fault(K.OVERLOADED, Billed.MAYBE),
        fault(K.BROKEN_OFF, Billed.MAYBE),
        RuntimeError("a bug"),
    ],
)
async def test_what_may_have_been_billed_is_never_drawn_again_by_another(core, failure: Exception):
    planned(core, first=[failure])
    job = await core.open()
    await asyncio.wait({core.jobs.start(job, Inputs(), core.delivery)})
    assert await models_asked(core) == [FLARE]
    ended = await core.store.jobs.get(job.id)
    assert (ended.state, ended.charged_micro_usd) == (JobState.UNKNOWN, job.reserved_micro_usd)


async def test_what_the_safety_system_refused_is_asked_of_nobody_else(core):
    planned(core, first=[fault(K.MODERATION)])
    await core.run()
    assert await models_asked(core) == [FLARE]


async def test_an_open_circuit_is_gone_around_without_asking(core):
    planned(core, first=[fault(K.BAD_KEY)], second=[None, None, fault(K.BAD_KEY)])
    for number in range(3):
        await core.run(f"e{number}")
    assert await models_asked(core) == [FLARE, SECOND, SECOND, SECOND, DEAR]
    assert core.store.held.count("images operator") == 1  # nor is its turn waited for
    await core.run("e4")
    planned(core, third=[fault(K.OUT_OF_FUNDS)])
    await core.run("e5")
    with pytest.raises(ServicePaused):
        await core.open("e6")


async def test_who_waited_while_the_circuit_opened_is_drawn_by_another(core):
    go = asyncio.Event()
    core.service.meanwhile = go.wait
    planned(core, first=[fault(K.BAD_KEY)] * 5)
    running = [core.jobs.start(await core.open(f"e{number}"), Inputs(), core.delivery) for number in range(5)]
    while len(core.service.asked) < 4 or not core.queue.waiting():
        await asyncio.sleep(0)
    go.set()
    await asyncio.wait(running)
    assert Counter(await models_asked(core)) == {FLARE: 4, SECOND: 5}


async def test_who_is_denied_by_then_does_not_draw_instead(core):
    core.service.meanwhile = partial(here, core, listed(Listed.MODELS, ListChange(deny=SECOND)))
    planned(core, first=[fault(K.BAD_KEY)])
    assert (await drawn(core, await core.open())).state is JobState.RELEASED
    assert await models_asked(core) == [FLARE]


async def test_the_last_of_them_is_as_patient_as_ever_and_its_failure_is_told(core):
    planned(core, first=[fault(K.UNREACHABLE)], second=[fault(K.UNREACHABLE)], third=[fault(K.RATE_LIMITED)] * 5)
    await core.run()
    assert await models_asked(core) == [FLARE, SECOND, *[DEAR] * 5]
    (told,) = core.delivery.told
    assert isinstance(told, ServiceFailed)
    assert (told.model, told.charged) == (DEAR, False)


async def test_an_admin_who_forbids_it_while_the_job_waits_is_heard(core):
    planned(core, first=[fault(K.OUT_OF_FUNDS)])
    job = await core.open()
    await core.store.servers.change_settings(core.asker().place, falling_back(False), 9, core.now)
    await asyncio.wait({core.jobs.start(job, Inputs(), core.delivery)})
    assert await models_asked(core) == [FLARE]
    assert (await core.store.jobs.get(job.id)).state is JobState.RELEASED


async def test_a_job_that_waits_for_another_model_can_be_cancelled_and_costs_nothing(core):
    planned(core, first=[fault(K.OUT_OF_FUNDS)])
    job = await core.open()
    running = core.jobs.start(job, Inputs(), core.delivery)
    while not core.service.asked:
        await asyncio.sleep(0)
    core.queue.close()  # nobody's turn comes any more
    for _ in range(20):
        await asyncio.sleep(0)
    await core.jobs.cancel(job.id, core.asker())
    await asyncio.wait({running})
    ended = await core.store.jobs.get(job.id)
    assert ended.state in (JobState.RELEASED, JobState.SETTLED)
    assert core.service.drawn.total() == (ended.state is JobState.SETTLED)


@pytest.mark.parametrize(("jobs", "seed"), [(150, 1), (150, 2), pytest.param(10_000, 3, marks=pytest.mark.slow)])
async def test_whatever_fails_nothing_is_paid_twice_or_over_what_was_reserved_and_every_job_ends(
    core, jobs: int, seed: int
):
    rng = random.Random(seed)
    core.service.rng = rng
    reserved: dict[str, int] = {}
    opened = []
    for number in range(jobs):
        raw = RawOptions(f"fox {number}", quality=rng.choice(("low", "high")))
        asker = core.asker(rng.randint(1, 3))
        try:
            quote = await core.intake.prepare(asker, Kind.IMAGINE, raw)
            job = await core.intake.open(asker, quote, core.answer(), event_key=f"e{number}")
        except ServicePaused:
            core.now += timedelta(minutes=16)
            continue
        reserved[job.id] = job.reserved_micro_usd
        opened.append(job)
        core.jobs.start(job, Inputs(), core.delivery)
        if number % 8 == 7:
            await core.jobs.until_ended([one.id for one in opened[-8:]])
            core.now += timedelta(minutes=1)
    await core.jobs.until_ended([one.id for one in opened])

    assert len(opened) > jobs / 3
    states: Counter[JobState] = Counter()
    for one in opened:
        ended = await core.store.jobs.get(one.id)
        drawn = core.service.drawn[one.request.prompt]
        states[ended.state] += 1
        assert drawn <= 1, one.request.prompt
        assert ended.charged_micro_usd <= reserved[one.id]
        match ended.state:
            case JobState.SETTLED:
                assert drawn == 1
                assert (ended.bill.drawn_by or FLARE) == core.service.by[one.request.prompt]
            case JobState.UNKNOWN:
                assert ended.charged_micro_usd == reserved[one.id]
            case _:
                assert ended.state in (JobState.RELEASED, JobState.REFUSED)
                assert (drawn, ended.charged_micro_usd) == (0, 0)
    assert set(states) >= {JobState.SETTLED, JobState.UNKNOWN, JobState.RELEASED, JobState.REFUSED}
    assert Counter(core.delivery.shown).most_common(1)[0][1] == 1
    assert states.total() == len(core.delivery.shown) + len(core.delivery.told)
