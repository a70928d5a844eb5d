"""A reminder as a direct message. Law: best effort, once; closed direct messages are no error and are not told."""

from __future__ import annotations

import json
import logging

import discord

from bot.ports import Reminder
from bot.rules.limits.limit import Measure, Period
from bot.ui.interactions.failures import TROUBLE, failure_of
from bot.ui.words.catalogue import say
from bot.ui.words.limits import window

log = logging.getLogger(__name__)


class DirectReminders:
    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def tell(self, reminder: Reminder) -> None:
        try:
            channel = await self._client.create_dm(discord.Object(reminder.user_id))
            await channel.send(reminder_words(reminder), allowed_mentions=discord.AllowedMentions.none())
        except TROUBLE as error:
            log.info("a reminder did not arrive: %s", failure_of(error).name)


def reminder_words(reminder: Reminder) -> str:
    body = json.loads(reminder.body)
    locale = str(body["locale"])
    _, _, measure, period = reminder.about.split(":")
    what = (
        say(locale, f"limit.{measure}", window=window(Period(period), locale))
        if measure in set(Measure)
        else say(locale, "limit.cooldown")
    )
    return say(locale, "remind.due", what=what, where=f"<#{int(body['channel_id'])}>")
