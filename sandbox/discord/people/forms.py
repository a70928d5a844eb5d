"""Select menus and forms, filled in as Discord's client lets one, in the shape a submission carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.discord.components import (
    BUTTON,
    CHANNEL_SELECT,
    CHECKBOX,
    CHECKBOXES,
    ENTITY_SELECTS,
    FILE_UPLOAD,
    LABEL,
    MENTIONABLE_SELECT,
    RADIO,
    ROLE_SELECT,
    ROW,
    SELECTS,
    TEXT_INPUT,
    USER_SELECT,
    every,
)
from sandbox.discord.model import Channel, Json, Message, Modal, Role, Upload, User
from sandbox.discord.people.options import NotPossible, Resolved, check_kind


def find_button(message: Message, wanted: str) -> Json:
    """The button with this custom_id or else this label; ``NotPossible`` with what there is."""
    buttons = [c for c in every(message.components) if c["type"] == BUTTON]
    button = next((b for b in buttons if b.get("custom_id") == wanted), None)
    button = button or next((b for b in buttons if b.get("label") == wanted), None)
    if button is None or "custom_id" not in button:
        labels = ", ".join(str(b.get("label")) for b in buttons) or "none"
        raise NotPossible(f"there is no button {wanted!r}; buttons: {labels}")
    if button.get("disabled"):
        raise NotPossible(f"the button {wanted!r} is disabled")
    return button


def find_menu(message: Message, custom_id: str) -> Json:
    """The select menu with this custom_id; ``NotPossible`` with what there is."""
    menus = {c["custom_id"]: c for c in every(message.components) if c["type"] in SELECTS}
    menu = menus.get(custom_id)
    if menu is None:
        raise NotPossible(f"there is no menu {custom_id!r}; menus: {', '.join(menus) or 'none'}")
    if menu.get("disabled"):
        raise NotPossible(f"the menu {custom_id!r} is disabled")
    return menu


def fields(modal: Modal) -> dict[str, Json]:
    """The fields a person fills in, by custom_id."""
    return {c["custom_id"]: c for c in every(modal.components) if "custom_id" in c}


def chosen(menu: Json, values: Sequence[Any], resolved: Resolved, viewer: User) -> list[str]:
    """The ``values`` of a select menu, or ``NotPossible``."""
    low, high = menu.get("min_values", 1), menu.get("max_values", 1)
    if not low <= len(values) <= high:
        raise NotPossible(f"{menu['custom_id']!r} takes {low} to {high} values, not {len(values)}")
    if menu["type"] not in ENTITY_SELECTS:
        legal = {o["value"]: o["value"] for o in menu["options"]}
        legal |= {o["label"]: o["value"] for o in menu["options"] if o["label"] not in legal}
        wrong = [v for v in values if v not in legal]
        if wrong:
            raise NotPossible(f"{menu['custom_id']!r} has no {wrong[0]!r}; there are: {', '.join(legal)}")
        return [legal[v] for v in values]
    return [_entity(menu, v, resolved, viewer) for v in values]


def _entity(menu: Json, value: Any, resolved: Resolved, viewer: User) -> str:
    kind = menu["type"]
    if isinstance(value, User) and kind in {USER_SELECT, MENTIONABLE_SELECT}:
        return resolved.user(value)
    if isinstance(value, Role) and kind in {ROLE_SELECT, MENTIONABLE_SELECT}:
        return resolved.role(value)
    if isinstance(value, Channel) and kind == CHANNEL_SELECT:
        check_kind(menu["custom_id"], value, menu.get("channel_types"))
        return resolved.channel_(value, viewer)
    raise NotPossible(f"{menu['custom_id']!r} does not take {type(value).__name__}")


def fill(
    modal: Modal,
    values: Mapping[str, Any],
    files: Mapping[str, Sequence[Upload]],
    resolved: Resolved,
    viewer: User,
) -> list[Json]:
    """The ``components`` of a submission; ``NotPossible`` names everything that is wrong."""
    known = fields(modal)
    given = {**values, **files}
    problems = [f"there is no field {name!r}; fields: {', '.join(known)}" for name in given if name not in known]
    done: list[Json] = []
    for part in modal.components:
        try:
            done.append(_part(part, given, resolved, viewer))
        except NotPossible as problem:
            problems.append(str(problem))
    if problems:
        raise NotPossible("; ".join(problems))
    return done


def _part(part: Json, given: Mapping[str, Any], resolved: Resolved, viewer: User) -> Json:
    if part["type"] == LABEL:
        inner = _field(part["component"], given, resolved, viewer)
        return {"type": LABEL, "id": part["id"], "component": inner}
    if part["type"] == ROW:
        row = [_field(c, given, resolved, viewer) for c in part["components"]]
        return {"type": ROW, "id": part["id"], "components": row}
    return {"type": part["type"], "id": part["id"]}


def _field(field: Json, given: Mapping[str, Any], resolved: Resolved, viewer: User) -> Json:
    kind, name = field["type"], field["custom_id"]
    head: Json = {"type": kind, "id": field["id"], "custom_id": name}
    if kind == TEXT_INPUT:
        return head | {"value": _text(field, str(given.get(name, field.get("value") or "")))}
    if kind == FILE_UPLOAD:
        return head | {"values": _files(field, given.get(name, ()), resolved)}
    if kind == CHECKBOX:
        return head | {"value": bool(given.get(name, field.get("default", False)))}
    picked = given.get(name, _defaults(field))
    if kind == RADIO:
        return head | {"value": _one_of(field, picked)}
    if isinstance(picked, str):
        picked = [picked]
    if not picked and not field.get("required", True):
        return head | {"values": []}
    return head | {"values": chosen(_bounded(field), picked, resolved, viewer)}


def _bounded(field: Json) -> Json:
    """Check boxes may all be ticked unless told otherwise; menus take one."""
    return {"max_values": len(field["options"])} | field if field["type"] == CHECKBOXES else field


def _defaults(field: Json) -> list[str]:
    return [o["value"] for o in field.get("options") or () if o.get("default")]


def _one_of(field: Json, picked: Any) -> str | None:
    value = picked if isinstance(picked, str) else next(iter(picked), None)
    legal = [o["value"] for o in field["options"]]
    if value is None and not field.get("required", True):
        return None
    if value not in legal:
        raise NotPossible(f"{field['custom_id']!r} must be one of: {', '.join(legal)}")
    return value


def _text(field: Json, text: str) -> str:
    name = field["custom_id"]
    if not text:
        if field.get("required", True):
            raise NotPossible(f"{name!r} must be filled in")
        return text
    low, high = field.get("min_length") or 0, field.get("max_length") or 4000
    if not low <= len(text) <= high:
        raise NotPossible(f"{name!r} takes {low} to {high} characters, not {len(text)}")
    return text


def _files(field: Json, uploads: Sequence[Upload], resolved: Resolved) -> list[str]:
    name = field["custom_id"]
    low, high = field.get("min_values", 1), field.get("max_values", 1)
    if not uploads and not field.get("required", True):
        return []
    if not low <= len(uploads) <= high:
        raise NotPossible(f"{name!r} takes {low} to {high} files, not {len(uploads)}")
    return [resolved.file(upload) for upload in uploads]
