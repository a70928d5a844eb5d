"""Everything is put together here, and only here: settings in, a running bot out, closed in order at the end.

Tests call ``build`` with other addresses; nothing else differs from production.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from importlib import metadata

import discord

from bot.adapters.database import SqlStore, open_store
from bot.adapters.files.disk import DiskFiles
from bot.adapters.openai.images import OpenAIImages
from bot.adapters.secrets import load_secrets
from bot.adapters.status.http import NotReady, StatusServer
from bot.adapters.status.metrics import CONTENT_TYPE, PrometheusMeter, measure_lag
from bot.core.jobs.batches import Batches
from bot.core.jobs.intake import OPERATOR_LANE
from bot.core.jobs.jobs import Jobs, JobsConfig
from bot.core.jobs.queue import FairQueue
from bot.core.jobs.recovery import Recovery
from bot.core.servers.admin import Admin
from bot.core.servers.departures import Departures
from bot.core.tasks import Tasks
from bot.core.upkeep.forgettings import Forgettings
from bot.core.upkeep.model_ends import ModelWatch
from bot.core.upkeep.retention import Upkeep
from bot.imaging.inspect import Inspected, inspect_result
from bot.imaging.threads import offload
from bot.operator.discord_api import install_link
from bot.operator.models import read_catalogue
from bot.ports import CannotStart, Clock, CrashPoint, Store, nothing_happens
from bot.rules.catalogue.catalogue import Catalogue, ModelRetired, NoSuchModel
from bot.settings.model import Settings, default_limits
from bot.ui.client.client import Easel, IdentifyPacer, UiConfig, point_at
from bot.ui.client.guilds import is_member, tell_departures
from bot.ui.delivery.notices import DiscordNotifier

log = logging.getLogger(__name__)

HEARTBEAT_S = 15.0
ADOPT_S = 30.0
DAY_S = 24 * 60 * 60.0
HOPELESS_CLOSE_CODES = frozenset({4004, 4010, 4011, 4012, 4013, 4014})
"""Discord will not take this bot as it is configured: connecting again only uses up the daily budget."""

IDENTIFY_EVERY_S = 5.1
"""Discord allows one identify per bucket in 5 s; a tenth more for the way there."""

GRACE_S = 25.0
"""How long running jobs may still take after SIGTERM; supervisors must wait a little longer."""


@dataclass(slots=True)
class App:
    """The parts of one bot, built but not connected."""

    settings: Settings
    client: Easel
    jobs: Jobs
    batches: Batches
    recovery: Recovery
    watch: ModelWatch
    upkeep: Upkeep
    departures: Departures
    tasks: Tasks
    store: SqlStore
    files: DiskFiles
    meter: PrometheusMeter
    status: StatusServer | None


def now() -> datetime:
    return datetime.now(UTC)


def check_default_model(settings: Settings, catalogue: Catalogue, today: date) -> None:
    """Raises ``CannotStart`` for a default that is no model; warns of one that OpenAI has retired."""
    try:
        catalogue.choose(settings.default_model, official=settings.is_official_service, today=today)
    except NoSuchModel as unknown:
        nearest = f" Nearest: {', '.join(unknown.nearest)}." if unknown.nearest else ""
        raise CannotStart(
            f"DEFAULT_MODEL: there is no model {unknown.asked}.{nearest} `python -m bot models` lists what there is; "
            "a model of another server is added with IMAGE_MODELS."
        ) from None
    except ModelRetired as retired:
        instead = retired.successor or "one that `python -m bot models` lists"
        log.error("DEFAULT_MODEL %s was retired on %s; set it to %s", retired.model, retired.retired_on, instead)


def crash_point_from_environment() -> CrashPoint:
    """For tests of recovery: ``EASEL_CRASH_AT=produced`` kills the process at that boundary, as ``kill -9`` would."""
    chosen = os.environ.get("EASEL_CRASH_AT")
    if not chosen:
        return nothing_happens

    def reach(name: str) -> None:
        if name == chosen:
            os.kill(os.getpid(), signal.SIGKILL)

    return reach


@asynccontextmanager
async def build(
    settings: Settings,
    *,
    clock: Clock = now,
    crash_point: CrashPoint = nothing_happens,
    process_id: str | None = None,
) -> AsyncIterator[App]:
    """A bot, built from settings and closed on exit: nothing is connected yet."""
    async with AsyncExitStack() as stack:
        tasks = Tasks()
        catalogue = read_catalogue(settings)
        check_default_model(settings, catalogue, clock().date())
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        keys = ",".join(key.get_secret_value() for key in settings.secret_key)
        secrets = load_secrets(keys or None, settings.data_dir)
        store = await open_store(
            settings.database_url,
            data_dir=settings.data_dir,
            secrets=secrets,
            defaults=default_limits(settings),
            process_id=process_id,
            clock=clock,
        )
        stack.push_async_callback(store.aclose)
        files = DiskFiles(settings.data_dir)
        await files.recover(clock())
        service = OpenAIImages(
            base_url=settings.openai_base_url,
            api_key=settings.openai_api_key.get_secret_value() if settings.openai_api_key else None,
            organization=settings.openai_org_id,
            project=settings.openai_project_id,
            inspect=_inspect,
            models=catalogue,
        )
        stack.push_async_callback(service.aclose)

        async def pace(lane: str, images: int) -> float:
            start = await store.take_slot(f"images {lane}", settings.images_per_minute, clock(), cost=images)
            return (start - clock()).total_seconds()

        queue = FairQueue(max_running=settings.max_concurrent_jobs, pace=pace, tasks=tasks)
        meter = PrometheusMeter(queue_depth=queue.waiting)
        notifier = DiscordNotifier(store)
        jobs = Jobs(
            store=store,
            service=service,
            files=files,
            queue=queue,
            catalogue=catalogue,
            notifier=notifier,
            clock=clock,
            tasks=tasks,
            config=JobsConfig(settings.default_model, settings.images_per_minute, settings.job_timeout_s),
            member_tag=secrets.tag,
            meter=meter,
            crash_point=crash_point,
        )
        client = Easel(
            jobs=jobs,
            store=store,
            files=files,
            tasks=tasks,
            config=UiConfig(
                default_model=settings.default_model,
                is_official=service.is_official,
                guild_id=settings.discord_guild_id,
                privacy_url=settings.privacy_url,
                support_url=settings.support_url,
                api_base=settings.discord_api_base,
                version=version(),
            ),
            clock=clock,
            meter=meter,
            shard_count=settings.shard_count,
            shard_ids=settings.shard_ids,
            identify_pacer=identify_pacer(store, clock) if settings.shard_ids is not None else None,
        )
        client.admin = Admin(store, service, jobs, notifier, clock)
        client.batches = batches = Batches(store, jobs, tasks, clock)
        client.forgettings = forgettings = Forgettings(store, clock, secrets.tag)
        departures = Departures(
            store,
            files,
            clock,
            is_member=partial(is_member, client),
            present=lambda: [guild.id for guild in client.guilds],
        )
        tell_departures(client, departures)
        notifier.client = client
        recovery = Recovery(store, jobs, jobs.pictures, partial(client.delivery_for, earlier=True), clock)
        client.redeliver = recovery.deliver_kept
        yield App(
            settings=settings,
            client=client,
            jobs=jobs,
            batches=batches,
            recovery=recovery,
            watch=ModelWatch(service, store, notifier, clock, catalogue, jobs.use_catalogue),
            upkeep=Upkeep(store, files, clock, forgettings),
            departures=departures,
            tasks=tasks,
            store=store,
            files=files,
            meter=meter,
            status=_status(settings, client, jobs, store, files, meter),
        )


def identify_pacer(store: Store, clock: Clock) -> IdentifyPacer:
    """Waits for this shard's turn to identify: one per bucket in 5 s, over all processes on the database."""

    async def wait(shard_id: int, max_concurrency: int) -> None:
        bucket = shard_id % max_concurrency
        start = await store.take_slot(f"identify {bucket}", 60 / IDENTIFY_EVERY_S, clock())
        await asyncio.sleep(max(0.0, (start - clock()).total_seconds()))

    return wait


