"""What commands, buttons and forms may reach: one frozen record, put together once in ``bot/app.py``.

Law: the discord.py client holds nothing of ours but this, and nobody adds to it afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import aiohttp
import discord
from discord import app_commands

from bot.core.jobs.batches import Batches
from bot.core.jobs.intake import Intake
from bot.core.jobs.jobs import Jobs
from bot.core.jobs.pictures import Pictures
from bot.core.jobs.recovery import Recovery
from bot.core.overnight.nights import Nights
from bot.core.people.origins import Origins
from bot.core.people.own_defaults import OwnDefaults
from bot.core.people.styles import Styles
from bot.core.room import Room
from bot.core.servers.admin import Admin
from bot.core.servers.settings_cache import SettingsCache
from bot.core.service.catalogue import CurrentCatalogue
from bot.core.tasks import Tasks
from bot.core.ttl_map import TtlMap
from bot.core.upkeep.forgettings import Forgettings
from bot.ports import Batch, BatchDelivery, Clock, Delivery, Files, Meter, Store
from bot.rules.catalogue.catalogue import Catalogue
from bot.rules.errors import UserError
from bot.rules.ledger import Answer, Job
from bot.rules.origins import Marks
from bot.rules.servers.presets import Preset
from bot.rules.uploads import Note
from bot.ui.messages import UPLOAD_LIMIT_UNKNOWN
from bot.ui.servers import Servers

ASKED_S = 14 * 60.0
"""A press can be answered for 15 minutes."""

ASKED_MOST = 1000


@dataclass(frozen=True, slots=True)
class UiConfig:
    """What the operator set, as far as people see it. ``guild_id``: commands are registered on that server only.
    ``ai_notice``: see ``pages.result.ai_notice``."""

    default_model: str
    is_official: bool = False
    guild_id: int | None = None
    prompts_kept_days: int | None = None
    privacy_url: str | None = None
    support_url: str | None = None
    ai_notice: str | None = None
    api_base: str = "https://discord.com/api/v10"
    version: str = ""


class Deliveries(Protocol):
    """Makes the conversations in which results are shown. Implemented by ``delivery/factory.py``."""

    def of_job(
        self,
        job: Job,
        *,
        limit_bytes: int = UPLOAD_LIMIT_UNKNOWN,
        notes: tuple[Note, ...] = (),
        earlier: bool = False,
    ) -> Delivery:
        """The conversation about this job, of a live interaction or of an earlier process (``earlier``)."""
        ...

    def at(self, answer: Answer, *, limit_bytes: int = UPLOAD_LIMIT_UNKNOWN) -> Delivery:
        """The same for an answer that is not the job's own (a picture that waited)."""
        ...

    def approved(self, job: Job, *, calls: bool = True) -> Delivery:
        """The conversation about a job that moderators have looked at, whose message ``calls`` its maker, or nobody."""
        ...

    def of_batch(
        self, batch: Batch, jobs: Sequence[Job], *, limit_bytes: int = UPLOAD_LIMIT_UNKNOWN
    ) -> BatchDelivery: ...


@dataclass(frozen=True, slots=True)
class Helped:
    """What goes with a refusal: more words, and buttons that do what would work."""

    text: str = ""
    view: discord.ui.View | None = None


class Help(Protocol):
    """Knows what would work instead of what was refused. Implemented by ``components/help/``."""

    async def for_refused(self, interaction: Interaction, error: UserError) -> Helped: ...


class MarkReader(Protocol):
    """Reads what a file says of where it comes from. Implemented by ``adapters/marks.py``."""

    async def read(self, data: bytes, *, lane: str) -> Marks: ...


@dataclass(frozen=True, slots=True)
class Shell:
    """The use cases, and what answering needs. ``web`` fetches attachments: no cookies, no credentials.

    ``questions`` are presses that were answered with a question: through them alone can a private message be removed.
    """

    config: UiConfig
    intake: Intake
    jobs: Jobs
    pictures: Pictures
    batches: Batches
    nights: Nights
    recovery: Recovery
    admin: Admin
    forgettings: Forgettings
    styles: Styles
    own_defaults: OwnDefaults
    settings_cache: SettingsCache
    current_catalogue: CurrentCatalogue
    store: Store
    files: Files
    deliveries: Deliveries
    help: Help
    marks: MarkReader
    origins: Origins
    presses: TtlMap[tuple[object, ...], bool]
    counts: TtlMap[tuple[object, ...], tuple[float, int]]
    web: aiohttp.ClientSession
    tasks: Tasks
    clock: Clock
    meter: Meter
    presets: tuple[Preset, ...] = ()
    servers: Servers = field(default_factory=Servers)
    uploads: Room = field(default_factory=Room)
    questions: TtlMap[tuple[object, ...], Interaction] = field(default_factory=lambda: TtlMap(ASKED_S, ASKED_MOST))

    @property
    def catalogue(self) -> Catalogue:
        """The models as they are known now; it is replaced when the service tells which end."""
        return self.current_catalogue.now


class HasShell(discord.AutoShardedClient):
    """The client as commands, buttons and forms know it."""

    shell: Shell
    tree: app_commands.CommandTree[Any]


def shell_of(client: HasShell) -> Shell | None:
    """None for a client that only shows its commands (``client/commands.py``)."""
    return getattr(client, "shell", None)


Interaction: TypeAlias = discord.Interaction[HasShell]
