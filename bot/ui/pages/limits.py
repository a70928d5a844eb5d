"""``/limits``: what applies to one member here and now, what is left, and what a picture would cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import discord

from bot.core.jobs.intake import Quote
from bot.rules.errors import UserError
from bot.rules.limits.decide import Standing
from bot.rules.limits.limit import Cooldown, Measure, Period, Scope
from bot.rules.money import MicroUSD
from bot.rules.options.usual import Prices
from bot.rules.servers.access import AccessDenied
from bot.ui.pages.result import COLOUR
from bot.ui.pages.settings import fitted
from bot.ui.words.catalogue import say
from bot.ui.words.errors import words
from bot.ui.words.limits import amount, plain_amount, window
from bot.ui.words.numbers import moment
from bot.ui.words.prices import in_pictures, price_words
from bot.ui.words.refusals import whose
from bot.ui.words.text import DESCRIPTION_LIMIT, FIELD_LIMIT, cut, escaped, inline

_ORDER = (Period.NOW, Period.HOUR, Period.DAY, Period.MONTH)
_SCOPES = (Scope.MEMBER, Scope.ROLE, Scope.EVERYONE, Scope.CHANNEL, Scope.SERVER, Scope.OPERATOR)


@dataclass(frozen=True, slots=True)
class Share:
    """What is known of one member's share here. ``quote`` is what `/imagine` would be, or why there is none."""

    standings: Sequence[Standing]
    quote: Quote | UserError
    in_server: bool
    locale: str


def limits_page(share: Share) -> discord.Embed:
    locale = share.locale
    standings = sorted(share.standings, key=_place)
    prices = None if isinstance(share.quote, UserError) else prices_of(share.quote)
    told = [standing_line(standing, locale, in_server=share.in_server, prices=prices) for standing in standings]
    lines = [line for line in told if line]
    body = fitted(lines, DESCRIPTION_LIMIT - 1000, locale) if lines else say(locale, "limits.none")
    top = [say(locale, "limits.intro"), ""]
    if isinstance(share.quote, AccessDenied):
        top = [say(locale, "limits.denied", why=words(share.quote, locale)), ""]
    embed = discord.Embed(colour=COLOUR, title=say(locale, "limits.title"), description="\n".join([*top, body]))
    if not isinstance(share.quote, AccessDenied):
        embed.add_field(name=say(locale, "limits.cost"), value=_quote(share.quote, locale), inline=False)
    embed.set_footer(text=say(locale, "limits.footer" if share.in_server else "limits.footer_direct"))
    return embed


def _place(standing: Standing) -> tuple[bool, bool, int, str]:
    """What is used up comes first; then members' shares before caps, cooldowns before quotas, short windows before
    long ones."""
    limit = standing.limit
    order = 0 if isinstance(limit, Cooldown) else 1 + _ORDER.index(limit.period)
    has_room = standing.left != 0 and not (isinstance(limit, Cooldown) and standing.resets_at is not None)
    return has_room, _SCOPES.index(limit.scope) >= _SCOPES.index(Scope.CHANNEL), order, limit.measure


def standing_line(standing: Standing, locale: str, *, in_server: bool = True, prices: Prices | None = None) -> str:
    """One limit: what is left of how much, which rule says so, and when it starts afresh.

    What is left of a budget is told in pictures, too, where one has ``prices``.

    The operator's numbers are nobody's business: only whether there is room.
    """
    limit = standing.limit
    fields = {
        "rule": f"-# {say(locale, f'limits_rule.{whose(limit, in_server)}', subject=limit.subject_id)}",
        "resets": say(locale, "limits.resets", when=moment(standing.resets_at)) if standing.resets_at else "",
    }
    if limit.scope is Scope.OPERATOR:
        return say(locale, "limits.operator_full" if standing.left == 0 else "limits.operator_ok", **fields)
    if isinstance(limit, Cooldown):
        return _cooldown_line(standing, limit, fields, locale)
    fields["what"] = say(locale, f"limit.{limit.measure}", window=window(limit.period, locale))
    if standing.left is None:
        return say(locale, "limits.free", **fields)
    left, whole = plain_amount(limit, standing.left, locale), amount(limit, locale)
    if limit.measure is Measure.JOBS:
        fields["resets"] = ""
    if limit.measure is Measure.DOLLARS and (pictures := in_pictures(MicroUSD(standing.left), prices, locale)):
        left = f"{left} ({pictures})"
    return say(locale, "limits.line", left=left, amount=whole, **fields)


def _cooldown_line(standing: Standing, limit: Cooldown, fields: dict[str, str], locale: str) -> str:
    fields["what"] = say(locale, "limit.cooldown")
    if standing.left is None:
        return say(locale, "limits.free", **fields)
    if standing.resets_at is None:
        return say(locale, "limits.cooldown_ready", amount=amount(limit, locale), **fields)
    fields["resets"] = moment(standing.resets_at)
    return say(locale, "limits.cooldown_wait", amount=amount(limit, locale), **fields)


def _quote(quote: Quote | UserError, locale: str) -> str:
    if isinstance(quote, UserError):
        return cut(say(locale, "limits.no_request", why=words(quote, locale)), FIELD_LIMIT)
    request = quote.request
    options = "".join(f", {escaped(one, 40)}" for one in (request.size, request.quality) if one)
    key = "limits.cost_line" if quote.upper_micro_usd else "limits.cost_free"
    price = price_words(prices_of(quote), locale)
    return say(locale, key, model=inline(request.model), options=options, price=price)


def prices_of(quote: Quote) -> Prices:
    return Prices(quote.usual_micro_usd, quote.upper_micro_usd)
