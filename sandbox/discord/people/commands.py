"""The commands and menu entries a person is offered, and the ``data`` that choosing one sends."""

from __future__ import annotations

from sandbox.discord import commands as book
from sandbox.discord import rights
from sandbox.discord.model import Channel, Json, User
from sandbox.discord.people.options import NotPossible
from sandbox.discord.state import State


def find_command(state: State, user: User, channel: Channel, name: str) -> tuple[Json, tuple[str, ...], Json]:
    """The registered command, the path to its subcommand and that subcommand; ``NotPossible`` with what there is."""
    first, *rest = name.strip().removeprefix("/").split()
    offered = [c for c in rights.commands_for(state, user, channel) if c["type"] == book.CHAT]
    command = next((c for c in offered if c["name"] == first), None)
    if command is None:
        names = ", ".join(f"/{c['name']}" for c in offered) or "none"
        raise NotPossible(f"there is no command /{first} here; commands: {names}")
    runnable = dict(book.leaves(command))
    path = tuple(rest)
    if path not in runnable:
        ways = ", ".join("/" + " ".join((first, *p)) for p in runnable)
        raise NotPossible(f"/{name.removeprefix('/')} is not a command; there are: {ways}")
    return command, path, runnable[path]


def find_entry(state: State, user: User, channel: Channel, name: str) -> Json:
    """The menu entry of messages with this name; ``NotPossible`` with what there is."""
    offered = [c for c in rights.commands_for(state, user, channel) if c["type"] == book.MESSAGE_MENU]
    command = next((c for c in offered if c["name"] == name), None)
    if command is None:
        entries = ", ".join(c["name"] for c in offered) or "none"
        raise NotPossible(f"there is no menu entry {name!r}; entries: {entries}")
    return command


def command_data(command: Json, path: tuple[str, ...], options: list[Json]) -> Json:
    """What an interaction says of the command; ``options`` belong to the subcommand at the end of ``path``."""
    for depth, part in enumerate(reversed(path)):
        kind = 1 if depth == 0 else 2
        options = [{"name": part, "type": kind, "options": options}]
    data: Json = {"id": command["id"], "name": command["name"], "type": command["type"], "options": options}
    return data | ({"guild_id": command["guild_id"]} if "guild_id" in command else {})
