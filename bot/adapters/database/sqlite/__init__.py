"""What every job writes, on SQLite: many at once in one transaction, in plain sqlite3, just as ``SqlSteps`` would."""
