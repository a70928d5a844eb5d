"""The way to Discord: where it is, whether it answers yet, how many sessions are left, and events nobody can read.

Law: nothing here is global but the address of Discord (``point_at``), which discord.py keeps so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import HTTPClient, Route

from bot.ports import LeaseStore, Meter
from bot.ui.client.guilds import keep_packed, noticing_departures
from bot.ui.client.unhandled import tell_unreadable
from bot.ui.interactions.failures import TROUBLE
from bot.ui.internals import complete, keep_channel, parsers_of, read_json, take_turns
from bot.ui.shell import HasShell

log = logging.getLogger(__name__)

CONNECT_WAITS_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
NEXT_LOOK_S = 3600.0
IDENTIFY_EVERY_S = 5.1
"""Discord allows one identify per bucket in 5 s; a tenth more for the way there."""

IdentifyPacer = Callable[[int, int], Awaitable[None]]
"""(shard, max_concurrency): waits until this shard may identify; called before every IDENTIFY."""

UNGUARDED_EVENTS = frozenset({"READY", "RESUMED"})
"""What cannot be read there must stop the process: nothing works without it."""


def point_at(base: str) -> None:
    """Makes discord.py speak to this REST base. The gateway's address is asked of it at each start."""
    Route.BASE = base.rstrip("/")
    read_json()
    take_turns()


async def wait_for_discord(attempt: int, error: BaseException) -> None:
    """Before the next try of something that Discord did not answer; ``attempt`` counts from 0."""
    wait = CONNECT_WAITS_S[min(attempt, len(CONNECT_WAITS_S) - 1)]
    log.warning("Discord cannot be reached (%s); trying again in %.0f s", type(error).__name__, wait)
    await asyncio.sleep(wait)


@dataclass(frozen=True, slots=True)
class Gateway:
    """What ``GET /gateway/bot`` says."""

    url: str
    shards: int
    sessions_left: int
    max_concurrency: int


async def find_gateway(http: HTTPClient) -> Gateway:
    """Asks patiently while Discord is down. Raises for a token it does not take."""
    for attempt in count():
        try:
            told: Any = await http.request(Route("GET", "/gateway/bot"))
        except TROUBLE as error:
            if isinstance(error, discord.HTTPException) and error.status == 401:
                raise
            await wait_for_discord(attempt, error)
        else:
            limit = told.get("session_start_limit", {})
            left, at_once = int(limit.get("remaining", 1000)), int(limit.get("max_concurrency", 1))
            return Gateway(str(told["url"]), int(told.get("shards", 1)), left, max(1, at_once))
    raise AssertionError("count() ends never")


async def find_gateway_for(http: HTTPClient, wanted: Callable[[Gateway], int]) -> Gateway:
    """The gateway, once Discord allows as many session starts as are ``wanted``; discord.py is pointed at it."""
    while True:
        found = await find_gateway(http)
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(found.url)
        if found.sessions_left >= wanted(found):
            return found
        log.critical(
            "Discord allows %d more session starts today, %d are needed; waiting an hour",
            found.sessions_left,
            wanted(found),
        )
        await asyncio.sleep(NEXT_LOOK_S)


def guard_events(client: HasShell, meter: Meter) -> None:
    """discord.py ends the process over one event it cannot read; here that event is logged and left out.

    Whoever waits for the answer to an interaction is told all the same.
    """

    def answer_unreadable(data: dict[str, Any]) -> None:
        client.shell.tasks.start(tell_unreadable(client, data), "answer an unreadable interaction")

    parsers = parsers_of(client)
    parsers["READY"] = noticing_departures(client, client.shell.servers, parsers["READY"])
    keep_packed(parsers, client.shell.servers)
    for name, parser in list(parsers.items()):
        if name not in UNGUARDED_EVENTS:
            parsers[name] = _guarded(name, parser, meter, answer_unreadable)


def _guarded(
    name: str, parser: Callable[[Any], Any], meter: Meter, answer_unreadable: Callable[[Any], None]
) -> Callable[[Any], Any]:
    is_interaction = name == "INTERACTION_CREATE"

    def parse(data: Any) -> Any:
        if is_interaction and isinstance(data, dict):
            complete(data)
            keep_channel(data)
        try:
            return parser(data)
        except Exception:
            meter.discord_fault(f"unreadable {name}")
            log.exception("an event %s could not be read and is left out", name)
            if is_interaction and isinstance(data, dict):
                answer_unreadable(data)
            return None

    return parse


def identify_pacer(leases: LeaseStore) -> IdentifyPacer:
    """Waits for this shard's turn to identify: one per bucket in 5 s, over all processes on the database."""

    async def wait(shard_id: int, max_concurrency: int) -> None:
        bucket = shard_id % max_concurrency
        await asyncio.sleep(await leases.take_slot(f"identify {bucket}", 60 / IDENTIFY_EVERY_S))

    return wait
