"""A job knows where its pictures lie, so that a process that cannot see them leaves them to the one that can."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("pictures_at", sa.Text(), nullable=True))
    unknown = sa.text("state = 'unknown'")
    op.create_index("ix_jobs_unknown", "jobs", ["pictures_at"], sqlite_where=unknown, postgresql_where=unknown)
