"""The buttons under a result and under a job on its way. They work for ever (see ``binding``).

Law: a message with these carries nothing else and its view never times out: discord.py 2.7.1 forgets a whole class of
dynamic buttons when one view that mixes it with others ends.
"""

from __future__ import annotations

import logging
import re
from contextlib import suppress
from typing import Any, Self

import discord

from bot.core.jobs.running import CancelOutcome
from bot.rules.errors import NotFound
from bot.rules.ledger import Job
from bot.rules.requests import Kind
from bot.rules.servers.access import AccessDenied, DeniedBecause
from bot.ui.components.forms import EditForm
from bot.ui.interactions.acknowledge import acknowledge, acknowledged, take, tell
from bot.ui.interactions.double_click import begin_press
from bot.ui.interactions.errors import refuse
from bot.ui.interactions.failures import TROUBLE
from bot.ui.interactions.ids import button_id, pattern
from bot.ui.interactions.visibility import find_job, pictures_of
from bot.ui.interactions.who import answer_of, asker_of
from bot.ui.orders import followups
from bot.ui.pages.details import show_details
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say

log = logging.getLogger(__name__)

MOST_PICTURES = 25


class JobItem(discord.ui.DynamicItem[discord.ui.Item[Any]], template=r"(?!)"):
    """A button or menu of a job. Subclasses say ``press``; whatever is raised goes the one error path."""

    def __init__(self, item: discord.ui.Item[Any], job_id: str, index: int | None = None) -> None:
        super().__init__(item)
        self.job_id = job_id
        self.index = index

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        index = match["index"]
        return cls(item, match["job"], int(index) if index is not None else None)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Finds the job, checks that it belongs to this message, and presses."""
        take(interaction)
        try:
            begin_press(interaction, self.custom_id, *self.choice(interaction))
            await self.press(interaction, await self.find(interaction))
        except Exception as error:  # noqa: BLE001  # told and logged by the one error path
            await refuse(interaction, error)

    def choice(self, interaction: Interaction) -> tuple[str, ...]:
        """What was chosen in a menu: choosing something else at once is no double click."""
        data: Any = interaction.data or {}
        return tuple(data.get("values", ()))

    async def find(self, interaction: Interaction) -> Job:
        return await find_job(interaction.client.shell.store, interaction, self.job_id)

    async def press(self, interaction: Interaction, job: Job) -> None:
        raise NotImplementedError


class Again(JobItem, template=pattern("again")):
    async def press(self, interaction: Interaction, job: Job) -> None:
        await followups.again(interaction, job)


class Vary(JobItem, template=pattern("vary")):
    async def press(self, interaction: Interaction, job: Job) -> None:
        await followups.vary(interaction, job, self.index or 0)


class Edit(JobItem, template=pattern("edit")):
    async def press(self, interaction: Interaction, job: Job) -> None:
        prompt = "" if job.request.kind is Kind.VARY else job.request.shown_prompt or job.request.prompt
        form = EditForm(job.id, self.index or 0, interaction.id, str(interaction.locale), prompt)
        await interaction.response.send_modal(form)
        acknowledged(interaction)


class Details(JobItem, template=pattern("details")):
    async def press(self, interaction: Interaction, job: Job) -> None:
        await show_details(interaction, job)


class Delete(JobItem, template=pattern("delete")):
    """Removes message and originals for good; the ledger keeps its row."""

    async def press(self, interaction: Interaction, job: Job) -> None:
        asker = asker_of(interaction)
        if job.asker.user_id != asker.user_id and not asker.can_moderate:
            raise AccessDenied(DeniedBecause.NOT_YOURS)
        await interaction.response.defer()
        acknowledged(interaction)
        await interaction.client.shell.store.jobs.mark_deleted(job.id)
        await interaction.client.shell.pictures.forget(job.id)
        await _delete_message(interaction)


async def _delete_message(interaction: Interaction) -> None:
    try:
        await interaction.delete_original_response()
    except TROUBLE as error:
        log.info("deleting through the interaction failed (%s); trying as the bot", type(error).__name__)
        if interaction.message is not None:
            with suppress(discord.NotFound):
                await interaction.message.delete()


class Pick(JobItem, template=pattern("pick")):
    """Chooses which of several pictures Vary and Edit take: the buttons themselves change."""

    async def press(self, interaction: Interaction, job: Job) -> None:
        chosen = next((int(value) for value in self.choice(interaction) if value.isdigit()), 0)
        count = pictures_of(job)
        if not 0 <= chosen < count:
            raise NotFound("picture")
        locale = str(interaction.guild_locale or interaction.locale)
        await interaction.response.edit_message(view=result_view(job, count, locale, chosen=chosen))
        acknowledged(interaction)


class Cancel(JobItem, template=pattern("cancel")):
    """Stops a job that waits or runs. Its maker is told by the job itself."""

    async def press(self, interaction: Interaction, job: Job) -> None:
        await interaction.response.defer()
        acknowledged(interaction)
        outcome = await interaction.client.shell.jobs.cancel(job.id, asker_of(interaction))
        if outcome is CancelOutcome.TOO_LATE or job.asker.user_id != interaction.user.id:
            await tell(interaction, say(str(interaction.locale), f"button.cancel_{outcome}"))


class Claim(JobItem, template=pattern("claim")):
    """Shows a picture that could not be delivered when it was ready; only to the one who paid."""

    async def find(self, interaction: Interaction) -> Job:
        job = await interaction.client.shell.store.jobs.get(self.job_id)
        asker = asker_of(interaction)
        if job is None or job.asker.user_id != asker.user_id or job.asker.place.key != asker.place.key:
            raise NotFound("picture")
        return job

    async def press(self, interaction: Interaction, job: Job) -> None:
        if not job.waiting:
            raise NotFound("picture")
        await acknowledge(interaction, private=True)
        answer = answer_of(interaction, private=True)
        delivery = interaction.client.shell.deliveries.at(answer, limit_bytes=interaction.filesize_limit)
        await interaction.client.shell.recovery.deliver_kept(job, delivery)


DYNAMIC_ITEMS: tuple[type[JobItem], ...] = (Again, Vary, Edit, Details, Delete, Pick, Cancel, Claim)


# --- views -------------------------------------------------------------------------------------------------------


def result_view(job: Job, count: int, locale: str, *, chosen: int = 0) -> discord.ui.View:
    """What stands under a result: five buttons, and a menu where there are several pictures."""
    several = count > 1
    vary = say(locale, "button.vary_n", number=chosen + 1) if several else say(locale, "button.vary")
    edit = say(locale, "button.edit_n", number=chosen + 1) if several else say(locale, "button.edit")
    view = discord.ui.View(timeout=None)
    view.add_item(Again(_button("again", job.id, say(locale, "button.again"), "🔁"), job.id))
    view.add_item(Vary(_button("vary", job.id, vary, "✨", chosen), job.id, chosen))
    view.add_item(Edit(_button("edit", job.id, edit, "🖌️", chosen), job.id, chosen))
    view.add_item(Details(_button("details", job.id, say(locale, "button.details"), "🔎"), job.id))
    view.add_item(Delete(_button("delete", job.id, say(locale, "button.delete"), "🗑️"), job.id))
    if several:
        view.add_item(Pick(_menu(job.id, count, chosen, locale), job.id))
    return view


def cancel_view(job_id: str, locale: str) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    view.add_item(Cancel(_button("cancel", job_id, say(locale, "button.cancel"), "✖️"), job_id))
    return view


def claim_view(jobs: list[Job], locale: str) -> discord.ui.View:
    """One button for each picture that waits, up to five."""
    view = discord.ui.View(timeout=None)
    for number, job in enumerate(jobs[:5], 1):
        label = say(locale, "button.claim", number=number)
        view.add_item(Claim(_button("claim", job.id, label, "📦"), job.id))
    return view


def _button(what: str, job_id: str, label: str, emoji: str, index: int | None = None) -> discord.ui.Button[Any]:
    return discord.ui.Button(label=label[:80], emoji=emoji, custom_id=button_id(what, job_id, index))


def _menu(job_id: str, count: int, chosen: int, locale: str) -> discord.ui.Select[Any]:
    options = [
        discord.SelectOption(
            label=say(locale, "button.picture", number=number + 1), value=str(number), default=number == chosen
        )
        for number in range(min(count, MOST_PICTURES))
    ]
    return discord.ui.Select(
        custom_id=button_id("pick", job_id), placeholder=say(locale, "button.pick")[:150], options=options
    )
