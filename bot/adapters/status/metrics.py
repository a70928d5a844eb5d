"""``Meter`` on prometheus_client: the only file that imports it. Nothing here can tell one person from another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST

# Discord forgets an interaction after 3 s, so the buckets are fine below that; pictures take seconds to minutes.
ACK_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
SERVICE_BUCKETS = (2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 240.0, 420.0)
WAIT_BUCKETS = (0.1, 1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0)
MAX_LABELS = 200


class PrometheusMeter:
    """Counts into a registry of its own. ``queue_depth`` is asked whenever somebody reads."""

    def __init__(self, queue_depth: Callable[[], int] = lambda: 0) -> None:
        self.registry = CollectorRegistry()
        self._words: dict[str, set[str]] = {}
        self._opened = self._counter("easel_jobs_opened", "Jobs reserved", "model")
        self._finished = self._counter("easel_jobs_finished", "Jobs ended, by final state", "state", "model")
        self._waited = self._histogram("easel_queue_wait_seconds", "Time a job waited for its turn", WAIT_BUCKETS)
        self._served = self._histogram(
            "easel_service_seconds", "Time the image service took for a job", SERVICE_BUCKETS, "model"
        )
        self._acked = self._histogram(
            "easel_ack_seconds", "From the making of an interaction to its first answer", ACK_BUCKETS, "command"
        )
        self._charged = self._counter("easel_charged_micro_usd", "Money charged, in millionths of a dollar", "model")
        self._refused = self._counter("easel_limits_refused", "Requests a limit had no room for", "rule")
        self._words_refused = self._counter("easel_words_refused", "Prompts with a word that their server refuses")
        self._service_faults = self._counter(
            "easel_service_faults", "Failed attempts at an image service", "kind", "service"
        )
        self._discord_faults = self._counter("easel_discord_faults", "Failed calls to Discord", "kind")
        depth = Gauge("easel_queue_depth", "Jobs waiting for their turn", registry=self.registry)
        depth.set_function(queue_depth)
        self._lag = Gauge(
            "easel_loop_lag_seconds", "How late the event loop was when last measured", registry=self.registry
        )
        self._latency = Gauge(
            "easel_gateway_latency_seconds", "Heartbeat answer time of the gateway", ["shard"], registry=self.registry
        )
        self._shut = Gauge(
            "easel_service_shut_off",
            "1 while an image service gets no jobs because it refuses the key or the funds are used up",
            ["service"],
            registry=self.registry,
        )

    def job_opened(self, model: str) -> None:
        self._opened.labels(self._known("model", model)).inc()

    def job_finished(self, state: str, model: str) -> None:
        self._finished.labels(str(state), self._known("model", model)).inc()

    def waited(self, seconds: float) -> None:
        self._waited.observe(seconds)

    def served(self, model: str, seconds: float) -> None:
        self._served.labels(self._known("model", model)).observe(seconds)

    def acked(self, command: str, seconds: float) -> None:
        self._acked.labels(self._known("command", command)).observe(max(0.0, seconds))

    def charged(self, model: str, micro_usd: int) -> None:
        self._charged.labels(self._known("model", model)).inc(micro_usd)

    def refused(self, rule: str) -> None:
        self._refused.labels(self._known("rule", rule)).inc()

    def words_refused(self, prompts: int) -> None:
        self._words_refused.inc(prompts)

    def service_fault(self, kind: str, service: str) -> None:
        self._service_faults.labels(str(kind), service).inc()

    def discord_fault(self, kind: str) -> None:
        self._discord_faults.labels(self._known("kind", kind)).inc()

    def loop_lag(self, seconds: float) -> None:
        """How late the event loop was when last measured; ``measure_lag`` tells it."""
        self._lag.set(max(0.0, seconds))

    def render(self, latencies: Iterable[tuple[int, float]] = (), shut: Mapping[str, bool] | None = None) -> bytes:
        """Everything in Prometheus' text format, of type ``CONTENT_TYPE``.

        ``latencies`` are the gateway's answer times in seconds by shard; one that is unknown (nan, inf) is left out.
        ``shut`` says of each service whether its circuit is open.
        """
        for service, is_shut in (shut or {}).items():
            self._shut.labels(service).set(is_shut)
        self._latency.clear()
        for shard, seconds in latencies:
            if 0 <= seconds < float("inf"):
                self._latency.labels(str(shard)).set(seconds)
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, text, labels, buckets=buckets, registry=self.registry)

    def _known(self, label: str, word: str) -> str:
        """The word, or ``other`` once a label has too many values: a registry only ever grows."""
        words = self._words.setdefault(label, set())
        if word in words:
            return word
        if len(words) >= MAX_LABELS:
            return "other"
        words.add(word)
        return word


async def measure_lag(
    meter: PrometheusMeter, every_s: float = 1.0, clock: Callable[[], float] = time.monotonic
) -> None:
    """Measures for ever how late the event loop wakes a sleeper."""
    while True:
        begun = clock()
        await asyncio.sleep(every_s)
        meter.loop_lag(clock() - begun - every_s)
