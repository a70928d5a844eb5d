"""One command without a page: types it into the pretend Discord, prints the reply as text and saves what came.

``run_one`` needs a running ``Server`` with a connected bot; it knows the bot's commands only as registered, and no
word of what the bot says: whether more will come is asked of the bot's own records.
"""

from __future__ import annotations

import asyncio
import difflib
import re
import sys
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.operator.sandbox.printed import render
from sandbox.discord import commands as book
from sandbox.discord import rights
from sandbox.discord.commands import ATTACHMENT, CHANNEL, MENTIONABLE, ROLE
from sandbox.discord.commands import USER as USER_OPTION
from sandbox.discord.model import Attachment, Channel, Interaction, Json, Upload, User
from sandbox.discord.people import forms
from sandbox.discord.people.commands import find_command
from sandbox.discord.people.options import TYPE_NAMES, NotPossible
from sandbox.discord.server import Server
from sandbox.discord.world import World

SUCCEEDED, FAILED, MISUSED = 0, 1, 2
OUT = Path("sandbox-out")
TIMEOUT_S = 300.0
SETTLED_S = 0.4

IsBusy = Callable[[int], Awaitable[bool]]
"""Whether the bot still works on what an interaction asked for, by its own records."""

_NAME = re.compile(r"(?<!\S)([\w'-]+):", re.UNICODE)
_LOOKS_LIKE_OPTION = re.compile(r"(?<!\S)([^\W\d][\w'-]*):(?=[^\s/])")


class Misuse(ValueError):
    """The line cannot be sent; the text helps."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A line taken apart: the command's name with its subcommand, and the words given to each option."""

    name: str
    words: dict[str, str]
    leaf: Json


async def run_one(
    line: str,
    server: Server,
    *,
    user: User | None = None,
    channel: Channel | None = None,
    out: Path = OUT,
    drawing: Collection[str] = (),
    is_busy: IsBusy | None = None,
    write: Callable[[str], object] = sys.stdout.write,
    timeout_s: float = TIMEOUT_S,
) -> int:
    """Runs ``/imagine prompt:a red fox size:1536x1024`` as the town's plain member; the exit code.

    0: answered, with files if the command is one of ``drawing``. 1: refused, failed, or no answer in time. 2: no such
    command or option, a missing file, a value the client would not accept.
    """
    world = server.world
    who, where = user or world.town.member, channel or world.town.general
    try:
        typed = parse(line, world, who, where)
        options = {name: value_of(option(typed, name), words, world, where) for name, words in typed.words.items()}
        interaction = await world.slash(who, where, typed.name, options)
    except (Misuse, NotPossible) as problem:
        write(f"{problem}\n")
        return MISUSED
    write(f"{who.display_name} in #{where.name}: {line.strip()}\n")
    try:
        await wait_final(interaction, is_busy, timeout_s)
    except TimeoutError:
        write(f"No final answer within {timeout_s:g} s.\n")
        return FAILED
    if interaction.failed:
        write("The application did not respond.\n")
        return FAILED
    if interaction.modal is not None:
        fields = ", ".join(forms.fields(interaction.modal))
        write(f"It opened the form “{interaction.modal.title}” ({fields}); forms need the page.\n")
        return FAILED
    later = [
        m for m in world.history(where) if m.author == world.bot and m.id > interaction.id and not m.interaction_id
    ]
    for message in [*interaction.messages, *later]:
        write(render(message))
        for attachment in message.attachments:
            write(f"  saved {save(attachment, out)} ({describe(attachment)})\n")
    came = interaction.messages
    succeeded = any(m.attachments for m in came) if typed.name in drawing else bool(came)
    return SUCCEEDED if succeeded else FAILED


async def wait_final(interaction: Interaction, is_busy: IsBusy | None, timeout_s: float) -> None:
    """Waits until the reply is the last word: nothing changes any more, and the bot has nothing left to do for it."""
    async with asyncio.timeout(timeout_s):
        while True:
            await interaction.wait_idle(SETTLED_S, timeout_s)
            seen = interaction.revision
            busy = is_busy is not None and await is_busy(interaction.id)
            if not busy and interaction.revision == seen:
                return


# --- reading the line ---


def parse(line: str, world: World, user: User, channel: Channel) -> Typed:
    """Takes the line apart by the registered options; raises ``Misuse`` or ``NotPossible`` with help."""
    text = line.strip()
    if not text.startswith("/") or len(text) < 2:
        raise Misuse(f"A command starts with a slash.\n{overview(world, user, channel)}")
    first, _, rest = text[1:].partition(" ")
    offered = {c["name"]: c for c in rights.commands_for(world, user, channel) if c["type"] == book.CHAT}
    if first not in offered:
        if who := [name for name, one in people_of(world).items() if _is_offered(first, world, one, channel)]:
            raise Misuse(f"/{first} is not for {user.display_name} here. Type it as somebody else: --as {who[0]}")
        near = difflib.get_close_matches(first, offered, 1)
        hint = f" Did you mean /{near[0]}?" if near else ""
        raise Misuse(f"There is no command /{first}.{hint}\n{overview(world, user, channel)}")
    name, rest = _with_subcommand(offered[first], first, rest.strip())
    _, _, leaf = find_command(world, user, channel, name)
    return Typed(name, _words(name, leaf, rest), leaf)


def people_of(world: World) -> dict[str, User]:
    """Who can type a line in the town, by name; the plain member first, whoever owns the server last."""
    town = world.town
    people = (town.member, town.painter, town.moderator, town.admin, town.admin_abroad, town.owner)
    return {one.name: world.users[one.id] for one in people}  # in the language they speak now


