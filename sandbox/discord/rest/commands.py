"""Registering commands, globally and for one server."""

from __future__ import annotations

from typing import Any

from sandbox.discord.commands import CHAT
from sandbox.discord.model import Event, Json
from sandbox.discord.rest.call import Answer, Call
from sandbox.discord.rest.errors import invalid, refuse
from sandbox.discord.rest.self import guild_of
from sandbox.discord.rules.commands import check_command, check_commands
from sandbox.discord.rules.problems import Problem

DAILY_CREATES = 200


def _scope(call: Call) -> int | None:
    if call.number("application_id") != call.world.application_id:
        raise refuse("missing access")
    return guild_of(call).id if "guild_id" in call.params else None


def _one(call: Call, guild_id: int | None) -> Json:
    found = call.world.commands.scope(guild_id).get(call.number("command_id"))
    if found is None:
        raise refuse("unknown command")
    return found


async def get_all(call: Call) -> Answer:
    every = list(call.world.commands.scope(_scope(call)).values())
    if call.query.get("with_localizations") in {"1", "true", "True"}:
        return Answer(200, every)
    return Answer(200, [_plain(c) for c in every])


def _plain(value: Any) -> Any:
    """Without localisations, as Discord lists them unless asked."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if not k.endswith("_localizations")}
    return [_plain(v) for v in value] if isinstance(value, list) else value


async def put_all(call: Call) -> Answer:
    guild_id = _scope(call)
    sent: list[Json] = call.body.data if isinstance(call.body.data, list) else []
    problems = check_commands(sent)
    if guild_id is not None:
        problems += [
            p for i, c in enumerate(sent) for p in check_command(c, (i,), is_global=False) if p.code == "GUILD_COMMAND"
        ]
    call.reject(problems)
    fresh = {}
    for command in sent:
        stored = _store(call, guild_id, command)
        fresh[int(stored["id"])] = stored
    call.world.commands.scopes[guild_id] = fresh
    call.world.emit(Event("commands_changed"))
    return Answer(200, list(fresh.values()))


async def post_one(call: Call) -> Answer:
    guild_id = _scope(call)
    call.reject(check_command(call.data, is_global=guild_id is None))
    old = call.world.commands.by_key(guild_id, call.data.get("type", CHAT), call.data["name"])
    stored = _store(call, guild_id, call.data)
    call.world.commands.scope(guild_id)[int(stored["id"])] = stored
    call.world.emit(Event("commands_changed"))
    return Answer(200 if old else 201, stored)


async def get_one(call: Call) -> Answer:
    return Answer(200, _one(call, _scope(call)))


async def patch_one(call: Call) -> Answer:
    guild_id = _scope(call)
    old = _one(call, guild_id)
    sent = {k: v for k, v in old.items() if k in {"type", "name", "description", "options"}} | call.data
    call.reject(check_command(sent, is_global=guild_id is None))
    stored = _normal(call, guild_id, old | call.data, old["id"])
    call.world.commands.scope(guild_id)[int(old["id"])] = stored
    call.world.emit(Event("commands_changed"))
    return Answer(200, stored)


async def delete_one(call: Call) -> Answer:
    guild_id = _scope(call)
    del call.world.commands.scope(guild_id)[int(_one(call, guild_id)["id"])]
    call.world.emit(Event("commands_changed"))
    return Answer(204)


async def permissions(call: Call) -> Answer:
    """Nobody has changed them here: Discord then answers that there are none."""
    _scope(call)
    raise refuse("unknown command permissions")


def _store(call: Call, guild_id: int | None, command: Json) -> Json:
    """The command as answered; an old one of its type and name keeps its id, a new one counts as a create."""
    book = call.world.commands
    old = book.by_key(guild_id, command.get("type", CHAT), command["name"])
    if old is None:
        made = book.creates.get(guild_id, 0)
        if made >= DAILY_CREATES:
            raise refuse("daily creates")
        book.creates[guild_id] = made + 1
    stored = _normal(call, guild_id, command, old["id"] if old else str(call.world.ids.make()))
    unchanged = old is not None and {**old, "version": ""} == {**stored, "version": ""}
    return old if unchanged and old is not None else stored


def _normal(call: Call, guild_id: int | None, command: Json, command_id: str) -> Json:
    needed = command.get("default_member_permissions")
    if needed is not None and not str(needed).isdigit():
        raise invalid([Problem(("default_member_permissions",), "BITFIELD", "not a number")])
    shape: Json = {
        "id": command_id,
        "application_id": str(call.world.application_id),
        "version": str(call.world.ids.make()),
        "type": command.get("type", CHAT),
        "name": command["name"],
        "name_localizations": command.get("name_localizations"),
        "description": command.get("description") or "",
        "description_localizations": command.get("description_localizations"),
        "default_member_permissions": None if needed is None else str(needed),
        "nsfw": bool(command.get("nsfw")),
        "dm_permission": guild_id is None and command.get("dm_permission") is not False,
    }
    if command.get("type", CHAT) == CHAT:
        shape["options"] = [_option(o) for o in command.get("options") or ()]
    if guild_id is not None:
        return shape | {"guild_id": str(guild_id), "contexts": None, "integration_types": [0]}
    return shape | {
        "contexts": command.get("contexts"),
        "integration_types": command.get("integration_types") or [0],
    }


def _option(option: Json) -> Json:
    shape = {key: value for key, value in option.items() if value is not None}
    if "options" in shape:
        shape["options"] = [_option(o) for o in shape["options"]]
    return shape
