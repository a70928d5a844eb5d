"""The buttons of a refusal: make it the way that works, or be reminded when a limit resets.

Ids are ``e1:help:<offer>:<number>`` and ``e1:remind:<scope>:<measure>:<period>``: what the first means is kept in the
ledger for a day, the second is looked up among the limits that apply at the press. Both go through the same door as a
command: rights, options, limits and price are those of who presses, then.
"""

from __future__ import annotations

import json
from datetime import timedelta

import discord

from bot.ports import Reminder
from bot.rules.errors import AlreadyRunning
from bot.rules.limits.limit import Cooldown, Limit, Quota
from bot.ui.components.help.kept import chosen, from_text, with_remedy
from bot.ui.components.press import Press, button
from bot.ui.interactions.acknowledge import tell
from bot.ui.interactions.ids import VERSION
from bot.ui.interactions.who import asker_of
from bot.ui.orders.submit import take_on
from bot.ui.orders.wish import gather
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say
from bot.ui.words.errors import NothingToAwait, StaleOffer
from bot.ui.words.numbers import moment

OFFERED_FOR = timedelta(days=1)
COOLDOWN = "cooldown"


class Make(Press, template=rf"{VERSION}:help:(?P<offer>[A-Za-z0-9_-]{{1,40}}):(?P<number>[0-9])"):
    """Makes what was refused, with what works. Once: the ledger knows one job by this button's id."""

    async def press(self, interaction: Interaction) -> None:
        shell, asker = interaction.client.shell, asker_of(interaction)
        offer = await shell.store.offers.offered(self.part("offer"))
        if offer is None or offer.user_id != asker.user_id or offer.place.key != asker.place.key:
            raise StaleOffer
        kept = from_text(shell, offer.body, asker.place.key)
        remedy = chosen(kept.remedies, int(self.part("number")))
        if remedy is None or shell.clock() - offer.created_at > OFFERED_FOR:
            raise StaleOffer
        started = await take_on(
            interaction,
            gather(shell, with_remedy(kept.wish, remedy)),
            private=kept.private,
            parent=kept.parent,
            event_key=self.custom_id,
        )
        if started is None:
            raise AlreadyRunning


class RemindMe(Press, template=rf"{VERSION}:remind:(?P<scope>[a-z]+):(?P<measure>[a-z]+):(?P<period>[a-z]+)"):
    """A direct message when the limit resets. Pressed again it is the same reminder."""

    is_harmless_twice = True

    async def press(self, interaction: Interaction) -> None:
        shell, asker, locale = interaction.client.shell, asker_of(interaction), str(interaction.locale)
        standings = await shell.store.figures.standings(asker, shell.clock())
        standing = next((one for one in standings if remind_id(one.limit) == self.custom_id), None)
        if standing is None or standing.resets_at is None:
            raise NothingToAwait
        about = self.custom_id.removeprefix(f"{VERSION}:remind:")
        body = json.dumps({"locale": locale, "channel_id": asker.channel_id})
        await shell.store.offers.remind(
            Reminder(asker.user_id, f"{asker.place.key}:{about}", asker.place, standing.resets_at, body)
        )
        await tell(interaction, say(locale, "remind.kept", when=moment(standing.resets_at)))


def remind_id(limit: Limit) -> str:
    match limit:
        case Cooldown():
            return f"{VERSION}:remind:{limit.scope}:{COOLDOWN}:{COOLDOWN}"
        case Quota():
            return f"{VERSION}:remind:{limit.scope}:{limit.measure}:{limit.period}"


def make_button(offer_id: str, number: int, label: str, *, is_first: bool) -> Make:
    style = discord.ButtonStyle.primary if is_first else discord.ButtonStyle.secondary
    return Make(button(f"{VERSION}:help:{offer_id}:{number}", label, style=style))


def remind_button(limit: Limit, locale: str) -> RemindMe:
    return RemindMe(button(remind_id(limit), say(locale, "remind.button"), emoji="🔔"))


HELP_ITEMS: tuple[type[Press], ...] = (Make, RemindMe)