async def _inspect(data: bytes) -> Inspected:
    return await offload(inspect_result, data)


def version() -> str:
    try:
        return metadata.version("easel")
    except metadata.PackageNotFoundError:
        return "development"


def _status(
    settings: Settings, client: Easel, jobs: Jobs, store: SqlStore, files: DiskFiles, meter: PrometheusMeter
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
        if jobs.circuit.is_open(OPERATOR_LANE):
            raise NotReady("the image service does not take the key, or its funds are used up")

    checks = {"gateway": gateway, "database": store.check, "disk": disk, "image service": service}
    return StatusServer(settings.http_host, settings.http_port, checks, meter.render, metrics_type=CONTENT_TYPE)


# --- running --------------------------------------------------------------------------------------------------------


async def run(settings: Settings) -> int:
    """Runs until asked to stop; the exit code. Raises ``CannotStart`` for what a restart would not cure."""
    point_at(settings.discord_api_base)
    token = settings.discord_token.get_secret_value() if settings.discord_token else ""
    async with build(settings, crash_point=crash_point_from_environment()) as app:
        if app.status is not None:
            await app.status.start()
        _favour_the_loop()
        stop = asyncio.Event()
        _listen_for_signals(app, stop)
        serving = asyncio.create_task(serve(app, token), name="discord")
        stopping = asyncio.create_task(stop.wait(), name="stop")
        try:
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not serving.done():
                await wind_down(app)
        finally:
            stopping.cancel()
            await close(app, serving)
        return _exit_code(serving, asked=stop.is_set())


def _favour_the_loop() -> None:
    """What lives as long as the process is not looked at by the collector again (it paused 20 ms), and a thread that
    decodes or writes gives the interpreter back to the event loop after 0.5 ms instead of 5.
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(0.0005)


async def serve(app: App, token: str) -> None:
    """Connects and stays connected. Returns when the client is closed; raises what ends it for good."""
    await login(app.client, token)
    start_background(app)
    log.info("invite link: %s", install_link(str(app.client.application_id)))
    await app.client.connect(reconnect=True)


async def login(client: Easel, token: str) -> None:
    """Logs in, patiently while Discord is down. Raises ``CannotStart`` when Discord does not take the token."""
    try:
        await client.login(token)
    except discord.LoginFailure:
        raise CannotStart("DISCORD_TOKEN: Discord does not take this token.") from None


def start_background(app: App) -> None:
    """Everything that goes on beside commands. Recovery first: it must not meet jobs of this life."""

    async def recover() -> None:
        await app.recovery.adopt_and_close()
        await app.batches.resume(app.client.batch_delivery_for)

    async def heartbeat() -> None:
        await app.store.heartbeat(now())

    async def look_for_departures() -> None:
        await app.client.wait_until_ready()
        await app.departures.look()

    app.tasks.every(HEARTBEAT_S, heartbeat, "heartbeat")
    app.tasks.every(ADOPT_S, recover, "recovery")
    app.tasks.every(DAY_S, app.watch.look, "model watch")
    app.tasks.every(DAY_S, app.upkeep.tidy, "upkeep")
    app.tasks.every(DAY_S, look_for_departures, "departures")
    app.tasks.start(measure_lag(app.meter), "loop lag")


async def wind_down(app: App, grace_s: float = GRACE_S) -> None:
    """Takes no new jobs and gives the running ones ``grace_s`` to end."""
    app.jobs.refuse_new()
    app.client.stopping = True
    log.info("stopping: %d jobs are still running", len(app.jobs.live_ids()))
    await app.jobs.finish(grace_s)


async def close(app: App, serving: asyncio.Task[None]) -> None:
    """Ends what is left: jobs are closed and told, then background work, the gateway and the status pages end."""
    app.jobs.refuse_new()
    await app.tasks.finish(0)
    await app.client.close()
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    if app.status is not None:
        await app.status.aclose()


def _listen_for_signals(app: App, stop: asyncio.Event) -> None:
    """The first SIGTERM or SIGINT asks to stop, the second ends at once: what runs is left to the next start."""

    def asked() -> None:
        if stop.is_set():
            log.warning("asked to stop twice: ending at once")
            os._exit(0)
        stop.set()

    loop = asyncio.get_running_loop()
    for name in ("SIGINT", "SIGTERM"):
        try:
            loop.add_signal_handler(getattr(signal, name), asked)
        except (NotImplementedError, AttributeError):
            signal.signal(getattr(signal, name), lambda *_: loop.call_soon_threadsafe(asked))


def _exit_code(serving: asyncio.Task[None], *, asked: bool) -> int:
    error = serving.exception() if serving.done() and not serving.cancelled() else None
    if error is None or asked:
        return 0
    if isinstance(error, discord.PrivilegedIntentsRequired):
        raise CannotStart("Discord refuses the intents this bot asks for (close code 4014).") from None
    if isinstance(error, discord.ConnectionClosed) and error.code in HOPELESS_CLOSE_CODES:
        raise CannotStart(f"Discord closed the connection for good (close code {error.code}).") from None
    raise error
