"""Post and Refuse under a picture that moderators look at first.

Law: whoever presses must be able to moderate here now; of many who press at once one decides; nothing is shown unless
somebody pressed *Post*.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import discord

from bot.rules.errors import NotFound
from bot.rules.ledger import Job, JobState
from bot.rules.servers.access import AccessDenied, DeniedBecause
from bot.rules.servers.review import Review, ReviewRefused, Undecided
from bot.ui.components.forms import Form
from bot.ui.components.press import Press, button
from bot.ui.interactions.acknowledge import acknowledged, tell
from bot.ui.interactions.failures import TROUBLE
from bot.ui.interactions.ids import VERSION, button_id, pattern
from bot.ui.interactions.who import asker_of
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say
from bot.ui.words.errors import words
from bot.ui.words.text import clean, escaped

REASON_CHARS = 300
REFUSAL = re.compile(rf"{VERSION}:refusal:(?P<job>[A-Za-z0-9_-]{{1,40}}):(?P<nonce>\d+)")


def review_view(group_id: str, locale: str) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    post, refuse = say(locale, "review.post"), say(locale, "review.refuse")
    style = discord.ButtonStyle
    view.add_item(PostReviewed(button(button_id("post", group_id), post, emoji="✅", style=style.success)))
    view.add_item(RefuseReviewed(button(button_id("refuse", group_id), refuse, emoji="🚫", style=style.danger)))
    return view


async def _undecided(interaction: Interaction, group_id: str, *, approved: bool = False) -> list[Review]:
    """What the message is about; with ``approved`` also what somebody approved and could not show. Raises
    ``AccessDenied`` for who may not decide, ``NotFound`` for what is decided.
    """
    asker = asker_of(interaction)
    if not asker.place.is_server or not (asker.can_moderate or asker.can_manage):
        raise AccessDenied(DeniedBecause.NOT_MODERATOR)
    found = await interaction.client.shell.store.reviews.of_group(group_id)
    here = [one for one in found if one.place_key == asker.place.key and (approved or not one.approved)]
    if not here:
        interaction.client.shell.tasks.start(_closed(interaction, group_id), "closing a review")
        raise NotFound("review")
    return here


async def _closed(interaction: Interaction, group_id: str) -> None:
    """There is nothing to decide any more: another message about it was pressed, or it was taken back. A picture that
    nobody is to see any more goes from this one, too.
    """
    job = await interaction.client.shell.store.jobs.get(group_id)
    without: dict[str, Any] = {"view": None}
    if job is None or job.deleted or job.asker.user_id <= 0:
        text = words(NotFound("review"), str(interaction.guild_locale or interaction.locale))
        without |= {"content": text, "embed": None, "attachments": []}
    if interaction.message is not None:
        with suppress(*TROUBLE):
            await interaction.message.edit(**without)


async def _taken(interaction: Interaction, group_id: str, *, approved: bool = False) -> list[Review]:
    """The same, for this moderator alone from now on. Raises ``Undecided``."""
    found = await _undecided(interaction, group_id, approved=approved)
    shell = interaction.client.shell
    if not await shell.store.reviews.take(group_id, shell.clock()):
        raise Undecided
    return found


class PostReviewed(Press, template=pattern("post")):
    """Shows it where it was asked for; what cannot be shown there is its maker's to fetch."""

    async def press(self, interaction: Interaction) -> None:
        group_id = self.part("job")
        found = await _taken(interaction, group_id, approved=True)
        await interaction.response.defer()
        acknowledged(interaction)
        store = interaction.client.shell.store
        jobs = [await store.jobs.get(one.job_id) for one in found]
        if all(job is not None and job.deleted for job in jobs):
            await _refused(interaction, found, jobs, "")
            await _decided(interaction, "refused_before")
            return
        try:
            await store.reviews.approve(group_id)
            shown = [await self._show(interaction, one.job_id, calls=one is found[0]) for one in found]
        finally:
            await store.reviews.leave(group_id)
        await _decided(interaction, "posted" if all(shown) else "approved")

    async def _show(self, interaction: Interaction, job_id: str, *, calls: bool) -> bool:
        """What could not be shown stays approved, so that its maker can fetch it. Whoever asked is called once."""
        shell = interaction.client.shell
        job = await shell.store.jobs.get(job_id)
        waits = job is not None and job.state is JobState.PRODUCED
        if job is not None and waits and job.answer is not None:
            batch = None if job.batch_id is None else await shell.store.jobs.get_batch(job.batch_id)
            calls = calls and (batch is None or not batch.overnight)
            waits = not await shell.recovery.deliver_kept(job, shell.deliveries.approved(job, calls=calls))
        if waits:
            return False
        await shell.store.reviews.drop(job_id)
        return True


class RefuseReviewed(Press, template=pattern("refuse")):
    """Asks for a reason first."""

    is_harmless_twice = True

    async def press(self, interaction: Interaction) -> None:
        group_id = self.part("job")
        await _undecided(interaction, group_id)
        await interaction.response.send_modal(RefusalForm(group_id, interaction.id, str(interaction.locale)))
        acknowledged(interaction)


class RefusalForm(Form):
    """The reason, which the maker is told."""

    def __init__(self, group_id: str, nonce: int, locale: str) -> None:
        super().__init__(say(locale, "review.form_title"), f"{VERSION}:refusal:{group_id}:{nonce}")
        self._group_id = group_id
        self._reason: discord.ui.TextInput[Any] = discord.ui.TextInput(
            custom_id="reason", required=False, max_length=REASON_CHARS, style=discord.TextStyle.paragraph
        )
        self.ask(self._reason, say(locale, "review.form_reason"), say(locale, "review.form_note"))

    async def submitted(self, interaction: Interaction) -> None:
        found = await _taken(interaction, self._group_id)
        await interaction.response.defer()
        acknowledged(interaction)
        shell, reason = interaction.client.shell, clean(str(self._reason.value or ""), REASON_CHARS)
        jobs = [await shell.store.jobs.get(review.job_id) for review in found]
        for job in jobs:
            if job is not None and job.state is JobState.PRODUCED:
                await shell.recovery.give_up(job)
        await _refused(interaction, found, jobs, reason)
        await _decided(interaction, "refused", reason)


async def _refused(interaction: Interaction, found: list[Review], jobs: Sequence[Job | None], reason: str) -> None:
    """Tells the maker, once for a whole group. What an earlier refusal that was cut off has ended is told, too."""
    shell = interaction.client.shell
    gone = [job for job in jobs if job is not None and (job.state is JobState.PRODUCED or job.deleted)]
    if gone and gone[0].answer is not None:
        count = sum(job.bill.images if job.bill else 1 for job in gone)
        await shell.deliveries.approved(gone[0]).failed(gone[0], ReviewRefused(reason, count))
    for review in found:
        await shell.store.reviews.drop(review.job_id)


async def _decided(interaction: Interaction, how: str, reason: str = "") -> None:
    """The moderators' message says who decided what; a refused picture is taken off it."""
    locale = str(interaction.guild_locale or interaction.locale)
    why = say(locale, "review.because", reason=escaped(reason, REASON_CHARS)) if reason else ""
    text = say(locale, f"review.{how}", moderator=interaction.user.id, why=why)
    gone: dict[str, Any] = {"attachments": [], "embed": None} if how.startswith("refused") else {}
    try:
        await interaction.edit_original_response(
            content=text, view=None, allowed_mentions=discord.AllowedMentions.none(), **gone
        )
    except TROUBLE:
        await tell(interaction, text)
