"""Between an interaction and the core: who asks, how to reach them, the acknowledgement in time, the private refusal.

Law: every interaction is answered within its 3 seconds, refusals only ever in private, and through ``refuse`` alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import discord
from discord import app_commands

from bot.core.jobs.intake import Quote
from bot.rules.ledger import Answer, DuplicateEvent, Job
from bot.rules.people import Asker, Place
from bot.rules.requests import Inputs
from bot.rules.servers.access import AccessDenied, DeniedBecause
from bot.rules.uploads import Note
from bot.ui.delivery.conversation import TROUBLE, Letter, Reach, verdict_on
from bot.ui.interactions.age import CREDIBLE_S
from bot.ui.words.catalogue import say
from bot.ui.words.errors import ChangedCommand, ServerOnly, words

if TYPE_CHECKING:
    from bot.ui.client.client import Easel

log = logging.getLogger(__name__)

Interaction: TypeAlias = "discord.Interaction[Easel]"

TOKEN_LIFE = timedelta(minutes=15)
QUICK_S = 1.2
"""Checks and the reservation may take this long before the acknowledgement goes first; Discord waits 3 s in all."""

ALREADY_ACKNOWLEDGED = 40060
FORGOTTEN_CODES = frozenset({10062, 10015, 50027})
_NEEDED = ("attach_files", "embed_links")
_DEFERRED = "easel deferred"
_TAKEN = "easel taken"
_RECEIVED = "easel received"


class Forgotten(Exception):
    """Discord knows the interaction no more: it came too late, and nothing can be said in it."""


# --- who, where, how ---------------------------------------------------------------------------------------------


def in_server(interaction: Interaction) -> bool:
    """Whether the bot is a member where this happened. A user install in a foreign server is the person's own place."""
    owners = interaction._integration_owners
    return interaction.guild_id is not None and (not owners or 0 in owners)


def asker_of(interaction: Interaction) -> Asker:
    """The person and the place, as Discord described them in this very interaction."""
    channel = interaction.channel
    place = Place(interaction.guild_id if in_server(interaction) else None, interaction.user.id)
    may = interaction.permissions if place.is_server else discord.Permissions.none()
    return Asker(
        user_id=interaction.user.id,
        place=place,
        channel_id=interaction.channel_id or 0,
        parent_id=channel.parent_id if isinstance(channel, discord.Thread) else None,
        category_id=_category(channel),
        role_ids=frozenset(getattr(interaction.user, "_roles", ())) if place.is_server else frozenset(),
        can_manage=may.administrator or may.manage_guild,
        can_moderate=may.administrator or may.manage_messages,
        age_restricted=_is_age_restricted(channel),
        locale=str(interaction.locale),
        guild_locale=str(interaction.guild_locale) if interaction.guild_locale is not None else None,
    )


def _category(channel: object) -> int | None:
    if isinstance(channel, discord.Thread) and channel.parent is None:
        return None  # its category is asked of the parent, which is not known here
    category = getattr(channel, "category_id", None)
    return category if isinstance(category, int) else None


def _is_age_restricted(channel: object) -> bool:
    asked = getattr(channel, "is_nsfw", None)
    return bool(asked()) if callable(asked) else False


def answer_of(interaction: Interaction, *, private: bool) -> Answer:
    """How to reach the person for the next 15 minutes, and afterwards where the bot may post."""
    return Answer(
        interaction_id=interaction.id,
        application_id=interaction.application_id,
        token=interaction.token,
        channel_id=interaction.channel_id or 0,
        expires_at=_expires_at(interaction),
        private=private,
        can_post=not private and _can_post(interaction),
    )


def _expires_at(interaction: Interaction) -> datetime:
    """By Discord's clock; where an id's time is not credible (a stand-in's own ids), 15 minutes from now."""
    now = interaction.client.clock()
    if abs((now - interaction.created_at).total_seconds()) > CREDIBLE_S:
        return now + TOKEN_LIFE
    return interaction.expires_at


def _can_post(interaction: Interaction) -> bool:
    if interaction.guild_id is None:
        return bool(interaction.context.dm_channel)
    return in_server(interaction) and not _missing(interaction, ("view_channel", *_needed(interaction)))


def _needed(interaction: Interaction) -> tuple[str, ...]:
    if not in_server(interaction):
        return _NEEDED
    in_thread = isinstance(interaction.channel, discord.Thread)
    return (*_NEEDED, "send_messages_in_threads" if in_thread else "send_messages")


def _missing(interaction: Interaction, names: tuple[str, ...]) -> tuple[str, ...]:
    may = interaction.app_permissions
    if may.administrator or not may.value:  # nothing at all means that Discord did not say
        return ()
    return tuple(name for name in names if not getattr(may, name))


