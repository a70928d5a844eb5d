"""What an option may be, completed as one types: from what the chosen model has and this member may use here.

Law: never raises and never waits for long; completing is a courtesy, the rules check again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeAlias

import discord
from discord import app_commands

from bot.rules.catalogue.catalogue import Catalogue
from bot.rules.catalogue.model import Model
from bot.rules.options.build import suggest
from bot.rules.options.table import OPTIONS, OptionKind
from bot.rules.people import Place
from bot.rules.requests import Endpoint, Kind
from bot.rules.servers.access import ServerSettings, may_use_model, model_by_default
from bot.ui.interactions.who import asker_of
from bot.ui.orders.looks import complete_look
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say
from bot.ui.words.numbers import day
from bot.ui.words.text import cut

log = logging.getLogger(__name__)

MOST_CHOICES = 25
LONGEST = 100
ENDPOINTS = {
    Kind.IMAGINE: frozenset({Endpoint.GENERATIONS}),
    Kind.EDIT: frozenset({Endpoint.EDITS}),
    Kind.VARY: frozenset({Endpoint.VARIATIONS, Endpoint.EDITS}),
}
COMPLETED = {"model"} | {option.name for option in OPTIONS if option.kind in (OptionKind.WORD, OptionKind.SIZE)}

Choices: TypeAlias = list[app_commands.Choice[str]]
Completer: TypeAlias = Callable[["discord.Interaction[Any]", str], Coroutine[Any, Any, Choices]]
SlashCommand: TypeAlias = "app_commands.Command[Any, ..., Any]"


def complete_options(command: SlashCommand, kind: Kind) -> None:
    """Completes the model, the look and every option of words that the command has."""
    for parameter in command.parameters:
        if parameter.display_name == "look":
            command.autocomplete(parameter.name)(complete_look)
        if parameter.display_name in COMPLETED:
            command.autocomplete(parameter.name)(completer(parameter.display_name, kind))


def completer(option: str, kind: Kind) -> Completer:
    """An autocomplete callback for this option of this command."""

    async def complete(interaction: discord.Interaction[Any], typed: str) -> Choices:
        try:
            return await _complete(interaction, option, typed, kind)
        except Exception:
            log.exception("completing %s failed", option)
            return []

    return complete


async def _complete(interaction: Interaction, option: str, typed: str, kind: Kind) -> Choices:
    settings = await _settings(interaction)
    if option == "model":
        return model_choices(interaction, settings, typed, kind)
    model = _chosen(interaction, settings)
    if model is None:
        return []
    values = suggest(option, typed, model, kind)
    return [app_commands.Choice(name=value, value=value) for value in values if len(value) <= LONGEST]


async def _settings(interaction: Interaction) -> ServerSettings:
    """What holds here, with the model that this person always wants where they may have it."""
    cache, asker = interaction.client.shell.settings_cache, asker_of(interaction)
    here = await cache.looks(asker.place)
    own = (await cache.looks(Place(None, asker.user_id))).defaults.model
    if own is None or not may_use_model(here, own):
        return here
    return replace(here, defaults=replace(here.defaults, model=own))


def model_choices(interaction: Interaction, settings: ServerSettings, typed: str, kind: Kind) -> Choices:
    """The models that can do this, are allowed here, and hold what was typed; the default first."""
    shell = interaction.client.shell
    default = model_by_default(settings.defaults, shell.config.default_model)
    fitting = [
        model
        for model in offered(shell.catalogue, shell.config.is_official, shell.clock().date())
        if model.endpoints & ENDPOINTS[kind] and may_use_model(settings, model.id)
    ]
    words = typed.lower().split()
    found = [model for model in fitting if all(word in model.id.lower() for word in words)]
    found.sort(key=lambda model: (model.id != default, not model.id.startswith(typed.lower())))
    locale = str(interaction.locale)
    return [app_commands.Choice(name=_label(model, default, locale), value=model.id) for model in found[:MOST_CHOICES]]


def offered(catalogue: Catalogue, official: bool, today: Any) -> tuple[Model, ...]:
    return catalogue.offered(official=official, today=today)


def _label(model: Model, default: str, locale: str) -> str:
    notes = [say(locale, "models.default")] if model.id == default else []
    if model.ends_on is not None:
        notes.append(say(locale, "models.ends_on", day=day(locale, model.ends_on)))
    return cut(model.id + (f" ({', '.join(notes)})" if notes else ""), LONGEST)


def _chosen(interaction: Interaction, settings: ServerSettings) -> Model | None:
    shell = interaction.client.shell
    typed = getattr(interaction.namespace, "model", None)
    chosen = shell.catalogue.get(typed) if isinstance(typed, str) else None
    return chosen or shell.catalogue.get(model_by_default(settings.defaults, shell.config.default_model))
