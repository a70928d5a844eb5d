"""Who asks, where, and how they can be reached: read from the interaction itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import discord

from bot.rules.ledger import Answer
from bot.rules.people import Asker, Place
from bot.rules.servers.access import AccessDenied, DeniedBecause
from bot.ui.interactions.age import CREDIBLE_S
from bot.ui.internals import channel_of, is_bot_installed_here, role_ids_of
from bot.ui.servers import THREADS, Server
from bot.ui.shell import Interaction

TOKEN_LIFE = timedelta(minutes=15)


_NEEDED = ("attach_files", "embed_links")


def in_server(interaction: Interaction) -> bool:
    """Whether the bot is a member where this happened. A user install in a foreign server is the person's own place."""
    return interaction.guild_id is not None and is_bot_installed_here(interaction)


def asker_of(interaction: Interaction) -> Asker:
    """The person and the place, as Discord described them in this very interaction."""
    room = _room_of(interaction)
    place = Place(interaction.guild_id if in_server(interaction) else None, interaction.user.id)
    may = interaction.permissions if place.is_server else discord.Permissions.none()
    return Asker(
        user_id=interaction.user.id,
        place=place,
        channel_id=interaction.channel_id or 0,
        parent_id=room.parent_id,
        category_id=room.category_id,
        is_category_known=room.is_category_known,
        role_ids=role_ids_of(interaction.user) if place.is_server else frozenset(),
        can_manage=may.administrator or may.manage_guild,
        can_moderate=may.administrator or may.manage_messages,
        age_restricted=room.age_restricted,
        locale=str(interaction.locale),
        guild_locale=str(interaction.guild_locale) if interaction.guild_locale is not None else None,
    )


def check_still(asked: Asker, interaction: Interaction) -> None:
    """Raises ``AccessDenied`` unless this is who asked, in the same server, with the right they had when they asked.

    Owners can open ``/settings`` to other roles; Discord does not tell a press or a form which. So whoever cannot
    manage the server needs all the roles they had.
    """
    now = asker_of(interaction)
    same = now.user_id == asked.user_id and now.place == asked.place and now.place.is_server
    may = now.can_manage or (not asked.can_manage and asked.role_ids <= now.role_ids)
    if not same or not may:
        raise AccessDenied(DeniedBecause.NOT_ADMIN)


def check_admin(interaction: Interaction) -> Asker:
    """Raises ``AccessDenied`` unless who presses may manage this server now; for what outlives the command."""
    now = asker_of(interaction)
    if not (now.place.is_server and now.can_manage):
        raise AccessDenied(DeniedBecause.NOT_ADMIN)
    return now


@dataclass(frozen=True, slots=True)
class _Room:
    parent_id: int | None
    category_id: int | None
    is_category_known: bool
    age_restricted: bool


def _room_of(interaction: Interaction) -> _Room:
    """What rules ask of the channel, from the interaction's own payload: the cache knows little of a hidden channel."""
    told = channel_of(interaction)
    above = int(told["parent_id"]) if told.get("parent_id") else None
    if not _in_thread(interaction):
        return _Room(None, above, is_category_known=True, age_restricted=bool(told.get("nsfw")))
    server = interaction.client.shell.servers.of(interaction.guild_id)
    parent = server.rooms.get(above or 0) if server is not None else None
    me = interaction.guild.me if interaction.guild is not None else None
    age_restricted = bool(told.get("nsfw"))
    if server is None or parent is None or me is None or not _sees(server, me, above or 0):
        return _Room(above, None, is_category_known=False, age_restricted=age_restricted)
    return _Room(
        above, parent.parent_id, is_category_known=True, age_restricted=age_restricted or parent.age_restricted
    )


def _sees(server: Server, member: discord.Member, channel_id: int) -> bool:
    return server.may(member.id, role_ids_of(member), channel_id).view_channel


def _in_thread(interaction: Interaction) -> bool:
    return channel_of(interaction).get("type") in THREADS


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
    now = interaction.client.shell.clock()
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
    return (*_NEEDED, "send_messages_in_threads" if _in_thread(interaction) else "send_messages")


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
