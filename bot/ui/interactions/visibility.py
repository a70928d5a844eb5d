"""Which job a pressed message shows, and who may see it.

A job answers only on its own message: a forged, copied or foreign id finds nothing.
"""

from __future__ import annotations

from bot.ports import Store
from bot.rules.errors import NotFound
from bot.rules.ledger import Job, JobState
from bot.rules.people import Asker
from bot.ui.interactions.who import asker_of
from bot.ui.shell import Interaction


async def find_job(store: Store, interaction: Interaction, job_id: str) -> Job:
    """The job that the pressed message shows. Raises ``NotFound`` for one that is gone, foreign or forged."""
    job = await store.jobs.get(job_id)
    if job is None or job.deleted or not belongs(job, interaction):
        raise NotFound("picture")
    return job


def belongs(job: Job, interaction: Interaction) -> bool:
    """Whether the pressed message is one of this job's, in the place where the job was made."""
    message, asker = interaction.message, asker_of(interaction)
    if message is None or job.asker.place.guild_id != asker.place.guild_id or is_anothers_secret(job, asker):
        return False
    if not job.asker.place.is_server and asker.channel_id != job.asker.channel_id:
        return False
    if message.flags.ephemeral and asker.channel_id == job.asker.channel_id:
        return True  # a private answer of ours, in which one of its pictures was chosen
    known = {job.message_id, job.answer.message_id if job.answer is not None else None} - {None}
    if message.id in known:
        return True
    # between the post of a late result and the ledger's word for it, the channel has to do
    is_being_shown = job.state is JobState.PRODUCED or not known
    return is_being_shown and asker.channel_id == job.asker.channel_id


def is_anothers_secret(job: Job, asker: Asker) -> bool:
    """Whether it was made in private, by somebody else: only its maker was ever shown a button of it."""
    return job.request.private and job.asker.user_id != asker.user_id


def may_see(job: Job, asker: Asker) -> bool:
    """Whether this person could have read the job's prompt anyway."""
    if job.asker.user_id == asker.user_id:
        return True
    same_place = job.asker.place.is_server and job.asker.place.guild_id == asker.place.guild_id
    return same_place and not job.request.private and job.asker.channel_id == asker.channel_id


def pictures_of(job: Job) -> int:
    """How many pictures the job really made."""
    return job.bill.images if job.bill is not None else job.request.count
