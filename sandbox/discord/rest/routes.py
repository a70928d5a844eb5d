"""The table of operations: which path and method is answered by whom."""

from __future__ import annotations

from sandbox.discord.rest import channels as rest_channels
from sandbox.discord.rest import commands as rest_commands
from sandbox.discord.rest import interactions as rest_interactions
from sandbox.discord.rest import self as rest_self
from sandbox.discord.rest import webhooks as rest_webhooks
from sandbox.discord.rest.call import Handler, Route

_APP = "/applications/{application_id}"
_TOKEN = "/webhooks/{webhook_id}/{webhook_token}"  # a path, no secret
_MESSAGES = "/channels/{channel_id}/messages"


def _commands(base: str) -> tuple[Route, ...]:
    one = base + "/{command_id}"
    return (
        Route("GET", base, rest_commands.get_all),
        Route("PUT", base, rest_commands.put_all),
        Route("POST", base, rest_commands.post_one),
        Route("GET", one, rest_commands.get_one),
        Route("PATCH", one, rest_commands.patch_one),
        Route("DELETE", one, rest_commands.delete_one),
    )


def _hook(method: str, path: str, handler: Handler) -> Route:
    return Route(method, path, handler, needs_token=False, limit=("webhook", "webhook_token"))


ROUTES: tuple[Route, ...] = (
    Route("GET", "/users/@me", rest_self.me),
    Route("GET", "/applications/@me", rest_self.application),
    Route("GET", "/oauth2/applications/@me", rest_self.application),
    Route("GET", "/gateway", rest_self.gateway, needs_token=False),
    Route("GET", "/gateway/bot", rest_self.gateway_bot),
    Route("GET", "/users/{user_id}", rest_self.user),
    Route("POST", "/users/@me/channels", rest_self.open_dm),
    Route("GET", "/users/@me/guilds", rest_self.my_guilds),
    Route("DELETE", "/users/@me/guilds/{guild_id}", rest_self.leave_guild),
    Route("GET", "/guilds/{guild_id}", rest_self.guild),
    Route("GET", "/guilds/{guild_id}/channels", rest_self.channels),
    Route("GET", "/guilds/{guild_id}/roles", rest_self.roles),
    Route("GET", "/guilds/{guild_id}/members/{user_id}", rest_self.member),
    Route("GET", _APP + "/entitlements", rest_self.entitlements),
    *_commands(_APP + "/commands"),
    *_commands(_APP + "/guilds/{guild_id}/commands"),
    Route("GET", _APP + "/guilds/{guild_id}/commands/{command_id}/permissions", rest_commands.permissions),
    Route(
        "POST",
        "/interactions/{interaction_id}/{interaction_token}/callback",
        rest_interactions.callback,
        needs_token=False,
    ),
    _hook("POST", _TOKEN, rest_webhooks.followup),
    _hook("GET", _TOKEN + "/messages/@original", rest_webhooks.get_message),
    _hook("PATCH", _TOKEN + "/messages/@original", rest_webhooks.patch_message),
    _hook("DELETE", _TOKEN + "/messages/@original", rest_webhooks.delete_message),
    _hook("GET", _TOKEN + "/messages/{message_id}", rest_webhooks.get_message),
    _hook("PATCH", _TOKEN + "/messages/{message_id}", rest_webhooks.patch_message),
    _hook("DELETE", _TOKEN + "/messages/{message_id}", rest_webhooks.delete_message),
    Route("GET", "/channels/{channel_id}", rest_channels.get_channel),
    Route("POST", "/channels/{channel_id}/typing", rest_channels.typing),
    Route("GET", _MESSAGES, rest_channels.get_messages),
    Route("POST", _MESSAGES, rest_channels.post_message, limit=("send", "channel_id")),
    Route("GET", _MESSAGES + "/{message_id}", rest_channels.get_message),
    Route("PATCH", _MESSAGES + "/{message_id}", rest_channels.patch_message, limit=("edit", "channel_id")),
    Route("DELETE", _MESSAGES + "/{message_id}", rest_channels.delete_message),
)
