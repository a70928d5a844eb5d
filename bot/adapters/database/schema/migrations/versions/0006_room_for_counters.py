"""On PostgreSQL, a counter that changes finds room for its new version beside the old one, and no index hears of it."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE uses SET (fillfactor = 50)")
