"""``Steps`` at the writer's desk: what ``SqlSteps`` does, with many jobs in one transaction and few statements each.

Law: answers and rows are those of ``SqlSteps``; ``test_quick_steps.py`` compares the two. What the caller has in hand
is not read again: only what others may have changed meanwhile is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from functools import cache, partial
from typing import Any, NamedTuple

from sqlalchemy import Table, bindparam, insert, select, update

from bot.adapters.database.codec import (
    Sealer,
    all_jobs,
    batch_values,
    job_from_draft,
    job_from_row,
    job_values,
    load_settings,
)
from bot.adapters.database.counting.budgets import Watch, passed, watched
from bot.adapters.database.counting.counters import Counted, last_request, reach_of, used_of, waits, windows_at
from bot.adapters.database.counting.forgotten import (
    JOBS_OF,
    NOTED,
    Kept,
    groups_open,
    kept_from,
    name_of,
    noted,
    running_windows,
)
from bot.adapters.database.engine import Database
from bot.adapters.database.leases import Life
from bot.adapters.database.reserving import change_of, check_alike, cost_of, limits_for
from bot.adapters.database.schema.tables import batches, from_micros, jobs, limits, settings
from bot.adapters.database.servers import LIMITS_OF, SETTINGS_OF, with_defaults
from bot.adapters.database.sqlite.desk import Desk
from bot.adapters.database.sqlite.statements import Prepared, all_stored, reader_of
from bot.adapters.database.steps import LINES_OF_GROUP, Opening, Step, given_back, jobs_kept, rest_of_group, step_kept
from bot.rules.ledger import Answer, DuplicateEvent, Job, JobDraft, JobState, LostLease
from bot.rules.limits.decide import Refused, Subject, Use, Used, applicable, decide, subject_of
from bot.rules.limits.limit import Limit, Period, Quota
from bot.rules.people import Asker
from bot.rules.servers.access import ServerSettings, check_access


class _Seen(NamedTuple):
    """What others may have changed of a job since its caller saw it, and what it is counted by."""

    epoch: int
    state: str
    forgotten: int
    answer_message_id: int | None
    token: str | None
    waiting: int
    deleted: int
    place_key: str
    user_id: int
    channel_id: int
    parent_channel_id: int | None
    own_key: int
    upper_micro_usd: int
    images: int
    grouped: int
    group_id: str


_SEE = Prepared(select(*(jobs.c[name] for name in _Seen._fields)).where(jobs.c.id == bindparam("which")))
_JOB = Prepared(all_jobs().where(jobs.c.id == bindparam("which")))
_OF_EVENT = Prepared(select(jobs.c.id).where(jobs.c.event_key == bindparam("event")))
_GROUP = Prepared(LINES_OF_GROUP)
_LIMITS = Prepared(LIMITS_OF)
_SETTINGS = Prepared(SETTINGS_OF)
_NOTED = Prepared(NOTED)
_read_job, _read_limit, _read_settings = reader_of(jobs), reader_of(limits), reader_of(settings)
_OF_JOB = frozenset(field.name for field in fields(Job))


@cache
def _insert(table: Table, columns: tuple[str, ...]) -> Prepared:
    return Prepared(insert(table), columns)


@cache
def _update(columns: tuple[str, ...]) -> Prepared:
    return Prepared(update(jobs).where(jobs.c.id == bindparam("which")), columns)


@cache
def _last_request(subject: Subject) -> Prepared:
    return Prepared(last_request(subject, ()))


class QuickSteps:
    """``Steps`` on SQLite."""

    def __init__(self, database: Database, sealer: Sealer, defaults: Sequence[Limit], life: Life, watch: Watch) -> None:
        self._db = database
        self._watch = watch
        self._sealer = sealer
        self._defaults = tuple(defaults)
        self._life = life

    async def open(self, opening: Opening) -> list[Job]:
        drafts, ids, now = opening.drafts, opening.ids, opening.now
        check_alike(drafts)
        opened = [job_from_draft(draft, job_id, now) for draft, job_id in zip(drafts, ids, strict=True)]
        row_of = partial(
            job_values, group_id=ids[0], grouped=len(drafts) > 1, holder=self._life.name, sealer=self._sealer
        )
        rows = [all_stored(row_of(job)) for job in opened]
        batch = None if opening.batch is None else all_stored(batch_values(opening.batch))

        def work(desk: Desk) -> list[Job]:
            self._take(desk, opening)
            desk.run_many(_insert(jobs, tuple(rows[0])), rows)
            if batch is not None:
                desk.run(_insert(batches, tuple(batch)), batch)
            return opened

        return await self._db.write_at_desk(work, kept=jobs_kept(opening, self._sealer))

    def _take(self, desk: Desk, opening: Opening) -> None:
        """Adds the cost to every counter. Raises ``DuplicateEvent``, ``AccessDenied``, ``Refused`` before."""
        drafts, first, now = opening.drafts, opening.drafts[0], opening.now
        _refuse_duplicates(desk, drafts)
        asker, place_key = first.asker, first.asker.place.key
        chosen, limits = self._rules(desk, place_key)
        for model in {draft.request.model for draft in drafts}:
            check_access(chosen, asker, model)
        limits, cost = limits_for(first, limits), cost_of(drafts)
        counted = Counted.of_asker(asker, now, own_key=first.own_key)
        rows = counted.rows()
        before = self._kept(desk, counted)
        lasts = {}
        for subject, seconds in waits(limits, asker).items():
            also = tuple(before.jobs_of(place_key).get(subject, ()))
            statement = Prepared(last_request(subject, also)) if also else _last_request(subject)
            [last] = desk.run(statement, all_stored(reach_of(asker, now, seconds))).fetchone()
            if last is not None:
                lasts[subject] = from_micros(last)
        use = Use(_read(desk, counted, limits, asker), lasts)
        refusals = decide(limits, asker, cost, before.added_to(use, place_key), now)
        if refusals:
            raise Refused(refusals, in_server=asker.place.is_server)
        desk.add(rows, change_of(cost))

    def _rules(self, desk: Desk, place_key: str) -> tuple[ServerSettings, tuple[Limit, ...]]:
        return desk.remembered(("rules", place_key), lambda: self._rules_of(desk, place_key))

    def _rules_of(self, desk: Desk, place_key: str) -> tuple[ServerSettings, tuple[Limit, ...]]:
        row = desk.run(_SETTINGS, {"place": place_key}).fetchone()
        found = desk.run(_LIMITS, {"place": place_key}).fetchall()
        chosen = load_settings(None if row is None else _read_settings(row))
        return chosen, with_defaults(self._defaults, (_read_limit(row) for row in found))

    def _kept(self, desk: Desk, counted: Counted) -> Kept:
        def find() -> tuple[str, list[str]]:
            name = name_of(counted.place_key, self._sealer.tag(counted.user_id))
            row = desk.run(_NOTED, {"key": f"{JOBS_OF}{name}"}).fetchone()
            return name, noted(None if row is None else row[0])

        name, job_ids = desk.remembered(("kept", counted.place_key, counted.user_id), find)
        rows = running_windows(name, counted.created_at)
        open_groups = desk.run(Prepared(groups_open(job_ids))).fetchone()[0] if job_ids else 0
        return kept_from({period: desk.counter(row) for period, row in rows.items()}, job_ids, open_groups)

    async def move(self, job: Job, step: Step) -> Job:
        values = step.columns()

        def work(desk: Desk) -> Job:
            seen = _seen(desk, job)
            if seen.state != job.state.value:
                raise LostLease(job.id)
            if step.ends_reservation_of(job):
                charged = seen.upper_micro_usd if step.charged is None else step.charged
                made = seen.images if step.images is None else step.images
                closed = {"reserved_micro_usd": 0, "charged_micro_usd": charged, "made_images": made}
                found = self._changed(desk, job, seen, {**values, **closed}, step)
                _give_back(desk, job, seen, step, charged, made)
                self._look_at_marks(desk, seen.place_key, job.created_at)
                return found
            return self._changed(desk, job, seen, values, step)

        return await self._db.write_at_desk(work, kept=step_kept(job, step, self._sealer))

    def _look_at_marks(self, desk: Desk, place_key: str, counted_at: datetime) -> None:
        _, limits = self._rules(desk, place_key)
        for limit, row in watched(limits, place_key, counted_at):
            if passed(place_key, limit, desk.counter(row).spent):
                self._watch.mark_passed(place_key)

    async def note(self, job: Job, values: Mapping[str, Any], state: JobState | None) -> Job:
        def work(desk: Desk) -> Job:
            seen = _seen(desk, job)
            if state is not None and seen.state != state.value:
                raise LostLease(job.id)
            return self._changed(desk, job, seen, values, None)

        return await self._db.write_at_desk(work)

    def _changed(self, desk: Desk, job: Job, seen: _Seen, values: Mapping[str, Any], step: Step | None) -> Job:
        """Writes ``values`` and returns the job as it is now."""
        if seen.forgotten and "revised_prompt" in values:  # whoever asked to be forgotten leaves no words behind
            values = {**values, "revised_prompt": None}
        desk.run(_update(tuple(values)), {**all_stored(values), "which": job.id})
        if seen.forgotten or seen.state != job.state.value:
            return job_from_row(_read_job(desk.run(_JOB, {"which": job.id}).fetchone()), self._sealer)
        changed: dict[str, Any] = {"waiting": bool(seen.waiting), "deleted": bool(seen.deleted)}
        changed |= {name: value for name, value in values.items() if name in _OF_JOB}
        if "pictures_at" in values:
            changed["pictures_at"] = values["pictures_at"] or ""
        if step is not None:
            changed["state"] = step.to
        if step is not None and step.bill is not None:
            changed["bill"] = step.bill
        return replace(job, answer=_answer(job.answer, {**seen._asdict(), **values}), **changed)


def _read(desk: Desk, counted: Counted, limits: Sequence[Limit], asker: Asker) -> Mapping[tuple[Subject, Period], Used]:
    """The counters that ``decide`` will ask for: those of the limits that apply, not all that there are."""
    names, windows = counted.subjects(), windows_at(counted.created_at)
    found: dict[tuple[Subject, Period], Used] = {}
    for limit in applicable(limits, asker):
        if isinstance(limit, Quota) and (name := names.get(subject_of(limit, asker))) is not None:
            held = desk.counter((name, windows[limit.period]))
            found[subject_of(limit, asker), limit.period] = used_of(held)
    return found


def _refuse_duplicates(desk: Desk, drafts: Sequence[JobDraft]) -> None:
    found = [row[0] for draft in drafts for row in desk.run(_OF_EVENT, {"event": draft.event_key})]
    if found:
        raise DuplicateEvent(min(found))


def _seen(desk: Desk, job: Job) -> _Seen:
    row = desk.run(_SEE, {"which": job.id}).fetchone()
    if row is None or row[0] != job.epoch:
        raise LostLease(job.id)
    return _Seen(*row)


def _give_back(desk: Desk, job: Job, seen: _Seen, step: Step, charged: int, made: int) -> None:
    counted = Counted(
        seen.place_key, seen.user_id, seen.channel_id, seen.parent_channel_id, bool(seen.own_key), job.created_at
    )
    rows = counted.rows()
    desk.add(rows, given_back(seen._asdict(), step, charged, made))
    if seen.grouped:
        rest = rest_of_group(desk.run(_GROUP, {"group_id": seen.group_id}))
        if rest:
            desk.add(rows, rest)


def _answer(answer: Answer | None, row: Mapping[str, Any]) -> Answer | None:
    """How to reach the one who asked, as the row has it: the token may be wiped, the message be known by now."""
    if answer is None:
        return None
    token, message_id = "" if row["token"] is None else answer.token, row["answer_message_id"]
    if (token, message_id) == (answer.token, answer.message_id):
        return answer
    return replace(answer, token=token, message_id=message_id)
