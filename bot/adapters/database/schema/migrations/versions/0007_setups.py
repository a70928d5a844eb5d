"""A process says what all processes on the ledger must agree on, so that the doctor can compare."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("processes", sa.Column("setup", sa.Text(), nullable=True))
