"""What the commands under ``/settings`` about limits do: without a number they show, with one they set, told to remove
they remove; a question comes first where money is at stake.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.servers.admin import Proposal
from bot.rules.limits.amounts import MAX_COUNT, MAX_JOBS, MAX_SECONDS, read_count, read_dollars
from bot.rules.limits.limit import (
    Cooldown,
    Limit,
    Measure,
    Period,
    Quota,
    Scope,
    Slot,
    is_open,
    is_removal,
    most_of,
    slot_of,
    still_holding,
    without_amount,
)
from bot.rules.money import MicroUSD
from bot.rules.servers.changes import LimitChanged
from bot.rules.servers.edits import ChangedMeanwhile, SetAndRemoved, limiting
from bot.ui.components.confirm import Confirm
from bot.ui.interactions.who import asker_of
from bot.ui.messages import Message
from bot.ui.pages.settings import MENTIONS
from bot.ui.panels.server.answers import Shown, Turn, changed, told_of
from bot.ui.panels.server.parts import Page, slot_arg
from bot.ui.panels.settings import locale_of, place_of
from bot.ui.panels.settings_options import Whom, subject_of
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import joined, say
from bot.ui.words.changes import change_line
from bot.ui.words.limits import amount, counted, window
from bot.ui.words.prices import budget_meaning


async def cooldown(interaction: Interaction, seconds: int | None, whom: Whom, *, remove: bool) -> Message:
    given = None if seconds is None else read_count("seconds", seconds, MAX_SECONDS)
    scope, subject = subject_of(interaction, whom, Scope.EVERYONE, removing=given is None)
    return await _limit(interaction, Cooldown(scope, given, subject), remove=remove)


async def quota(interaction: Interaction, images: int | None, per: Period, whom: Whom, *, remove: bool) -> Message:
    given = None if images is None else read_count("images", images, MAX_COUNT)
    scope, subject = subject_of(interaction, whom, Scope.EVERYONE, removing=given is None)
    return await _limit(interaction, Quota(scope, Measure.IMAGES, per, given, subject), remove=remove)


async def budget(interaction: Interaction, usd: str | None, per: Period, whom: Whom, *, remove: bool) -> Message:
    given = None if usd is None else read_dollars("usd", usd)
    scope, subject = subject_of(interaction, whom, Scope.SERVER, removing=given is None)
    return await _limit(interaction, Quota(scope, Measure.DOLLARS, per, given, subject), remove=remove)


async def concurrency(interaction: Interaction, jobs: int | None, whom: Whom, *, remove: bool) -> Message:
    given = None if jobs is None else read_count("jobs", jobs, MAX_JOBS)
    scope, subject = subject_of(interaction, whom, Scope.EVERYONE, removing=given is None)
    return await _limit(interaction, Quota(scope, Measure.JOBS, Period.NOW, given, subject), remove=remove)


async def set_together(
    interaction: Interaction, wanted: Sequence[Limit], gone: Sequence[Limit], held: Sequence[Limit]
) -> Turn | Message:
    """Sets some limits and takes others away in one go; or the question, where more could be spent by any of it."""
    locale = locale_of(interaction)
    here = {slot_of(one): one for one in held}
    seen = {slot_of(one): here.get(slot_of(one)) for one in (*wanted, *gone)}
    if not seen:
        return Turn(notes=(say(locale, "settings.cancelled"),))
    admin, place = interaction.client.shell.admin, place_of(interaction)
    emptied = [without_amount(one) for one in gone]
    proposals = [await admin.propose_limit(place, one) for one in (*wanted, *emptied)]
    question = next(filter(None, map(_question, proposals)), None)

    async def change(by: Interaction) -> Turn:
        done = await by.client.shell.admin.overhaul(asker_of(by), limiting(wanted, gone, seen))
        notes = [note for one in wanted for note in (await meaning(by, one), still_words(one, held, locale))]
        return Turn((done,), tuple(notes))

    if question is None:
        return await change(interaction)

    async def act(pressed: Interaction) -> Message:
        return told_of(pressed, await change(pressed))

    lines = [
        change_line(LimitChanged(slot_of(one.limit), one.old, None if one.remove else one.limit), locale)
        for one in proposals
    ]
    return Message("\n".join([*lines, say(locale, question)]), view=Confirm(interaction, act))


def still_words(limit: Limit, held: Sequence[Limit], locale: str) -> str:
    """What of everyone's goes on for those an exception is for: windows do not override each other."""
    rest = still_holding(limit, held)
    if not rest:
        return ""
    every = [
        say(locale, "settings.still_one", amount=amount(one, locale), window=window(one.period, locale)) for one in rest
    ]
    amounts = joined(locale, every, last="and")
    return say(locale, "settings.still", whose=MENTIONS[limit.scope].format(limit.subject_id), amounts=amounts)


