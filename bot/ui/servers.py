"""What this process knows of servers: their roles, channels and open threads, in a few kilobytes each.

discord.py would keep 70 KB of objects a server; Easel asks four things of them. Law: this is fed by the events of the
gateway alone, before discord.py sees them, and answers as discord.py's own cache would (``tests/ui/test_servers.py``).
"""

from __future__ import annotations

import marshal
import zlib
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from discord import ChannelType, Permissions

THREADS = frozenset(
    one.value for one in (ChannelType.news_thread, ChannelType.public_thread, ChannelType.private_thread)
)
IN_TIMEOUT = Permissions(view_channel=True, read_message_history=True)
MEMBER = 1
"""What an overwrite is for: a role (0) or a member."""

Payload = dict[str, Any]
Overwrite = tuple[int, int, int, int]
"""Whose, role or member, allowed, denied."""


class Room(NamedTuple):
    """A channel or an open thread; ``parent_id`` is a channel's category and a thread's channel."""

    kind: int
    parent_id: int | None
    age_restricted: bool
    overwrites: tuple[Overwrite, ...]

    @property
    def is_thread(self) -> bool:
        return self.kind in THREADS

    def is_in(self, own_id: int, channel_id: int) -> bool:
        """Whether it is that channel, or a thread of it."""
        return channel_id in (own_id, self.parent_id if self.is_thread else None)

    @property
    def is_private_thread(self) -> bool:
        return self.kind == ChannelType.private_thread.value


class Server(NamedTuple):
    """``roles`` holds each role's permissions."""

    id: int
    owner_id: int
    roles: dict[int, int]
    rooms: dict[int, Room]

    @property
    def channel_ids(self) -> frozenset[int]:
        return frozenset(room_id for room_id, room in self.rooms.items() if not room.is_thread)

    def may(self, member_id: int, role_ids: Iterable[int], room_id: int, *, in_timeout: bool = False) -> Permissions:
        """What a member may do in a channel or thread; nothing where it is not known."""
        room = self.rooms.get(room_id)
        if room is not None and room.is_thread:
            room = self.rooms.get(room.parent_id or 0)
        if room is None:
            return Permissions.none()
        if member_id == self.owner_id:
            return Permissions.all()
        theirs = {self.id, *role_ids}
        base = Permissions(self._of_roles(theirs))
        if base.administrator:
            return Permissions.all()
        for step in (
            [one for one in room.overwrites if one[0] == self.id],
            [one for one in room.overwrites if one[0] in theirs and one[0] != self.id and one[1] != MEMBER],
            [one for one in room.overwrites if one[0] == member_id and one[1] == MEMBER],
        ):
            base.handle_overwrite(allow=_together(one[2] for one in step), deny=_together(one[3] for one in step))
        if not base.view_channel:
            return Permissions.none()
        return base & IN_TIMEOUT if in_timeout else base

    def _of_roles(self, role_ids: Iterable[int]) -> int:
        return _together(self.roles.get(role_id, 0) for role_id in role_ids)


def _together(bits: Iterable[int]) -> int:
    found = 0
    for one in bits:
        found |= one
    return found


