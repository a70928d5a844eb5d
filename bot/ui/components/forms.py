"""Forms: edit a picture, make one from a text. A form that was open across a restart is rebuilt from its id.

Ids are ``e1:<what>:…:<interaction>``; the last part keeps two open forms apart.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import discord

from bot.rules.errors import NotFound
from bot.rules.ledger import Job
from bot.rules.options.table import RawOptions, raw_of
from bot.rules.requests import Kind
from bot.ui.components.menus import UNKNOWN, improve_menu, labelled, look_menu, picked, shape_menu
from bot.ui.components.report import report
from bot.ui.interactions.acknowledge import acknowledged, take
from bot.ui.interactions.bounds import Bounded, check_bound
from bot.ui.interactions.errors import refuse
from bot.ui.interactions.ids import INDEX, JOB, VERSION, is_snowflake
from bot.ui.interactions.visibility import belongs, is_anothers_secret
from bot.ui.interactions.who import asker_of
from bot.ui.internals import submit
from bot.ui.orders import followups
from bot.ui.orders.attachments import Stored, attached
from bot.ui.orders.batch import BatchWish, take_on_batch
from bot.ui.orders.looks import look_names
from bot.ui.orders.submit import take_on
from bot.ui.orders.wish import Wish, gather
from bot.ui.pages.about import REASON_ROOM
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say
from bot.ui.words.commands import command_said
from bot.ui.words.errors import StaleForm
from bot.ui.words.numbers import number
from bot.ui.words.text import clean, length

FORM_OPEN_S = 3600.0
"""How long the form object is kept; what comes later is rebuilt from the id where that is enough."""

TEXT_LIMIT = 4000
LABEL_ROOM, NOTE_ROOM = 45, 100
"""Characters that Discord takes of each; titles have the room of labels."""

PROMPT, MASK = "prompt", "mask"


class Form(discord.ui.Modal):
    """A form whose every way out goes through the one error path. Subclasses say ``submitted``."""

    def __init__(self, title: str, custom_id: str) -> None:
        super().__init__(title=title[:LABEL_ROOM], custom_id=custom_id, timeout=FORM_OPEN_S)

    def ask(self, item: discord.ui.Item[Any], label: str, note: str) -> None:
        """Adds a field, with a label above it and a note below that."""
        self.add_item(discord.ui.Label(text=label[:LABEL_ROOM], description=note[:NOTE_ROOM], component=item))

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        take(interaction)
        check_bound(interaction, Bounded.PRESS)
        await self.submitted(interaction)

    async def on_error(  # type: ignore[override]  # a modal's has no item, as in discord.ui.Modal itself
        self, interaction: discord.Interaction[Any], error: Exception, /
    ) -> None:
        await refuse(interaction, error)

    async def submitted(self, interaction: Interaction) -> None:
        raise NotImplementedError


def _shown(prompt: str) -> str:
    return clean(prompt, TEXT_LIMIT)


def whole_of(given: str, prompt: str) -> str:
    """What a form's text means: the whole ``prompt`` it began with, where what fitted of it was left as it was."""
    unchanged = " ".join(given.split()) == " ".join(_shown(prompt).split())
    return prompt if prompt and unchanged else given


class PromptForm(Form):
    """A form with a prompt, and a place for a mask file where that makes sense.

    ``hint``: what may change in a variation, which needs no words.
    A prompt too long for a form is shown as far as it fits, which is said, and taken whole where it was not changed.
    """

    def __init__(
        self,
        title: str,
        custom_id: str,
        locale: str,
        *,
        command: str,
        prompt: str = "",
        with_mask: bool = False,
        hint: bool = False,
    ) -> None:
        super().__init__(title, custom_id)
        self._whole = prompt
        long = length(clean(prompt)) > TEXT_LIMIT
        note = say(locale, "form.prompt_long", length=number(locale, length(clean(prompt)))) if long else ""
        self._prompt: discord.ui.TextInput[Any] = discord.ui.TextInput(
            custom_id=PROMPT,
            style=discord.TextStyle.paragraph,
            default=_shown(prompt) or None,
            min_length=None if hint else 1,
            required=not hint,
            max_length=TEXT_LIMIT,
        )
        note = note or say(
            locale, "form.hint_note" if hint else "form.prompt_note", command=command_said(command, locale)
        )
        self.ask(self._prompt, say(locale, "form.hint" if hint else "form.prompt"), note)
        self._mask: discord.ui.FileUpload[Any] | None = None
        if with_mask:
            self._mask = discord.ui.FileUpload(custom_id=MASK, required=False, min_values=0, max_values=1)
            self.ask(self._mask, say(locale, "form.mask"), say(locale, "form.mask_note"))

    @property
    def prompt(self) -> str:
        return whole_of(str(self._prompt.value), self._whole)

    @property
    def mask(self) -> discord.Attachment | None:
        return self._mask.values[0] if self._mask is not None and self._mask.values else None


