"""The buttons under a result and under a job on its way. They work for ever (see ``interactions/ids.py``)."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

import discord

from bot.core.jobs.running import CancelOutcome
from bot.rules.errors import NotFound
from bot.rules.ledger import Job
from bot.rules.servers.access import AccessDenied, DeniedBecause
from bot.ui.components.details import show_details
from bot.ui.components.forms import EditForm, prompt_of
from bot.ui.components.press import Press, button, chosen
from bot.ui.interactions.acknowledge import acknowledge, acknowledged, tell
from bot.ui.interactions.failures import TROUBLE
from bot.ui.interactions.ids import button_id, pattern
from bot.ui.interactions.visibility import find_job, pictures_of
from bot.ui.interactions.who import answer_of, asker_of
from bot.ui.orders import followups
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say

log = logging.getLogger(__name__)

MOST_PICTURES = 25


class JobItem(Press, template=r"(?!)"):
    """A button or menu of a job. Subclasses say ``press_of``."""

    @property
    def index(self) -> int:
        """Which of the job's pictures it is about, from 0."""
        return int(self.part("index") or 0)

    async def press(self, interaction: Interaction) -> None:
        """Finds the job, checks that it belongs to this message, and presses."""
        await self.press_of(await self.find(interaction), interaction)

    async def find(self, interaction: Interaction) -> Job:
        return await find_job(interaction.client.shell.store, interaction, self.part("job"))

    async def press_of(self, job: Job, interaction: Interaction) -> None:
        raise NotImplementedError


class Again(JobItem, template=pattern("again")):
    async def press_of(self, job: Job, interaction: Interaction) -> None:
        await followups.again(interaction, job)


class Vary(JobItem, template=pattern("vary")):
    async def press_of(self, job: Job, interaction: Interaction) -> None:
        await followups.vary(interaction, job, self.index)


class Edit(JobItem, template=pattern("edit")):
    is_harmless_twice = True  # it opens a form, which somebody may have closed again

    async def press_of(self, job: Job, interaction: Interaction) -> None:
        form = EditForm(job.id, self.index, interaction.id, str(interaction.locale), prompt_of(job))
        await interaction.response.send_modal(form)
        acknowledged(interaction)


class Details(JobItem, template=pattern("details")):
    is_harmless_twice = True

    async def press_of(self, job: Job, interaction: Interaction) -> None:
        await show_details(interaction, job)


class Delete(JobItem, template=pattern("delete")):
    """Removes message and originals for good; the ledger keeps its row."""

    async def press_of(self, job: Job, interaction: Interaction) -> None:
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

    async def press_of(self, job: Job, interaction: Interaction) -> None:
        picked = next((int(value) for value in chosen(interaction) if value.isdecimal()), 0)
        count = pictures_of(job)
        if not 0 <= picked < count:
            raise NotFound("picture")
        locale = str(interaction.guild_locale or interaction.locale)
        await interaction.response.edit_message(view=result_view(job, count, locale, picked=picked))
        acknowledged(interaction)


class Cancel(JobItem, template=pattern("cancel")):
    """Stops a job that waits or runs. Its maker is told by the job itself."""

    async def press_of(self, job: Job, interaction: Interaction) -> None:
        await interaction.response.defer()
        acknowledged(interaction)
        outcome = await interaction.client.shell.jobs.cancel(job.id, asker_of(interaction))
        if outcome is CancelOutcome.TOO_LATE or job.asker.user_id != interaction.user.id:
            await tell(interaction, say(str(interaction.locale), f"button.cancel_{outcome}"))


class Claim(JobItem, template=pattern("claim")):
    """Shows a picture that could not be delivered when it was ready; only to the one who paid, and where it was asked
    for or in a direct message.
    """

    async def find(self, interaction: Interaction) -> Job:
        job = await interaction.client.shell.store.jobs.get(self.part("job"))
        asker = asker_of(interaction)
        here = not asker.place.is_server or (job is not None and job.asker.place.key == asker.place.key)
        if job is None or job.asker.user_id != asker.user_id or not here:
            raise NotFound("picture")
        return job

    async def press_of(self, job: Job, interaction: Interaction) -> None:
        if not job.waiting:
            raise NotFound("picture")
        await acknowledge(interaction, private=True)
        answer = answer_of(interaction, private=True)
        delivery = interaction.client.shell.deliveries.at(answer, limit_bytes=interaction.filesize_limit)
        await interaction.client.shell.recovery.deliver_kept(job, delivery)


DYNAMIC_ITEMS: tuple[type[JobItem], ...] = (Again, Vary, Edit, Details, Delete, Pick, Cancel, Claim)


# --- views -------------------------------------------------------------------------------------------------------


def result_view(job: Job, count: int, locale: str, *, picked: int = 0) -> discord.ui.View:
    """What stands under a result: five buttons, and a menu where there are several pictures."""
    several = count > 1
    vary = say(locale, "button.vary_n", number=picked + 1) if several else say(locale, "button.vary")
    edit = say(locale, "button.edit_n", number=picked + 1) if several else say(locale, "button.edit")
    view = discord.ui.View(timeout=None)
    view.add_item(Again(_button("again", job.id, say(locale, "button.again"), "🔁")))
    view.add_item(Vary(_button("vary", job.id, vary, "✨", picked)))
    view.add_item(Edit(_button("edit", job.id, edit, "🖌️", picked)))
    view.add_item(Details(_button("details", job.id, say(locale, "button.details"), "🔎")))
    view.add_item(Delete(_button("delete", job.id, say(locale, "button.delete"), "🗑️")))
    if several:
        view.add_item(Pick(_menu(job.id, count, picked, locale)))
    return view


def cancel_view(job_id: str, locale: str) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    view.add_item(Cancel(_button("cancel", job_id, say(locale, "button.cancel"), "✖️")))
    return view


def claim_view(jobs: list[Job], locale: str) -> discord.ui.View:
    """One button for each picture that waits, up to five."""
    view = discord.ui.View(timeout=None)
    for number, job in enumerate(jobs[:5], 1):
        label = say(locale, "button.claim", number=number)
        view.add_item(Claim(_button("claim", job.id, label, "📦")))
    return view


def _button(what: str, job_id: str, label: str, emoji: str, index: int | None = None) -> discord.ui.Button[Any]:
    return button(button_id(what, job_id, index), label, emoji=emoji)


def _menu(job_id: str, count: int, picked: int, locale: str) -> discord.ui.Select[Any]:
    options = [
        discord.SelectOption(
            label=say(locale, "button.picture", number=number + 1), value=str(number), default=number == picked
        )
        for number in range(min(count, MOST_PICTURES))
    ]
    return discord.ui.Select(
        custom_id=button_id("pick", job_id), placeholder=say(locale, "button.pick")[:150], options=options
    )
