"""Where in a server pictures may be made, as far as this member can see it."""

from __future__ import annotations

from bot.rules.servers.access import ServerSettings
from bot.ui.interactions.who import asker_of
from bot.ui.internals import role_ids_of
from bot.ui.servers import Room
from bot.ui.shell import Interaction


def open_channels(interaction: Interaction, settings: ServerSettings) -> list[int]:
    """The allowed channels that the member may see and write in; none where nothing is allowed by name."""
    server = interaction.client.shell.servers.of(asker_of(interaction).place.guild_id)
    if server is None or not settings.allowed_channels:
        return []

    def is_open(room_id: int, room: Room) -> bool:
        named = {room_id, room.parent_id}
        if room.is_thread or not named & settings.allowed_channels or named & settings.denied_channels:
            return False
        may = server.may(interaction.user.id, role_ids_of(interaction.user), room_id)
        return may.view_channel and may.send_messages

    return sorted(room_id for room_id, room in server.rooms.items() if is_open(room_id, room))
