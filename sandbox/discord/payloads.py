"""Everything as Discord's JSON: one function per shape, for REST answers and gateway events alike."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sandbox.discord import ids, links, rights
from sandbox.discord.model import (
    Attachment,
    Channel,
    ChannelType,
    Guild,
    Interaction,
    Json,
    Member,
    Message,
    Overwrite,
    Role,
    User,
)
from sandbox.discord.state import State

LONG_AGO = "2021-05-01T12:00:00+00:00"
HIDDEN_NAME, HIDDEN = "___hidden___", 1 << 17
"""Name and flag of a channel that the bot may not view."""


def iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()


def user(person: User) -> Json:
    shape: Json = {
        "id": str(person.id),
        "username": person.name,
        "avatar": None,
        "discriminator": "0",
        "public_flags": 0,
        "flags": 0,
        "global_name": None if person.bot else person.display_name,
        "primary_guild": None,
        "banner": None,
        "accent_color": None,
        "avatar_decoration_data": None,
        "collectibles": None,
    }
    return shape | {"bot": True} if person.bot else shape


def self_user(person: User) -> Json:
    """The bot's own account, as ``/users/@me`` and READY tell it."""
    return user(person) | {"mfa_enabled": True, "locale": "en-US", "verified": True, "email": None, "premium_type": 0}


def application(state: State, owner: User) -> Json:
    guilds = sum(g.has_bot for g in state.guilds.values())
    return {
        "id": str(state.application_id),
        "name": state.bot.display_name,
        "icon": None,
        "description": "",
        "type": None,
        "bot": user(state.bot),
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": 0,
        "flags_new": "0",
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "owner": user(owner),
        "approximate_guild_count": guilds,
        "approximate_user_install_count": len(state.user_installs),
        "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0,
        "team": None,
        "eligible_oauth2_scopes": [],
        "integration_types_config": {"0": {}, "1": {}},
    }


