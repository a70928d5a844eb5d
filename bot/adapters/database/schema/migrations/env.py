"""How alembic runs here: always on a connection that the caller opened, inside the caller's transaction."""

from __future__ import annotations

from alembic import context

from bot.adapters.database.schema.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transactional_ddl=True,
)
context.run_migrations()
