"""Who asks, and where: the two facts every limit and every access rule looks at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where limits and money are counted: a Discord server, or one person's direct messages and user install.

    ``key`` is what the ledger stores: ``g<guild id>`` or ``u<user id>``.
    """

    guild_id: int | None
    user_id: int

    @property
    def key(self) -> str:
        return f"g{self.guild_id}" if self.guild_id is not None else f"u{self.user_id}"

    @property
    def is_server(self) -> bool:
        return self.guild_id is not None


@dataclass(frozen=True, slots=True)
class Asker:
    """The person behind a command, button or form, as Discord described them in that very interaction.

    ``channel_id`` is the channel for limits and allow-lists; in a thread it is the thread and ``parent_id`` the
    channel that holds it (a rule on either applies). The category of a thread whose channel is hidden from the bot is
    not known. ``can_manage`` is Manage Server, ``can_moderate`` Manage Messages.
    """

    user_id: int
    place: Place
    channel_id: int
    parent_id: int | None = None
    category_id: int | None = None
    is_category_known: bool = True
    role_ids: frozenset[int] = frozenset()
    can_manage: bool = False
    can_moderate: bool = False
    age_restricted: bool = False
    locale: str = "en-US"
    guild_locale: str | None = None
