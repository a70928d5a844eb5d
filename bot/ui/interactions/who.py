"""Who asks, where, and how they can be reached: read from the interaction itself."""

from __future__ import annotations

from datetime import datetime, timedelta

import discord

from bot.rules.ledger import Answer
from bot.rules.people import Asker, Place
from bot.rules.servers.access import AccessDenied, DeniedBecause
from bot.ui.interactions.age import CREDIBLE_S
from bot.ui.internals import is_bot_installed_here, role_ids_of
from bot.ui.shell import Interaction

TOKEN_LIFE = timedelta(minutes=15)


_NEEDED = ("attach_files", "embed_links")


def in_server(interaction: Interaction) -> bool:
    """Whether the bot is a member where this happened. A user install in a foreign server is the person's own place."""
    return interaction.guild_id is not None and is_bot_installed_here(interaction)


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
        role_ids=role_ids_of(interaction.user) if place.is_server else frozenset(),
        can_manage=may.administrator or may.manage_guild,
        can_moderate=may.administrator or may.manage_messages,
        age_restricted=_is_age_restricted(channel),
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
