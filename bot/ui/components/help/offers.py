"""What would work instead of what was refused: found, checked by the same door, kept, and put on buttons.

Law: a button is offered only for what was just found to pass rights and options; what it costs stands on it where the
server shows costs. Nothing is made, charged or chosen by itself.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import discord

from bot.core.jobs.intake import Quote
from bot.ports import Offer
from bot.rules.catalogue.catalogue import ModelRetired, ModelWithheld, NoSuchModel
from bot.rules.catalogue.model import Model
from bot.rules.errors import ServicePaused, UserError
from bot.rules.limits.decide import Cost, Refusal, Refused, has_room
from bot.rules.limits.limit import Measure, Scope, most_of
from bot.rules.options.build import build_request
from bot.rules.options.problems import InvalidOptions
from bot.rules.options.remedies import MODEL, OWN_WORDS, Remedy, able, affordable, lacks, repaired
from bot.rules.options.words import NoWords
from bot.rules.people import Asker
from bot.rules.requests import Kind
from bot.rules.servers.access import AccessDenied, DeniedBecause, ServerSettings, may_use_model
from bot.ui.components.help.buttons import make_button, remind_button
from bot.ui.components.help.kept import KeptWish, to_text, with_remedy
from bot.ui.components.help.labels import remedy_words
from bot.ui.components.help.places import open_channels
from bot.ui.components.press import Press
from bot.ui.interactions.who import answer_of, asker_of
from bot.ui.orders.submit import Taken, taken_by
from bot.ui.orders.wish import SMALLEST, Gathering, Wish, rough_quote, uploaded
from bot.ui.shell import Helped, Interaction, Shell
from bot.ui.words.catalogue import joined, say
from bot.ui.words.numbers import money
from bot.ui.words.text import inline

MOST_KEPT = 5
MOST_BUTTONS = 3
MOST_NAMED = 8
HELPED = (InvalidOptions, Refused, AccessDenied, NoSuchModel, ModelWithheld, ModelRetired, NoWords, ServicePaused)
WORTH_A_REMINDER = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Refusing:
    """One refusal, and everything help depends on."""

    interaction: Interaction
    shell: Shell
    asker: Asker
    settings: ServerSettings
    locale: str
    wish: Wish | None
    taken: Taken | None

    def models(self) -> tuple[Model, ...]:
        """Those that may be asked for here."""
        today = self.shell.clock().date()
        offered = self.shell.catalogue.offered(official=self.shell.config.is_official, today=today)
        return tuple(model for model in offered if may_use_model(self.settings, model.id))


@dataclass(frozen=True, slots=True)
class Proposal:
    """What to say beside the refusal, what to offer, and which limit to be reminded of."""

    text: str = ""
    remedies: tuple[Remedy, ...] = ()
    reminder: Refusal | None = None


class Offers:
    """``shell.Help``."""

    async def for_refused(self, interaction: Interaction, error: UserError) -> Helped:
        """Raises ``UserError`` where the ledger is in trouble."""
        if not isinstance(error, HELPED):
            return Helped()
        shell, asker = interaction.client.shell, asker_of(interaction)
        taken = taken_by(interaction)
        wish = taken.gather.wish if taken is not None and isinstance(taken.gather, Gathering) else None
        settings = await shell.store.servers.settings(asker.place)
        here = Refusing(interaction, shell, asker, settings, str(interaction.locale), wish, taken)
        proposal = await _proposal(here, error)
        passing = await _passing(here, proposal.remedies)
        view = discord.ui.View(timeout=None)
        for item in await _makers(here, passing):
            view.add_item(item)
        if proposal.reminder is not None:
            view.add_item(remind_button(proposal.reminder.limit, here.locale))
        text = _what_fits(here, passing) if isinstance(error, Refused) else proposal.text
        return Helped(text, view if view.children else None)


Passing = Sequence[tuple[Remedy, Quote]]


async def _passing(here: Refusing, remedies: Sequence[Remedy]) -> Passing:
    """The remedies that were just found to pass, with what they come to; as many as are shown."""
    passing: list[tuple[Remedy, Quote]] = []
    for remedy in remedies:
        quote = None if here.wish is None else await _checked(here, here.wish, remedy)
        if quote is not None and len(passing) < MOST_BUTTONS:
            passing.append((remedy, quote))
    return passing


def _what_fits(here: Refusing, passing: Passing) -> str:
    """What a limit has room for; the price stands on the button."""
    words = [remedy_words(one, here.shell.catalogue, here.locale) for one, _ in passing if one != OWN_WORDS]
    return say(here.locale, "remedy.fits", what=joined(here.locale, words)) if words else ""


async def _makers(here: Refusing, passing: Passing) -> list[Press]:
    """A button for each; what they make is kept, so that they work after a restart."""
    if here.wish is None or here.taken is None or not passing:
        return []
    kept = KeptWish(here.wish, here.taken.private, here.taken.parent, tuple(remedy for remedy, _ in passing))
    body = to_text(kept)
    if body is None:
        return []
    offer_id = secrets.token_urlsafe(12)
    offer = Offer(offer_id, here.asker.place, here.asker.user_id, here.shell.clock(), body)
    await here.shell.store.offers.offer(offer, MOST_KEPT)
    return [
        make_button(offer_id, number, _label(here, remedy, quote), is_first=number == 0)
        for number, (remedy, quote) in enumerate(passing)
    ]


async def _checked(here: Refusing, wish: Wish, remedy: Remedy) -> Quote | None:
    try:
        return await rough_quote(here.shell, here.asker, with_remedy(wish, remedy))
    except UserError:
        return None


def _label(here: Refusing, remedy: Remedy, quote: Quote) -> str:
    what = remedy_words(remedy, here.shell.catalogue, here.locale)
    text = say(here.locale, "wording.mine") if remedy == OWN_WORDS else say(here.locale, "remedy.make", what=what)
    priced = here.settings.show_cost and quote.usual_micro_usd > 0
    return f"{text} · {money(here.locale, quote.usual_micro_usd)}" if priced else text


# --- what is proposed for each refusal -----------------------------------------------------------------------------


async def _proposal(here: Refusing, error: UserError) -> Proposal:
    match error:
        case InvalidOptions():
            return _for_options(here, error)
        case Refused():
            return await _for_limits(here, error)
        case AccessDenied(because=DeniedBecause.CHANNEL):
            return _for_channel(here)
        case AccessDenied(because=DeniedBecause.MODEL):
            return _for_models(here, error.detail, ())
        case NoSuchModel():
            return _for_models(here, error.asked, error.nearest)
        case ModelWithheld():
            return _for_models(here, error.model, error.nearest)
        case ModelRetired():
            return _for_models(here, error.model, () if error.successor is None else (error.successor,))
        case NoWords() | ServicePaused():
            return Proposal(remedies=await _for_words(here))
        case _:
            return Proposal()


def _improves(here: Refusing) -> bool:
    return here.wish is not None and here.wish.kind is Kind.IMPROVE


def _for_options(here: Refusing, error: InvalidOptions) -> Proposal:
    if here.wish is None:
        return Proposal()
    if _improves(here):  # a model for pictures takes more words
        return Proposal(remedies=(OWN_WORDS,))
    wish, repair = here.wish, repaired(error.problems)
    makers: tuple[Model, ...] = ()
    if not wish.inputs_of and (repair is None or lacks(error.problems)):
        makers = able(lambda model: _build(here, wish, model), (one for one in here.models() if one.id != error.model))
    by_model = [Remedy(((MODEL, model.id),)) for model in makers[: MOST_BUTTONS - 1]]
    text = say(here.locale, "remedy.makers", models=_named(here, makers)) if makers else ""
    return Proposal(text, (*by_model, *((repair,) if repair else ())))


def _build(here: Refusing, wish: Wish, model: Model) -> object:
    return build_request(
        wish.raw,
        model,
        wish.kind,
        uploaded=uploaded(wish, (SMALLEST,) * len(wish.pictures)),
        defaults=here.settings.defaults,
        previews_allowed=here.settings.previews,
        moderation_floor=here.settings.moderation,
    )


def _for_models(here: Refusing, refused: str, nearest: Sequence[str]) -> Proposal:
    """For a model that is not there or not allowed: those that are, the nearest first; and who chose it, where whoever
    asked named none.

    Pictures that were made ready for one model are not given to another.
    """
    allowed = here.models()
    known = {model.id for model in allowed}
    others = [model.id for model in allowed if model.alias_of is None and model.id not in nearest]
    key = "remedy.allowed" if allowed else "remedy.no_model"
    ordered = [*(name for name in nearest if name in known), *others]
    fixed = here.wish is not None and here.wish.inputs_of != ""
    remedies = () if fixed else tuple(Remedy(((MODEL, name),)) for name in ordered[:MOST_BUTTONS])
    by_default = here.wish is not None and here.wish.model is None and here.settings.defaults.model == refused
    whose = [say(here.locale, "remedy.by_default")] if by_default else []
    return Proposal("\n".join([*whose, say(here.locale, key, models=_named(here, allowed))]), remedies)


async def _for_words(here: Refusing) -> tuple[Remedy, ...]:
    """Where better words cannot be had, one's own; unless pictures cannot be had either."""
    quote = await _checked(here, here.wish, OWN_WORDS) if here.wish is not None and _improves(here) else None
    if quote is None:
        return ()
    try:
        here.shell.intake.check_open(quote, here.asker, answer_of(here.interaction, private=True))
    except UserError:
        return ()
    return (OWN_WORDS,)


