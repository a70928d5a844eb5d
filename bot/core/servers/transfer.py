"""What a settings file would make of a server, and making it so.

Law: an import touches only what the file names, is checked as the commands check, and is one transaction: all of it or
nothing. No list opens because what it names is unknown here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.core.servers.admin import Admin, Done
from bot.core.servers.misfit import Misfit
from bot.core.servers.settings_file import BadImport, ImportFile
from bot.rules.catalogue.model import Model
from bot.rules.errors import UserError
from bot.rules.limits.limit import Limit, Scope, slot_of
from bot.rules.people import Asker
from bot.rules.servers.access import Defaults, ServerSettings, model_by_default
from bot.rules.servers.changes import (
    Change,
    Imported,
    LimitChanged,
    Listed,
    Lists,
    StyleChanged,
    changes_between,
    lists_of,
    with_lists,
)
from bot.rules.servers.edits import ChangedMeanwhile, Held, Overhaul, checked_defaults
from bot.rules.styles.style import Style, told


class NothingLeftOnList(UserError):
    """An allow-list of which nothing is known here: without it everything would be allowed."""

    def __init__(self, which: Listed) -> None:
        super().__init__(which)
        self.which = which


@dataclass(frozen=True, slots=True)
class Known:
    """What there is: roles and channels of the server, and models (``model`` raises for what cannot be had).

    ``unblockable`` are the bot and the admin who imports.
    """

    roles: frozenset[int]
    channels: frozenset[int]
    model: Callable[[str], Model]
    default_model: str
    unblockable: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would change, for the admin to confirm; ``left_out`` names what is unknown here."""

    overhaul: Overhaul
    left_out: tuple[str, ...]


def plan_import(file: ImportFile, held: Held, known: Known) -> ImportPlan:
    """What the file makes of all that holds. Raises ``BadImport`` with everything that cannot be so here."""
    faults: list[UserError] = []
    left_out: list[str] = []
    settings = _settings_after(file.settings, held.settings, known, faults, left_out)
    limits = _limits_after(file.limits, held, known, left_out)
    if faults:
        raise BadImport(*faults)
    changes = (*changes_between(held.settings, settings), *limits.changes, *_styles_changed(held.styles, file.styles))
    overhaul = replace(limits, settings=settings, changes=changes, styles=file.styles)
    return ImportPlan(overhaul, tuple(left_out))


def _styles_changed(held: Sequence[Style], named: Sequence[Style] | None) -> Iterator[Change]:
    """What becomes of each look; None: the file says nothing of them."""
    old, new = ({style.key: style for style in some} for some in (held, held if named is None else named))
    for key in sorted({*old, *new}):
        before, after = old.get(key), new.get(key)
        if before != after:
            name = next(style.name for style in (after, before) if style is not None)
            yield StyleChanged(name, told(before), told(after))


async def apply_import(admin: Admin, asker: Asker, file: ImportFile, known: Known, seen: ImportPlan) -> Done:
    """Applies what was ``seen`` and confirmed. Raises ``ChangedMeanwhile`` where the file would change something else
    by now, ``BadImport`` where it cannot be any more; then nothing was changed."""

    def rework(held: Held) -> Overhaul:
        now = plan_import(file, held, known).overhaul
        if now.changes != seen.overhaul.changes:
            raise ChangedMeanwhile
        return now

    return await admin.overhaul(asker, rework)


# --- comparing with what there is --------------------------------------------------------------------------------


def _settings_after(
    named: Mapping[str, Any],
    held: ServerSettings,
    known: Known,
    faults: list[UserError],
    left_out: list[str],
) -> ServerSettings:
    changed = dict(named)
    if "defaults" in changed:
        changed["defaults"] = _defaults_after(changed["defaults"], held.defaults, known, faults)
    if changed.get("log_channel_id") not in (None, held.log_channel_id, *known.channels):
        left_out.append(f"log_channel_id: {changed.pop('log_channel_id')}")
    if changed.get("review_channel_id", held.review_channel_id) not in (held.review_channel_id, *known.channels):
        left_out.append(f"review_channel_id: {changed.pop('review_channel_id')}")
    blocked = {block.user_id for block in changed.get("blocked", ())} - {block.user_id for block in held.blocked}
    faults += [Misfit("unblockable", "settings.blocked", member=one) for one in sorted(blocked & known.unblockable)]
    after = replace(held, **changed)
    for which in Listed:
        after = with_lists(after, which, _lists_after(which, lists_of(after, which), held, known, faults, left_out))
    return after


def _lists_after(
    which: Listed, named: Lists, held: ServerSettings, known: Known, faults: list[UserError], left_out: list[str]
) -> Lists:
    """Without what is unknown here, unless it stands on these lists already: a thread may only be archived."""
    before = lists_of(held, which)
    lists = []
    for name, some in (("allowed", named.allowed), ("denied", named.denied)):
        foreign = {one for one in some if one not in before.allowed | before.denied and not _exists(which, one, known)}
        left_out += [f"{name}_{which}: {one}" for one in sorted(foreign, key=str)]
        lists.append(some - foreign)
    allowed, denied = lists
    if named.allowed and not allowed:
        faults.append(NothingLeftOnList(which))
    return Lists(allowed, denied)


def _exists(which: Listed, one: str | int, known: Known) -> bool:
    match which:
        case Listed.MODELS:
            try:
                return known.model(str(one)).id == one
            except UserError:
                return False
        case Listed.CHANNELS:
            return one in known.channels
        case Listed.ROLES:
            return one in known.roles


def _defaults_after(named: Mapping[str, Any], held: Defaults, known: Known, faults: list[UserError]) -> Defaults:
    """The defaults as ``/settings defaults`` would keep them; what holds already is not judged again."""
    after = replace(held, **{name: None if value == "" else value for name, value in named.items()})
    if after == held:
        return held
    try:
        model = known.model(model_by_default(after, known.default_model))
        return replace(checked_defaults(after, model), model=after.model and model.id)
    except UserError as fault:
        faults.append(fault)
        return held


def _limits_after(named: tuple[Limit, ...] | None, held: Held, known: Known, left_out: list[str]) -> Overhaul:
    """What the file does not have goes back to the operator's default."""
    before = {slot_of(limit): limit for limit in held.limits if limit.scope is not Scope.OPERATOR}
    defaults = {slot_of(limit): limit for limit in held.defaults}
    if named is None:
        return Overhaul(held.settings, (), (), (), Imported())
    after = {}
    for limit in named:
        slot = slot_of(limit)
        here = {Scope.ROLE: known.roles, Scope.CHANNEL: known.channels}.get(limit.scope)
        if here is not None and limit.subject_id not in here and slot not in before:
            left_out.append(f"limits: {limit.scope} {limit.subject_id}")
        else:
            after[slot] = limit
    changed = tuple(limit for slot, limit in after.items() if before.get(slot) != limit)
    removed = tuple(limit for slot, limit in before.items() if slot not in after and limit != defaults.get(slot))
    changes = (
        *(LimitChanged(slot_of(limit), before.get(slot_of(limit)), limit) for limit in changed),
        *(LimitChanged(slot_of(limit), limit, defaults.get(slot_of(limit))) for limit in removed),
    )
    return Overhaul(held.settings, changed, removed, changes, Imported())
