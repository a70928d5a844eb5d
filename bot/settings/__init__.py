"""What the operator configured: environment, ``.env`` and secret files, read once at the edge."""
