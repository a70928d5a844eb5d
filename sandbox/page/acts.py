"""What a person does on the page, read from a request and done in the world."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import BodyPartReader, web

from sandbox.discord.model import Channel, Json, Message, Modal, Role, Upload, User
from sandbox.discord.people.options import NotPossible
from sandbox.discord.world import World

MAX_UPLOAD = 128 * 1024 * 1024
_READ_OFF = 1024 * 1024 * 1024
_PERSON, _CHANNEL, _ROLE, _MENTIONABLE, _FILE = 6, 7, 8, 9, 11
_PERSON_MENU, _ROLE_MENU, _MENTIONABLE_MENU, _CHANNEL_MENU = 5, 6, 7, 8


class TooMuch(Exception):
    """The request is larger than any Discord upload; it was read off and thrown away."""


@dataclass(frozen=True, slots=True)
class Ask:
    """The JSON of a request and the files that came with it, by the name the page gave them."""

    body: Mapping[str, Any]
    files: Mapping[str, Upload]

    def text(self, name: str) -> str:
        value = self.body.get(name)
        if not isinstance(value, str):
            raise NotPossible(f"the page did not say {name!r}")
        return value

    def table(self, name: str) -> dict[str, Any]:
        value = self.body.get(name) or {}
        if not isinstance(value, dict):
            raise NotPossible(f"{name!r} must be an object")
        return value


async def read(request: web.Request) -> Ask:
    """JSON, or a form with the JSON in ``ask`` and files beside it. Raises ``TooMuch`` past ``MAX_UPLOAD``."""
    if request.content_type == "application/json":
        return Ask(await _object(await request.read()), {})
    if (request.content_length or 0) > MAX_UPLOAD:
        await _read_off(request)
        raise TooMuch
    body: Mapping[str, Any] = {}
    files: dict[str, Upload] = {}
    total = 0
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        data = bytearray()
        while chunk := await part.read_chunk(1 << 18):
            total += len(chunk)
            if total > MAX_UPLOAD:
                await _read_off(request)
                raise TooMuch
            data += chunk
        if part.name == "ask":
            body = await _object(bytes(data))
        elif part.filename:
            files[part.name or ""] = Upload(part.filename, bytes(data), part.headers.get("Content-Type"))
    return Ask(body, files)


async def _object(raw: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(raw)
    except ValueError:
        raise NotPossible("that is not JSON") from None
    if not isinstance(value, dict):
        raise NotPossible("that is not a JSON object")
    return value


async def _read_off(request: web.Request) -> None:
    """Reads the rest without keeping it, so that the browser hears the refusal instead of a broken connection."""
    seen = 0
    async for chunk in request.content.iter_any():
        seen += len(chunk)
        if seen > _READ_OFF:
            return


@dataclass(frozen=True, slots=True)
class Finder:
    """Finds what ids of the page mean, as far as the person may see it. Raises ``NotPossible``."""

    world: World
    viewer: User

    def channel(self, channel_id: str) -> Channel:
        channel = self.world.channels.get(_number(channel_id))
        if channel is None or channel not in self.world.channels_for(self.viewer):
            raise NotPossible("there is no such channel for you")
        return channel

    def message(self, ask: Ask) -> Message:
        channel = self.channel(ask.text("channel"))
        message = self.world.find_message(channel.id, _number(ask.text("message")))
        if message is None or not message.visible_to(self.viewer.id):
            raise NotPossible("the message does not exist any more")
        return message

    def _person(self, value: str) -> User:
        found = self.world.users.get(_number(value))
        if found is None:
            raise NotPossible("there is no such person")
        return found

    def _role(self, value: str, channel: Channel) -> Role:
        guild = self.world.guild_of(channel)
        found = guild.roles.get(_number(value)) if guild else None
        if found is None:
            raise NotPossible("there is no such role here")
        return found

    def mention(self, kind: int, value: str, channel: Channel) -> User | Role | Channel:
        """The person, role or channel behind an option of that kind."""
        if kind == _CHANNEL:
            return self.channel(value)
        if kind == _ROLE or (kind == _MENTIONABLE and _number(value) not in self.world.users):
            return self._role(value, channel)
        return self._person(value)

    def chosen(self, kind: int, values: list[str], channel: Channel) -> list[Any]:
        """The values of a select menu of that kind."""
        options = {_PERSON_MENU: _PERSON, _ROLE_MENU: _ROLE, _MENTIONABLE_MENU: _MENTIONABLE, _CHANNEL_MENU: _CHANNEL}
        return [self.mention(options[kind], one, channel) for one in values] if kind in options else list(values)

    def option_values(self, leaf: Json, ask: Ask, channel: Channel) -> dict[str, Any]:
        """Values of a command's options, as ``World.slash`` takes them."""
        kinds = {one["name"]: one["type"] for one in leaf.get("options") or ()}
        values: dict[str, Any] = {}
        for name, value in ask.table("options").items():
            kind = kinds.get(name, 3)
            if kind == _FILE:
                values[name] = _file(ask, str(value))
            elif kind in (_PERSON, _CHANNEL, _ROLE, _MENTIONABLE):
                values[name] = self.mention(kind, str(value), channel)
            else:
                values[name] = value
        return values

    def form_values(self, modal: Modal, fields: Mapping[str, Json], ask: Ask) -> tuple[dict[str, Any], dict[str, Any]]:
        """Values and files of a form, as ``World.submit_form`` takes them."""
        values: dict[str, Any] = {}
        files: dict[str, Any] = {}
        for name, value in ask.table("values").items():
            kind = fields[name]["type"] if name in fields else 0
            if kind == 19:
                files[name] = [_file(ask, str(one)) for one in value]
            elif isinstance(value, list):
                values[name] = self.chosen(kind, [str(one) for one in value], modal.interaction.channel)
            else:
                values[name] = value
        return values, files


def _file(ask: Ask, name: str) -> Upload:
    if name not in ask.files:
        raise NotPossible("the file did not arrive")
    return ask.files[name]


def _number(value: str) -> int:
    return int(value) if value.isascii() and value.isdigit() and len(value) < 25 else 0
