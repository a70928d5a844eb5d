"""``easel doctor``: everything that can be wrong with an installation, looked at and told."""