def _is_offered(name: str, world: World, user: User, channel: Channel) -> bool:
    return any(c["name"] == name and c["type"] == book.CHAT for c in rights.commands_for(world, user, channel))


def _with_subcommand(command: Json, first: str, rest: str) -> tuple[str, str]:
    for path, _ in sorted(book.leaves(command), key=lambda found: -len(found[0])):
        words = rest.split()
        if path and tuple(words[: len(path)]) == path:
            return " ".join((first, *path)), rest.split(path[-1], 1)[1].strip()
    return first, rest


def _words(name: str, leaf: Json, rest: str) -> dict[str, str]:
    known = [o["name"] for o in leaf.get("options") or ()]
    starts = [m for m in _NAME.finditer(rest) if m[1] in known and not _in_quotes(rest, m.start())]
    head = rest[: starts[0].start()] if starts else rest
    if head.strip():
        raise Misuse(f"`{head.strip()}` belongs to no option; write `option:value`.\n{usage(name, leaf)}")
    words: dict[str, str] = {}
    for place, match in enumerate(starts):
        end = starts[place + 1].start() if place + 1 < len(starts) else len(rest)
        value = rest[match.end() : end].strip()
        if match[1] in words:
            raise Misuse(f"`{match[1]}` stands there twice.\n{usage(name, leaf)}")
        words[match[1]] = _unquoted(name, leaf, known, value)
        if not words[match[1]].strip():
            raise Misuse(f"`{match[1]}` is empty.\n{usage(name, leaf)}")
    return words


def _in_quotes(text: str, at: int) -> bool:
    """Whether a place is inside of a value written as ``option:"…"``."""
    return any(m.start() < at < m.end() for m in re.finditer(r':"[^"]*"', text))


def _unquoted(name: str, leaf: Json, known: list[str], value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return value[1:-1]
    stray = _LOOKS_LIKE_OPTION.search(value)
    if stray is None:
        return value
    near = difflib.get_close_matches(stray[1], known, 1)
    hint = f" Did you mean `{near[0]}:`?" if near else f' If it is meant as text, quote the whole value: "{value}".'
    raise Misuse(f"/{name} has no option `{stray[1]}`.{hint}\n{usage(name, leaf)}")


def option(typed: Typed, name: str) -> Json:
    """The registered option of this name."""
    return next(o for o in typed.leaf["options"] if o["name"] == name)


def value_of(option: Json, words: str, world: World, channel: Channel) -> Any:
    """The words as the option's value: files are read, people, roles and channels looked up by name."""
    kind = option["type"]
    if kind == ATTACHMENT:
        path = Path(words).expanduser()
        if not path.is_file():
            raise Misuse(f"`{option['name']}` must be a file on this machine; there is none at {words}")
        return Upload(path.name, path.read_bytes())
    guild = world.guild_of(channel)
    plain = words.lstrip("@#").lower()
    people = [m.user for m in guild.members.values()] if guild else list(channel.recipients)
    named: dict[int, list[Any]] = {
        USER_OPTION: [p for p in people if plain in {p.name.lower(), p.display_name.lower()}],
        ROLE: [r for r in (guild.roles.values() if guild else ()) if r.name.lstrip("@").lower() == plain],
        CHANNEL: [c for c in (world.channels_of(guild) if guild else ()) if c.name.lower() == plain],
    }
    named[MENTIONABLE] = named[USER_OPTION] + named[ROLE]
    if kind not in named:
        return words
    if not named[kind]:
        raise Misuse(f"`{option['name']}` must be {TYPE_NAMES[kind]}; nothing here is called {words}")
    return named[kind][0]


def overview(world: World, user: User, channel: Channel) -> str:
    """Every command this person can run here, a line each."""
    lines = []
    for command in rights.commands_for(world, user, channel):
        if command["type"] == book.CHAT:
            for path, leaf in book.leaves(command):
                lines.append(f"  /{' '.join((command['name'], *path))} – {leaf['description']}")
    return "Commands:\n" + "\n".join(lines) if lines else "The bot has registered no commands."


def usage(name: str, leaf: Json) -> str:
    """The options of a command, a line each."""
    lines = [f"/{name} – {leaf['description']}"]
    for one in leaf.get("options") or ():
        need = "required" if one.get("required") else "optional"
        choices = ", ".join(str(c["name"]) for c in one.get("choices") or ())
        kind = f"one of {choices}" if choices else TYPE_NAMES[one["type"]]
        lines.append(f"  {one['name']}: {one['description']} ({kind}, {need})")
    return "\n".join(lines)


# --- keeping what came ---


def save(attachment: Attachment, out: Path) -> Path:
    """Writes the file under a name that is not taken yet. Raises ``RuntimeError`` where there can be no folder."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        why = problem.strerror or type(problem).__name__
        raise RuntimeError(f"{out} cannot be made ({why}). Name another folder with --out.") from problem
    plain = Path(attachment.filename).name
    path, number = out / plain, 1
    while path.exists():
        number += 1
        path = out / f"{Path(plain).stem}-{number}{Path(plain).suffix}"
    path.write_bytes(attachment.data)
    return path


def describe(attachment: Attachment) -> str:
    """Size in pixels, if it is a picture, and in bytes."""
    size = f"{attachment.size:,} bytes"
    return f"{attachment.width}x{attachment.height}, {size}" if attachment.width else size
