"""The parts are put together here, and only here: settings in, a bot out, closed in order at the end.

Tests call ``build`` with other addresses; nothing else differs from production.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from importlib import metadata

from bot.adapters.database import SqlStore
from bot.adapters.files.disk import DiskFiles
from bot.adapters.status.http import NotReady, StatusServer
from bot.adapters.status.metrics import CONTENT_TYPE, PrometheusMeter
from bot.core.jobs.assembly import assemble
from bot.core.jobs.batches import Batches
from bot.core.jobs.jobs import Jobs
from bot.core.jobs.queue import OPERATOR_LANE, FairQueue
from bot.core.jobs.recovery import Recovery
from bot.core.servers.admin import Admin
from bot.core.servers.departures import Departures
from bot.core.servers.settings_cache import SettingsCache
from bot.core.service.catalogue import CurrentCatalogue
from bot.core.service.circuit import Circuit
from bot.core.tasks import Tasks
from bot.core.upkeep.forgettings import Forgettings
from bot.core.upkeep.model_ends import ModelEnds
from bot.core.upkeep.retention import Retention
from bot.parts import (
    BadDefault,
    catalogue_of,
    default_model_of,
    files_of,
    now,
    secrets_of,
    service_of,
    store_of,
)
from bot.ports import CannotStart, Clock, CrashPoint, Store, nothing_happens
from bot.rules.catalogue.catalogue import Catalogue
from bot.rules.catalogue.model import Model
from bot.settings.model import Settings
from bot.ui.client.client import Client, IdentifyPacer
from bot.ui.client.guilds import is_member, tell_departures
from bot.ui.delivery.factory import DiscordDeliveries
from bot.ui.delivery.notices import DiscordNotifier
from bot.ui.interactions.double_click import new_presses
from bot.ui.orders.attachments import open_web
from bot.ui.shell import HasShell, Shell, UiConfig

log = logging.getLogger(__name__)

IDENTIFY_EVERY_S = 5.1
"""Discord allows one identify per bucket in 5 s; a tenth more for the way there."""


@dataclass(slots=True)
class App:
    """The parts of one bot, built but not connected."""

    settings: Settings
    client: Client
    jobs: Jobs
    circuit: Circuit
    batches: Batches
    recovery: Recovery
    model_ends: ModelEnds
    retention: Retention
    departures: Departures
    tasks: Tasks
    store: SqlStore
    files: DiskFiles
    meter: PrometheusMeter
    status: StatusServer | None


@asynccontextmanager
async def build(
    settings: Settings,
    *,
    clock: Clock = now,
    crash_point: CrashPoint = nothing_happens,
    process_id: str | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[App]:
    """A bot, built from settings and closed on exit: nothing is connected yet. ``sleep`` waits between tries."""
    async with AsyncExitStack() as stack:
        tasks = Tasks()
        catalogue = catalogue_of(settings)
        _check_default_model(settings, catalogue, clock().date())
        secrets = secrets_of(settings)
        store = await store_of(settings, secrets, clock=clock, process_id=process_id)
        stack.push_async_callback(store.aclose)
        files = files_of(settings)
        await files.recover(clock())
        service = service_of(settings, catalogue)
        stack.push_async_callback(service.aclose)

        async def pace(lane: str, images: int) -> float:
            start = await store.leases.take_slot(f"images {lane}", settings.images_per_minute, clock(), cost=images)
            return (start - clock()).total_seconds()

        queue = FairQueue(
            max_running=settings.max_concurrent_jobs,
            per_minute=settings.images_per_minute,
            pace=pace,
            tasks=tasks,
        )
        circuit = Circuit()
        current_catalogue = CurrentCatalogue(catalogue)
        meter = PrometheusMeter(queue_depth=queue.waiting)
        web = open_web()
        stack.push_async_callback(web.close)
        config = UiConfig(
            default_model=settings.default_model,
            is_official=service.is_official,
            guild_id=settings.discord_guild_id,
            privacy_url=settings.privacy_url,
            support_url=settings.support_url,
            api_base=settings.discord_api_base,
            version=version(),
        )

        def furnish(connection: HasShell) -> Shell:
            """The use cases; results and notices go out through the connection."""
            settings_cache = SettingsCache(store)
            notifier = DiscordNotifier(connection, store, settings_cache, tasks)
            parts = assemble(
                store=store,
                service=service,
                files=files,
                queue=queue,
                circuit=circuit,
                catalogue=current_catalogue,
                notifier=notifier,
                clock=clock,
                tasks=tasks,
                default_model=settings.default_model,
                member_tag=secrets.tag,
                deadline_s=settings.job_timeout_s,
                meter=meter,
                crash_point=crash_point,
                sleep=sleep,
            )
            jobs, pictures, settlement = parts.jobs, parts.pictures, parts.settlement
            deliveries = DiscordDeliveries(connection, store, settings_cache, tasks, clock)
            return Shell(
                config=config,
                intake=parts.intake,
                jobs=jobs,
                pictures=pictures,
                batches=parts.batches,
                recovery=Recovery(store, jobs, settlement, pictures, partial(deliveries.of_job, earlier=True), clock),
                admin=Admin(store, service, jobs, notifier, clock),
                forgettings=Forgettings(store, clock, secrets.tag),
                settings_cache=settings_cache,
                current_catalogue=current_catalogue,
                store=store,
                files=files,
                deliveries=deliveries,
                presses=new_presses(),
                web=web,
                tasks=tasks,
                clock=clock,
                meter=meter,
            )

        client = Client(
            furnish,
            shard_count=settings.shard_count,
            shard_ids=settings.shard_ids,
            identify_pacer=identify_pacer(store, clock) if settings.shard_ids is not None else None,
        )
        shell = client.shell
        notifier = DiscordNotifier(client, store, shell.settings_cache, tasks)
        departures = Departures(
            store,
            files,
            clock,
            is_member=partial(is_member, client),
            present=lambda: [guild.id for guild in client.guilds],
        )
        tell_departures(client, departures)
        yield App(
            settings=settings,
            client=client,
            jobs=shell.jobs,
            circuit=circuit,
            batches=shell.batches,
            recovery=shell.recovery,
            model_ends=ModelEnds(service, store, notifier, clock, current_catalogue),
            retention=Retention(store, files, clock, shell.forgettings),
            departures=departures,
            tasks=tasks,
            store=store,
            files=files,
            meter=meter,
            status=_status(settings, client, circuit, store, files, meter),
        )


def identify_pacer(store: Store, clock: Clock) -> IdentifyPacer:
    """Waits for this shard's turn to identify: one per bucket in 5 s, over all processes on the database."""

    async def wait(shard_id: int, max_concurrency: int) -> None:
        bucket = shard_id % max_concurrency
        start = await store.leases.take_slot(f"identify {bucket}", 60 / IDENTIFY_EVERY_S, clock())
        await asyncio.sleep(max(0.0, (start - clock()).total_seconds()))

    return wait


