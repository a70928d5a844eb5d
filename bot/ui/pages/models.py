"""The catalogue as people read it: what each model can do and costs, whether it is allowed here, when it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import discord

from bot.rules.catalogue.catalogue import Catalogue
from bot.rules.catalogue.model import DEFAULT_SERVICE, Model
from bot.rules.catalogue.overnight import is_overnight
from bot.rules.catalogue.pricing import picture_price
from bot.rules.options.sizes import SizeList, SizeRule, standard_sizes
from bot.rules.options.usual import usual_picture
from bot.rules.requests import Endpoint
from bot.rules.servers.access import ServerSettings, may_use_model, model_by_default
from bot.ui.pages.batch import HALF
from bot.ui.pages.result import COLOUR
from bot.ui.words.catalogue import say
from bot.ui.words.numbers import day, decimal, money, number
from bot.ui.words.prices import price_words
from bot.ui.words.text import DESCRIPTION_LIMIT, cut, escaped, inline

MOST_CHOICES = 25
PER_PAGE = 20
"""Lines; as many as one menu takes, and a phone shows without much turning."""

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


@dataclass(frozen=True, slots=True)
class ShelfPage:
    """A line a model, and the models whose details one can ask for there."""

    embed: discord.Embed
    models: tuple[Model, ...]


def pages(shelf: Shelf) -> list[ShelfPage]:
    """The models on offer, a line each: the default first, then what is allowed here. Snapshots of a model that is
    there stand behind the rest, in one line. One page with a word where there is none."""
    offered = shelf.catalogue.offered(official=shelf.official, today=shelf.today)
    names = {model.id for model in offered}
    snapshots = [model for model in offered if model.alias_of in names]
    lines = sorted((model for model in offered if model.alias_of not in names), key=lambda model: _place(model, shelf))
    title = say(shelf.locale, "models.title")
    if not lines:
        return [ShelfPage(discord.Embed(title=title, description=say(shelf.locale, "models.none"), colour=COLOUR), ())]
    groups = [lines[first : first + PER_PAGE] for first in range(0, len(lines), PER_PAGE)]
    made = []
    for page, group in enumerate(groups, 1):
        told = [say(shelf.locale, "models.intro"), "", *(_line(model, shelf) for model in group)]
        more = snapshots[: MOST_CHOICES - len(group)] if page == len(groups) else []
        if more:
            values = ", ".join(escaped(_name(model), 80) for model in more)
            told += ["", say(shelf.locale, "models.snapshots", values=values)]
        words = shelf.catalogue.chat_model
        if words is not None and page == len(groups):
            told += ["", say(shelf.locale, "models.words", name=escaped(words.id, 80))]
        embed = discord.Embed(title=title, description=cut("\n".join(told), DESCRIPTION_LIMIT), colour=COLOUR)
        if len(groups) > 1:
            embed.set_footer(text=say(shelf.locale, "models.page", page=page, pages=len(groups)))
        made.append(ShelfPage(embed, (*group, *more)))
    return made


def details(model: Model, shelf: Shelf) -> discord.Embed:
    """All that is known of one model."""
    name = _name(model)
    notes = [inline(model.id)] if name != model.id else []
    notes += _notes(model, shelf)
    embed = discord.Embed(title=cut(name, 256), colour=COLOUR)
    embed.description = "\n".join([" · ".join(notes), _facts(model, shelf)]).strip()
    return embed


def choice_line(model: Model, shelf: Shelf) -> str:
    """What stands small under a model in the menu."""
    return " · ".join([_usual(model, shelf), *_notes(model, shelf)])


def _name(model: Model) -> str:
    return model.short_name or model.id


def _place(model: Model, shelf: Shelf) -> tuple[bool, bool]:
    default = model_by_default(shelf.settings.defaults, shelf.default_model)
    return model.id != default, not may_use_model(shelf.settings, model.id)


def _line(model: Model, shelf: Shelf) -> str:
    """``**2.5 flare** · ≈ $0.013 · edits, GIF``; what is not allowed here is marked, and struck out by name."""
    name = f"**{escaped(_name(model), 60)}**"
    is_allowed = may_use_model(shelf.settings, model.id)
    parts = [name if is_allowed else f"🚫 ~~{name}~~", _usual(model, shelf), _brief(model, shelf.locale)]
    return " · ".join(part for part in [*parts, *_notes(model, shelf)] if part)


def _usual(model: Model, shelf: Shelf) -> str:
    """What a picture usually costs at the quality that is used here."""
    if model.pricing is None:
        return say(shelf.locale, "models.unpriced")
    if model.pricing.free:
        return say(shelf.locale, "models.free")
    prices = usual_picture(model, shelf.settings)
    return say(shelf.locale, "models.about", price=money(shelf.locale, prices.usual)) if prices is not None else ""


def _brief(model: Model, locale: str) -> str:
    edits = "models.brief_edits" if Endpoint.GENERATIONS in model.endpoints else "models.brief_makes_not"
    words = [say(locale, edits)] if Endpoint.EDITS in model.endpoints else []
    words += [say(locale, "models.brief_gif")] if model.frames else []
    return ", ".join(words)


def _notes(model: Model, shelf: Shelf) -> list[str]:
    default = model_by_default(shelf.settings.defaults, shelf.default_model)
    notes = [say(shelf.locale, "models.default")] if model.id == default else []
    if not may_use_model(shelf.settings, model.id):
        notes.append(say(shelf.locale, "models.not_allowed"))
    ends_on = shelf.catalogue.ends_on(model, official=shelf.official)
    if ends_on is not None:
        notes.append(say(shelf.locale, "models.ends_on", day=day(shelf.locale, ends_on)))
    if model.service != DEFAULT_SERVICE and not model.id.endswith(f"@{model.service}"):
        notes.append(say(shelf.locale, "models.at", service=model.service))
    if is_overnight(model, shelf.catalogue, official=shelf.official):
        key = "models.overnight" if model.overnight_percent == HALF else "models.overnight_percent"
        notes.append(say(shelf.locale, key, percent=model.overnight_percent))
    if shelf.catalogue.is_unlisted(model):
        notes.append(say(shelf.locale, "models.unlisted"))
    return notes


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
        _now(model, shelf),
    ]
    return cut("\n".join(line for line in lines if line), DESCRIPTION_LIMIT - 300)


def _ending(model: Model, shelf: Shelf) -> str:
    ends_on = shelf.catalogue.ends_on(model, official=shelf.official)
    if ends_on is None:
        return ""
    successor = next((name for name in model.successors if shelf.catalogue.get(name) is not None), None)
    use = f" {say(shelf.locale, 'models.successor', model=inline(successor))}" if successor else ""
    at = int(datetime.combine(ends_on, time(), UTC).timestamp())
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


def _now(model: Model, shelf: Shelf) -> str:
    """What one picture comes to here, as it is set."""
    prices = usual_picture(model, shelf.settings)
    return (
        ""
        if prices is None or not prices.most
        else say(shelf.locale, "models.now", price=price_words(prices, shelf.locale))
    )


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
