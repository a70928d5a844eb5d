"""The schema's history, run by alembic; ``versions`` holds one file a step."""
