"""What Easel asks of a server, and the address at which an admin adds it."""

from __future__ import annotations

SCOPES = "bot+applications.commands"
PERMISSIONS = {
    "View Channels": 1 << 10,
    "Send Messages": 1 << 11,
    "Embed Links": 1 << 14,
    "Attach Files": 1 << 15,
    "Read Message History": 1 << 16,
    "Send Messages in Threads": 1 << 38,
}
PERMISSION_BITS = sum(PERMISSIONS.values())
ADMINISTRATOR = 1 << 3


def install_link(application_id: str | int) -> str:
    """The address at which a server's admin adds the bot, with the least permissions and no privileged intent."""
    return (
        f"https://discord.com/oauth2/authorize?client_id={application_id}&scope={SCOPES}&permissions={PERMISSION_BITS}"
    )