class EditForm(PromptForm):
    """Edits a picture of a job."""

    def __init__(self, job_id: str, index: int, nonce: int, locale: str, prompt: str = "") -> None:
        custom_id = f"{VERSION}:edit:{job_id}:{index}:{nonce}"
        super().__init__(
            say(locale, "form.edit_title"), custom_id, locale, command="/edit", prompt=prompt, with_mask=True
        )
        self.job_id = job_id
        self.index = index

    async def submitted(self, interaction: Interaction) -> None:
        job = await interaction.client.shell.store.jobs.get(self.job_id)
        if job is None or job.deleted or not _same_place(job, interaction):
            raise NotFound("picture")
        await followups.edit(interaction, job, self.index, whole_of(self.prompt, job.request.own_words), self.mask)


def _same_place(job: Job, interaction: Interaction) -> bool:
    """A form comes back with the message it was opened from; without it, place and channel must do."""
    if interaction.message is not None:
        return belongs(job, interaction)
    asker = asker_of(interaction)
    same = job.asker.place.guild_id == asker.place.guild_id and job.asker.channel_id == asker.channel_id
    return same and not is_anothers_secret(job, asker)


class RemixForm(PromptForm):
    """Makes a job's picture once more, with other words."""

    def __init__(self, job_id: str, nonce: int, locale: str, prompt: str = "", *, hint: bool = False) -> None:
        custom_id = f"{VERSION}:remix:{job_id}:{nonce}"
        super().__init__(
            say(locale, "form.remix_title"), custom_id, locale, command="/imagine", prompt=prompt, hint=hint
        )
        self.job_id = job_id

    @classmethod
    def of(cls, job: Job, nonce: int, locale: str) -> RemixForm:
        """With the words as they were; a variation needs none."""
        return cls(job.id, nonce, locale, raw_of(job.request).prompt, hint=job.request.kind is Kind.VARY)

    async def submitted(self, interaction: Interaction) -> None:
        job = await interaction.client.shell.store.jobs.get(self.job_id)
        if job is None or job.deleted or not _same_place(job, interaction):
            raise NotFound("picture")
        await followups.again(interaction, job, prompt=whole_of(self.prompt, raw_of(job.request).prompt))


class EditMessageForm(PromptForm):
    """Edits the pictures of any message. What hangs there is known only to this object: it cannot be rebuilt."""

    def __init__(self, pictures: Sequence[Stored], nonce: int, locale: str) -> None:
        super().__init__(
            say(locale, "form.edit_title"), f"{VERSION}:editmessage:{nonce}", locale, command="/edit", with_mask=True
        )
        self._pictures = tuple(pictures)

    async def submitted(self, interaction: Interaction) -> None:
        shell = interaction.client.shell
        pictures = tuple(
            attached(shell, one, "image" if number == 1 else f"image{number}")
            for number, one in enumerate(self._pictures, 1)
        )
        mask = attached(shell, self.mask, "mask") if self.mask is not None else None
        wish = Wish(Kind.EDIT, RawOptions(prompt=self.prompt), pictures=pictures, mask=mask)
        await take_on(interaction, gather(shell, wish), private=None)


class ImagineForm(PromptForm):
    """Makes a picture of a text that somebody wrote; where there is a model of words, better words first if wanted."""

    def __init__(
        self,
        nonce: int,
        locale: str,
        prompt: str = "",
        looks: Sequence[str] = (),
        *,
        improves: bool = False,
        size: str | None = None,
        look: str | None = None,
    ) -> None:
        custom_id = f"{VERSION}:imagine:{nonce}"
        super().__init__(say(locale, "form.imagine_title"), custom_id, locale, command="/imagine", prompt=prompt)
        self._shape, self._look = shape_menu(locale, size), look_menu(looks, locale, look)
        self._improve = improve_menu(locale) if improves else None
        for menu in (self._shape, self._look, self._improve):
            if menu is not None:
                self.add_item(labelled(menu, locale))

    async def submitted(self, interaction: Interaction) -> None:
        raw = RawOptions(prompt=self.prompt, size=picked(self._shape))
        improves = picked(self._improve) is not None
        wish = Wish(Kind.IMPROVE if improves else Kind.IMAGINE, raw, look=picked(self._look))
        private = True if improves else None
        await take_on(interaction, gather(interaction.client.shell, wish), private=private)


