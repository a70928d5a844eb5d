"""``Steps`` on PostgreSQL: what ``SqlSteps`` does, for many jobs in one transaction and with few statements for all.

Law: answers and rows are those of ``SqlSteps``; ``test_batched_steps.py`` compares the two. An operation never feels
its neighbours: each is decided before anything is written, so one that is refused leaves nothing, and where the
transaction fails for what may be one operation's own reason, each is tried again alone, by ``SqlSteps``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy.exc import DBAPIError

from bot.adapters.database.codec import Sealer, batch_values, job_from_draft, job_from_row, job_values
from bot.adapters.database.connection import Connection
from bot.adapters.database.counting.counters import NOTHING, Counted, as_use
from bot.adapters.database.engine import Database, sqlstate
from bot.adapters.database.leases import Life
from bot.adapters.database.postgres.desk import Desk, desk_of
from bot.adapters.database.postgres.queue import Change, Operation, Queue
from bot.adapters.database.postgres.sheet import Sheet
from bot.adapters.database.reserving import change_of, check_alike, cost_of
from bot.adapters.database.steps import Opening, SqlSteps, Step, given_back, jobs_kept, rest_of_group, step_kept
from bot.rules.ledger import DuplicateEvent, Job, JobState, LostLease
from bot.rules.limits.decide import Refused, decide
from bot.rules.limits.limit import Limit
from bot.rules.servers.access import AccessDenied, check_access

ONES_OWN = ("22", "23", "55P03")
"""What begins so may be the fault of one operation: a value no column takes, a row that is there, a lock not given."""

WITHIN_S = 15.0
"""Longer than anybody waits for a lock: what takes longer hangs, and everybody behind it."""

ALONE = object()
"""The answer to an operation whose caller shall try it without the others."""

Outcomes = dict[Operation, Any]


class _Withdrawn(Exception):
    """Somebody was cancelled before COMMIT: the others go again without them."""


class _Anybodys(Exception):
    """The transaction failed for a reason that may be one operation's own."""


