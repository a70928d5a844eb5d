"""The parts are put together here, and only here: settings in, a bot out, closed in order at the end.

Tests call ``build`` with other addresses; nothing else differs from production.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import aiohttp

from bot.adapters.database import SqlStore
from bot.adapters.files.disk import DiskFiles
from bot.adapters.files.sheltered import ShelteredFiles
from bot.adapters.marks import C2paMarks
from bot.adapters.secrets import Secrets
from bot.adapters.services import Services
from bot.adapters.status.metrics import PrometheusMeter
from bot.core.assembly import assemble
from bot.core.jobs.batches import Batches
from bot.core.jobs.jobs import Jobs
from bot.core.jobs.queue import FairQueue
from bot.core.jobs.recovery import Recovery
from bot.core.overnight.nights import Nights
from bot.core.people.drawing import Drawing
from bot.core.people.origins import Origins
from bot.core.people.own_defaults import OwnDefaults
from bot.core.people.styles import Styles
from bot.core.servers.admin import Admin
from bot.core.servers.departures import Departures
from bot.core.servers.settings_cache import QUICK_S, SettingsCache
from bot.core.service.catalogue import CurrentCatalogue
from bot.core.service.circuit import Circuit
from bot.core.service.pace import SharedPace
from bot.core.tasks import Tasks
from bot.core.upkeep.forgettings import Forgettings
from bot.core.upkeep.model_ends import ModelEnds
from bot.core.upkeep.reminders import Reminders
from bot.core.upkeep.retention import Retention
from bot.memory import keep_pages_of_pictures
from bot.parts import (
    catalogue_of,
    check_default_model,
    files_of,
    gate_of,
    now,
    presets_of,
    secrets_of,
    service_of,
    store_of,
    version,
)
from bot.ports import CannotStart, Clock, CrashPoint, Gate, nothing_happens
from bot.rules.catalogue.catalogue import Catalogue
from bot.rules.catalogue.model import DEFAULT_SERVICE
from bot.rules.errors import Busy, StorageTrouble
from bot.rules.servers.presets import Preset
from bot.settings.model import Settings
from bot.ui.client.client import Client
from bot.ui.client.gateway import identify_pacer
from bot.ui.client.guilds import is_member, tell_departures
from bot.ui.components.help.offers import Offers
from bot.ui.delivery.factory import DiscordDeliveries
from bot.ui.delivery.notices import DiscordNotifier
from bot.ui.delivery.reminders import DirectReminders
from bot.ui.interactions.bounds import new_counts
from bot.ui.interactions.double_click import new_presses
from bot.ui.orders.attachments import open_web
from bot.ui.panels.welcome import welcome
from bot.ui.shell import HasShell, Shell, UiConfig

Sleep = Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class App:
    """The parts of one bot, built but not connected."""

    settings: Settings
    client: Client
    jobs: Jobs
    circuit: Circuit
    services: tuple[str, ...]
    drawing_services: frozenset[str]
    batches: Batches
    nights: Nights
    recovery: Recovery
    model_ends: ModelEnds
    retention: Retention
    reminders: Reminders
    departures: Departures
    tasks: Tasks
    store: SqlStore
    files: DiskFiles | ShelteredFiles
    meter: PrometheusMeter


@dataclass(frozen=True, slots=True)
class Ground:
    """What the use cases stand on: everything that is made from the settings alone, without Discord."""

    settings: Settings
    clock: Clock
    tasks: Tasks
    secrets: Secrets
    store: SqlStore
    files: DiskFiles | ShelteredFiles
    gate: Gate
    service: Services
    queue: FairQueue
    circuit: Circuit
    catalogue: CurrentCatalogue
    presets: tuple[Preset, ...]
    meter: PrometheusMeter
    web: aiohttp.ClientSession
    crash_point: CrashPoint
    sleep: Sleep
    quick_s: float


@asynccontextmanager
async def build(
    settings: Settings,
    *,
    clock: Clock = now,
    crash_point: CrashPoint = nothing_happens,
    process_id: str | None = None,
    sleep: Sleep = asyncio.sleep,
    quick_s: float = QUICK_S,
) -> AsyncIterator[App]:
    """A bot, built from settings and closed on exit: nothing is connected yet. ``sleep`` waits between tries;
    ``quick_s``: what is not read by then is not waited for before an answer.

    Raises ``CannotStart``.
    """
    keep_pages_of_pictures()
    async with AsyncExitStack() as stack:
        catalogue = catalogue_of(settings)
        check_default_model(settings, catalogue, clock().date())
        secrets = secrets_of(settings)
        files = files_of(settings)
        store = await store_of(settings, secrets, clock=clock, process_id=process_id, files=files)
        stack.push_async_callback(store.aclose)
        await _look_at_pictures(files, store, clock)
        gate = gate_of()
        service = service_of(settings, catalogue, gate=gate)
        stack.push_async_callback(service.aclose)
        web = open_web()
        stack.push_async_callback(web.close)
        tasks = Tasks()
        queue = _queue(settings, catalogue, store, tasks)
        ground = Ground(
            settings=settings,
            clock=clock,
            tasks=tasks,
            secrets=secrets,
            store=store,
            files=files,
            gate=gate,
            service=service,
            queue=queue,
            circuit=Circuit(by_model=frozenset(one.name for one in catalogue.services.values() if not one.is_official)),
            catalogue=CurrentCatalogue(catalogue),
            presets=presets_of(settings, catalogue),
            meter=PrometheusMeter(queue_depth=queue.waiting),
            web=web,
            crash_point=crash_point,
            sleep=sleep,
            quick_s=quick_s,
        )
        client = Client(
            partial(_shell, ground),
            shard_count=settings.shard_count,
            shard_ids=settings.shard_ids,
            identify_pacer=identify_pacer(store.leases) if settings.shard_ids is not None else None,
        )
        yield _app(ground, client)


async def _look_at_pictures(files: DiskFiles | ShelteredFiles, store: SqlStore, clock: Clock) -> None:
    """Raises ``CannotStart`` for a disk that is full, or takes nothing for another reason."""
    try:
        await files.recover(clock())
        await files.claim(await store.notes.ledger())
    except Busy:
        raise
    except StorageTrouble as trouble:
        raise CannotStart(
            f"The ledger or the place for pictures is in trouble ({trouble}). Check that their disks have room and "
            "can be written."
        ) from trouble


def _queue(settings: Settings, catalogue: Catalogue, store: SqlStore, tasks: Tasks) -> FairQueue:
    """The one line of all jobs; its pace is kept together with every other process on the database."""
    per_minute = settings.images_per_minute
    elsewhere = {
        one.name: float(one.images_per_minute or per_minute)
        for one in catalogue.services.values()
        if one.name != DEFAULT_SERVICE
    }
    return FairQueue(
        max_running=settings.max_concurrent_jobs,
        per_minute=per_minute,
        pace=SharedPace(store.leases, per_minute, elsewhere),
        tasks=tasks,
        elsewhere=elsewhere,
    )


def _shell(ground: Ground, connection: HasShell) -> Shell:
    """The use cases; results and notices go out through the connection."""
    store, tasks, clock = ground.store, ground.tasks, ground.clock
    settings_cache = SettingsCache(store, ground.quick_s)
    notifier = DiscordNotifier(connection, store, settings_cache, tasks)
    parts = assemble(
        store=store,
        service=ground.service,
        files=ground.files,
        gate=ground.gate,
        queue=ground.queue,
        circuit=ground.circuit,
        catalogue=ground.catalogue,
        notifier=notifier,
        clock=clock,
        tasks=tasks,
        default_model=ground.settings.default_model,
        member_tag=ground.secrets.tag,
        deadline_s=ground.settings.job_timeout_s,
        meter=ground.meter,
        crash_point=ground.crash_point,
        sleep=ground.sleep,
    )
    config = _ui_config(ground.settings)
    drawing = Drawing(ground.catalogue, clock, config.default_model, config.is_official)
    jobs, pictures, settlement = parts.jobs, parts.pictures, parts.settlement
    deliveries = DiscordDeliveries(
        connection, store, settings_cache, tasks, clock, ground.catalogue.short_name, config.ai_notice
    )
    return Shell(
        config=config,
        intake=parts.intake,
        jobs=jobs,
        pictures=pictures,
        batches=parts.batches,
        nights=parts.nights,
        recovery=Recovery(store, jobs, settlement, pictures, partial(deliveries.of_job, earlier=True), clock),
        admin=Admin(store, ground.service, jobs, ground.circuit, notifier, clock),
        forgettings=Forgettings(store, ground.files, jobs, parts.batches, tasks, clock, ground.secrets.tag),
        styles=Styles(store, drawing, notifier, clock),
        own_defaults=OwnDefaults(store, settings_cache, drawing, clock),
        settings_cache=settings_cache,
        current_catalogue=ground.catalogue,
        presets=ground.presets,
        store=store,
        files=ground.files,
        deliveries=deliveries,
        help=Offers(),
        marks=C2paMarks(),
        origins=Origins(
            ground.service,
            store,
            settlement,
            ground.catalogue,
            ground.circuit,
            ground.meter,
            clock,
            ground.settings.images_per_minute,
            sleep=ground.sleep,
        ),
        presses=new_presses(),
        counts=new_counts(),
        web=ground.web,
        tasks=tasks,
        clock=clock,
        meter=ground.meter,
    )


def _ui_config(settings: Settings) -> UiConfig:
    return UiConfig(
        default_model=settings.default_model,
        is_official=settings.is_official_service,
        guild_id=settings.discord_guild_id,
        prompts_kept_days=settings.prompts_kept_days,
        privacy_url=settings.privacy_url,
        support_url=settings.support_url,
        ai_notice=settings.ai_notice,
        api_base=settings.discord_api_base,
        version=version(),
    )


def _app(ground: Ground, client: Client) -> App:
    """The bot, and what goes on beside its commands."""
    store, files, clock, shell = ground.store, ground.files, ground.clock, client.shell
    notifier = DiscordNotifier(client, store, shell.settings_cache, ground.tasks)
    departures = Departures(
        store,
        files,
        clock,
        is_member=partial(is_member, client),
        present=lambda: [guild.id for guild in client.guilds],
    )
    tell_departures(client, departures, partial(welcome, client), clock)
    return App(
        settings=ground.settings,
        client=client,
        jobs=shell.jobs,
        circuit=ground.circuit,
        services=tuple(ground.catalogue.now.services),
        drawing_services=frozenset(model.service for model in ground.catalogue.now),
        batches=shell.batches,
        nights=shell.nights,
        recovery=shell.recovery,
        model_ends=ModelEnds(ground.service, store.notes, notifier, clock, ground.catalogue),
        retention=Retention(store, files, clock, shell.forgettings, prompts_kept_days=shell.config.prompts_kept_days),
        reminders=Reminders(store.offers, DirectReminders(client).tell, clock),
        departures=departures,
        tasks=ground.tasks,
        store=store,
        files=files,
        meter=ground.meter,
    )
