"""The writes of a job: opened within the limits, moved on, and noted upon. THE seam between the ledger and its engines.

Law: each is whole or not at all, and is answered only once it is durable. Who comes second finds the job moved on and
gets ``LostLease``: that is how one process of two acts, and how cancel and dispatch never both win.

``Steps`` says what is written; how, an engine decides. ``SqlSteps`` is one transaction a step through SQLAlchemy: it
works on both engines, and whoever is quicker must do exactly what it does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from sqlalchemy import RowMapping, bindparam, case, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.adapters.database.codec import Sealer, all_jobs, batch_values, dump_bill, job_from_row
from bot.adapters.database.connection import Connection
from bot.adapters.database.counting.counters import Counted, Counts, add
from bot.adapters.database.engine import Database, Work
from bot.adapters.database.reserving import Reserving, refuse_duplicates
from bot.adapters.database.schema.tables import GROUPED, batches, jobs
from bot.ports import Batch
from bot.rules.ledger import GIVEN_BACK, HOLDING, WITH_PICTURES, Bill, Job, JobDraft, JobState, LostLease


@dataclass(frozen=True, slots=True)
class Opening:
    """Jobs that are to be opened together under ``ids``, and the batch they are lines of, if they are."""

    drafts: Sequence[JobDraft]
    ids: list[str]
    now: datetime
    batch: Batch | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One move of a job: where to, what else its row then says (columns, as they are stored), and whether it ends the
    reservation.
    """

    to: JobState
    values: Mapping[str, Any]
    bill: Bill | None = None
    charged: int | None = None  # None: the whole reservation
    images: int | None = 0  # of those counted, how many stay counted; None: all

    def ends_reservation_of(self, job: Job) -> bool:
        return job.state in HOLDING and self.to not in HOLDING

    def columns(self) -> dict[str, Any]:
        """What the row says after the step, money and counts aside."""
        bill = {} if self.bill is None else {"bill": dump_bill(self.bill)}
        return {**self.values, **bill, "state": self.to.value}


class Steps(Protocol):
    """Each raises ``StorageTrouble`` where the database fails, and then nothing of it is kept."""

    async def open(self, opening: Opening) -> list[Job]:
        """Raises ``DuplicateEvent``, ``AccessDenied``, ``Refused``."""
        ...

    async def move(self, job: Job, step: Step) -> Job:
        """The job after the step. Raises ``LostLease`` unless its epoch and state are still as in ``job``."""
        ...

    async def note(self, job: Job, values: Mapping[str, Any], state: JobState | None) -> Job:
        """The job with other columns, wherever it stands by now. Raises ``LostLease``; ``state`` None: any will do."""
        ...


class SqlSteps:
    """``Steps`` on either engine, one transaction each."""

    def __init__(self, database: Database, sealer: Sealer, reserving: Reserving) -> None:
        self._db = database
        self._sealer = sealer
        self._reserving = reserving

    async def open(self, opening: Opening) -> list[Job]:
        drafts, batch = opening.drafts, opening.batch

        async def work(connection: Connection) -> list[Job]:
            opened = await self._reserving.reserve(connection, drafts, opening.now, opening.ids)
            if batch is not None:
                await connection.execute(insert(batches), batch_values(batch))
            return opened

        try:
            return await self._db.write(work, kept=jobs_kept(opening, self._sealer))
        except IntegrityError:
            # Two processes took the same event at once and the other one committed first.
            await self._db.read(partial(refuse_duplicates, drafts=drafts))
            raise

    async def move(self, job: Job, step: Step) -> Job:
        async def work(connection: Connection) -> Job:
            values = step.columns()
            if step.ends_reservation_of(job):
                return job_from_row(await _close_reservation(connection, job, step, values), self._sealer)
            return job_from_row(await updated(connection, job, values, job.state), self._sealer)

        return await self._db.write(work, kept=step_kept(job, step, self._sealer))

    async def note(self, job: Job, values: Mapping[str, Any], state: JobState | None) -> Job:
        async def work(connection: Connection) -> Job:
            return job_from_row(await updated(connection, job, values, state), self._sealer)

        return await self._db.write(work)