def check_can_answer(interaction: Interaction) -> None:
    """Raises ``AccessDenied`` where a result could not be shown, before it costs anything."""
    if interaction.guild_id is None:
        return
    missing = _missing(interaction, _needed(interaction))
    if missing:
        raise AccessDenied(DeniedBecause.BOT_LACKS, lacks=missing)


def public_locale(asker: Asker) -> str:
    return asker.guild_locale or asker.locale


# --- acknowledging and refusing ----------------------------------------------------------------------------------


def received(interaction: Interaction) -> float:
    """The loop's time when this interaction was first seen here."""
    at: float = interaction.extras.setdefault(_RECEIVED, asyncio.get_running_loop().time())
    return at


def take(interaction: Interaction) -> None:
    """Says that somebody answers this one, so that the last resort leaves it alone."""
    received(interaction)
    interaction.extras[_TAKEN] = True


def is_taken(interaction: Interaction) -> bool:
    return _TAKEN in interaction.extras or interaction.response.is_done() or _DEFERRED in interaction.extras


def acknowledged(interaction: Interaction) -> None:
    """Counts the time it took to answer."""
    command = interaction.command
    name = command.qualified_name if command is not None else interaction.type.name
    interaction.client.meter.acked(name, asyncio.get_running_loop().time() - received(interaction))


async def acknowledge(interaction: Interaction, *, private: bool) -> int | None:
    """Says "thinking", and returns the id of that message if Discord told it. Raises ``Forgotten``.

    "Already acknowledged" is no failure: discord.py repeats a call whose first try was taken but answered 500, and a
    second process with the same interaction is told apart by the ledger, not here.
    """
    take(interaction)
    interaction.extras[_DEFERRED] = private
    try:
        async with asyncio.timeout(10):
            response = await interaction.response.defer(thinking=True, ephemeral=private)
    except discord.InteractionResponded:
        return None
    except discord.HTTPException as error:
        interaction.client.meter.discord_fault(str(error.code or error.status))
        if error.code == ALREADY_ACKNOWLEDGED:
            return None
        del interaction.extras[_DEFERRED]
        if error.code in FORGOTTEN_CODES or error.status == 404:
            raise Forgotten from None
        raise Forgotten(f"HTTP {error.status}") from None
    except TROUBLE as error:
        del interaction.extras[_DEFERRED]
        interaction.client.meter.discord_fault(type(error).__name__)
        raise Forgotten(type(error).__name__) from None
    acknowledged(interaction)
    return response.message_id if response is not None else None


async def tell(interaction: Interaction, text: str | None = None, **parts: Any) -> None:
    """Answers in private, however far the interaction got. Never raises for what Discord does.

    ``parts`` are ``embed``, ``view`` or ``files`` as discord.py takes them.
    """
    take(interaction)
    given = {"content": text, **parts}
    try:
        async with asyncio.timeout(30):
            await _tell(interaction, {name: value for name, value in given.items() if value is not None})
    except TROUBLE as error:
        interaction.client.meter.discord_fault(type(error).__name__)
        log.info("interaction %s could not be answered: %s", interaction.id, verdict_on(error).name)


async def _tell(interaction: Interaction, given: dict[str, Any]) -> None:
    deferred = interaction.extras.get(_DEFERRED)
    if deferred is None and not interaction.response.is_done():
        await interaction.response.send_message(**given, ephemeral=True)
        acknowledged(interaction)
    elif deferred is True:
        files = given.pop("files", None)
        await interaction.edit_original_response(**given, **({"attachments": files} if files else {}))
        interaction.extras[_DEFERRED] = "answered"
    elif deferred is False:
        locale = str(interaction.guild_locale or interaction.locale)
        await interaction.edit_original_response(content=say(locale, "error.removed"))
        await interaction.followup.send(**given, ephemeral=True)
        await interaction.delete_original_response()
        interaction.extras[_DEFERRED] = "answered"
    else:
        await interaction.followup.send(**given, ephemeral=True)


async def refuse(interaction: Interaction, error: BaseException) -> None:
    """The one error path of commands, buttons, menus and forms: words in private, whatever happened. Never raises."""
    error = _cause(error)
    if isinstance(error, Forgotten):
        log.info("interaction %s was forgotten by Discord before it could be answered %s", interaction.id, error)
        return
    if not isinstance(error, Exception):
        raise error
    if isinstance(error, discord.HTTPException) and error.code in (*FORGOTTEN_CODES, ALREADY_ACKNOWLEDGED):
        log.info("interaction %s could not be answered: %d", interaction.id, error.code)
        return
    if interaction.type is discord.InteractionType.autocomplete:
        log.warning("completing failed", exc_info=error)
        with suppress(discord.InteractionResponded, *TROUBLE):
            await interaction.response.autocomplete([])
        return
    await tell(interaction, words(error, str(interaction.locale)))


