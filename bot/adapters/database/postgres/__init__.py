"""What only PostgreSQL does: the writes of many jobs in one transaction."""
