"""An interaction as it leaves for the bot: INTERACTION_CREATE, and the three seconds that begin with it."""

from __future__ import annotations

import time

from sandbox.discord import ids, payloads, rights
from sandbox.discord.model import Channel, Event, Guild, Interaction, InteractionType, Json, Message, User
from sandbox.discord.state import State

ANSWER_WITHIN_S = 3.0
TOKEN_LIFE_S = 15 * 60.0


def begin(
    state: State,
    kind: InteractionType,
    user: User,
    channel: Channel,
    data: Json,
    *,
    source: Message | None = None,
    opener: Interaction | None = None,
) -> Interaction:
    """Makes the interaction, sends it to the bot and starts its three seconds."""
    number = state.ids.make()
    guild = state.guild_of(channel)
    token = ids.interaction_token(number)
    payload = _payload(state, number, token, kind, user, channel, guild, data)
    if source is not None and kind in {InteractionType.COMPONENT, InteractionType.MODAL}:
        payload["message"] = payloads.message(state, source)
    interaction = Interaction(
        id=number,
        token=token,
        type=kind,
        user=user,
        channel=channel,
        guild=guild,
        created_at=state.clock.now(),
        sent_s=time.perf_counter(),
        payload=payload,
        user_install_only="0" not in payload["authorizing_integration_owners"],
        source_message=source,
        opener=opener,
    )
    state.interactions[number] = interaction
    state.by_token[token] = interaction
    state.clock.call_later(ANSWER_WITHIN_S, lambda: _give_up(state, interaction))
    state.dispatch("INTERACTION_CREATE", payload, shard_guild(interaction))
    return interaction


def _give_up(state: State, interaction: Interaction) -> None:
    if not interaction.acknowledged:
        interaction.failed = True
        state.emit(Event("interaction_failed", interaction.channel.id, interaction=interaction))


def shard_guild(interaction: Interaction) -> int | None:
    """The guild whose shard gets it: shard 0 where the bot is no member."""
    return interaction.guild.id if interaction.guild is not None and interaction.guild.has_bot else None


def _payload(
    state: State,
    number: int,
    token: str,
    kind: InteractionType,
    user: User,
    channel: Channel,
    guild: Guild | None,
    data: Json,
) -> Json:
    bits = rights.permissions(state, user, channel)
    app_bits = rights.by_roles(state, state.bot, channel) if guild is None or guild.has_bot else _guest_bits(bits)
    place = payloads.channel(state, channel) | {"permissions": str(bits)}
    place.pop("permission_overwrites", None)
    payload: Json = {
        "id": str(number),
        "application_id": str(state.application_id),
        "type": int(kind),
        "token": token,
        "version": 1,
        "data": data,
        "channel": place,
        "channel_id": str(channel.id),
        "app_permissions": str(app_bits),
        "locale": user.locale,
        "entitlements": list(state.entitlements),
        "authorizing_integration_owners": rights.owners_of(state, user, channel),
        "context": rights.context_of(channel),
        "attachment_size_limit": state.upload_limit(user, guild),
    }
    if guild is None:
        return payload | {"user": payloads.user(user)}
    member = payloads.member(guild.members[user.id]) | {"permissions": str(bits)}
    return payload | {
        "member": member,
        "guild_id": str(guild.id),
        "guild_locale": guild.locale,
        "guild": {"id": str(guild.id), "locale": guild.locale, "features": []},
    }


def _guest_bits(bits: int) -> int:
    """What an app may do that is here only as somebody's own: attach, embed and mention as that person may."""
    return bits & (ids.ATTACH_FILES | ids.EMBED_LINKS | ids.MENTION_EVERYONE)
