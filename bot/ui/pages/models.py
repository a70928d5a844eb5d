"""The catalogue as people read it: what each model can do and costs, whether it is allowed here, when it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import discord

from bot.rules.catalogue.catalogue import Catalogue
from bot.rules.catalogue.model import Model
from bot.rules.catalogue.pricing import picture_price
from bot.rules.options.sizes import SizeList, SizeRule, standard_sizes
from bot.rules.requests import Endpoint
from bot.rules.servers.access import ServerSettings, may_use_model, model_by_default
from bot.ui.pages.result import COLOUR
from bot.ui.words.catalogue import say
from bot.ui.words.numbers import decimal, money, number
from bot.ui.words.text import FIELD_LIMIT, cut, inline, length

PER_PAGE = 8
ROOM = 5000
_COMMANDS = {
    "models.generations": {Endpoint.GENERATIONS},
    "models.edits": {Endpoint.EDITS},
    "models.variations": {Endpoint.VARIATIONS, Endpoint.EDITS},
}
"""What a command needs; a variation is made by an edit where the model has no variations."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Everything a page of models depends on."""

    catalogue: Catalogue
    settings: ServerSettings
    default_model: str
    official: bool
    today: date
    locale: str


def pages(shelf: Shelf) -> list[discord.Embed]:
    """The models on offer, at most eight a page; one page with a word where there is none."""
    default = model_by_default(shelf.settings.defaults, shelf.default_model)
    models = shelf.catalogue.offered(official=shelf.official, today=shelf.today)
    ordered = sorted(models, key=lambda model: model.id != default)
    fields = [(_title(model, default, shelf), _facts(model, shelf)) for model in ordered]
    groups = _grouped(fields)
    title = say(shelf.locale, "models.title")
    if not groups:
        return [discord.Embed(title=title, description=say(shelf.locale, "models.none"), colour=COLOUR)]
    made = []
    for page, group in enumerate(groups, 1):
        embed = discord.Embed(title=title, colour=COLOUR)
        for name, value in group:
            embed.add_field(name=name, value=value, inline=False)
        if len(groups) > 1:
            embed.set_footer(text=say(shelf.locale, "models.page", page=page, pages=len(groups)))
        made.append(embed)
    return made


def _grouped(fields: Sequence[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    groups: list[list[tuple[str, str]]] = []
    room = 0
    for name, value in fields:
        size = length(name) + length(value)
        if not groups or len(groups[-1]) >= PER_PAGE or size > room:
            groups.append([])
            room = ROOM
        groups[-1].append((name, value))
        room -= size
    return groups


def _title(model: Model, default: str, shelf: Shelf) -> str:
    notes = [say(shelf.locale, "models.default")] if model.id == default else []
    if not may_use_model(shelf.settings, model.id):
        notes.append(say(shelf.locale, "models.not_allowed"))
    return cut(model.id + (f" ({', '.join(notes)})" if notes else ""), 256)


def _facts(model: Model, shelf: Shelf) -> str:
    locale = shelf.locale
    lines = [
        _ending(model, shelf),
        say(locale, "models.can", values=_abilities(model, locale)),
        _sizes(model, locale),
        _listed("models.qualities", model.qualities, locale),
        _listed("models.styles", model.styles, locale),
        _listed("models.backgrounds", model.backgrounds, locale),
        _listed("models.formats", model.formats, locale),
        say(locale, "models.count", count=model.max_count) if model.max_count > 1 else "",
        _price(model, locale),
    ]
    return cut("\n".join(line for line in lines if line), FIELD_LIMIT)


def _ending(model: Model, shelf: Shelf) -> str:
    if not shelf.official:
        return ""
    successor = next((name for name in model.successors if shelf.catalogue.get(name) is not None), None)
    use = f" {say(shelf.locale, 'models.successor', model=inline(successor))}" if successor else ""
    if model.ends_on is None:
        return ""
    at = int(datetime.combine(model.ends_on, time(), UTC).timestamp())
    return say(shelf.locale, "models.ends", when=f"<t:{at}:D>") + use


def _abilities(model: Model, locale: str) -> str:
    words = [say(locale, key) for key, endpoints in _COMMANDS.items() if endpoints & model.endpoints]
    words += [say(locale, "models.markup")] if model.has_markup else []
    words += [say(locale, "models.frames")] if model.frames else []
    words += [say(locale, "models.previews")] if model.max_partials else []
    return ", ".join(words)


def _sizes(model: Model, locale: str) -> str:
    match model.sizes:
        case SizeList(sizes=sizes, auto=auto):
            listed = [str(size) for size in sizes] + (["auto"] if auto else [])
            return say(locale, "models.sizes_list", sizes=", ".join(listed))
        case SizeRule() as rule:
            return say(
                locale,
                "models.sizes_rule",
                step=rule.step_px,
                low=number(locale, rule.min_pixels),
                high=number(locale, rule.max_pixels),
                edge=number(locale, rule.max_edge_px),
                ratio=decimal(locale, rule.max_ratio),
                standard=", ".join(str(size) for size in rule.standard[:3]),
            )


def _listed(key: str, values: Sequence[str], locale: str) -> str:
    return say(locale, key, values=", ".join(values)) if values else ""


def _price(model: Model, locale: str) -> str:
    if model.pricing is None:
        return say(locale, "models.no_price")
    if model.pricing.free:
        return say(locale, "models.price", values=say(locale, "models.free"))
    size = next(iter(standard_sizes(model.sizes)), None)
    if size is None:
        return ""
    each = []
    for quality in [quality for quality in model.qualities if quality != "auto"] or [""]:
        price = picture_price(model, quality or None, size)
        if price is not None:
            each.append(f"{quality} {money(locale, price)}".strip())
    return say(locale, "models.price", values=f"{', '.join(each)} ({size})") if each else say(locale, "models.no_price")
