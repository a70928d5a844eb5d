"""The small population every sandbox starts with: two servers, a third without the bot, and people of each kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox.discord import ids
from sandbox.discord.model import DEFAULT_UPLOAD_LIMIT, MIB, Channel, ChannelType, Guild, Member, Overwrite, Role, User
from sandbox.discord.state import State

JOINED = datetime(2024, 5, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Town:
    """Who and what there is, by the part they play.

    ``member`` has no role, ``painter`` has the role Painters, ``moderator`` may manage messages, ``admin`` may manage
    the server, and so may ``admin_abroad``, whose client is German. All five are in ``studio``; ``owner`` owns it and
    ``gallery``, where member and admin are plain members.
    ``outsider`` is in ``elsewhere``, where the bot is not, and has installed the app for themselves.
    """

    studio: Guild
    gallery: Guild
    elsewhere: Guild
    general: Channel
    pictures: Channel
    announcements: Channel
    adults: Channel
    forum: Channel
    thread: Channel
    quiet: Channel
    hidden: Channel
    rooms: Channel
    voice: Channel
    stage: Channel
    post: Channel
    backstage: Channel
    wall: Channel
    far: Channel
    member: User
    painter: User
    moderator: User
    admin: User
    owner: User
    outsider: User
    admin_abroad: User
    painters: Role
    moderators: Role
    admins: Role


def settle(state: State) -> Town:
    """Fills an empty world with the town."""
    people = {
        key: User(ids.old_id(2019, 3, day), key, name, locale=locale, upload_limit=limit)
        for day, (key, name, locale, limit) in enumerate(
            [
                ("mia", "Mia", "en-US", DEFAULT_UPLOAD_LIMIT),
                ("pablo", "Pablo", "es-ES", DEFAULT_UPLOAD_LIMIT),
                ("mona", "Mona", "de", DEFAULT_UPLOAD_LIMIT),
                ("ada", "Ada", "en-GB", 50 * MIB),
                ("otto", "Otto", "en-US", DEFAULT_UPLOAD_LIMIT),
                ("nomi", "Nomi", "ja", DEFAULT_UPLOAD_LIMIT),
                ("greta", "Greta", "de", DEFAULT_UPLOAD_LIMIT),
            ],
            start=1,
        )
    }
    for person in people.values():
        state.users[person.id] = person
    mia, pablo, mona, ada, otto, nomi, greta = people.values()

    studio = _guild(state, f"{state.bot.display_name} Studio", otto, day=1)
    gallery = _guild(state, "Night Gallery", otto, day=2)
    elsewhere = _guild(state, "Elsewhere", nomi, day=3, has_bot=False)

    painters = _role(studio, "Painters", 0, color=0x3BA55D, position=2)
    moderators = _role(studio, "Moderators", ids.MANAGE_MESSAGES, color=0xFAA61A, position=3)
    admins = _role(studio, "Admins", ids.MANAGE_GUILD | ids.MANAGE_CHANNELS | ids.MANAGE_MESSAGES, 0xED4245, 4)
    _join(studio, mia)
    _join(studio, pablo, painters)
    _join(studio, mona, moderators)
    _join(studio, ada, admins)
    _join(studio, greta, admins)
    _join(studio, otto)
    _join(studio, state.bot)
    for person in (mia, ada, otto, state.bot):
        _join(gallery, person)
    for person in (nomi, mia):
        _join(elsewhere, person)
    state.user_installs.add(nomi.id)

    channels = _Builder(state)
    general = channels.add(studio, "general", topic="Say hello, then type a slash")
    pictures = channels.add(studio, "pictures", topic="Everything that was made")
    announcements = channels.add(studio, "news", ChannelType.ANNOUNCEMENT)
    adults = channels.add(studio, "after-dark", nsfw=True)
    forum = channels.add(studio, "critique", ChannelType.FORUM)
    thread = channels.add(studio, "red foxes", ChannelType.THREAD, parent=pictures)
    quiet = channels.add(studio, "read-only")
    hidden = channels.add(studio, "staff")
    quiet.overwrites[state.bot.id] = Overwrite(state.bot.id, 1, deny=ids.SEND_MESSAGES | ids.ATTACH_FILES)
    hidden.overwrites[studio.id] = Overwrite(studio.id, 0, deny=ids.VIEW_CHANNEL)
    hidden.overwrites[admins.id] = Overwrite(admins.id, 0, allow=ids.VIEW_CHANNEL)
    rooms = channels.add(studio, "rooms", ChannelType.CATEGORY)
    voice = channels.add(studio, "lounge", ChannelType.VOICE, parent=rooms)
    stage = channels.add(studio, "podium", ChannelType.STAGE, parent=rooms)
    post = channels.add(studio, "what of this fox", ChannelType.THREAD, parent=forum)
    backstage = channels.add(studio, "backstage", ChannelType.PRIVATE_THREAD, parent=pictures)
    backstage.recipients = (mia, ada)
    wall = channels.add(gallery, "wall", topic="Another server: nothing of the first is visible here")
    far = channels.add(elsewhere, "lobby")
    return Town(
        studio=studio,
        gallery=gallery,
        elsewhere=elsewhere,
        general=general,
        pictures=pictures,
        announcements=announcements,
        adults=adults,
        forum=forum,
        thread=thread,
        quiet=quiet,
        hidden=hidden,
        rooms=rooms,
        voice=voice,
        stage=stage,
        post=post,
        backstage=backstage,
        wall=wall,
        far=far,
        member=mia,
        painter=pablo,
        moderator=mona,
        admin=ada,
        owner=otto,
        outsider=nomi,
        admin_abroad=greta,
        painters=painters,
        moderators=moderators,
        admins=admins,
    )


class _Builder:
    """Adds channels one below the other."""

    def __init__(self, state: State, at: int = 0) -> None:
        self._state = state
        self._position = at

    def add(
        self,
        guild: Guild,
        name: str,
        kind: ChannelType = ChannelType.TEXT,
        *,
        parent: Channel | None = None,
        topic: str | None = None,
        nsfw: bool = False,
    ) -> Channel:
        self._position += 1
        channel = Channel(
            id=ids.old_id(2021, 6, min(28, self._position)),
            type=kind,
            name=name,
            guild_id=guild.id,
            parent_id=parent.id if parent else None,
            topic=topic,
            nsfw=nsfw,
            position=self._position,
        )
        self._state.channels[channel.id] = channel
        return channel


def _guild(state: State, name: str, owner: User, *, day: int, has_bot: bool = True) -> Guild:
    guild = Guild(ids.old_id(2021, 5, day), name, owner.id, has_bot=has_bot)
    guild.roles[guild.id] = Role(guild.id, "@everyone", ids.EVERYONE, position=0)
    state.guilds[guild.id] = guild
    return guild


def _role(guild: Guild, name: str, permissions: int, color: int, position: int) -> Role:
    role = Role(ids.old_id(2021, 5, min(28, 10 + position)), name, permissions, position, color)
    guild.roles[role.id] = role
    return role


def _join(guild: Guild, user: User, *roles: Role) -> None:
    guild.members[user.id] = Member(user, guild.id, tuple(role.id for role in roles), joined_at=JOINED)


def grow(
    state: State, town: Town, *, members: int = 300, channels: int = 60, roles: int = 30, servers: int = 12
) -> None:
    """Makes the first server a large one, and puts more servers beside it. Before anybody connects."""
    builder = _Builder(state, at=max(one.position for one in state.channels.values()))
    circles = [_role(town.studio, f"Circle {n + 1}", 0, 0x3366CC + 4099 * n, 10 + n) for n in range(roles)]
    for number in range(members):
        person = User(ids.old_id(2019, 4, 1), f"guest{number + 1}", f"Guest {number + 1}")
        state.users[person.id] = person
        state.crowd.add(person.id)
        _join(town.studio, person, circles[number % roles])
    rooms = [builder.add(town.studio, f"floor {n + 1}", ChannelType.CATEGORY) for n in range(-(-channels // 10))]
    for number in range(channels):
        builder.add(town.studio, f"studio-{number + 1}", parent=rooms[number // 10])
    for number in range(servers):
        guild = _guild(state, f"Branch {number + 1}", town.owner, day=5 + number)
        for person in (town.member, town.admin, town.owner, state.bot):
            _join(guild, person)
        builder.add(guild, "hall")