def jobs_kept(opening: Opening, sealer: Sealer) -> Work[list[Job] | None]:
    """Looks whether these jobs were opened after all."""

    async def look(connection: Connection) -> list[Job] | None:
        found = await connection.execute(all_jobs().where(jobs.c.id.in_(opening.ids)).order_by(jobs.c.id))
        return [job_from_row(row, sealer) for row in found.mappings()] or None

    return look


def step_kept(job: Job, step: Step, sealer: Sealer) -> Work[Job | None]:
    """Looks whether this step was taken after all."""

    async def look(connection: Connection) -> Job | None:
        same = (jobs.c.id == job.id) & (jobs.c.epoch == job.epoch) & (jobs.c.state == step.to.value)
        row = (await connection.execute(all_jobs().where(same))).mappings().one_or_none()
        return None if row is None else job_from_row(row, sealer)

    return look


async def updated(connection: Connection, job: Job, values: Mapping[str, Any], state: JobState | None) -> RowMapping:
    """The row with other columns, if the job still is where it was. Raises ``LostLease``.

    Whoever asked to be forgotten meanwhile leaves no words behind.
    """
    same = (jobs.c.id == job.id) & (jobs.c.epoch == job.epoch)
    if state is not None:
        same &= jobs.c.state == state.value
    changed = dict(values)
    if "revised_prompt" in changed:
        changed["revised_prompt"] = case((jobs.c.forgotten.is_(False), changed["revised_prompt"]))
    found = await connection.execute(update(jobs).where(same).values(changed).returning(*jobs.c))
    row = found.mappings().one_or_none()
    if row is None:
        raise LostLease(job.id)
    return row


async def _close_reservation(connection: Connection, job: Job, step: Step, values: dict[str, Any]) -> RowMapping:
    """Turns what was reserved into what is charged, and gives the rest back to every counter."""
    charged = jobs.c.upper_micro_usd if step.charged is None else step.charged
    made = jobs.c.images if step.images is None else step.images
    closed = {"reserved_micro_usd": 0, "charged_micro_usd": charged, "made_images": made}
    row = await updated(connection, job, {**values, **closed}, job.state)
    rows = Counted.of_row(row).rows()
    # A batch is one request and one job at once: the last of its lines to end gives that back. The counters are
    # locked first, so of two lines that end together the later one sees the earlier one ended.
    await add(connection, rows, given_back(row, step, row["charged_micro_usd"], row["made_images"]))
    if row["grouped"]:
        found = await connection.execute(LINES_OF_GROUP, {"group_id": row["group_id"]})
        rest = rest_of_group((state, most) for state, most in found)
        if rest:
            await add(connection, rows, rest)
    return row


def given_back(row: RowMapping | Mapping[str, Any], step: Step, charged: int, made: int) -> Counts:
    """What the end of a job's reservation changes in each of its counters."""
    images = min(made, row["images"]) - row["images"]
    change = Counts(images=images, spent=charged, reserved=-row["upper_micro_usd"])
    if row["grouped"]:
        return change
    return change._replace(requests=-1 if step.to in GIVEN_BACK else 0, running=-1)


LINES_OF_GROUP = (
    select(jobs.c.state, func.max(jobs.c.made_images))
    .where(jobs.c.group_id == bindparam("group_id"), GROUPED)
    .group_by(jobs.c.state)
)


def rest_of_group(lines: Iterable[tuple[str, int]]) -> Counts:
    """What ends with this line: a job at once if nothing of the batch is open, a request if nothing of it is kept."""
    counted_by = {JobState(state): most for state, most in lines}
    if counted_by.keys() & HOLDING:
        return Counts()
    kept = counted_by.keys() & WITH_PICTURES or any(counted_by.values())
    return Counts(requests=0 if kept else -1, running=-1)
