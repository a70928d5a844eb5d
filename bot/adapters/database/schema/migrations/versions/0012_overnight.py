"""Batches that are drawn overnight."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("batches", sa.Column("overnight", sa.Boolean(create_constraint=False), nullable=True))