def role(one: Role) -> Json:
    return {
        "id": str(one.id),
        "name": one.name,
        "permissions": str(one.permissions),
        "position": one.position,
        "color": one.color,
        "colors": {"primary_color": one.color, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": one.managed,
        "mentionable": False,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    }


def member(one: Member) -> Json:
    """A member with its user."""
    return partial_member(one) | {"user": user(one.user), "mute": False, "deaf": False}


def partial_member(one: Member) -> Json:
    """A member as an interaction mentions one: who it is stands beside it, and nothing of voice."""
    return {
        "avatar": None,
        "banner": None,
        "communication_disabled_until": iso(one.timed_out_until),
        "flags": 0,
        "joined_at": iso(one.joined_at) or LONG_AGO,
        "nick": one.nick,
        "pending": False,
        "premium_since": None,
        "roles": [str(i) for i in one.role_ids],
    }


def overwrite(one: Overwrite) -> Json:
    return {"id": str(one.id), "type": one.kind, "allow": str(one.allow), "deny": str(one.deny)}


def channel(state: State, one: Channel) -> Json:
    """A channel, thread or private conversation, in full."""
    base: Json = {
        "id": str(one.id),
        "type": int(one.type),
        "flags": 0,
        "last_message_id": None if one.last_message_id is None else str(one.last_message_id),
    }
    if one.guild_id is None:
        private: Json = base | {"recipients": [user(p) for p in one.recipients]}
        group: Json = {"name": one.name, "icon": None, "owner_id": str(one.recipients[0].id)}
        return private | group if one.type is ChannelType.GROUP_DM else private
    base |= {
        "guild_id": str(one.guild_id),
        "name": one.name,
        "parent_id": str(one.parent_id) if one.parent_id else None,
    }
    return base | (_thread(state, one) if one.is_thread else _guild_channel(one))


def may_view(state: State, one: Channel) -> bool:
    """Whether the bot may."""
    return bool(rights.permissions(state, state.bot, one) & ids.VIEW_CHANNEL)


def seen_channel(state: State, one: Channel) -> Json:
    """A channel as the gateway tells it: of one that the bot may not view little more than that it exists."""
    whole = channel(state, one)
    if one.guild_id is None or may_view(state, one):
        return whole
    nothing = overwrite(Overwrite(one.guild_id, 0, deny=ids.VIEW_CHANNEL))
    hidden: Json = {"name": HIDDEN_NAME, "flags": HIDDEN, "parent_id": None, "last_message_id": None, "topic": None}
    hidden |= {"nsfw": False, "permission_overwrites": [nothing]}
    return whole | {key: value for key, value in hidden.items() if key in whole}


def _guild_channel(one: Channel) -> Json:
    shape: Json = {
        "position": one.position,
        "topic": one.topic,
        "nsfw": one.nsfw,
        "rate_limit_per_user": 0,
        "permission_overwrites": [overwrite(o) for o in one.overwrites.values()],
    }
    if one.type in {ChannelType.FORUM, ChannelType.MEDIA}:
        shape |= {"available_tags": [], "default_reaction_emoji": None, "default_sort_order": None}
        shape |= {"default_forum_layout": 0} if one.type is ChannelType.FORUM else {}
    if one.type in {ChannelType.VOICE, ChannelType.STAGE}:
        shape |= {"bitrate": 64_000, "user_limit": 0, "rtc_region": None, "video_quality_mode": 1}
    return shape


def _thread(state: State, one: Channel) -> Json:
    count = len(state.messages.get(one.id, {}))
    return {
        "owner_id": str(state.bot.id),
        "thread_metadata": {
            "archived": one.archived,
            "archive_timestamp": LONG_AGO,
            "auto_archive_duration": 1440,
            "locked": one.locked,
            "create_timestamp": LONG_AGO,
        },
        "message_count": count,
        "member_count": 2,
        "total_message_sent": count,
        "rate_limit_per_user": 0,
    }


def guild(one: Guild) -> Json:
    return {
        "id": str(one.id),
        "name": one.name,
        "icon": None,
        "description": None,
        "home_header": None,
        "splash": None,
        "discovery_splash": None,
        "features": [],
        "banner": None,
        "owner_id": str(one.owner_id),
        "application_id": None,
        "region": "deprecated",
        "afk_channel_id": None,
        "afk_timeout": 300,
        "system_channel_id": str(one.system_channel_id) if one.system_channel_id else None,
        "system_channel_flags": 0,
        "widget_enabled": False,
        "widget_channel_id": None,
        "verification_level": 1,
        "roles": [role(r) for r in one.roles.values()],
        "default_message_notifications": 1,
        "mfa_level": 0,
        "explicit_content_filter": 2,
        "max_presences": None,
        "max_members": 500000,
        "max_stage_video_channel_users": 50,
        "max_video_channel_users": 25,
        "vanity_url_code": None,
        "premium_tier": one.premium_tier,
        "premium_subscription_count": 0,
        "preferred_locale": one.locale,
        "rules_channel_id": None,
        "safety_alerts_channel_id": None,
        "public_updates_channel_id": None,
        "premium_progress_bar_enabled": False,
        "nsfw": False,
        "nsfw_level": 0,
        "emojis": [],
        "stickers": [],
        "incidents_data": None,
    }


def guild_create(state: State, one: Guild) -> Json:
    """A server as the gateway tells it when the bot connects: only the bot is in ``members``."""
    channels = state.channels_of(one)
    mine = one.members.get(state.bot.id)
    return guild(one) | {
        "joined_at": (iso(mine.joined_at) if mine else None) or LONG_AGO,
        "large": False,
        "unavailable": False,
        "member_count": len(one.members),
        "members": [member(mine)] if mine else [],
        "voice_states": [],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
        "hub_type": None,
        "channels": [seen_channel(state, c) for c in channels if not c.is_thread],
        "threads": [channel(state, c) for c in channels if c.is_thread and not c.archived and may_view(state, c)],
    }


def attachment(state: State, one: Attachment) -> Json:
    url = links.sign(state, one)
    shape: Json = {
        "id": str(one.id),
        "filename": one.filename,
        "size": one.size,
        "url": url,
        "proxy_url": url,
    }
    if one.content_type:
        shape["content_type"] = one.content_type
    if one.width is not None and one.height is not None:
        shape |= {"width": one.width, "height": one.height}
    optional: Json = {"description": one.description, "title": one.title}
    shape |= {key: value for key, value in optional.items() if value is not None}
    if one.ephemeral or one.temporary:
        shape["ephemeral"] = True
    return shape


def message(state: State, one: Message) -> Json:
    """A message as the API answers it; links are signed anew."""
    shape: Json = {
        "id": str(one.id),
        "channel_id": str(one.channel_id),
        "type": one.type,
        "content": one.content,
        "author": user(one.author),
        "mentions": [user(state.users[i]) for i in one.mentions if i in state.users],
        "mention_roles": [str(i) for i in one.mention_roles],
        "mention_everyone": one.mention_everyone,
        "attachments": [attachment(state, a) for a in links.shown(one)],
        "embeds": [links.fill(state, one, e) for e in one.embeds],
        "components": [links.fill(state, one, c) for c in one.components],
        "timestamp": iso(one.created_at),
        "edited_timestamp": iso(one.edited_at),
        "flags": one.flags,
        "pinned": False,
        "tts": False,
    }
    if one.webhook_id is not None:
        shape |= {"webhook_id": str(one.webhook_id), "application_id": str(one.webhook_id)}
    if one.nonce is not None:
        shape["nonce"] = one.nonce
    if one.interaction_metadata is not None:
        shape["interaction_metadata"] = one.interaction_metadata
    if one.reference is not None:
        shape["message_reference"] = one.reference
    if one.forwards is not None:
        whole = message(state, one.forwards)
        shape["message_snapshots"] = [{"message": {key: whole[key] for key in SNAPSHOT}}]
    return shape


SNAPSHOT = (
    *("type", "content", "embeds", "attachments", "timestamp", "edited_timestamp", "flags", "mentions"),
    *("mention_roles", "components"),
)
"""What a forward tells of the message it forwards: not who wrote it."""


def interaction_metadata(interaction: Interaction, *, is_answer: bool) -> Json:
    """What a message tells of the interaction it came from."""
    shape: Json = {
        "id": str(interaction.id),
        "type": int(interaction.type),
        "user": user(interaction.user),
        "authorizing_integration_owners": interaction.payload["authorizing_integration_owners"],
    }
    if not is_answer and interaction.answer is not None:
        shape["original_response_message_id"] = str(interaction.answer.id)
    if interaction.type == 3 and interaction.source_message is not None:
        shape["interacted_message_id"] = str(interaction.source_message.id)
    if interaction.type == 2 and interaction.source_message is not None:
        shape["target_message_id"] = str(interaction.source_message.id)
    if interaction.type == 5:
        shape["triggering_interaction_metadata"] = _trigger(interaction)
    return shape


def _trigger(interaction: Interaction) -> Any:
    opener = interaction.opener or interaction
    shape: Json = {
        "id": str(opener.id),
        "type": 2 if opener.source_message is None or opener.type == 2 else 3,
        "user": user(opener.user),
        "authorizing_integration_owners": opener.payload["authorizing_integration_owners"],
    }
    if shape["type"] == 3 and opener.source_message is not None:
        shape["interacted_message_id"] = str(opener.source_message.id)
    return shape