def _cause(error: BaseException) -> BaseException:
    """discord.py's wrappers taken off, and its own refusals put into ours."""
    match error:
        case app_commands.CommandInvokeError():
            return _cause(error.original)
        case app_commands.TransformerError() if error.__cause__ is not None:
            return _cause(error.__cause__)
        case app_commands.CommandNotFound() | app_commands.CommandSignatureMismatch() | app_commands.TransformerError():
            return ChangedCommand()
        case app_commands.NoPrivateMessage():
            return ServerOnly()
        case app_commands.MissingPermissions() | app_commands.MissingRole() | app_commands.MissingAnyRole():
            return AccessDenied(DeniedBecause.NOT_ADMIN)
        case app_commands.BotMissingPermissions():
            return AccessDenied(DeniedBecause.BOT_LACKS, lacks=tuple(error.missing_permissions))
        case app_commands.CheckFailure() if error.__cause__ is not None:
            return _cause(error.__cause__)
        case _:
            return error


# --- from an interaction to a running job ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Order:
    """What a command gathered: a checked request, its pictures, and what was done to them."""

    quote: Quote
    inputs: Inputs = field(default_factory=Inputs)
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Parent:
    """The job, and which of its pictures, that a new job goes on from."""

    job_id: str
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """A job on its way; ``ended`` is done when its person has been answered."""

    job: Job
    ended: asyncio.Task[None]


Gather = Callable[[Asker, bool], Awaitable[Order]]
"""Checks everything and fetches what is needed, for this asker; the bool says whether the answer is private."""


async def take_on(
    interaction: Interaction, gather: Gather, *, private: bool | None, parent: Parent | None = None
) -> Started | None:
    """Checks, reserves, acknowledges, starts. Returns None where nobody is waiting for it any more.

    Checks come before the acknowledgement while they are quick, so that refusals are private from the first moment;
    when they are not, the acknowledgement goes first. Raises ``UserError``; nothing was then spent.
    """
    take(interaction)
    client = interaction.client
    check_can_answer(interaction)
    asker = asker_of(interaction)
    hidden = await client.habits.private(asker.place) if private is None else private
    answer = answer_of(interaction, private=hidden)

    async def reserve() -> tuple[Job, Order]:
        order = await gather(asker, hidden)
        job = await client.jobs.open(
            asker,
            order.quote,
            answer,
            event_key=str(interaction.id),
            parent_id=parent.job_id if parent else None,
            parent_index=parent.index if parent else None,
        )
        return job, order

    reserving = asyncio.ensure_future(reserve())  # awaited below, whatever happens
    try:
        return await _acknowledge_and_start(interaction, reserving, hidden)
    except DuplicateEvent as duplicate:
        log.info("interaction %s came twice; job %s answers it", interaction.id, duplicate.job_id)
        return None
    except Forgotten as reason:
        job, _ = await reserving
        log.info("job %s: Discord forgot the interaction %s", job.id, reason)
        await client.jobs.abandon(job, "forgotten")
        return None
    finally:
        reserving.cancel()


async def _acknowledge_and_start(
    interaction: Interaction, reserving: asyncio.Future[tuple[Job, Order]], private: bool
) -> Started | None:
    spent = asyncio.get_running_loop().time() - received(interaction)
    await asyncio.wait({reserving}, timeout=max(0.0, QUICK_S - spent))
    acknowledge_first = not reserving.done()
    message_id = await acknowledge(interaction, private=private) if acknowledge_first else None
    job, order = await reserving
    try:
        if not acknowledge_first:
            message_id = await acknowledge(interaction, private=private)
        if message_id is not None and job.answer is not None:
            job = replace(job, answer=replace(job.answer, message_id=message_id))
            job = await interaction.client.store.set_answer_message(job, message_id)
    except Forgotten:
        raise
    except BaseException:
        await interaction.client.jobs.abandon(job, "not acknowledged")
        raise
    delivery = interaction.client.delivery_for(job, limit_bytes=interaction.filesize_limit, notes=order.notes)
    return Started(job, interaction.client.jobs.start(job, order.inputs, delivery))


async def answer_public(reach: Reach, letter: Letter) -> None:
    """Replaces a deferred answer; trouble is logged, not raised."""
    try:
        await reach.edit(letter)
    except TROUBLE as error:
        log.info("an answer could not be replaced: %s", verdict_on(error).name)
