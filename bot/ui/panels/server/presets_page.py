"""The page of presets: which there are, what one would change here, and one press that does it.

Law: what is taken is what was shown. The id of the button says which preset, for which role, and what it showed; where
that is no longer what it would change, the page is shown anew and nothing is done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from bot.rules.servers.access import model_by_default
from bot.rules.servers.changes import Change, Listed
from bot.rules.servers.edits import ChangedMeanwhile, Held, Overhaul, checked_defaults
from bot.rules.servers.presets import DEFAULTS, Preset, taking
from bot.ui.interactions.ids import is_snowflake
from bot.ui.interactions.who import check_admin
from bot.ui.pages.settings import fitted
from bot.ui.panels.server.acts import Pressed, check_ids
from bot.ui.panels.server.answers import Turn
from bot.ui.panels.server.parts import Gap, Knob, Knobs, Menu, Option, Part, Pick, Text, Things
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import language_of, say
from bot.ui.words.changes import change_line
from bot.ui.words.errors import StaleButton

CHANGES_ROOM = 1800


@dataclass(frozen=True, slots=True)
class Choice:
    """A preset that was chosen, and the role it is for; None: none was asked for, or none is chosen yet."""

    preset: Preset
    role_id: int | None = None

    @property
    def is_ready(self) -> bool:
        return self.role_id is not None or not self.preset.needs_role


def choice_of(interaction: Interaction, act: str, pressed: Pressed) -> Choice | None:
    """What is chosen by this press; None where it is about something else. Raises ``StaleButton`` or ``NotHere``."""
    match act:
        case "preset":
            return _choice(interaction, pressed.one, "0")
        case "preset_role":
            return _choice(interaction, pressed.arg, pressed.one)
        case "preset_take":
            name, _, rest = pressed.arg.partition(".")
            return _choice(interaction, name, rest.partition(".")[0])
        case _:
            return None


def _choice(interaction: Interaction, name: str, role: str) -> Choice:
    found = next((one for one in interaction.client.shell.presets if one.name == name), None)
    if found is None or not role.isdecimal():
        raise StaleButton
    if int(role) == 0:
        return Choice(found)
    if not is_snowflake(int(role)):
        raise StaleButton
    check_ids(interaction, Listed.ROLES, frozenset({int(role)}))
    return Choice(found, int(role))


async def take(interaction: Interaction, choice: Choice, pressed: Pressed) -> Turn:
    """Sets everything as the preset says. Raises ``ChangedMeanwhile`` where it would change something else by now."""
    if not choice.is_ready:
        raise StaleButton
    shown = pressed.arg.rpartition(".")[2]

    def rework(held: Held) -> Overhaul:
        plan = planned(interaction, choice, held)
        if _digest(plan.changes) != shown:
            raise ChangedMeanwhile
        return plan

    return Turn((await interaction.client.shell.admin.overhaul(check_admin(interaction), rework),))


def planned(interaction: Interaction, choice: Choice, held: Held) -> Overhaul:
    """What it would change. Raises ``BadDefaults`` where the model that is used here does not have its defaults."""
    shell, plan = interaction.client.shell, taking(choice.preset, choice.role_id)(held)
    if set(choice.preset.settings) & set(DEFAULTS):
        named = model_by_default(plan.settings.defaults, shell.config.default_model)
        model = shell.catalogue.choose(named, official=shell.config.is_official, today=shell.clock().date())
        checked_defaults(plan.settings.defaults, model)
    return plan


def _digest(changes: tuple[Change, ...]) -> str:
    told = "\n".join(change_line(one, "en") for one in changes)
    return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:12]


# --- showing -----------------------------------------------------------------------------------------------------


def presets_page(presets: tuple[Preset, ...], choice: Choice | None, plan: Overhaul | None, locale: str) -> list[Part]:
    """The presets, and of a chosen one what it would change."""
    chosen_name = choice.preset.name if choice is not None else ""
    options = tuple(
        Option(one.name, _in(one.titles, locale), _in(one.abouts, locale), chosen=one.name == chosen_name)
        for one in presets
    )
    parts: list[Part] = [
        Text(say(locale, "panel.presets_intro")),
        Menu("", "preset", options, hint=say(locale, "panel.preset_hint")),
    ]
    if choice is None:
        return parts
    parts += [Gap(), Text(f"**{_in(choice.preset.titles, locale)}**\n{_in(choice.preset.abouts, locale)}")]
    if choice.preset.needs_role:
        chosen = () if choice.role_id is None else (choice.role_id,)
        hint = say(locale, "panel.preset_role")
        parts.append(Pick("", f"preset_role:{choice.preset.name}", Things.ROLES, chosen, least=1, most=1, hint=hint))
    if plan is not None:
        parts += _plan(choice, plan, locale)
    return parts


def _plan(choice: Choice, plan: Overhaul, locale: str) -> list[Part]:
    if not plan.changes:
        return [Text(say(locale, "panel.preset_nothing"))]
    lines = fitted([f"- {change_line(one, locale)}" for one in plan.changes], CHANGES_ROOM, locale)
    act = f"preset_take:{choice.preset.name}.{choice.role_id or 0}.{_digest(plan.changes)}"
    apply = Knob(act, say(locale, "panel.preset_take"), primary=True)
    return [Text(f"{say(locale, 'panel.preset_changes')}\n{lines}"), Knobs((apply,))]


def _in(texts: Mapping[str, str], locale: str) -> str:
    return texts.get(language_of(locale)) or texts["en"]