async def open_imagine(
    interaction: Interaction, prompt: str = "", *, size: str | None = None, look: str | None = None
) -> None:
    """Answers with the form for a picture, with the looks that this person has here."""
    improves = interaction.client.shell.catalogue.chat_model is not None
    form = ImagineForm(
        interaction.id,
        str(interaction.locale),
        prompt,
        await look_names(interaction),
        improves=improves,
        size=size,
        look=look,
    )
    await interaction.response.send_modal(form)
    acknowledged(interaction)


class ReportForm(Form):
    """Reports a message; a reason is welcome and not needed."""

    def __init__(self, channel_id: int, message_id: int, nonce: int, locale: str) -> None:
        super().__init__(say(locale, "report.form"), f"{VERSION}:report:{channel_id}:{message_id}:{nonce}")
        self._message = channel_id, message_id
        self._reason: discord.ui.TextInput[Any] = discord.ui.TextInput(
            custom_id="reason", style=discord.TextStyle.paragraph, required=False, max_length=REASON_ROOM
        )
        self.ask(self._reason, say(locale, "report.form_reason"), say(locale, "report.form_note"))

    async def submitted(self, interaction: Interaction) -> None:
        if not all(map(is_snowflake, self._message)):
            raise NotFound("message")
        await report(interaction, *self._message, str(self._reason.value))


# --- forms of an earlier life ------------------------------------------------------------------------------------


Rebuild = Callable[[re.Match[str], str], Form]

REBUILDS: dict[re.Pattern[str], Rebuild] = {
    re.compile(rf"{VERSION}:edit:{JOB}{INDEX}:(?P<nonce>\d+)"): lambda found, locale: EditForm(
        found["job"], int(found["index"] or 0), int(found["nonce"]), locale
    ),
    re.compile(rf"{VERSION}:remix:{JOB}:(?P<nonce>\d+)"): lambda found, locale: RemixForm(
        found["job"], int(found["nonce"]), locale, hint=True
    ),
    re.compile(rf"{VERSION}:report:(?P<channel>\d{{1,20}}):(?P<message>\d{{1,20}}):(?P<nonce>\d+)"): (
        lambda found, locale: ReportForm(int(found["channel"]), int(found["message"]), int(found["nonce"]), locale)
    ),
    re.compile(rf"{VERSION}:imagine:(?P<nonce>\d+)"): lambda found, locale: ImagineForm(
        int(found["nonce"]), locale, looks=UNKNOWN, improves=True
    ),
}


def rebuilt(interaction: Interaction) -> Awaitable[None] | None:
    """Handles a form this process has never seen; None when its id says too little."""
    data: Any = interaction.data or {}
    for known, rebuild in REBUILDS.items():
        found = known.fullmatch(str(data.get("custom_id", "")))
        if found is not None:
            return submit(rebuild(found, str(interaction.locale)), interaction)
    return None


async def submit_unknown(interaction: Interaction) -> None:
    """What nobody waits for here: rebuilt where possible, else a polite word."""
    handling = rebuilt(interaction)
    if handling is None:
        await refuse(interaction, StaleForm())
        return
    await handling


class BatchForm(Form):
    """The prompts typed instead of sent as a file. Its options are known only to this object: it cannot be rebuilt."""

    def __init__(
        self,
        wish_of: Callable[[Callable[[], Awaitable[str]]], BatchWish],
        nonce: int,
        locale: str,
        looks: Sequence[str] = (),
    ) -> None:
        super().__init__(say(locale, "batch.form_title"), f"e1:batch:{nonce}")
        self._wish_of = wish_of
        self._lines: discord.ui.TextInput[Any] = discord.ui.TextInput(
            custom_id="lines", style=discord.TextStyle.paragraph, min_length=1, max_length=TEXT_LIMIT
        )
        self.ask(self._lines, say(locale, "batch.form_lines"), say(locale, "batch.form_note"))
        self._look = look_menu(looks, locale)
        if self._look is not None:
            self.add_item(labelled(self._look, locale))

    async def submitted(self, interaction: Interaction) -> None:
        async def read() -> str:
            return str(self._lines.value)

        wish, look = self._wish_of(read), picked(self._look)
        await take_on_batch(interaction, wish if look is None else replace(wish, look=look))
