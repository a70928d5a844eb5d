"""Option values as a person enters them, checked as Discord's client does, and in the shape an interaction carries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.discord import payloads
from sandbox.discord.commands import ATTACHMENT, BOOLEAN, CHANNEL, INTEGER, MENTIONABLE, NUMBER, ROLE, STRING, USER
from sandbox.discord.model import Channel, Json, Role, Upload, User
from sandbox.discord.rights import permissions
from sandbox.discord.state import State

TYPE_NAMES = {
    STRING: "text",
    INTEGER: "a whole number",
    BOOLEAN: "True or False",
    USER: "a member",
    CHANNEL: "a channel",
    ROLE: "a role",
    MENTIONABLE: "a member or role",
    NUMBER: "a number",
    ATTACHMENT: "a file",
}
LARGEST = 2**53 - 1


class NotPossible(ValueError):
    """Discord's client would not have let the person do this; the text says why."""


PARTIAL = (
    *("id", "name", "type", "last_message_id", "nsfw", "parent_id", "guild_id", "flags", "rate_limit_per_user"),
    *("topic", "position", "thread_metadata"),
)
"""What Discord tells of a channel that an interaction mentions."""


@dataclass(slots=True)
class Resolved:
    """Everything an interaction mentions by id, as ``resolved`` carries it."""

    state: State
    channel: Channel
    parts: dict[str, Json] = field(default_factory=dict)

    @property
    def data(self) -> Json:
        """What it adds to an interaction's ``data``."""
        return {"resolved": self.parts} if self.parts else {}

    def _put(self, kind: str, key: int, value: Json) -> str:
        self.parts.setdefault(kind, {})[str(key)] = value
        return str(key)

    def user(self, person: User) -> str:
        """Notes a person (and their membership here)."""
        guild = self.state.guild_of(self.channel)
        member = guild.members.get(person.id) if guild else None
        if member is not None:
            bits = permissions(self.state, person, self.channel)
            self._put("members", person.id, payloads.partial_member(member) | {"permissions": str(bits)})
        return self._put("users", person.id, payloads.user(person))

    def role(self, role: Role) -> str:
        return self._put("roles", role.id, payloads.role(role))

    def channel_(self, channel: Channel, viewer: User) -> str:
        """Notes a channel, in part as Discord does, with the viewer's rights in it."""
        whole = payloads.channel(self.state, channel)
        rights = {"permissions": str(permissions(self.state, viewer, channel))}
        rights["app_permissions"] = str(permissions(self.state, self.state.bot, channel))
        return self._put("channels", channel.id, {key: whole[key] for key in PARTIAL if key in whole} | rights)

    def file(self, upload: Upload) -> str:
        """Stores a file under a temporary link and notes it."""
        kept = self.state.store(upload, self.channel.id, temporary=True, ephemeral=True)
        return self._put("attachments", kept.id, payloads.attachment(self.state, kept))


def check(
    options: list[Json], values: Mapping[str, Any], resolved: Resolved, viewer: User, *, complete: bool = True
) -> list[Json]:
    """The interaction's ``options``, or ``NotPossible`` naming everything that is wrong.

    Without ``complete`` (while typing) required ones may be missing and nothing is checked but the type.
    """
    known = {o["name"]: o for o in options}
    problems = [f"there is no option `{name}`" for name in values if name not in known]
    if complete:
        problems += [f"`{o['name']}` is required" for o in options if o.get("required") and o["name"] not in values]
    found: list[Json] = []
    for name, option in known.items():
        if name not in values:
            continue
        try:
            value = _shape(option, values[name], resolved, viewer)
            if complete:
                _bounds(option, value)
        except NotPossible as problem:
            problems.append(str(problem))
            continue
        found.append({"name": name, "type": option["type"], "value": value})
    if problems:
        raise NotPossible("; ".join(problems))
    order = {name: place for place, name in enumerate(values)}
    return sorted(found, key=lambda o: order[o["name"]])


def _whole(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        number = int(value)
    except ValueError:
        return None
    return number if -LARGEST <= number <= LARGEST else None


def _real(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if abs(number) <= LARGEST else None


def _truth(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(str(value).lower())


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


PLAIN: dict[int, Callable[[Any], Any]] = {STRING: _text, INTEGER: _whole, BOOLEAN: _truth, NUMBER: _real}


def _shape(option: Json, value: Any, resolved: Resolved, viewer: User) -> Any:
    kind = option["type"]
    if kind in PLAIN:
        if kind == STRING and option.get("choices"):
            value = _by_choice_name(option["choices"], value)
        shaped = PLAIN[kind](value)
    else:
        shaped = _mention(kind, value, resolved, viewer)
    if shaped is None:
        raise NotPossible(f"`{option['name']}` must be {TYPE_NAMES[kind]}")
    if isinstance(value, Channel):
        check_kind(option["name"], value, option.get("channel_types"))
    return shaped


def check_kind(name: str, channel: Channel, kinds: list[int] | None) -> None:
    """Raises for a channel that the picker does not show, since it is of none of the ``kinds`` (none: it shows all)."""
    if kinds and channel.type not in kinds:
        raise NotPossible(f"`{name}` shows no channel of type {int(channel.type)}")


def _by_choice_name(choices: list[Json], value: Any) -> Any:
    """A person types what the list shows; the interaction carries the choice's value."""
    return next((c["value"] for c in choices if c["name"] == value), value)


def _mention(kind: int, value: Any, resolved: Resolved, viewer: User) -> str | None:
    if isinstance(value, User) and kind in {USER, MENTIONABLE}:
        return resolved.user(value)
    if isinstance(value, Role) and kind in {ROLE, MENTIONABLE}:
        return resolved.role(value)
    if isinstance(value, Channel) and kind == CHANNEL:
        return resolved.channel_(value, viewer)
    if isinstance(value, Upload) and kind == ATTACHMENT:
        return resolved.file(value)
    return None


def _bounds(option: Json, value: Any) -> None:
    """Raises where the value is outside of what the option was registered with."""
    name, kind = option["name"], option["type"]
    choices = option.get("choices")
    if choices and value not in [c["value"] for c in choices]:
        raise NotPossible(f"`{name}` must be one of: {', '.join(str(c['name']) for c in choices)}")
    if kind == STRING:
        if len(value) < option.get("min_length", 0):
            raise NotPossible(f"`{name}` must have at least {option['min_length']} characters")
        if len(value) > option.get("max_length", 6000):
            raise NotPossible(f"`{name}` must have at most {option.get('max_length', 6000)} characters")
    if kind in {INTEGER, NUMBER}:
        if "min_value" in option and value < option["min_value"]:
            raise NotPossible(f"`{name}` must be at least {option['min_value']}")
        if "max_value" in option and value > option["max_value"]:
            raise NotPossible(f"`{name}` must be at most {option['max_value']}")
