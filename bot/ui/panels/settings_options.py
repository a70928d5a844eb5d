"""What the options of ``/settings`` take: channels by kind, things of this very server, and completions."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import discord
from discord import app_commands

from bot.core.servers.admin import NotHere, OneAtATime
from bot.rules.catalogue.model import Model
from bot.rules.limits.limit import Scope
from bot.rules.options.build import suggest
from bot.rules.requests import Kind
from bot.rules.servers.access import model_by_default
from bot.rules.servers.edits import ALL
from bot.ui.interactions.failures import TROUBLE
from bot.ui.interactions.who import asker_of
from bot.ui.orders.choices import LONGEST, MOST_CHOICES, Choices, offered
from bot.ui.servers import Server
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say
from bot.ui.words.errors import CannotPost
from bot.ui.words.text import cut

log = logging.getLogger(__name__)

AnyChannel: TypeAlias = app_commands.AppCommandChannel | app_commands.AppCommandThread
Person: TypeAlias = discord.Member | discord.User
NO_DEFAULT = "none"

_Kind = discord.ChannelType
_ROOMS = (_Kind.text, _Kind.news, _Kind.voice, _Kind.stage_voice)
_FORUMS = (_Kind.forum, _Kind.media)
_THREADS = (_Kind.public_thread, _Kind.private_thread, _Kind.news_thread)


class _ChannelOf(app_commands.Transformer):
    """A channel of these kinds, as the interaction describes it."""

    def __init__(self, *kinds: discord.ChannelType) -> None:
        super().__init__()
        self._kinds = list(kinds)

    @property
    def type(self) -> discord.AppCommandOptionType:
        return discord.AppCommandOptionType.channel

    @property
    def channel_types(self) -> list[discord.ChannelType]:
        return self._kinds

    async def transform(self, interaction: discord.Interaction[Any], value: Any, /) -> Any:
        return value


LimitChannel: TypeAlias = Annotated[AnyChannel, _ChannelOf(*_ROOMS, *_FORUMS, *_THREADS)]
ListChannel: TypeAlias = Annotated[AnyChannel, _ChannelOf(*_ROOMS, *_FORUMS, *_THREADS, _Kind.category)]
LogChannel: TypeAlias = Annotated[AnyChannel, _ChannelOf(*_ROOMS, *_THREADS)]


# --- of this very server -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Whom:
    """Whom a limit was asked for; nothing: for everyone, or for the whole server."""

    role: discord.Role | None = None
    member: Person | None = None
    channel: AnyChannel | None = None


def subject_of(interaction: Interaction, whom: Whom, otherwise: Scope, *, removing: bool) -> tuple[Scope, int | None]:
    """For whom a limit is. Raises ``OneAtATime``, or ``NotHere``; what has gone can still be removed."""
    given = [(Scope.ROLE, whom.role), (Scope.MEMBER, whom.member), (Scope.CHANNEL, whom.channel)]
    chosen = [(scope, thing) for scope, thing in given if thing is not None]
    if len(chosen) > 1:
        raise OneAtATime
    for scope, thing in chosen:
        if not removing:
            check_here(interaction, thing)
        return scope, thing.id
    return otherwise, None


def check_here(interaction: Interaction, thing: discord.Role | Person | AnyChannel | None) -> None:
    """Raises ``NotHere`` for a role, channel or member that is not of this server."""
    known = _known(interaction)
    match thing:
        case None:
            return
        case discord.Role():
            if thing.guild.id != interaction.guild_id or (known is not None and thing.id not in known.roles):
                raise NotHere("role")
        case discord.Member() | discord.User():
            if not isinstance(thing, discord.Member) or thing.guild.id != interaction.guild_id:
                raise NotHere("member")
        case app_commands.AppCommandThread():
            if thing.guild_id != interaction.guild_id:
                raise NotHere("channel")
        case app_commands.AppCommandChannel():
            foreign = thing.guild_id != interaction.guild_id
            if foreign or (known is not None and thing.id not in known.channel_ids):
                raise NotHere("channel")


async def try_channel(interaction: Interaction, channel_id: int, greeting: str, *, pictures: bool = False) -> None:
    """Writes that sentence there once, in this very server and its language; with ``pictures`` a file and an embed
    stand beside it for a moment: each needs a right of its own. Raises ``CannotPost``.
    """
    target = interaction.client.get_partial_messageable(channel_id, guild_id=interaction.guild_id)
    text = say(str(interaction.guild_locale or "en"), greeting)
    try:
        if not pictures:
            await target.send(text)
            return
        file = discord.File(io.BytesIO(text.encode()), "easel.txt")
        sent = await target.send(text, embed=discord.Embed(description=text), file=file)
        await sent.edit(embed=None, attachments=[])
    except TROUBLE:
        raise CannotPost(channel_id, pictures=pictures) from None


# --- completing --------------------------------------------------------------------------------------------------


async def complete_any_model(interaction: discord.Interaction[Any], typed: str) -> Choices:
    """Every model on offer, allowed or not, and ``all``, which empties the list."""
    try:
        names = [ALL, *(model.id for model in _offered(interaction))]
        settings = await interaction.client.shell.settings_cache.looks(asker_of(interaction).place)
        names += sorted((settings.allowed_models | settings.denied_models) - set(names))
        return _choices(names, typed)
    except Exception:
        log.exception("completing a model failed")
        return []


async def complete_default(interaction: discord.Interaction[Any], typed: str) -> Choices:
    """What the option being typed may be: of the model chosen beside it, else of the one that holds here."""
    try:
        option = _focused(interaction)
        if option == "model":
            return _choices([*(model.id for model in _offered(interaction)), NO_DEFAULT], typed)
        settings = await interaction.client.shell.settings_cache.looks(asker_of(interaction).place)
        shell = interaction.client.shell
        written = getattr(interaction.namespace, "model", None)
        chosen = shell.catalogue.get(written) if isinstance(written, str) else None
        model = chosen or shell.catalogue.get(model_by_default(settings.defaults, shell.config.default_model))
        values = suggest(option, typed, model, Kind.IMAGINE) if model is not None else ()
        return _choices([*values, NO_DEFAULT], "" if values else typed)
    except Exception:
        log.exception("completing a default failed")
        return []


def _offered(interaction: Interaction) -> tuple[Model, ...]:
    shell = interaction.client.shell
    return offered(shell.catalogue, shell.config.is_official, shell.clock().date())


def _focused(interaction: Interaction) -> str:
    data: Any = interaction.data or {}
    for command in data.get("options", ()):
        for option in command.get("options", ()):
            if option.get("focused"):
                return str(option["name"])
    return ""


def _choices(names: list[str], typed: str) -> Choices:
    words = typed.lower().split()
    found = [name for name in names if all(word in name.lower() for word in words) and len(name) <= LONGEST]
    return [app_commands.Choice(name=cut(name, LONGEST), value=name) for name in found[:MOST_CHOICES]]


def _known(interaction: Interaction) -> Server | None:
    """The server's roles and channels; None where Discord has not told of them, or not lately (an outage)."""
    is_away = interaction.guild is None or interaction.guild.unavailable
    server = interaction.client.shell.servers.of(interaction.guild_id)
    return server if server is not None and server.rooms and not is_away else None