async def _limit(interaction: Interaction, wanted: Limit, *, remove: bool) -> Message:
    """Sets a limit, after a question where it raises what can be spent or removes a budget; without a number and
    ``remove`` only shows what holds. Raises ``SetAndRemoved`` for both."""
    if remove and not is_removal(wanted):
        raise SetAndRemoved
    if not remove and is_removal(wanted):
        return await _shown(interaction, wanted)
    try:
        return await _limit_or_question(interaction, wanted)
    except ChangedMeanwhile:  # between looking and setting: what holds now decides whether to ask
        return await _limit_or_question(interaction, wanted, "settings.ask_meanwhile")


async def _shown(interaction: Interaction, asked: Limit) -> Message:
    """Everything that holds for whom was asked about, of what was asked about, whatever its window."""
    locale, about = locale_of(interaction), slot_of(asked)
    limits = await interaction.client.shell.store.servers.limits(place_of(interaction))
    slots: dict[Slot, Limit | None] = {slot_of(one): one for one in limits if _is_alike(slot_of(one), about)}
    slots = slots or {about: None}
    lines = [change_line(LimitChanged(slot, one, one), locale) for slot, one in slots.items()]
    removable = [one for one in slots.values() if one is not None and not is_open(one)]
    if removable:
        lines.append(say(locale, "settings.how_to_remove"))
    page = Page.MONEY if about.scope is Scope.SERVER and asked.measure is Measure.DOLLARS else Page.LIMITS
    named = tuple((slot_arg(one), counted(one, locale)) for one in removable)
    return Shown("\n".join(lines), page=page, removable=named)


def _is_alike(slot: Slot, other: Slot) -> bool:
    kinds = [None if one.quota is None else one.quota[0] for one in (slot, other)]
    return (slot.scope, slot.subject_id, kinds[0]) == (other.scope, other.subject_id, kinds[1])


async def _limit_or_question(interaction: Interaction, wanted: Limit, asked: str | None = None) -> Message:
    asker, locale = asker_of(interaction), locale_of(interaction)
    proposal = await interaction.client.shell.admin.propose_limit(asker.place, wanted)
    if proposal.old is None and is_removal(wanted):
        return Message(change_line(LimitChanged(slot_of(wanted), None, None), locale))
    question = asked or _question(proposal)
    if question is None:
        done = await interaction.client.shell.admin.set_limit(asker, proposal)
        return changed(interaction, done, *await _notes(interaction, wanted))

    async def act(pressed: Interaction) -> Message:
        try:
            done = await pressed.client.shell.admin.set_limit(asker_of(pressed), proposal)
        except ChangedMeanwhile:
            return await _limit_or_question(pressed, wanted, "settings.ask_meanwhile")
        return changed(pressed, done, *await _notes(pressed, wanted))

    line = change_line(LimitChanged(slot_of(wanted), proposal.old, None if proposal.remove else wanted), locale)
    return Message(f"{line}\n{say(locale, question)}", view=Confirm(interaction, act))


def _question(proposal: Proposal) -> str | None:
    old, new = proposal.old, proposal.limit
    if old is not None and not is_open(old) and is_open(new) and new.measure is Measure.DOLLARS:
        return "settings.ask_no_budget"
    return "settings.ask_raise" if proposal.raises_spending else None


async def _notes(interaction: Interaction, limit: Limit) -> list[str]:
    held = await interaction.client.shell.store.servers.limits(place_of(interaction))
    return [await meaning(interaction, limit), still_words(limit, held, locale_of(interaction))]


async def meaning(interaction: Interaction, limit: Limit) -> str:
    """What an admin should know of a limit: that it closes everything, or what a budget is in pictures; else empty."""
    if most_of(limit) == 0:
        return say(locale_of(interaction), "settings.zero")
    if limit.measure is not Measure.DOLLARS:
        return ""
    prices = await interaction.client.shell.intake.usual_picture(place_of(interaction))
    return budget_meaning(MicroUSD(most_of(limit) or 0), prices, locale_of(interaction))