class BatchedSteps:
    """``Steps``; ``alone`` is the general way."""

    def __init__(
        self, database: Database, sealer: Sealer, defaults: Sequence[Limit], life: Life, alone: SqlSteps
    ) -> None:
        self._db = database
        self._sealer = sealer
        self._defaults = tuple(defaults)
        self._life = life
        self._alone = alone
        self._queue = Queue(self._write)

    async def open(self, opening: Opening) -> list[Job]:
        check_alike(opening.drafts)
        answer = await self._queue.ask(opening)
        if answer is ALONE:
            return await self._alone.open(opening)
        opened: list[Job] = answer
        return opened

    async def move(self, job: Job, step: Step) -> Job:
        answer = await self._queue.ask(Change(job, step.columns(), job.state, step))
        if answer is ALONE:
            return await self._alone.move(job, step)
        moved: Job = answer
        return moved

    async def note(self, job: Job, values: Mapping[str, Any], state: JobState | None) -> Job:
        answer = await self._queue.ask(Change(job, dict(values), state))
        if answer is ALONE:
            return await self._alone.note(job, values, state)
        noted: Job = answer
        return noted

    async def _write(self, asked: Sequence[Operation]) -> None:
        """One transaction; everybody is told. Raises ``StorageTrouble``: nothing of it is kept."""
        while batch := [operation for operation in asked if not operation.withdrawn]:
            outcomes: Outcomes = {}
            try:
                take, kept = partial(self._take, batch, outcomes), partial(self._kept, outcomes)
                await self._db.write(take, kept=kept, within_s=WITHIN_S)
            except _Withdrawn:
                continue
            except _Anybodys:
                outcomes = dict.fromkeys(batch, ALONE)
            for operation, outcome in outcomes.items():
                operation.tell(outcome)
            return

    async def _kept(self, outcomes: Outcomes, connection: Connection) -> Outcomes | None:
        """Whether the transaction was kept after all: all of it was, if one step of it was."""
        for operation, outcome in outcomes.items():
            asked = operation.asked
            if isinstance(outcome, Exception) or (isinstance(asked, Change) and asked.step is None):
                continue
            if isinstance(asked, Opening):
                found: object = await jobs_kept(asked, self._sealer)(connection)
            elif asked.step is not None:
                found = await step_kept(asked.job, asked.step, self._sealer)(connection)
            return None if found is None else outcomes
        return None

    async def _take(self, batch: Sequence[Operation], outcomes: Outcomes, connection: Connection) -> Outcomes:
        outcomes.clear()
        sheet = Sheet(connection)
        try:
            desk = await self._hold(sheet, [operation.asked for operation in batch])
            for operation in batch:
                asked = operation.asked
                try:
                    done = self._open(sheet, desk, asked) if isinstance(asked, Opening) else self._change(sheet, asked)
                    outcomes[operation] = done
                except (DuplicateEvent, AccessDenied, Refused, LostLease) as refused:
                    outcomes[operation] = refused
            await sheet.write()
        except DBAPIError as error:
            if (sqlstate(error) or "").startswith(ONES_OWN):
                raise _Anybodys from error
            raise
        if any(operation.withdrawn for operation in batch):
            raise _Withdrawn
        return outcomes

    async def _hold(self, sheet: Sheet, asked: Sequence[Opening | Change]) -> Desk:
        """Takes all locks in their order, then reads what is decided on."""
        openings = [one for one in asked if isinstance(one, Opening)]
        changes = [one for one in asked if isinstance(one, Change)]
        await sheet.let_in(one.drafts[0].asker.user_id for one in openings)
        await sheet.hold_jobs(one.job.id for one in changes)
        ending = [row for one in changes if one.ends_reservation and (row := sheet.jobs.get(one.job.id)) is not None]
        counted = [*map(counted_in, openings), *(Counted.of_row(row) for row in ending)]
        await sheet.hold_counters(row for one in counted for row in one.rows())
        await sheet.read_lines(row["group_id"] for row in ending if row["grouped"])
        return await desk_of(sheet.connection, openings, self._defaults, self._sealer)

    def _open(self, sheet: Sheet, desk: Desk, opening: Opening) -> list[Job]:
        drafts, ids, now = opening.drafts, opening.ids, opening.now
        first = drafts[0]
        desk.refuse_duplicates(opening)
        settings, limits = desk.rules(first)
        for model in {draft.request.model for draft in drafts}:
            check_access(settings, first.asker, model)
        counted, cost, before = counted_in(opening), cost_of(drafts), desk.kept(opening)
        use = as_use(counted, sheet.counters(counted.rows()), NOTHING, desk.lasts(opening))
        refusals = decide(limits, first.asker, cost, before.added_to(use, counted.place_key), now)
        if refusals:
            raise Refused(refusals, in_server=first.asker.place.is_server)
        sheet.add(counted.rows(), change_of(cost))
        desk.accepted(opening, counted)
        opened = [job_from_draft(draft, job_id, now) for draft, job_id in zip(drafts, ids, strict=True)]
        row_of = partial(
            job_values, group_id=ids[0], grouped=len(drafts) > 1, holder=self._life.name, sealer=self._sealer
        )
        sheet.open([row_of(job) for job in opened], None if opening.batch is None else batch_values(opening.batch))
        return opened

    def _change(self, sheet: Sheet, asked: Change) -> Job:
        job, step, values = asked.job, asked.step, dict(asked.values)
        row = sheet.jobs.get(job.id)
        if row is None or row["epoch"] != job.epoch or (asked.state is not None and row["state"] != asked.state.value):
            raise LostLease(job.id)
        if row["forgotten"] and "revised_prompt" in values:  # whoever asked to be forgotten leaves no words behind
            values["revised_prompt"] = None
        if step is None or not asked.ends_reservation:
            return job_from_row(sheet.change(job.id, values), self._sealer)
        charged = row["upper_micro_usd"] if step.charged is None else step.charged
        made = row["images"] if step.images is None else step.images
        closed = {"reserved_micro_usd": 0, "charged_micro_usd": charged, "made_images": made}
        row = sheet.change(job.id, {**values, **closed})
        rows = Counted.of_row(row).rows()
        sheet.add(rows, given_back(row, step, charged, made))
        if row["grouped"]:
            sheet.add(rows, rest_of_group(sheet.lines(row["group_id"])))
        return job_from_row(row, self._sealer)


def counted_in(opening: Opening) -> Counted:
    first = opening.drafts[0]
    return Counted.of_asker(first.asker, opening.now, own_key=first.own_key)
