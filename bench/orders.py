"""What people do, as the interactions that Discord makes of it."""

from __future__ import annotations

import base64
import secrets
from typing import Any

from bench.fakes.messages import message_of, number_now
from bench.fakes.servers import channel_id, guild_id

COMMAND, PRESS, COMPLETION = 2, 3, 4
SLASH, STRING, BOOLEAN = 1, 3, 5
MAY = str((1 << 53) - 1 - (1 << 3))  # all but administrator
ROW, BUTTON = 1, 2
UPLOAD_LIMIT = 10 * 2**20

Payload = dict[str, Any]


def bot_token(app: int) -> str:
    """A token of the usual three parts, valid nowhere."""
    head = base64.urlsafe_b64encode(str(app).encode()).decode().rstrip("=")
    return f"{head}.bench0.{secrets.token_urlsafe(28)[:38]}"


def interaction(app: int, kind: int, data: Payload, who: int) -> Payload:
    """An INTERACTION_CREATE as long as Discord's. Everybody asks in a channel of their own on the one server."""
    number = number_now()
    channel = channel_id(who)
    user = {
        "id": str(2_000_000 + who),
        "username": f"guest{who}",
        "discriminator": "0",
        "avatar": None,
        "global_name": f"Guest {who}",
        "public_flags": 0,
    }
    return {
        "id": str(number),
        "application_id": str(app),
        "type": kind,
        "token": f"interaction-{number}-{secrets.token_urlsafe(120)}",
        "version": 1,
        "data": data,
        "channel_id": str(channel),
        "channel": {
            "id": str(channel),
            "type": 0,
            "guild_id": str(guild_id(0)),
            "name": f"channel-{who}",
            "parent_id": None,
            "position": 1,
            "topic": None,
            "nsfw": False,
            "rate_limit_per_user": 0,
            "last_message_id": None,
            "flags": 0,
            "permissions": MAY,
        },
        "app_permissions": MAY,
        "locale": "en-US",
        "entitlements": [],
        "authorizing_integration_owners": {"0": str(guild_id(0))},
        "context": 0,
        "attachment_size_limit": UPLOAD_LIMIT,
        "guild_id": str(guild_id(0)),
        "guild_locale": "en-US",
        "guild": {"id": str(guild_id(0)), "locale": "en-US", "features": []},
        "member": {
            "user": user,
            "nick": None,
            "roles": [],
            "joined_at": "2026-01-01T00:00:00+00:00",
            "permissions": MAY,
            "avatar": None,
            "premium_since": None,
            "pending": False,
            "flags": 0,
            "mute": False,
            "deaf": False,
            "communication_disabled_until": None,
        },
    }


def command(app: int, name: str, who: int, **options: str | bool) -> Payload:
    """``/name`` with options."""
    told = [
        {"name": key, "type": BOOLEAN if isinstance(value, bool) else STRING, "value": value}
        for key, value in options.items()
    ]
    return interaction(app, COMMAND, {"id": "1", "name": name, "type": SLASH, "options": told}, who)


def imagine(app: int, kind: str, who: int, *, name: str = "imagine", preview: bool = False) -> Payload:
    """A picture is ordered; the first word of the prompt says which one the image service draws."""
    options: dict[str, str | bool] = {"prompt": f"{kind} fox number {who}", "size": "1024x1024", "quality": "low"}
    return command(app, name, who, **options, **({"preview": True} if preview else {}))


def completion(app: int, option: str, who: int) -> Payload:
    """A choice is being typed."""
    typed = [{"name": option, "type": STRING, "value": "", "focused": True}]
    return interaction(app, COMPLETION, {"id": "1", "name": "imagine", "type": SLASH, "options": typed}, who)


def press(app: int, custom_id: str, who: int) -> Payload:
    """A button under a result is pressed."""
    button = {"type": BUTTON, "style": 2, "label": "press", "custom_id": custom_id}
    message = message_of(app) | {"components": [{"type": ROW, "components": [button]}]}
    pressed = interaction(app, PRESS, {"custom_id": custom_id, "component_type": BUTTON}, who)
    return pressed | {"message": message}