def _for_channel(here: Refusing) -> Proposal:
    channels = open_channels(here.interaction, here.settings)
    shown = joined(here.locale, [f"<#{one}>" for one in channels[:MOST_NAMED]])
    return Proposal(say(here.locale, "remedy.channels", channels=shown) if shown else "")


async def _for_limits(here: Refusing, refused: Refused) -> Proposal:
    """Less of the same where that has room; being reminded where waiting helps."""
    remedies: tuple[Remedy, ...] = ()
    if here.wish is not None and all(
        one.limit.measure in (Measure.DOLLARS, Measure.IMAGES) for one in refused.refusals
    ):
        quote = await _checked(here, here.wish, OWN_WORDS if _improves(here) else Remedy(()))
        model = None if quote is None else here.shell.catalogue.get(quote.request.model)
        if quote is not None and model is not None:
            remedies = _less(here, refused, quote, model)
    return Proposal("", remedies, _to_await(here, refused))


def _less(here: Refusing, refused: Refused, quote: Quote, model: Model) -> tuple[Remedy, ...]:
    """A server's own key may pay for the picture where the operator's budget has no room for words."""
    limits = [one for one in refused.refusals if not (quote.own_key and one.limit.scope is Scope.OPERATOR)]
    if not _improves(here):
        return affordable(quote.request, model, lambda cost: has_room(limits, cost))
    cost = Cost(images=quote.request.count, micro_usd=quote.upper_micro_usd)
    return (OWN_WORDS,) if has_room(limits, cost) else ()


def _to_await(here: Refusing, refused: Refused) -> Refusal | None:
    """The limit that resets last, where all of them do and that is worth a message. The operator's own says nothing."""
    now = here.shell.clock()
    dates = [one.resets_at for one in refused.refusals]
    helps = all(
        one.asked <= (most_of(one.limit) or 0) and one.limit.scope is not Scope.OPERATOR for one in refused.refusals
    )
    if not helps or None in dates:
        return None
    last = max(refused.refusals, key=lambda one: one.resets_at or now)
    return last if last.resets_at is not None and last.resets_at - now >= WORTH_A_REMINDER else None


def _named(here: Refusing, models: Sequence[Model]) -> str:
    plain = [model for model in models if model.alias_of is None]
    return joined(here.locale, [inline(model.id) for model in plain[:MOST_NAMED]], last="and")
