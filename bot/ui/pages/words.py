"""Words that a model found: a prompt from a picture, or a better one beside the old. Nothing is sent here."""

from __future__ import annotations

import discord

from bot.rules.ledger import Job
from bot.rules.requests import Kind
from bot.ui.pages.result import cost
from bot.ui.words.catalogue import say
from bot.ui.words.text import escaped, fits

ROOM = 3_500
OLD_ROOM = 1_000


def words_embed(job: Job, words: str, locale: str, *, with_cost: bool, name: str) -> discord.Embed:
    """``name`` is what the model is called for short."""
    embed = discord.Embed(title=say(locale, f"wording.{job.request.kind}_title"), description=escaped(words, ROOM))
    if job.request.kind is Kind.IMPROVE:
        embed.add_field(name=say(locale, "wording.yours"), value=escaped(job.request.own_words, OLD_ROOM), inline=False)
    price = cost(job, locale) if with_cost else ""
    embed.set_footer(text=" · ".join(part for part in (name, price, say(locale, "wording.unchecked")) if part))
    return embed


def is_whole(words: str) -> bool:
    """Whether the embed shows all of them."""
    return fits(words, ROOM)
