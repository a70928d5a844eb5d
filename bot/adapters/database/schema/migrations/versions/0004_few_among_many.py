"""What looks for a few jobs finds them in an index of those few, and no longer in one of all jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

PARTIAL = (
    ("ix_jobs_open", ["id"], "state NOT IN ('refused', 'released', 'settled', 'unknown')"),
    ("ix_jobs_waiting", ["place_key", "user_id"], "waiting"),
    ("ix_jobs_group", ["group_id"], "grouped"),
    ("ix_jobs_batch", ["batch_id"], "batch_id IS NOT NULL"),
)


def upgrade() -> None:
    for name in ("ix_jobs_state", "ix_jobs_parent", "ix_jobs_group", "ix_jobs_batch"):
        op.drop_index(name, table_name="jobs")
    for name, columns, where in PARTIAL:
        op.create_index(name, "jobs", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    op.create_index("ix_jobs_place_user_id", "jobs", ["place_key", "user_id", "id"])
    op.create_index("ix_uses_window", "uses", ["window_key"])