def _check_default_model(settings: Settings, catalogue: Catalogue, today: date) -> None:
    """Raises ``CannotStart`` for a default that is no model; complains of one that OpenAI has retired."""
    match default_model_of(settings, catalogue, today):
        case BadDefault(retired=False) as bad:
            raise CannotStart(str(bad))
        case BadDefault() as bad:
            log.error("%s", bad)
        case Model():
            pass


def version() -> str:
    try:
        return metadata.version("easel")
    except metadata.PackageNotFoundError:
        return "development"


def _status(
    settings: Settings, client: Client, circuit: Circuit, store: SqlStore, files: DiskFiles, meter: PrometheusMeter
) -> StatusServer | None:
    if settings.http_port == 0:
        return None

    async def gateway() -> None:
        if not client.is_ready() or any(shard.is_closed() for shard in client.shards.values()):
            raise NotReady("not connected to Discord")

    async def disk() -> None:
        if files.is_full():
            raise NotReady("the disk for pictures is full")

    async def service() -> None:
        if circuit.is_open(OPERATOR_LANE):
            raise NotReady("the image service does not take the key, or its funds are used up")

    checks = {"gateway": gateway, "database": store.check, "disk": disk, "image service": service}

    def figures() -> bytes:
        return meter.render(client.latencies)

    return StatusServer(settings.http_host, settings.http_port, checks, figures, metrics_type=CONTENT_TYPE)
