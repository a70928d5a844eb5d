"""A slot knows since when it holds, so that a clock that was set holds nobody; one of before holds nobody either."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("slots", sa.Column("taken_at", sa.BigInteger(), nullable=True))
