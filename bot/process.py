"""One life of the process: start, signals, work beside commands, stopping in order, and how it ended."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable

import discord

from bot.adapters.status.http import Limping, NotReady, ReadyCheck, StatusServer
from bot.adapters.status.metrics import CONTENT_TYPE, measure_lag
from bot.app import App, build
from bot.core.service.lanes import lane_at
from bot.ports import CannotStart, CrashPoint, nothing_happens
from bot.rules.catalogue.model import DEFAULT_SERVICE
from bot.rules.errors import StorageTrouble
from bot.rules.servers.invitation import install_link
from bot.settings.model import Settings
from bot.ui.client.client import Client
from bot.ui.client.gateway import point_at

log = logging.getLogger(__name__)

HEARTBEAT_S = 15.0
ADOPT_S = 30.0
DAY_S = 24 * 60 * 60.0
REMIND_S = 20.0
CATCH_UP_S = 60.0
CLEAR_S = 60.0
UNSEEN_S = 300.0
HOPELESS_CLOSE_CODES = frozenset({4004, 4010, 4011, 4012, 4013, 4014})
"""Discord will not take this bot as it is configured: connecting again only uses up the daily budget."""

GRACE_S = 25.0
"""How long running jobs may still take after SIGTERM; supervisors must wait a little longer."""

LAST_WRITES_S = 5.0


async def run(settings: Settings) -> int:
    """Runs until asked to stop; the exit code. Raises ``CannotStart`` for what a restart would not cure."""
    point_at(settings.discord_api_base)
    token = settings.discord_token.get_secret_value() if settings.discord_token else ""
    async with build(settings, crash_point=crash_point_from_environment()) as app:
        status = status_of(app)
        if status is not None:
            await status.start()
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
            if status is not None:
                await status.aclose()
        return _exit_code(serving, asked=stop.is_set())


def crash_point_from_environment() -> CrashPoint:
    """For tests of recovery: ``EASEL_CRASH_AT=produced`` kills the process at that boundary, as ``kill -9`` would."""
    chosen = os.environ.get("EASEL_CRASH_AT")
    if not chosen:
        return nothing_happens

    def reach(name: str) -> None:
        if name == chosen:
            os.kill(os.getpid(), signal.SIGKILL)

    return reach


def status_of(app: App) -> StatusServer | None:
    """The pages for supervisors and Prometheus; None where they are turned off."""
    settings, client = app.settings, app.client
    if settings.http_port == 0:
        return None

    def unless(broken: Callable[[], bool], words: str) -> ReadyCheck:
        async def check() -> None:
            if broken():
                raise NotReady(words)

        return check

    def is_apart() -> bool:
        return not client.is_ready() or any(shard.is_closed() for shard in client.shards.values())

    async def database() -> None:
        try:
            await app.store.check()
        except StorageTrouble as trouble:
            raise NotReady(str(trouble)) from trouble

    async def shared_pictures() -> None:
        if (trouble := app.files.trouble) is not None:
            raise NotReady(f"{trouble}; meanwhile pictures are kept on this machine's disk")

    checks = {
        "gateway": unless(is_apart, "not connected to Discord"),
        "database": database,
        "pictures": shared_pictures,
        "disk": unless(app.files.is_full, "the disk for pictures is full"),
        **_service_checks(app),
    }

    def figures() -> bytes:
        return app.meter.render(client.latencies, _shut(app))

    return StatusServer(settings.http_host, settings.http_port, checks, figures, metrics_type=CONTENT_TYPE)


def _shut(app: App) -> dict[str, bool]:
    """Of each image service, whether its key is refused."""
    return {name: app.circuit.is_open(lane_at(name)) for name in app.services}


def _service_checks(app: App) -> dict[str, ReadyCheck]:
    """A service that is shut off is named; the process takes no work when all are at which anything can be drawn."""

    def check_of(service: str) -> ReadyCheck:
        async def check() -> None:
            shut = _shut(app)
            if shut[service]:
                words = "the image service does not take the key, or its funds are used up"
                raise NotReady(words) if all(shut[one] for one in app.drawing_services) else Limping(words)

        return check

    return {
        "image service" if name == DEFAULT_SERVICE else f"image service {name}": check_of(name) for name in app.services
    }


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


async def login(client: Client, token: str) -> None:
    """Logs in, patiently while Discord is down. Raises ``CannotStart`` when Discord does not take the token."""
    try:
        await client.login(token)
    except discord.LoginFailure:
        raise CannotStart("DISCORD_TOKEN: Discord does not take this token.") from None


def start_background(app: App) -> None:
    """Everything that goes on beside commands. Recovery first: it must not meet jobs of this life."""

    async def recover() -> None:
        await app.recovery.adopt_and_close()
        await app.recovery.retrieve()
        await app.batches.resume(app.client.shell.deliveries.of_batch)

    async def look_for_departures() -> None:
        await app.client.wait_until_ready()
        await app.departures.check()

    async def look_for_ends() -> None:
        await app.client.wait_until_ready()  # asking the image service loads the SDK: commands come first
        await app.model_ends.check()

    async def remind() -> None:
        await app.client.wait_until_ready()  # what is taken out of the ledger must be sent
        await app.reminders.send_due()

    async def show_unseen() -> None:
        await app.client.wait_until_ready()
        await app.recovery.show_unseen()

    async def clear_away() -> None:
        await app.client.wait_until_ready()
        await app.nights.tidy()

    app.tasks.every(HEARTBEAT_S, app.store.leases.heartbeat, "heartbeat")
    app.tasks.every(ADOPT_S, recover, "recovery")
    app.tasks.every(REMIND_S, remind, "reminders")
    app.tasks.every(UNSEEN_S, show_unseen, "reviews that no moderator sees")
    app.tasks.every(CLEAR_S, clear_away, "what nights leave at the service")
    app.tasks.every(CATCH_UP_S, app.files.catch_up, "pictures kept aside")
    app.tasks.every(DAY_S, look_for_ends, "model ends")
    app.tasks.every(DAY_S, app.retention.tidy, "retention")
    app.tasks.every(DAY_S, look_for_departures, "departures")
    app.tasks.start(measure_lag(app.meter), "loop lag", lasting=True)


async def wind_down(app: App, grace_s: float = GRACE_S) -> None:
    """Takes no new jobs and gives the running ones ``grace_s`` to end."""
    app.jobs.refuse_new()
    app.client.stopping = True
    log.info("stopping: %d jobs are still running", len(app.jobs.running_ids()))
    await app.jobs.finish(grace_s)


async def close(app: App, serving: asyncio.Task[None]) -> None:
    """Ends what is left: jobs are closed and told, then background work and the gateway end."""
    app.jobs.refuse_new()
    await app.tasks.finish(0)
    await _write_the_unwritten(app)
    await app.client.close()
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


async def _write_the_unwritten(app: App) -> None:
    """A last try; a supervisor does not wait long, and the end goes on whatever comes of it."""
    try:
        async with asyncio.timeout(LAST_WRITES_S):
            await app.recovery.write_the_unwritten()
    except Exception:
        log.exception("what was shown last may not be in the ledger: the next start looks at what lies on disk")


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
