"""What the bot registered, and which of it a person sees where."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.discord.model import Json

CHAT, USER_MENU, MESSAGE_MENU = 1, 2, 3

SUBCOMMAND, GROUP = 1, 2
STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = 3, 4, 5, 6, 7, 8, 9, 10, 11

GUILD_INSTALL, USER_INSTALL = 0, 1

IN_GUILD, IN_BOT_DM, IN_PRIVATE = 0, 1, 2


@dataclass(slots=True)
class CommandBook:
    """Registered commands as Discord answers them, by guild id (None: everywhere), then by command id."""

    scopes: dict[int | None, dict[int, Json]] = field(default_factory=dict)
    creates: dict[int | None, int] = field(default_factory=dict)

    def scope(self, guild_id: int | None) -> dict[int, Json]:
        """The commands registered for one guild, or globally; may be changed."""
        return self.scopes.setdefault(guild_id, {})

    def by_key(self, guild_id: int | None, kind: int, name: str) -> Json | None:
        """The command of this type and name in exactly this scope."""
        for command in self.scope(guild_id).values():
            if command["type"] == kind and command["name"] == name:
                return command
        return None

    def find(self, kind: int, name: str, guild_id: int | None) -> Json | None:
        """The command a person would get here: the guild's own comes before the global one."""
        own = self.by_key(guild_id, kind, name) if guild_id is not None else None
        return own or self.by_key(None, kind, name)

    def everything(self, guild_id: int | None) -> list[Json]:
        """All commands that exist in a guild (or outside of any): the guild's own beside global ones of their name."""
        here = list(self.scope(None).values())
        if guild_id is not None:
            here += self.scope(guild_id).values()
        return sorted(here, key=lambda c: (c["type"], c["name"]))


def is_offered(command: Json, *, context: int, owners: frozenset[int], permissions: int, nsfw: bool, dm: bool) -> bool:
    """Whether Discord's client lists the command here.

    ``owners`` are the kinds of installation present (0 the guild's, 1 the person's own); ``permissions`` the person's
    in this channel. Age-restricted commands are only listed in age-restricted channels and direct messages.
    """
    contexts = command.get("contexts")
    if contexts is None:
        contexts = [IN_GUILD, IN_BOT_DM, IN_PRIVATE] if command.get("dm_permission", True) else [IN_GUILD]
    kinds = set(command.get("integration_types") or [GUILD_INSTALL])
    if context not in contexts or not kinds & owners:
        return False
    if command.get("nsfw") and not (nsfw or dm):
        return False
    needed = command.get("default_member_permissions")
    if needed is None or dm:
        return True
    wanted = int(needed)
    administrator = bool(permissions & 8)
    return administrator or (wanted != 0 and permissions & wanted == wanted)


def leaves(command: Json) -> list[tuple[tuple[str, ...], Json]]:
    """Every runnable form of a chat command: ``((), command)``, or one entry per subcommand with its path."""
    found: list[tuple[tuple[str, ...], Json]] = []
    for option in command.get("options") or ():
        if option["type"] == SUBCOMMAND:
            found.append(((option["name"],), option))
        elif option["type"] == GROUP:
            found += [((option["name"], sub["name"]), sub) for sub in option.get("options") or ()]
    return found or [((), command)]
