"""The parts of a job's life, put together: they share one queue, one catalogue, one circuit and one settlement."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.core.jobs.alerts import Alerts
from bot.core.jobs.batch_runner import BatchRunner
from bot.core.jobs.batches import Batches
from bot.core.jobs.estimates import Estimates
from bot.core.jobs.intake import Intake
from bot.core.jobs.job_runner import JobRunner
from bot.core.jobs.jobs import Jobs
from bot.core.jobs.pictures import Pictures
from bot.core.jobs.queue import FairQueue
from bot.core.jobs.settlement import Settlement
from bot.core.overnight.lines import NightLines
from bot.core.overnight.nights import Nights
from bot.core.service.attempts import Attempts
from bot.core.service.catalogue import CurrentCatalogue
from bot.core.service.circuit import Circuit
from bot.core.tasks import Tasks
from bot.ports import (
    Clock,
    CrashPoint,
    Files,
    Gate,
    ImageService,
    Meter,
    Notifier,
    NullMeter,
    OpenGate,
    Store,
    nothing_happens,
)


@dataclass(frozen=True, slots=True)
class JobParts:
    """What others need: commands the intake, jobs, batches and pictures; recovery the settlement too."""

    intake: Intake
    jobs: Jobs
    batches: Batches
    nights: Nights
    pictures: Pictures
    settlement: Settlement


def assemble(
    *,
    store: Store,
    service: ImageService,
    files: Files,
    gate: Gate | None = None,
    queue: FairQueue,
    circuit: Circuit,
    catalogue: CurrentCatalogue,
    notifier: Notifier,
    clock: Clock,
    tasks: Tasks,
    default_model: str,
    member_tag: Callable[[int], str],
    deadline_s: float | None = None,
    meter: Meter | None = None,
    crash_point: CrashPoint = nothing_happens,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> JobParts:
    """Everything between a command and the ledger.

    ``deadline_s`` holds for all calls of a job; None: by model and quality. ``sleep`` waits between tries.
    """
    meter = meter or NullMeter()
    estimates = Estimates(lambda model: catalogue.now.service_of(model))
    pictures = Pictures(files, gate or OpenGate())
    settlement = Settlement(store, clock, crash_point=crash_point, sleep=sleep)
    intake = Intake(
        store=store,
        settlement=settlement,
        service=service,
        files=files,
        queue=queue,
        circuit=circuit,
        estimates=estimates,
        catalogue=catalogue,
        clock=clock,
        default_model=default_model,
        meter=meter,
        crash_point=crash_point,
    )
    alerts = Alerts(store.servers, notifier, circuit, clock)
    runner = JobRunner(
        store=store,
        queue=queue,
        circuit=circuit,
        estimates=estimates,
        catalogue=catalogue,
        attempts=Attempts(
            service,
            store,
            meter,
            catalogue=catalogue,
            member_tag=member_tag,
            deadline_s=deadline_s,
            sleep=sleep,
        ),
        pictures=pictures,
        settlement=settlement,
        alerts=alerts,
        clock=clock,
        tasks=tasks,
        meter=meter,
        crash_point=crash_point,
        is_official=service.is_official,
    )
    jobs = Jobs(store, queue, estimates, runner, tasks)
    batch_runner = BatchRunner(store, jobs, settlement, pictures, clock)
    night_lines = NightLines(store, settlement, pictures, catalogue, alerts, meter, clock, crash_point)
    nights = Nights(store, service, night_lines, catalogue, clock, member_tag, sleep=sleep, crash_point=crash_point)
    batches = Batches(store, intake, batch_runner, tasks, clock, nights)
    return JobParts(intake, jobs, batches, nights, pictures, settlement)
