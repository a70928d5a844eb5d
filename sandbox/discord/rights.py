"""Who may do what where, by Discord's order: owner, administrator, roles, then the channel's overwrites."""

from __future__ import annotations

from sandbox.discord import ids
from sandbox.discord.commands import GUILD_INSTALL, IN_BOT_DM, IN_GUILD, IN_PRIVATE, USER_INSTALL, is_offered
from sandbox.discord.model import Channel, ChannelType, Guild, Json, User
from sandbox.discord.state import State

DM_PERMISSIONS = (
    ids.VIEW_CHANNEL
    | ids.SEND_MESSAGES
    | ids.EMBED_LINKS
    | ids.ATTACH_FILES
    | ids.READ_MESSAGE_HISTORY
    | ids.ADD_REACTIONS
    | ids.MENTION_EVERYONE
    | ids.USE_APPLICATION_COMMANDS
    | ids.USE_EXTERNAL_APPS
)


def permissions(state: State, user: User, channel: Channel) -> int:
    """The bits of a person or the bot in a channel; 0 for one who is not there."""
    bits = by_roles(state, user, channel)
    if channel.type is ChannelType.PRIVATE_THREAD and not bits & ids.MANAGE_THREADS:
        inside = user in channel.recipients or (user == state.bot and channel.has_bot)
        return bits if inside else 0
    return bits


def by_roles(state: State, user: User, channel: Channel) -> int:
    """The same, whether or not they were added to a private thread."""
    if channel.guild_id is None:
        inside = user in channel.recipients or (channel.type is ChannelType.DM and user == state.bot)
        return DM_PERMISSIONS if inside else 0
    guild = state.guilds[channel.guild_id]
    bits = _in_channel(guild, user, _ruling(state, channel))
    if bits and channel.is_thread:
        may_speak = bits & ids.SEND_MESSAGES_IN_THREADS
        bits = bits | ids.SEND_MESSAGES if may_speak else bits & ~ids.SEND_MESSAGES
    return bits


def _ruling(state: State, channel: Channel) -> Channel:
    """The channel whose overwrites count: a thread follows its parent."""
    if channel.is_thread and channel.parent_id in state.channels:
        return state.channels[channel.parent_id]
    return channel


def in_guild(guild: Guild, user: User) -> int:
    """The bits a member has by roles alone."""
    member = guild.members.get(user.id)
    if member is None:
        return 0
    if guild.owner_id == user.id:
        return ids.ALL_PERMISSIONS
    bits = guild.roles[guild.id].permissions
    for role_id in member.role_ids:
        bits |= guild.roles[role_id].permissions if role_id in guild.roles else 0
    return ids.ALL_PERMISSIONS if bits & ids.ADMINISTRATOR else bits


def _in_channel(guild: Guild, user: User, channel: Channel) -> int:
    bits = in_guild(guild, user)
    if bits in {0, ids.ALL_PERMISSIONS}:
        return bits
    everyone = channel.overwrites.get(guild.id)
    if everyone is not None:
        bits = bits & ~everyone.deny | everyone.allow
    mine = [o for i in guild.members[user.id].role_ids if (o := channel.overwrites.get(i)) is not None]
    for overwrite in mine:
        bits &= ~overwrite.deny
    for overwrite in mine:
        bits |= overwrite.allow
    own = channel.overwrites.get(user.id)
    if own is not None:
        bits = bits & ~own.deny | own.allow
    return bits if bits & ids.VIEW_CHANNEL else 0


def context_of(channel: Channel) -> int:
    """0 in a server, 1 in a direct message with the bot, 2 in other private conversations."""
    if channel.guild_id is not None:
        return IN_GUILD
    return IN_BOT_DM if channel.type is ChannelType.DM else IN_PRIVATE


def owners_of(state: State, user: User, channel: Channel) -> dict[str, str]:
    """``authorizing_integration_owners``: which installations are behind a command of this person here."""
    owners: dict[str, str] = {}
    guild = state.guild_of(channel)
    if guild is not None and guild.has_bot:
        owners[str(GUILD_INSTALL)] = str(guild.id)
    elif channel.type is ChannelType.DM and guild is None and _shares_guild(state, user):
        owners[str(GUILD_INSTALL)] = "0"
    if user.id in state.user_installs:
        owners[str(USER_INSTALL)] = str(user.id)
    return owners


def _shares_guild(state: State, user: User) -> bool:
    return any(g.has_bot and user.id in g.members for g in state.guilds.values())


def commands_for(state: State, user: User, channel: Channel) -> list[Json]:
    """What the client's command list shows a person here."""
    bits = permissions(state, user, channel)
    guild = state.guild_of(channel)
    if not bits & ids.USE_APPLICATION_COMMANDS or not bits & ids.VIEW_CHANNEL or not channel.holds_messages:
        return []
    owners = frozenset(int(kind) for kind in owners_of(state, user, channel))
    bot_is_here = guild is not None and guild.has_bot
    return [
        command
        for command in state.commands.everything(guild.id if bot_is_here and guild else None)
        if is_offered(
            command,
            context=context_of(channel),
            owners=owners,
            permissions=bits,
            nsfw=_ruling(state, channel).nsfw,
            dm=guild is None,
        )
    ]
