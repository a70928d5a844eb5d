"""The status page over real sockets, and the figures on it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bot.adapters.status.http import Limping, NotReady, StatusServer, probe
from bot.adapters.status.metrics import CONTENT_TYPE, MAX_LABELS, PrometheusMeter, measure_lag
from bot.ports import CannotStart, Meter
from bot.rules.ledger import JobState

ROOT = Path(__file__).resolve().parents[3]


async def fine() -> None:
    return None


@asynccontextmanager
async def serving(
    checks: dict[str, Callable[[], Awaitable[object]]], metrics: Callable[[], bytes] = lambda: b"", wait_s: float = 2.0
) -> AsyncIterator[str]:
    server = StatusServer("127.0.0.1", 0, checks, metrics, metrics_type=CONTENT_TYPE, check_timeout_s=wait_s)
    await server.start()
    try:
        yield "http://{}:{}".format(*server.address)
    finally:
        await server.aclose()


async def get(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.text()


async def test_it_is_alive_while_the_loop_answers() -> None:
    async with serving({}) as base:
        assert (await get(f"{base}/healthz"))[0] == 200


async def test_it_is_ready_when_every_check_holds() -> None:
    async with serving({"gateway": fine, "database": fine}) as base:
        status, text = await get(f"{base}/readyz")
    assert status == 200
    assert '"gateway": "ok"' in text


async def test_a_failing_check_is_named_and_the_others_are_still_asked() -> None:
    async def full() -> None:
        raise NotReady("12 MiB free, 256 are needed")

    async with serving({"disk": full, "database": fine}) as base:
        status, text = await get(f"{base}/readyz")
    assert status == 503
    assert "12 MiB free" in text
    assert '"database": "ok"' in text


async def test_what_limps_is_named_and_takes_work() -> None:
    async def refused() -> None:
        raise Limping("the key is refused")

    async with serving({"image service azure": refused, "image service": fine}) as base:
        status, text = await get(f"{base}/readyz")
    assert status == 200
    assert '"ready": true' in text
    assert '"image service azure": "the key is refused"' in text


async def test_what_a_library_raises_stays_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> None:
        raise OSError("postgresql://u:canary@h/d")

    async with serving({"database": broken}) as base:
        status, text = await get(f"{base}/readyz")
    assert status == 503
    assert "OSError" in text
    assert "canary" not in text
    assert "readiness check database failed" in caplog.text


async def test_a_check_that_hangs_does_not_hang_the_page() -> None:
    async def hangs() -> None:
        await asyncio.Event().wait()

    async with serving({"gateway": hangs}, wait_s=0.05) as base:
        status, text = await get(f"{base}/readyz")
    assert status == 503
    assert "no answer within 0.05 s" in text


async def test_readiness_comes_back() -> None:
    answers = iter([NotReady("connecting"), None])

    async def check() -> None:
        answer = next(answers)
        if answer:
            raise answer

    async with serving({"gateway": check}) as base:
        assert (await get(f"{base}/readyz"))[0] == 503
        assert (await get(f"{base}/readyz"))[0] == 200


async def test_a_taken_port_is_said_in_a_sentence_with_the_variable() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CannotStart, match=rf"HTTP_PORT: port {port} .* taken"):
            await StatusServer("127.0.0.1", port, {}, lambda: b"").start()
        assert await probe("127.0.0.1", port) is not None


async def test_an_address_of_another_machine_is_said_in_a_sentence() -> None:
    with pytest.raises(CannotStart, match=r"HTTP_HOST: 192\.0\.2\.1 is no address of this machine"):
        await StatusServer("192.0.2.1", 0, {}, lambda: b"").start()


async def test_closing_gives_the_port_back(free_port: int) -> None:
    server = StatusServer("127.0.0.1", free_port, {}, lambda: b"")
    await server.start()
    await server.aclose()
    assert await probe("127.0.0.1", free_port) is None


def used_meter() -> PrometheusMeter:
    meter = PrometheusMeter(queue_depth=lambda: 3)
    port: Meter = meter
    port.job_opened("dall-e-2")
    port.job_finished(JobState.SETTLED, "dall-e-2")
    port.waited(0.2)
    port.served("dall-e-2", 12.0)
    port.acked("imagine", 0.2)
    port.charged("dall-e-2", 20_000)
    port.charged("dall-e-2", 22_000)
    port.refused("everyone_images")
    port.service_fault("rate_limited", "default")
    port.discord_fault("too_late")
    return meter


async def test_the_figures_are_served_in_prometheus_format() -> None:
    latencies, shut = [(0, 0.125), (1, float("nan")), (2, float("inf"))], {"default": False, "azure": True}
    async with serving({}, lambda: used_meter().render(latencies, shut)) as base:
        status, text = await get(f"{base}/metrics")
    assert status == 200
    for line in (
        'easel_jobs_opened_total{model="dall-e-2"} 1.0',
        'easel_jobs_finished_total{model="dall-e-2",state="settled"} 1.0',
        'easel_charged_micro_usd_total{model="dall-e-2"} 42000.0',
        'easel_limits_refused_total{rule="everyone_images"} 1.0',
        'easel_service_faults_total{kind="rate_limited",service="default"} 1.0',
        'easel_discord_faults_total{kind="too_late"} 1.0',
        'easel_ack_seconds_bucket{command="imagine",le="0.25"} 1.0',
        "easel_queue_depth 3.0",
        "easel_queue_wait_seconds_count 1.0",
        'easel_service_seconds_count{model="dall-e-2"} 1.0',
        'easel_gateway_latency_seconds{shard="0"} 0.125',
        'easel_service_shut_off{service="azure"} 1.0',
        'easel_service_shut_off{service="default"} 0.0',
    ):
        assert line in text
    assert 'shard="1"' not in text


def test_two_meters_do_not_share_figures() -> None:
    used_meter()
    assert b"easel_jobs_opened_total{model" not in PrometheusMeter().render()


def test_a_label_cannot_grow_without_end() -> None:
    meter = PrometheusMeter()
    for number in range(MAX_LABELS + 50):
        meter.job_opened(f"model-{number}")
    assert b'easel_jobs_opened_total{model="other"} 50.0' in meter.render()
    assert meter.render().count(b"easel_jobs_opened_total{") == MAX_LABELS + 1


async def test_a_late_loop_is_measured() -> None:
    ticks = iter([0.0, 0.35])
    meter = PrometheusMeter()
    done = asyncio.Event()

    def clock() -> float:
        try:
            return next(ticks)
        except StopIteration:
            done.set()
            return 0.0

    task = asyncio.create_task(measure_lag(meter, 0.0, clock))
    await done.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert b"easel_loop_lag_seconds 0.35" in meter.render()


def metric_names() -> set[str]:
    text = PrometheusMeter().render().decode()
    return {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}


@pytest.mark.parametrize("document", ["docs/operating.md", "contrib/grafana.json"])
def test_every_metric_is_in_the_docs_and_on_the_dashboard(document: str) -> None:
    text = (ROOT / document).read_text()
    assert sorted(name for name in metric_names() if name not in text and not name.endswith("_created")) == []