class Servers:
    """Every server that was announced to this process, packed."""

    def __init__(self) -> None:
        self._packed: dict[int, bytes] = {}

    def of(self, server_id: int | None) -> Server | None:
        """None where Discord has told nothing of it: the bot is no member, or there was an outage since the start."""
        packed = self._packed.get(server_id or 0)
        return _unpacked(packed) if packed is not None else None

    def forget(self, server_id: int) -> None:
        self._packed.pop(server_id, None)

    def readers(self) -> dict[str, Callable[[Payload], None]]:
        """What to do with each event about servers and what is in them."""
        return {
            "GUILD_CREATE": self._create,
            "GUILD_UPDATE": self._update,
            "GUILD_DELETE": self._delete,
            "GUILD_ROLE_CREATE": self._role,
            "GUILD_ROLE_UPDATE": self._role,
            "GUILD_ROLE_DELETE": self._role_deleted,
            "CHANNEL_CREATE": self._room,
            "CHANNEL_UPDATE": self._room,
            "CHANNEL_DELETE": self._room_deleted,
            "THREAD_CREATE": self._room,
            "THREAD_UPDATE": self._room,
            "THREAD_DELETE": self._room_deleted,
            "THREAD_LIST_SYNC": self._threads,
        }

    def _keep(self, server: Server) -> None:
        self._packed[server.id] = _packed(server)

    def _create(self, data: Payload) -> None:
        if data.get("unavailable"):
            return
        rooms = [*data.get("channels", ()), *data.get("threads", ())]
        owner_id = int(data.get("owner_id") or 0)
        self._keep(Server(int(data["id"]), owner_id, _roles_of(data), dict(map(_room_of, rooms))))

    def _update(self, data: Payload) -> None:
        if (known := self.of(int(data["id"]))) is not None:
            self._keep(known._replace(owner_id=int(data.get("owner_id") or 0), roles=_roles_of(data)))

    def _delete(self, data: Payload) -> None:
        if not data.get("unavailable"):
            self.forget(int(data["id"]))

    def _role(self, data: Payload) -> None:
        if (known := self.of(int(data["guild_id"]))) is not None:
            known.roles[int(data["role"]["id"])] = int(data["role"]["permissions"])
            self._keep(known)

    def _role_deleted(self, data: Payload) -> None:
        if (known := self.of(int(data["guild_id"]))) is not None:
            known.roles.pop(int(data["role_id"]), None)
            self._keep(known)

    def _room(self, data: Payload) -> None:
        if (known := self.of(int(data.get("guild_id") or 0))) is None:
            return
        room_id, room = _room_of(data)
        known.rooms.pop(room_id, None)
        if not data.get("thread_metadata", {}).get("archived"):
            known.rooms[room_id] = room
        self._keep(known)

    def _room_deleted(self, data: Payload) -> None:
        known, gone = self.of(int(data.get("guild_id") or 0)), int(data["id"])
        if known is not None and gone in known.rooms:
            kept = {one: room for one, room in known.rooms.items() if not room.is_in(one, gone)}
            self._keep(known._replace(rooms=kept))

    def _threads(self, data: Payload) -> None:
        """All open threads, of the named channels or of the whole server."""
        if (known := self.of(int(data["guild_id"]))) is None:
            return
        named = frozenset(map(int, data["channel_ids"])) if "channel_ids" in data else None
        kept = {
            room_id: room
            for room_id, room in known.rooms.items()
            if not room.is_thread or (named is not None and room.parent_id not in named)
        }
        self._keep(known._replace(rooms=kept | dict(map(_room_of, data.get("threads", ())))))


def _roles_of(data: Payload) -> dict[int, int]:
    return {int(one["id"]): int(one["permissions"]) for one in data.get("roles", ())}


def _room_of(data: Payload) -> tuple[int, Room]:
    overwrites = tuple(
        (int(one["id"]), int(one["type"]), int(one["allow"]), int(one["deny"]))
        for one in data.get("permission_overwrites", ())
    )
    parent_id = int(data["parent_id"]) if data.get("parent_id") else None
    return int(data["id"]), Room(int(data["type"]), parent_id, bool(data.get("nsfw")), overwrites)


def _packed(server: Server) -> bytes:
    rooms = {room_id: tuple(room) for room_id, room in server.rooms.items()}
    return zlib.compress(marshal.dumps((server.id, server.owner_id, server.roles, rooms)), 1)


def _unpacked(packed: bytes) -> Server:
    server_id, owner_id, roles, rooms = marshal.loads(zlib.decompress(packed))  # noqa: S302  # what _packed made here
    return Server(server_id, owner_id, roles, {room_id: Room(*room) for room_id, room in rooms.items()})
