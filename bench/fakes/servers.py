"""Servers as the gateway tells them: number 0 small, where everybody is; the others of the usual size.

Usual: 60 channels, 30 roles, 50 emojis and 5 stickers, 36 KB of JSON. They differ in nothing but their ids, so that
telling ten thousand of them costs a replacement each.
"""

from __future__ import annotations

import json
import random
from functools import cache
from typing import Any

MARK = "@@@@@@@"
"""Seven digits of every id of a server: its number."""

CHANNELS, ROLES, EMOJIS, STICKERS = 60, 30, 50, 5
HOME_CHANNELS, HOME_ROLES = 5, 3
FIRST_CHANNEL = 1000


def guild_id(number: int) -> int:
    return int(_id(0).replace(MARK, f"{number:07d}"))


def guild_text(number: int, app: int) -> str:
    """GUILD_CREATE's data, as JSON."""
    return _template(app, number == 0).replace(MARK, f"{number:07d}")


def channel_id(number: int) -> int:
    """A channel of server 0. More than it was told of can be asked in: a bot knows only part of the channels."""
    return int(_id(FIRST_CHANNEL + number).replace(MARK, "0000000"))


def _id(part: int) -> str:
    return f"11{MARK}{part:09d}"


@cache
def _template(app: int, home: bool) -> str:
    chance = random.Random(1)
    roles = [_id(0), *(_id(100 + at) for at in range(HOME_ROLES if home else ROLES))]
    me = {"id": str(app), "username": "easel", "discriminator": "0", "avatar": None, "global_name": None, "bot": True}
    guild: dict[str, Any] = {
        "id": _id(0),
        "name": f"Server {MARK}",
        "icon": "a" * 32,
        "owner_id": _id(9),
        "region": "deprecated",
        "afk_timeout": 300,
        "verification_level": 1,
        "default_message_notifications": 1,
        "explicit_content_filter": 2,
        "mfa_level": 0,
        "system_channel_id": _id(FIRST_CHANNEL),
        "system_channel_flags": 0,
        "max_members": 500_000,
        "premium_tier": 1,
        "premium_subscription_count": 3,
        "preferred_locale": "en-US",
        "nsfw_level": 0,
        "premium_progress_bar_enabled": False,
        "joined_at": "2026-01-01T00:00:00+00:00",
        "large": True,
        "unavailable": False,
        "member_count": 300,
        "features": ["COMMUNITY", "NEWS"],
        **dict.fromkeys(_NOTHING),
        **{name: [] for name in _NONE},
        "roles": [_role(at, one, chance) for at, one in enumerate(roles)],
        "channels": [_channel(at, roles, chance) for at in range(HOME_CHANNELS if home else CHANNELS)],
        "emojis": [] if home else [_emoji(at) for at in range(EMOJIS)],
        "stickers": [] if home else [_sticker(at) for at in range(STICKERS)],
        "members": [
            {
                "user": me,
                "roles": roles[-1:],
                "joined_at": "2026-01-01T00:00:00+00:00",
                "deaf": False,
                "mute": False,
                "flags": 0,
            }
        ],
    }
    return json.dumps(guild)


_NOTHING = (
    "splash",
    "discovery_splash",
    "afk_channel_id",
    "application_id",
    "rules_channel_id",
    "vanity_url_code",
    "description",
    "banner",
    "public_updates_channel_id",
)
_NONE = ("threads", "presences", "voice_states", "stage_instances", "guild_scheduled_events", "soundboard_sounds")


def _role(at: int, number: str, chance: random.Random) -> dict[str, Any]:
    return {
        "id": number,
        "name": f"role {at}",
        "color": 5,
        "colors": {"primary_color": 5, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "icon": None,
        "unicode_emoji": None,
        "position": at,
        "permissions": str(chance.getrandbits(45)),
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }


def _channel(at: int, roles: list[str], chance: random.Random) -> dict[str, Any]:
    overwrites = [
        {
            "id": chance.choice(roles),
            "type": 0,
            "allow": str(chance.getrandbits(40)),
            "deny": str(chance.getrandbits(40)),
        }
        for _ in range(3)
    ]
    return {
        "id": _id(FIRST_CHANNEL + at),
        "type": (0, 0, 0, 2, 4)[at % 5],
        "name": f"channel-{at}",
        "position": at,
        "parent_id": None,
        "topic": "what is talked about here",
        "nsfw": False,
        "rate_limit_per_user": 0,
        "last_message_id": _id(9000),
        "permission_overwrites": overwrites,
        "bitrate": 64_000,
        "user_limit": 0,
        "flags": 0,
    }


def _emoji(at: int) -> dict[str, Any]:
    flags = {"require_colons": True, "managed": False, "animated": False, "available": True}
    return {"id": _id(3000 + at), "name": f"emoji_{at}", "roles": [], **flags}


def _sticker(at: int) -> dict[str, Any]:
    told = {"tags": "x", "type": 2, "format_type": 1, "description": "", "asset": "", "available": True}
    return {"id": _id(5000 + at), "name": f"sticker {at}", "guild_id": _id(0), **told}
