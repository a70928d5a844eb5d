"""The same with the real adapter and two real services that fail as they do: what each of them drew is held against the
ledger."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.files.disk import DiskFiles
from bot.parts import catalogue_of, service_of
from bot.rules.errors import ServicePaused
from bot.rules.ledger import JobState
from bot.rules.options.table import RawOptions
from bot.rules.requests import Inputs, Kind
from bot.settings.sources import parse_settings
from sandbox.images import ImageService
from tests.core.conftest import Core, assert_invariants
from tests.core.jobs.test_stand_ins import Unhurried

pytestmark = pytest.mark.wire

FLARE = "gpt-image-2.5-flare"
FAULTS = (
    *("rate_limited", "rate_limited_for_an_hour", "insufficient_quota", "billing_hard_limit", "bad_key") * 3,
    *("moderation_blocked", "server_error", "made_but_500", "gateway_timeout", "drop_before", "reset", "drop_mid_body"),
    *("html_200", "data_empty", "usage_missing", "truncated_picture", "model_not_found"),
)


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[list[ImageService]]:
    made = [ImageService(mode="compatible", key=f"key-{number}-0123456789") for number in range(2)]
    for one in made:
        await one.start()
    yield made
    for one in made:
        await one.stop()


@pytest.fixture
async def core(store, tmp_path: Path, services: list[ImageService]) -> AsyncIterator[Core]:
    first, second = services
    file = tmp_path / "models.toml"
    file.write_text(
        f'[services.second]\nbase_url = "{second.base_url}"\nkey = "env SECOND"\n'
        f'[models."{FLARE}"]\ninstead = ["{FLARE}@second"]\n[models."{FLARE}@second"]\n',
        encoding="utf-8",
    )
    settings = parse_settings(
        {
            "OPENAI_BASE_URL": first.base_url,
            "OPENAI_API_KEY": first.key or "",
            "IMAGE_MODELS": str(file),
            "SECOND": second.key or "",
        }
    )
    catalogue = catalogue_of(settings)
    service = service_of(settings, catalogue, thorough=False)
    made = Core(Unhurried(store), DiskFiles(tmp_path, floor_bytes=0), service, catalogue=catalogue)
    made.circuit.by_model = frozenset({"default", "second"})
    yield made
    await made.end()
    await service.aclose()
    await assert_invariants(store)


@pytest.mark.parametrize(("jobs", "seed"), [(40, 1), pytest.param(600, 2, marks=pytest.mark.slow)])
async def test_two_services_that_fail_as_they_do_never_draw_one_job_twice(core, services, jobs: int, seed: int):
    rng = random.Random(seed)
    opened = []
    for number in range(jobs):
        for one in services:
            one.heal()
            if rng.random() < 0.7:
                one.fail_next(rng.choice(FAULTS), times=None)
        asker = core.asker(rng.randint(1, 3))
        try:
            quote = await core.intake.prepare(asker, Kind.IMAGINE, RawOptions(f"fox {number}", quality="low"))
            job = await core.intake.open(asker, quote, core.answer(), event_key=f"e{number}")
        except ServicePaused:
            core.now += timedelta(minutes=16)
            continue
        opened.append(job)
        core.jobs.start(job, Inputs(), core.delivery)
        await core.jobs.until_ended([job.id])
        core.now += timedelta(minutes=1)

    drawn = Counter(call.fields["prompt"] for one in services for call in one.calls if call.rendered)
    drew = [Counter(call.fields["prompt"] for call in one.calls if call.rendered) for one in services]
    states: Counter[JobState] = Counter()
    for one in opened:
        ended = await core.store.jobs.get(one.id)
        states[ended.state] += 1
        assert drawn[one.request.prompt] <= 1
        assert ended.charged_micro_usd <= one.reserved_micro_usd
        match ended.state:
            case JobState.SETTLED:
                by_second = ended.bill.drawn_by == f"{FLARE}@second"
                assert drew[by_second][one.request.prompt] == 1
            case JobState.UNKNOWN:
                assert ended.charged_micro_usd == one.reserved_micro_usd
            case _:
                assert (drawn[one.request.prompt], ended.charged_micro_usd) == (0, 0)
    assert set(states) >= {JobState.SETTLED, JobState.UNKNOWN, JobState.RELEASED}
    assert sum(drew[1].values()) > 0
