"""The buttons of a job, under its pictures and on its way. They work for ever (see ``interactions/ids.py``)."""

from __future__ import annotations

from typing import Any, ClassVar

import discord

from bot.core.jobs.running import CancelOutcome
from bot.rules.errors import NotFound
from bot.rules.ledger import Job
from bot.rules.options.canvases import Way
from bot.ui.components.details import show_details
from bot.ui.components.forms import EditForm, RemixForm
from bot.ui.components.press import Press, button
from bot.ui.interactions.acknowledge import acknowledge, acknowledged, tell
from bot.ui.interactions.ids import button_id, pattern
from bot.ui.interactions.visibility import find_job
from bot.ui.interactions.who import answer_of, asker_of
from bot.ui.orders import followups
from bot.ui.orders.extend import extend
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say


class JobItem(Press, template=r"(?!)"):
    """A button or menu of a job. Subclasses say ``press_of``, and whether a job that made words may have it."""

    of_words: ClassVar[bool] = False
    of_pictures: ClassVar[bool] = True

    @property
    def index(self) -> int:
        """Which of the job's pictures it is about, from 0."""
        return int(self.part("index") or 0)

    async def press(self, interaction: Interaction) -> None:
        """Finds the job, checks that it belongs to this message, and presses."""
        job = await self.find(interaction)
        if not (self.of_words if job.request.is_words else self.of_pictures):
            raise NotFound("picture")
        await self.press_of(job, interaction)

    async def find(self, interaction: Interaction) -> Job:
        return await find_job(interaction.client.shell.store, interaction, self.part("job"))

    async def press_of(self, job: Job, interaction: Interaction) -> None:
        raise NotImplementedError


class Again(JobItem, template=pattern("again")):
    async def press_of(self, job: Job, interaction: Interaction) -> None:
        await followups.again(interaction, job)


class Remix(JobItem, template=pattern("remix")):
    """The same once more, with other words."""

    is_harmless_twice = True  # it opens a form, which somebody may have closed again

    async def press_of(self, job: Job, interaction: Interaction) -> None:
        await interaction.response.send_modal(RemixForm.of(job, interaction.id, str(interaction.locale)))
        acknowledged(interaction)


class Vary(JobItem, template=pattern("vary")):
    async def press_of(self, job: Job, interaction: Interaction) -> None:
        await followups.vary(interaction, job, self.index)


class Edit(JobItem, template=pattern("edit")):
    is_harmless_twice = True  # the same

    async def press_of(self, job: Job, interaction: Interaction) -> None:
        await open_edit_form(job, self.index, interaction)


async def open_edit_form(job: Job, index: int, interaction: Interaction) -> None:
    form = EditForm(job.id, index, interaction.id, str(interaction.locale), job.request.own_words)
    await interaction.response.send_modal(form)
    acknowledged(interaction)


class Zoom(JobItem, template=pattern("zoom")):
    async def press_of(self, job: Job, interaction: Interaction) -> None:
        await extend(interaction, job, self.index, Way.OUT)


class Move(JobItem, template=rf"{pattern('move')}:(?P<way>{'|'.join(Way)})"):
    """More of the scene on one side of the picture, or on all."""

    async def press_of(self, job: Job, interaction: Interaction) -> None:
        await extend(interaction, job, self.index, Way(self.part("way")))


class Details(JobItem, template=pattern("details")):
    is_harmless_twice = True

    async def press_of(self, job: Job, interaction: Interaction) -> None:
        await show_details(interaction, job)


class Cancel(JobItem, template=pattern("cancel")):
    """Stops a job that waits or runs. Its maker is told by the job itself."""

    of_words = True

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

    of_words = True

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


def cancel_view(job_id: str, locale: str) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    view.add_item(Cancel(job_button("cancel", job_id, say(locale, "button.cancel"), "✖️")))
    return view


def claim_view(jobs: list[Job], locale: str) -> discord.ui.View:
    """One button for each picture that waits, up to five."""
    view = discord.ui.View(timeout=None)
    for number, job in enumerate(jobs[:5], 1):
        label = say(locale, "button.claim", number=number)
        view.add_item(Claim(job_button("claim", job.id, label, "📦")))
    return view


def job_button(
    what: str, job_id: str, label: str, emoji: str, index: int | None = None, **looks: Any
) -> discord.ui.Button[Any]:
    return button(button_id(what, job_id, index), label, emoji=emoji, **looks)
