"""The tables, the same for SQLite and PostgreSQL. What changes here needs a migration; a test compares the two.

Moments are whole microseconds since 1970 in UTC, money whole micro-dollars, structured values ASCII JSON as text.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Dialect,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    TextClause,
    TypeDecorator,
    literal_column,
    text,
)

from bot.rules.ledger import FINAL, JobState

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    """Whole microseconds since 1970, exact."""
    return (moment - EPOCH) // MICROSECOND


def from_micros(value: int) -> datetime:
    """The moment ``to_micros`` was given, as UTC."""
    return EPOCH + value * MICROSECOND


class Moment(TypeDecorator[datetime]):
    """An aware datetime kept as an integer, so that both engines compare, sort and add alike."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_micros(value)


metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s"})

jobs = Table(
    "jobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("event_key", Text, nullable=False),
    Column("group_id", Text, nullable=False),  # the first job of the call that opened it: counted as one request
    Column("state", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("holder", Text, nullable=False),
    Column("place_key", Text, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("channel_id", BigInteger, nullable=False),
    Column("parent_channel_id", BigInteger),
    Column("asker", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("search_text", Text, nullable=False),
    Column("private", Boolean(create_constraint=False), nullable=False),
    Column("own_key", Boolean(create_constraint=False), nullable=False),
    Column("grouped", Boolean(create_constraint=False), nullable=False),
    Column("images", Integer, nullable=False),  # asked for; ``made_images`` is what came, or what still counts
    Column("upper_micro_usd", BigInteger, nullable=False),
    Column("reserved_micro_usd", BigInteger, nullable=False),
    Column("charged_micro_usd", BigInteger, nullable=False),
    Column("made_images", Integer, nullable=False),
    Column("bill", Text),
    Column("created_at", Moment, nullable=False),
    Column("dispatched_at", Moment),
    Column("produced_at", Moment),
    Column("finished_at", Moment),
    Column("answer", Text),  # without its token
    Column("answer_message_id", BigInteger),
    Column("token", Text),  # sealed; wiped when the job ends or the interaction does
    Column("token_expires_at", Moment),
    Column("revised_prompt", Text),
    Column("message_id", BigInteger),
    Column("message_channel_id", BigInteger),
    Column("parent_id", Text),
    Column("parent_index", Integer),
    Column("batch_id", Text),
    Column("batch_line", Integer),
    Column("waiting", Boolean(create_constraint=False), nullable=False),
    Column("deleted", Boolean(create_constraint=False), nullable=False),
    Column("forgotten", Boolean(create_constraint=False), nullable=False),
    Column("reason", Text, nullable=False),
    Column("pictures_at", Text),  # the place where its pictures are kept; NULL: not sent yet, or written before 0005
    CheckConstraint("reserved_micro_usd >= 0 AND charged_micro_usd >= 0", name="jobs_money"),
    Index("uq_jobs_event_key", "event_key", unique=True),
    Index("ix_jobs_place_id", "place_key", "id"),  # a gallery page costs the same however many pictures there are
    Index("ix_jobs_place_created", "place_key", "created_at"),
    Index("ix_jobs_place_user", "place_key", "user_id", "created_at"),
    Index("ix_jobs_place_user_id", "place_key", "user_id", "id"),  # the same of one member's
    Index("ix_jobs_user", "user_id"),
    Index("ix_jobs_created", "created_at"),
)


def _only(name: str, columns: Iterable[Column[Any]], where: ColumnElement[bool] | TextClause) -> Index:
    """An index of those rows alone: what few rows are in costs the others nothing, and is found among millions.

    A query is answered by it only if it says the same, letter by letter, and no value of it is a parameter.
    """
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


def _listed(states: Iterable[JobState]) -> list[ColumnElement[str]]:
    return [literal_column(f"'{state.value}'", Text) for state in sorted(states)]


OPEN = jobs.c.state.not_in(_listed(FINAL))
"""Jobs that have not ended, as ``ix_jobs_open`` knows them."""

WAITING = text("waiting")
"""Jobs whose pictures could not be shown yet, as ``ix_jobs_waiting`` knows them."""

UNKNOWN = jobs.c.state == literal_column(f"'{JobState.UNKNOWN.value}'", Text)
"""Jobs that may have been billed, as ``ix_jobs_unknown`` knows them: their pictures may still be found."""

GROUPED = text("grouped")
"""Jobs that were opened together with others, as ``ix_jobs_group`` knows them."""

_only("ix_jobs_open", [jobs.c.id], OPEN)
_only("ix_jobs_waiting", [jobs.c.place_key, jobs.c.user_id], WAITING)
_only("ix_jobs_unknown", [jobs.c.pictures_at], UNKNOWN)
_only("ix_jobs_group", [jobs.c.group_id], GROUPED)
_only("ix_jobs_batch", [jobs.c.batch_id], jobs.c.batch_id.is_not(None))
_only("ix_jobs_token", [jobs.c.token_expires_at], jobs.c.token.is_not(None))

uses = Table(
    "uses",
    metadata,
    Column("subject", Text, nullable=False),  # see counters.py
    Column("window_key", Text, nullable=False),
    Column("requests", BigInteger, nullable=False),
    Column("images", BigInteger, nullable=False),
    Column("spent", BigInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False),
    Column("running", BigInteger, nullable=False),
    PrimaryKeyConstraint("subject", "window_key"),
    Index("ix_uses_window", "window_key"),  # those that ended are forgotten
)

warnings = Table(
    "warnings",
    metadata,
    Column("subject", Text, nullable=False),
    Column("window_key", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("percent", Integer, nullable=False),
    PrimaryKeyConstraint("subject", "window_key", "amount", "percent"),
)

reviews = Table(
    "reviews",
    metadata,
    Column("job_id", Text, primary_key=True),
    Column("group_id", Text, nullable=False),  # the first job of those that one message shows
    Column("place_key", Text, nullable=False),
    Column("channel_id", BigInteger),
    Column("message_id", BigInteger),  # NULL: no message stands
    Column("approved", Boolean(create_constraint=False), nullable=False),
    Column("taken_at", Moment),  # since when somebody decides
    Index("ix_reviews_group", "group_id"),
    Index("ix_reviews_place", "place_key"),
)

word_refusals = Table(
    "word_refusals",
    metadata,
    Column("subject", Text, nullable=False),  # as in ``uses``: the server
    Column("window_key", Text, nullable=False),
    Column("refused", BigInteger, nullable=False),
    PrimaryKeyConstraint("subject", "window_key"),
)

limits = Table(
    "limits",
    metadata,
    Column("place_key", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("measure", Text, nullable=False),
    Column("period", Text, nullable=False),
    Column("subject_id", BigInteger, nullable=False),  # 0 where the scope has no subject
    Column("seconds", Integer, nullable=False),
    Column("amount", BigInteger),  # NULL: no limit
    PrimaryKeyConstraint("place_key", "scope", "measure", "period", "subject_id"),
)

settings = Table(
    "settings",
    metadata,
    Column("place_key", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("api_key", Text),  # sealed
    Column("api_key_hint", Text),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Text, primary_key=True),
    Column("place_key", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("actor_id", BigInteger, nullable=False),
    Column("what", Text, nullable=False),
    Column("old", Text, nullable=False),
    Column("new", Text, nullable=False),
    Column("change", Text),  # JSON; NULL: written before 0002, when what, old and new were all there was
    Index("ix_audit_place", "place_key", "at", "id"),
)

batches = Table(
    "batches",
    metadata,
    Column("id", Text, primary_key=True),
    Column("place_key", Text, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("asker", Text, nullable=False),
    Column("lines", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("channel_id", BigInteger, nullable=False),
    Column("message_id", BigInteger),
    Column("cancelled", Boolean(create_constraint=False), nullable=False),
    Column("finished", Boolean(create_constraint=False), nullable=False),
    Column("private", Boolean(create_constraint=False), nullable=False),
    Column("overnight", Boolean(create_constraint=False)),  # NULL: written before 0012, drawn at once
    Index("ix_batches_finished", "finished"),
    Index("ix_batches_user", "user_id"),
)

styles = Table(
    "styles",
    metadata,
    Column("place_key", Text, nullable=False),  # a server's, or its owner's own place
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("place_key", "key"),
)

favourites = Table(
    "favourites",
    metadata,
    Column("user_id", BigInteger, nullable=False),
    Column("job_id", Text, nullable=False),
    PrimaryKeyConstraint("user_id", "job_id"),
    Index("ix_favourites_job", "job_id"),
)

slots = Table(
    "slots",
    metadata,
    Column("key", Text, primary_key=True),
    Column("next_at", BigInteger, nullable=False),
    Column("taken_at", BigInteger),  # since when it holds; NULL: written before 0003, holds nobody
)

processes = Table(
    "processes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("beat_at", Moment, nullable=False),
    Column("setup", Text),  # JSON: what it says of itself; NULL: it works on no jobs, or is older than 0007
)

facts = Table(
    "facts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

offers = Table(
    "offers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("place_key", Text, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("body", Text, nullable=False),  # sealed
    Index("ix_offers_user", "user_id", "created_at"),
    Index("ix_offers_created", "created_at"),
)

reminders = Table(
    "reminders",
    metadata,
    Column("user_id", BigInteger, nullable=False),
    Column("about", Text, nullable=False),
    Column("place_key", Text, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("user_id", "about"),
    Index("ix_reminders_due", "due_at"),
)
